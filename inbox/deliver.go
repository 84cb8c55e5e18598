package inbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Deliver takes up to limit due events from the outbox to the Notifier, each to everybody who may
// view the inbox now and opted in for this kind of event (R-FEA-08). It returns how many were
// settled. It is the engine's own; desk.Run calls it. Delivery is at least once: a failure is tried
// again with backoff, for the receivers that do not have it yet.
func (s *Service) Deliver(ctx context.Context, limit int) (int, error) {
	n := 0
	for due, err := range s.Store.DueEvents(ctx, s.now(), limit) {
		if err != nil {
			return n, err
		}
		if err := s.deliver(ctx, due); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// deliver tries one event. Only an error of the outbox itself ends Deliver: one event that cannot be
// told now must not keep the others.
func (s *Service) deliver(ctx context.Context, due Due) error {
	done, err := s.tell(ctx, due)
	switch {
	case err == nil:
		return s.Store.DoneEvent(ctx, due.ID)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	// The text of a notifier's error may name the receiver's address.
	s.Logger.WarnContext(ctx, "notice not delivered", "event", due.ID, "name", due.Name, "code", code(err))
	s.Logger.DebugContext(ctx, "notice not delivered", "event", due.ID, "err", err)
	now := s.now()
	if now.Sub(due.At) > tellFor && due.Attempts >= tellTries {
		s.Logger.ErrorContext(ctx, "notice given up", "event", due.ID, "name", due.Name, "code", code(err))
		return s.Store.DoneEvent(ctx, due.ID)
	}
	wait := min(time.Minute<<min(due.Attempts, 10), 6*time.Hour)
	if retry, ok := errors.AsType[*provider.RetryError](err); ok {
		wait = max(wait, min(retry.After, 24*time.Hour))
	}
	return s.Store.RetryEvent(ctx, due.ID, done, now.Add(wait))
}

const (
	// tellFor and tellTries are how long and how often an event is tried before it is given up: an
	// endpoint that is gone for good must not fill the outbox, and one event after a long stand-still
	// of the host gets its tries.
	tellFor   = 7 * 24 * time.Hour
	tellTries = 20
	// theSite stands for the site among those who have an event; no person has this id.
	theSite acl.UserID = ""
)

// tell takes an event to everybody who does not have it, and returns who has it then.
func (s *Service) tell(ctx context.Context, due Due) ([]acl.UserID, error) {
	done := slices.Clone(due.Done)
	if due.Inbox == "" {
		return done, s.tellOfSite(ctx, due.Event)
	}
	in, err := s.Store.Inbox(ctx, due.Inbox)
	if errors.Is(err, storage.ErrNotFound) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	if in.State == StateDeleted && due.Name != EventInboxDeleted { // nobody may view what is in the trash
		return done, nil
	}
	settings, err := s.Sites.Site(ctx, in.Site)
	if err != nil {
		return done, err
	}
	var failed error
	for _, r := range receivers(&in, due.Event) {
		if s.Notifier == nil || slices.Contains(done, r.User) {
			continue
		}
		if err := s.notify(ctx, &in, settings, r, due.Event); err != nil {
			failed = err
			continue
		}
		done = append(done, r.User)
	}
	if s.SiteNotifier != nil && !due.Personal && in.tellsSite(due.Name) && !slices.Contains(done, theSite) {
		if err := s.notifySite(ctx, &in, due.Event); err != nil {
			return done, err
		}
		done = append(done, theSite)
	}
	return done, failed
}

// tellOfSite tells the site's own endpoints of what is the site's and no inbox's: the tags of its
// catalog, which everybody who works there may read. Who its customers are is not among that: they may
// be known from a mailbox that is nobody else's business (R-CUS-07).
func (s *Service) tellOfSite(ctx context.Context, e Event) error {
	if s.SiteNotifier == nil || !strings.HasPrefix(string(e.Name), "tag.") {
		return nil
	}
	return s.SiteNotifier.Notify(ctx, Notice{Event: e})
}

// receivers are the people who opted in, of a personal event the Target alone, and the creator for
// what cannot be switched off: a dead grant and rules changed by somebody else (R-FEA-08, R-CHG-06).
func receivers(in *Inbox, e Event) []Watch {
	var out []Watch
	for _, w := range in.Watches {
		if w.User != e.Actor && slices.Contains(w.Events, e.Name) && (!e.Personal || w.User == e.Target) {
			out = append(out, w)
		}
	}
	told := slices.ContainsFunc(out, func(w Watch) bool { return w.User == in.Creator })
	must := !e.Personal && (e.Name == EventNeedsReauth || e.Name == EventRulesChanged && e.Actor != in.Creator)
	if must && !told {
		out = append(out, Watch{User: in.Creator, Private: true})
	}
	return out
}

// notify tells one person, if they may view the inbox now.
func (s *Service) notify(ctx context.Context, in *Inbox, settings Settings, w Watch, e Event) error {
	p, err := s.People.Person(ctx, in.Site, w.User)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	actor := p.Actor(settings)
	if !acl.Check(actor, in.ACL(), acl.ReceiveEvents, &acl.Facts{}).Allowed {
		return nil
	}
	if e, err = redactEvent(actor, in, e); err != nil {
		return nil
	}
	n := Notice{Event: e, To: p}
	if e.Message != "" {
		m, own, err := s.messageToTell(ctx, in, e.Message)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !shows(own, actor, &m) {
			return nil
		}
		if !w.Private {
			n.Content = noticeContent(&m)
		}
	}
	return s.Notifier.Notify(ctx, n)
}

// messageToTell loads the mail of an event of in, and the inbox it is of: the ticket of the event may be in
// another one, where it was moved to (R-TKT-08). What is shown to nobody any more is storage.ErrNotFound.
func (s *Service) messageToTell(ctx context.Context, in *Inbox, id MessageID) (Message, *Inbox, error) {
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return Message{}, nil, err
	}
	kept, err := s.withheld(ctx, []Message{m})
	if err == nil && kept[id] {
		err = notFoundMessage(id)
	}
	if err != nil || m.Inbox == in.ID {
		return m, in, err
	}
	own, err := s.Store.Inbox(ctx, m.Inbox)
	return m, &own, err
}

// tellsSite says whether the creator lets the site's own endpoints know of an event. Who was given
// access stays between those who share and the person it is about.
func (in *Inbox) tellsSite(name EventName) bool {
	return in.SiteWatch != nil && slices.Contains(in.SiteWatch.Events, name) &&
		name != EventShared && name != EventUnshared
}

// notifySite tells the site's own endpoints: nothing of mail that only the creator may see, no totals
// of the inbox, and content only where the creator allowed it. Of mail of another inbox, in a ticket
// that was moved, its creator must have allowed the same.
func (s *Service) notifySite(ctx context.Context, in *Inbox, e Event) error {
	n := Notice{Event: e}
	if e.Message == "" && e.Ticket == "" {
		n.Event.Facts = nil
	}
	if e.Message != "" {
		m, own, err := s.messageToTell(ctx, in, e.Message)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !own.tellsSite(e.Name) || !shows(own, acl.Actor{Site: string(in.Site), State: acl.Active}, &m) {
			return nil
		}
		if in.SiteWatch.Content && own.SiteWatch.Content {
			n.Content = noticeContent(&m)
		}
	}
	return s.SiteNotifier.Notify(ctx, n)
}

// redactEvent leaves of an event about the inbox itself what the receiver may know: who was given
// access is for those who share and the person it is about, totals for those who see the inbox's
// health (rows 24 and 37).
func redactEvent(actor acl.Actor, in *Inbox, e Event) (Event, error) {
	if e.Message != "" || e.Ticket != "" {
		return e, nil
	}
	if (e.Name == EventShared || e.Name == EventUnshared) && e.Target != actor.User {
		return e, acl.Check(actor, in.ACL(), acl.Share, &acl.Facts{}).Err()
	}
	if !acl.Check(actor, in.ACL(), acl.ViewHealth, &acl.Facts{}).Allowed {
		e.Facts = nil
	}
	return e, nil
}

func noticeContent(m *Message) *NoticeContent {
	c := &NoticeContent{Subject: m.Subject, Preview: m.Preview}
	if len(m.From) > 0 {
		c.From = m.From[0].Address
	}
	return c
}
