package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// sendTries is how often a mail is tried that the service surely did not take.
const sendTries = 10

// sendFor is how long marking one mail and handing it over may take. Who was held up for longer sends no
// more: after the last wait of reconcileAfter a person is asked, who may have the mail sent again.
const sendFor = 8 * time.Minute

// holdFor is how long a mail waits for a mailbox that is paused or has to be connected again, and holdAgain
// how often it is looked at.
const (
	holdFor   = 72 * time.Hour
	holdAgain = 10 * time.Minute
)

// trashWait is for how long a mail is put off whose ticket is in the trash.
const trashWait = time.Hour

// sendNow tries to send what was queued. What goes wrong here is no refusal: the mail stays where it
// is and Dispatch takes it up, or has it already.
func (s *Service) sendNow(ctx context.Context, e Entry) Entry {
	if e.Outgoing.State != OutgoingQueued || e.Outgoing.NotBefore.After(s.now()) {
		return e
	}
	out, err := s.send(ctx, e)
	if err == nil {
		return out
	}
	s.Logger.InfoContext(ctx, "mail waits for dispatch", "inbox", e.Inbox, "entry", e.ID, "err", err)
	if now, err := s.current(context.WithoutCancel(ctx), e); err == nil {
		return now
	}
	return e
}

// send takes a queued entry out: it is marked sending first, so that a crash or a lost answer is
// looked into and never repeated blindly. Of two workers one gets the mark, the other
// storage.ErrConflict.
func (s *Service) send(ctx context.Context, e Entry) (Entry, error) {
	now, try := s.now(), rand.Text()
	within, stop := context.WithTimeout(ctx, sendFor) // others count from when they see the mark
	defer stop()
	err := s.advance(within, &e, OutgoingQueued, func(o *Outgoing) {
		o.State, o.SendingAt, o.NotBefore = OutgoingSending, now, now.Add(reconcileAfter[0])
		o.Attempts, o.Try, o.Looks = o.Attempts+1, try, 0
	})
	if err != nil || e.Outgoing.State != OutgoingSending {
		return e, err
	}
	blob := inbox.BlobInfo{Key: e.Outgoing.Blob, Size: e.Outgoing.Size}
	sent, err := s.Inboxes.Send(within, e.Inbox, blob, e.Outgoing.Thread, e.Outgoing.Marker)
	switch {
	case err == nil:
		return s.sent(ctx, e, sent)
	case errors.Is(err, provider.ErrAmbiguous) || within.Err() != nil:
		return e, ctx.Err() // reconcile looks for it
	case passing(err) && e.Outgoing.Attempts < sendTries:
		return s.again(ctx, e, err)
	case held(err) && (e.Outgoing.HeldSince.IsZero() || now.Sub(e.Outgoing.HeldSince) < holdFor):
		return s.hold(ctx, e, err)
	}
	return s.fail(ctx, e, OutgoingFailed, err)
}

// held says whether a mail was not sent because its mailbox is paused, or waits for its owner.
func held(err error) bool {
	return errors.Is(err, inbox.ErrInvalidState) || sendCode(err) == "auth"
}

// hold puts a mail back into the queue until its mailbox sends again. It says why in Outgoing.Error.
func (s *Service) hold(ctx context.Context, e Entry, cause error) (Entry, error) {
	now := s.now()
	err := s.advance(ctx, &e, OutgoingSending, func(o *Outgoing) {
		o.State, o.NotBefore, o.Error = OutgoingQueued, now.Add(holdAgain), sendCode(cause)
		o.Attempts--
		if o.HeldSince.IsZero() {
			o.HeldSince = now
		}
	})
	return e, err
}

// passing says whether a mail that was surely not sent may go out later without anybody writing it
// again: also where the host's set-up is wrong, which is no fault of who wrote it.
func passing(err error) bool {
	return errors.Is(err, provider.ErrRetry) || errors.Is(err, provider.ErrConfig)
}

