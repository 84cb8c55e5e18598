package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// sendTries is how often a mail is tried that the service surely did not take, and dispatchers how
// many inboxes Dispatch serves at the same time.
const (
	sendTries   = 10
	dispatchers = 8
)

// sendFor is how long handing over one mail may take. Who was held up for longer sends no more: at the
// last look of reconcileAt a person is asked, who may have the mail sent again.
const sendFor = 8 * time.Minute

// Dispatch sends what is queued and due, and looks for mail whose answer was lost; limit bounds how
// much, zero is all. Inboxes do not wait for each other, and an error on one mail holds up no other:
// all of them are returned joined. It returns how many mails it took up. It is the engine's own;
// desk.Run calls it. Several may run at once.
func (s *Service) Dispatch(ctx context.Context, limit int) (int, error) {
	due := make(map[inbox.ID][]Entry)
	q := EntryQuery{Outgoing: []OutgoingState{OutgoingQueued, OutgoingSending}, Due: s.now(), Limit: limit}
	for e, err := range s.Store.Entries(ctx, q) {
		if err != nil {
			return 0, err
		}
		due[e.Inbox] = append(due[e.Inbox], e)
	}
	var (
		jobs  sync.WaitGroup
		slots = make(chan struct{}, dispatchers)
		mu    sync.Mutex
		taken int
		errs  []error
	)
	for _, entries := range due {
		slots <- struct{}{}
		jobs.Go(func() {
			defer func() { <-slots }()
			for _, e := range entries {
				err := s.dispatch(ctx, e)
				if errors.Is(err, storage.ErrConflict) {
					continue // somebody else has it
				}
				mu.Lock()
				taken++
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	jobs.Wait()
	if ctx.Err() != nil {
		return taken, ctx.Err()
	}
	return taken, errors.Join(errs...)
}

func (s *Service) dispatch(ctx context.Context, e Entry) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e.Outgoing.State == OutgoingSending {
		_, err = s.reconcile(ctx, e)
		return err
	}
	if err = s.mayStill(ctx, &e); errors.Is(err, acl.ErrDenied) {
		_, err = s.fail(ctx, e, OutgoingFailed, err)
	} else if err == nil {
		_, err = s.send(ctx, e)
	}
	return err
}

// mayStill refuses with acl.ErrDenied a mail that waited, by somebody who may not answer from the
// mailbox any more: whoever lost access must leave nothing that speaks for its owner later.
func (s *Service) mayStill(ctx context.Context, e *Entry) error {
	in, err := s.engineInbox(ctx, e.Inbox)
	if err != nil {
		return err
	}
	author, err := s.Inboxes.Actor(ctx, in.Site, e.Author)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("author of entry %q: %w", e.ID, acl.ErrDenied)
	}
	if err != nil {
		return err
	}
	return acl.Check(author, in.ACL(), acl.BeAssignee, nil).Err()
}

// send takes a queued entry out: it is marked sending first, so that a crash or a lost answer is
// looked into and never repeated blindly. Of two workers one gets the mark, the other
// storage.ErrConflict.
func (s *Service) send(ctx context.Context, e Entry) (Entry, error) {
	now, try := s.now(), rand.Text()
	err := s.move(ctx, &e, OutgoingQueued, func(o *Outgoing) {
		o.State, o.SendingAt, o.NotBefore = OutgoingSending, now, now.Add(reconcileAt[0])
		o.Attempts, o.Try = o.Attempts+1, try
	})
	if err != nil {
		return e, err
	}
	blob := inbox.BlobInfo{Key: e.Outgoing.Blob, Size: e.Outgoing.Size}
	within, stop := context.WithTimeout(ctx, sendFor)
	defer stop()
	sent, err := s.Inboxes.Send(within, e.Inbox, blob, e.Outgoing.Thread, e.Outgoing.Marker)
	switch {
	case err == nil:
		return s.sent(ctx, e, sent)
	case errors.Is(err, provider.ErrAmbiguous) || within.Err() != nil:
		return e, ctx.Err() // reconcile looks for it
	case passing(err) && e.Outgoing.Attempts < sendTries:
		return s.again(ctx, e, err)
	}
	return s.fail(ctx, e, OutgoingFailed, err)
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
	err := s.move(ctx, &e, OutgoingSending, func(o *Outgoing) {
		o.State, o.NotBefore = OutgoingQueued, until
	})
	return e, err
}

// sent notes that the service took the mail. Where the copy in the sent folder was faster, nothing is
// left to do.
func (s *Service) sent(ctx context.Context, e Entry, sent provider.Sent) (Entry, error) {
	for try := 1; ; try++ {
		t, err := s.Store.Ticket(ctx, e.Ticket)
		if err != nil {
			return e, err
		}
		now, err := s.current(ctx, e)
		if err != nil || now.Outgoing.State == OutgoingSent {
			return now, err
		}
		entries, ev := s.confirm(&t, &now, sent)
		_, err = s.saveTickets(ctx, []Write{{Ticket: t, Entries: append(entries, now)}}, ev...)
		if try < collectTries && errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err != nil {
			return e, err
		}
		return now, nil
	}
}

// confirm marks an entry as sent and gives the ticket the status that was picked with it (R-STA-03),
// unless a client was heard since it was written. It returns the further lines and the events.
func (s *Service) confirm(t *Ticket, e *Entry, sent provider.Sent) (lines []Entry, ev []inbox.Event) {
	o := *e.Outgoing
	o.State, o.Error = OutgoingSent, ""
	e.Outgoing = &o
	if sent.MessageID != "" {
		e.RFCID = sent.MessageID
	}
	t.follow(sent.Thread)
	t.touch(s.now())
	ev = append(ev, s.event(inbox.Event{Name: EventAgentReply, Entry: string(e.ID)}, t, e.Author))
	if o.Status != "" && o.Status != t.Status && !t.HeardAt.After(e.At) {
		line, changed := s.setStatus(t, o.Status, e.Author)
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
	err := s.move(ctx, &e, e.Outgoing.State, func(o *Outgoing) { o.State, o.Error = state, code }, ev)
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

// move changes where an entry stands on its way out, if it still stands at from; storage.ErrConflict
// says that somebody else moved it. e becomes the entry as stored.
func (s *Service) move(ctx context.Context, e *Entry, from OutgoingState, change func(*Outgoing), ev ...inbox.Event) error {
	for try := 1; ; try++ {
		t, err := s.Store.Ticket(ctx, e.Ticket)
		if err != nil {
			return err
		}
		now, err := s.current(ctx, *e)
		if err != nil {
			return err
		}
		if now.Outgoing.State != from {
			return &storage.Error{Op: "send", Entity: "entry", ID: string(e.ID), Err: storage.ErrConflict}
		}
		o := *now.Outgoing
		change(&o)
		now.Outgoing = &o
		events := make([]inbox.Event, len(ev))
		for i := range ev {
			events[i] = s.event(ev[i], &t, "")
		}
		_, err = s.saveTickets(ctx, []Write{{Ticket: t, Entries: []Entry{now}}}, events...)
		if try < collectTries && errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err == nil {
			*e = now
		}
		return err
	}
}

// current reads an outgoing entry again.
func (s *Service) current(ctx context.Context, e Entry) (Entry, error) {
	for now, err := range s.Store.Entries(ctx, EntryQuery{Ticket: e.Ticket}) {
		if err != nil {
			return Entry{}, err
		}
		if now.ID == e.ID && now.Outgoing != nil {
			return now, nil
		}
	}
	return Entry{}, &storage.Error{Op: "read", Entity: "entry", ID: string(e.ID), Err: storage.ErrNotFound}
}
