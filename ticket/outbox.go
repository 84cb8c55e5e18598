package ticket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// reconcileFor is how long a mail whose answer was lost is looked for before a person is asked
// (PROVIDERS 8.3), and sendTries how often one is tried that the service surely did not take.
const (
	reconcileFor = 10 * time.Minute
	sendTries    = 10
)

// ErrNotUnknown says that an outgoing mail needs nobody's decision.
var ErrNotUnknown = errors.New("this mail is not in doubt")

// Dispatch sends what is queued and due, and looks for mail whose answer was lost. It returns how
// many entries it took up. It is the engine's own; desk.Run calls it.
func (s *Service) Dispatch(ctx context.Context, limit int) (int, error) {
	q := EntryQuery{Outgoing: []OutgoingState{OutgoingQueued, OutgoingSending}, Due: s.now(), Limit: limit}
	n := 0
	for e, err := range s.Store.Entries(ctx, q) {
		if err != nil {
			return n, err
		}
		if e.Outgoing.State == OutgoingSending {
			_, err = s.reconcile(ctx, e)
		} else {
			_, err = s.send(ctx, e)
		}
		if err != nil && !errors.Is(err, storage.ErrConflict) {
			return n, err
		}
		n++
	}
	return n, nil
}

// send takes a queued entry out: it is marked sending first, so that a crash or a lost answer is
// looked into and never repeated blindly. Of two workers one gets the mark.
func (s *Service) send(ctx context.Context, e Entry) (Entry, error) {
	now := s.now()
	t, err := s.move(ctx, &e, OutgoingQueued, func(o *Outgoing) {
		o.State, o.SendingAt, o.NotBefore = OutgoingSending, now, now.Add(5*time.Second)
		o.Attempts++
	})
	if err != nil {
		return e, err
	}
	var thread inbox.ThreadID
	if len(t.Threads) > 0 {
		thread = t.Threads[0]
	}
	blob := inbox.BlobInfo{Key: e.Outgoing.Blob, Size: e.Outgoing.Size}
	sent, err := s.Inboxes.Send(ctx, e.Inbox, blob, thread, e.Outgoing.Marker)
	switch {
	case err == nil:
		return s.sent(ctx, e, sent)
	case errors.Is(err, provider.ErrAmbiguous) || ctx.Err() != nil:
		return e, ctx.Err() // reconcile looks for it
	case errors.Is(err, provider.ErrRetry) && e.Outgoing.Attempts < sendTries:
		return s.again(ctx, e, err)
	}
	return s.fail(ctx, e, OutgoingFailed, EventSendFailed, err)
}

// again puts a mail that surely was not sent back into the queue.
func (s *Service) again(ctx context.Context, e Entry, cause error) (Entry, error) {
	wait := min(time.Minute<<min(e.Outgoing.Attempts-1, 10), time.Hour)
	var retry *provider.RetryError
	if errors.As(cause, &retry) {
		wait = max(wait, retry.After)
	}
	until := s.now().Add(wait)
	_, err := s.move(ctx, &e, OutgoingSending, func(o *Outgoing) {
		o.State, o.NotBefore = OutgoingQueued, until
	})
	return e, err
}

// reconcile asks the mailbox whether a mail whose answer was lost was sent.
func (s *Service) reconcile(ctx context.Context, e Entry) (Entry, error) {
	t, err := s.Store.Ticket(ctx, e.Ticket)
	if err != nil {
		return e, err
	}
	var thread inbox.ThreadID
	if len(t.Threads) > 0 {
		thread = t.Threads[0]
	}
	since := e.Outgoing.SendingAt.Add(-time.Minute)
	sent, err := s.Inboxes.FindSent(ctx, e.Inbox, e.Outgoing.Marker, thread, since)
	if err == nil {
		return s.sent(ctx, e, sent)
	}
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	waited := s.now().Sub(e.Outgoing.SendingAt)
	if waited >= reconcileFor {
		return s.fail(ctx, e, OutgoingUnknown, EventSendUnknown, err)
	}
	until := s.now().Add(reconcilePause(waited))
	_, err = s.move(ctx, &e, OutgoingSending, func(o *Outgoing) { o.NotBefore = until })
	return e, err
}

// reconcilePause spreads the looks at 5 s, 30 s, 2 min and 10 min after the send.
func reconcilePause(waited time.Duration) time.Duration {
	for _, at := range []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, reconcileFor} {
		if waited < at {
			return at - waited
		}
	}
	return 0
}

// sent notes that the service took the mail.
func (s *Service) sent(ctx context.Context, e Entry, sent provider.Sent) (Entry, error) {
	for try := 0; ; try++ {
		t, err := s.Store.Ticket(ctx, e.Ticket)
		if err != nil {
			return e, err
		}
		now, err := s.current(ctx, e)
		if err != nil {
			return e, err
		}
		if now.Outgoing.State == OutgoingSent { // the copy in the sent folder was faster
			return now, nil
		}
		before := t.Status
		out := s.confirm(&t, &now, sent.MessageID, sent.Thread, now.Outgoing.SendingAt)
		entries := []Entry{out}
		ev := []inbox.Event{s.event(inbox.Event{Name: EventAgentReply, Entry: string(out.ID)}, &t, out.Author)}
		if t.Status != before {
			line := s.entry(&t, EntryChanged, out.Author)
			line.Change = &Change{Field: "status", From: string(before), To: string(t.Status)}
			entries = append(entries, line)
		}
		_, err = s.Store.SaveTickets(ctx, []Write{{Ticket: t, Entries: entries}}, ev...)
		if try < 9 && errors.Is(err, storage.ErrConflict) {
			continue
		}
		return out, err
	}
}