// again puts a mail that surely was not sent back into the queue: a minute, doubled each time, at
// most an hour; longer where the service says so.
func (s *Service) again(ctx context.Context, e Entry, cause error) (Entry, error) {
	wait := min(time.Minute<<min(e.Outgoing.Attempts-1, 10), time.Hour)
	var retry *provider.RetryError
	if errors.As(cause, &retry) {
		wait = max(wait, retry.After)
	}
	until := s.now().Add(wait)
	err := s.advance(ctx, &e, OutgoingSending, func(o *Outgoing) {
		o.State, o.NotBefore, o.Error, o.HeldSince = OutgoingQueued, until, "", time.Time{}
	})
	return e, err
}

// sent notes that the service took the mail. Where the copy in the sent folder was faster, nothing is
// left to do.
func (s *Service) sent(ctx context.Context, e Entry, sent provider.Sent) (Entry, error) {
	var now Entry
	err := storage.Redo(func() error {
		t, current, err := s.place(ctx, e)
		if now = current; err != nil || now.Outgoing.State == OutgoingSent {
			return err
		}
		entries, ev := s.confirm(&t, &now, sent)
		_, err = s.saveTickets(ctx, []Write{{Ticket: t, Entries: append(entries, now)}}, ev...)
		return err
	})
	if err != nil {
		return e, err
	}
	s.forgetLeft(ctx, &now)
	return now, nil
}

// confirm marks an entry as sent and gives the ticket the status that was picked with it (R-STA-03),
// unless a client was heard since it was written or the ticket is archived by now (R-STA-06). It returns
// the further lines and the events.
func (s *Service) confirm(t *Ticket, e *Entry, sent provider.Sent) (lines []Entry, ev []inbox.Event) {
	o := *e.Outgoing
	o.State, o.Error = OutgoingSent, ""
	e.Outgoing = &o
	if sent.MessageID != "" {
		e.RFCID = sent.MessageID
	}
	if e.Inbox == t.Mailbox() && (!t.Divided || sent.Thread != o.Thread) { // of a divided thread it has its part
		t.follow(sent.Thread)
	}
	t.touch(s.now())
	ev = append(ev, s.event(inbox.Event{Name: EventAgentReply, Entry: string(e.ID)}, t, e.Author))
	if o.Status != "" && o.Status != t.Status && !t.HeardAt.After(e.At) && t.ArchivedAt.IsZero() {
		line, changed := s.changeStatus(t, o.Status, e.Author)
		lines = append(lines, line)
		ev = append(ev, s.event(changed, t, e.Author))
	}
	return lines, ev
}

// fail ends an attempt for good, or as unknown for a person to decide.
func (s *Service) fail(ctx context.Context, e Entry, state OutgoingState, cause error) (Entry, error) {
	code := sendCode(cause)
	s.Logger.WarnContext(ctx, "mail not sent", "inbox", e.Inbox, "entry", e.ID, "state", state, "code", code, "err", cause)
	ev := inbox.Event{Name: EventSendFailed, Entry: string(e.ID), Target: e.Author,
		Facts: map[string]string{"code": code}}
	if state == OutgoingUnknown {
		ev.Name = EventSendUnknown
	}
	err := s.advance(ctx, &e, e.Outgoing.State, func(o *Outgoing) { o.State, o.Error = state, code }, ev)
	return e, err
}

// sendCode says in one word why a mail did not go out.
func sendCode(err error) string {
	switch {
	case errors.Is(err, provider.ErrAuth), errors.Is(err, provider.ErrAdminConsent),
		errors.Is(err, provider.ErrInsufficientScope):
		return "auth"
	case errors.Is(err, provider.ErrConfig):
		return "config"
	case errors.Is(err, acl.ErrDenied):
		return "denied"
	case errors.Is(err, errors.ErrUnsupported):
		return "unsupported"
	case errors.Is(err, inbox.ErrInvalidState):
		return "inbox_not_live"
	case errors.Is(err, provider.ErrGone) || errors.Is(err, storage.ErrNotFound):
		return "not_found"
	case errors.Is(err, provider.ErrRetry):
		return "retry"
	}
	return "refused"
}