// confirm marks an entry as sent and gives the ticket the status that was picked with it.
func (s *Service) confirm(t *Ticket, e *Entry, rfcID string, thread inbox.ThreadID, at time.Time) Entry {
	out := *e
	o := *e.Outgoing
	if o.State != OutgoingSent && o.Status != "" {
		t.moveTo(o.Status, at)
	}
	o.State, o.Error = OutgoingSent, ""
	out.Outgoing = &o
	if rfcID != "" {
		out.RFCID = rfcID
	}
	if thread != "" && len(t.Threads) == 0 {
		t.Threads = append(t.Threads, thread)
	}
	t.touch(at)
	return out
}

// fail ends an attempt for good, or for a person to decide.
func (s *Service) fail(ctx context.Context, e Entry, state OutgoingState, name inbox.EventName, cause error) (Entry, error) {
	s.Logger.WarnContext(ctx, "mail not sent", "inbox", e.Inbox, "entry", e.ID, "state", state, "err", cause)
	ev := inbox.Event{Name: name, Entry: string(e.ID), Target: e.Author}
	_, err := s.move(ctx, &e, OutgoingSending, func(o *Outgoing) {
		o.State, o.Error = state, sendCode(cause)
	}, ev)
	return e, err
}

// sendCode says in one word why a mail did not go out.
func sendCode(err error) string {
	switch {
	case errors.Is(err, provider.ErrAuth):
		return "auth"
	case errors.Is(err, errors.ErrUnsupported):
		return "unsupported"
	case errors.Is(err, inbox.ErrInvalidState):
		return "inbox_not_live"
	case errors.Is(err, provider.ErrGone):
		return "not_found"
	}
	return "refused"
}

// Resolve decides on a mail in doubt (state unknown): with wasSent it is noted as sent, otherwise it
// is sent again under a new marker, so that the two can be told apart. The Message-ID stays: where
// both arrive, mail programs show one.
func (s *Service) Resolve(ctx context.Context, actor acl.Actor, id ID, entry EntryID, wasSent bool) (Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	if err := s.allow(ctx, actor, &t, acl.Reply, nil); err != nil {
		return Entry{}, err
	}
	e, err := s.current(ctx, Entry{ID: entry, Ticket: id})
	if err != nil {
		return Entry{}, err
	}
	if e.Outgoing == nil || e.Outgoing.State != OutgoingUnknown {
		return Entry{}, fmt.Errorf("entry %q: %w", entry, ErrNotUnknown)
	}
	if wasSent {
		return s.sent(ctx, e, provider.Sent{})
	}
	marker := newMarker()
	blob, err := s.remark(ctx, &e, marker)
	if err != nil {
		return Entry{}, err
	}
	now := s.now()
	if _, err := s.move(ctx, &e, OutgoingUnknown, func(o *Outgoing) {
		o.State, o.NotBefore, o.Error = OutgoingQueued, now, ""
		o.Marker, o.Blob, o.Size = marker, blob.Key, blob.Size
	}); err != nil {
		return Entry{}, err
	}
	return s.send(ctx, e)
}

// remark keeps a copy of an outgoing mail under another marker.
func (s *Service) remark(ctx context.Context, e *Entry, marker string) (inbox.BlobInfo, error) {
	raw, err := s.Blobs.OpenBlob(ctx, e.Outgoing.Blob)
	if err != nil {
		return inbox.BlobInfo{}, err
	}
	defer raw.Close()
	in := bufio.NewReader(raw)
	var header bytes.Buffer
	for {
		line, err := in.ReadBytes('\n')
		header.Write(bytes.Replace(line, []byte(e.Outgoing.Marker), []byte(marker), 1))
		if len(bytes.TrimSpace(line)) == 0 || err != nil {
			break
		}
	}
	blob, err := s.Blobs.PutBlob(ctx, e.Inbox, io.MultiReader(&header, in))
	if err != nil {
		return inbox.BlobInfo{}, err
	}
	return blob, s.Blobs.SyncBlobs(ctx, e.Inbox)
}

// move changes where an entry stands on its way out, if it still stands at from; storage.ErrConflict
// says that somebody else moved it.
func (s *Service) move(ctx context.Context, e *Entry, from OutgoingState, change func(*Outgoing), ev ...inbox.Event) (Ticket, error) {
	for try := 0; ; try++ {
		t, err := s.Store.Ticket(ctx, e.Ticket)
		if err != nil {
			return Ticket{}, err
		}
		now, err := s.current(ctx, *e)
		if err != nil {
			return Ticket{}, err
		}
		if now.Outgoing == nil || now.Outgoing.State != from {
			return Ticket{}, &storage.Error{Op: "send", Entity: "entry", ID: string(e.ID), Err: storage.ErrConflict}
		}
		o := *now.Outgoing
		change(&o)
		now.Outgoing = &o
		events := make([]inbox.Event, len(ev))
		for i := range ev {
			events[i] = s.event(ev[i], &t, "")
		}
		saved, err := s.Store.SaveTickets(ctx, []Write{{Ticket: t, Entries: []Entry{now}}}, events...)
		if try < 9 && errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err != nil {
			return Ticket{}, err
		}
		*e = now
		return saved[0], nil
	}
}

// current reads an entry again.
func (s *Service) current(ctx context.Context, e Entry) (Entry, error) {
	for now, err := range s.Store.Entries(ctx, EntryQuery{Ticket: e.Ticket}) {
		if err != nil {
			return Entry{}, err
		}
		if now.ID == e.ID {
			return now, nil
		}
	}
	return Entry{}, &storage.Error{Op: "read", Entity: "entry", ID: string(e.ID), Err: storage.ErrNotFound}
}