// advance changes where an entry stands on its way out, if it still stands at from and, where it is being
// sent, in the attempt of e. storage.ErrConflict says that somebody else moved it, or put off meanwhile what
// is to be sent. e becomes the entry as stored.
func (s *Service) advance(ctx context.Context, e *Entry, from OutgoingState, change func(*Outgoing),
	ev ...inbox.Event) error {
	for try := 1; ; try++ {
		t, now, err := s.place(ctx, *e)
		if err != nil {
			return err
		}
		o, ok := s.step(&t, now.Outgoing, e.Outgoing, from, change)
		if !ok {
			return &storage.Error{Op: "send", Entity: "entry", ID: string(e.ID), Err: storage.ErrConflict}
		}
		if from == OutgoingFailed && o.State == OutgoingQueued {
			t.Latest = now.ID
		}
		now.Outgoing = &o
		events := make([]inbox.Event, len(ev))
		for i := range ev {
			events[i] = s.event(ev[i], &t, "")
		}
		w := Write{Ticket: t, Entries: []Entry{now}}
		if o.State == OutgoingRecalled {
			w.Texts = writtenTexts(w.Entries) // its files are there no more
		}
		_, err = s.saveTickets(ctx, []Write{w}, events...)
		if try < collectTries && errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err == nil {
			*e = now
		}
		return err
	}
}

// step is where a mail of the ticket stands after a change. It is not ok where the mail does not stand at
// from any more, is sent in another attempt than that of known, or may not leave yet. known is what the
// caller has read, nil where it was not.
func (s *Service) step(t *Ticket, now, known *Outgoing, from OutgoingState, change func(*Outgoing)) (o Outgoing, ok bool) {
	o = *now
	change(&o)
	trashed := !t.DeletedAt.IsZero()
	leaves := from == OutgoingQueued && o.State == OutgoingSending
	waits := from == OutgoingSending && o.State == OutgoingQueued
	switch {
	case now.State != from, from == OutgoingSending && now.Try != known.Try, leaves && now.NotBefore.After(s.now()):
		return Outgoing{}, false
	case leaves && trashed: // it waits for Restore, or goes with the ticket
		o = *now
		o.NotBefore = s.now().Add(trashWait)
	case waits && trashed: // it was on its way as the ticket was deleted; its blob goes with the ticket
		o.State = OutgoingRecalled
	}
	return o, true
}

// place reads an outgoing entry and the ticket it is in. The ticket is read first: where the entry is
// put into another one later, the ticket has another version then. storage.ErrConflict says that it was put
// into another one each time it was looked for.
func (s *Service) place(ctx context.Context, e Entry) (Ticket, Entry, error) {
	for range collectTries {
		t, err := s.Store.Ticket(ctx, e.Ticket)
		if err != nil {
			return Ticket{}, Entry{}, err
		}
		now, err := s.current(ctx, e)
		if err != nil || now.Ticket == t.ID {
			return t, now, err
		}
		e.Ticket = now.Ticket
	}
	return Ticket{}, Entry{}, &storage.Error{Op: "read", Entity: "entry", ID: string(e.ID), Err: storage.ErrConflict}
}

// current reads an outgoing entry again, in whichever ticket it is by now.
func (s *Service) current(ctx context.Context, e Entry) (Entry, error) {
	for _, q := range []EntryQuery{{Ticket: e.Ticket, IDs: []EntryID{e.ID}}, {Inbox: e.Inbox, IDs: []EntryID{e.ID}}} {
		if q.Ticket == "" && q.Inbox == "" {
			continue
		}
		for now, err := range s.Store.Entries(ctx, q) {
			if err != nil {
				return Entry{}, err
			}
			if now.Outgoing != nil {
				return now, nil
			}
		}
	}
	return Entry{}, noEntry(e.ID)
}
