// Package ticket turns the mail of a shared inbox into tickets a team works on: it collects threads,
// keeps their history, takes notes and options, and sends replies through the inbox's own mailbox.
//
// Rules that hold everywhere:
//
//  1. Tickets pull. Collect reads the inbox's log after a mark of its own and moves the mark when
//     what it read is saved. A crash between the two is harmless: what is there already is
//     recognised and left out.
//  2. A ticket and the entry that explains its change are written in one step, so the history never
//     lies.
//  3. A mail goes out once or a person is asked. It is queued before it is sent, carries a marker,
//     and when the answer to a send is lost the mailbox is asked for the marker first.
//  4. What a person may see of a mail is decided by package inbox. Lists are bounded by the inboxes
//     the actor may view at that moment.
package ticket

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Config is what a Service is made of. Store, Inboxes, Archive and Blobs are required.
type Config struct {
	Store   Store
	Inboxes *inbox.Service
	Archive inbox.Archive // the same mail the inbox service stores
	Blobs   inbox.Blobs   // the same blobs

	// Logger is told what is swallowed; ids and codes only. Nil discards.
	Logger *slog.Logger
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// NewID makes ids. Nil is inbox.NewID.
	NewID func() string
}

// Service works on tickets. It is safe for concurrent use and starts nothing in the background.
type Service struct{ Config }

// New checks the configuration and fills in the defaults.
func New(c Config) (*Service, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("ticket: Config.Store is required")
	case c.Inboxes == nil:
		return nil, errors.New("ticket: Config.Inboxes is required")
	case c.Archive == nil:
		return nil, errors.New("ticket: Config.Archive is required")
	case c.Blobs == nil:
		return nil, errors.New("ticket: Config.Blobs is required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		now := c.Now
		c.NewID = func() string { return inbox.NewID(now()) }
	}
	return &Service{Config: c}, nil
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Tickets yields the tickets the actor may see, newest activity first. q.Site, q.HiddenIn and
// q.AllHidden are the actor's own, whatever they hold; q.Inboxes narrows within what the actor may
// see, and an inbox the actor may not see yields nothing.
func (s *Service) Tickets(ctx context.Context, actor acl.Actor, q Query) iter.Seq2[Ticket, error] {
	return func(yield func(Ticket, error) bool) {
		visible, own, err := s.visible(ctx, actor, q.Deleted)
		if err != nil {
			yield(Ticket{}, err)
			return
		}
		q.Site, q.HiddenIn, q.AllHidden = inbox.SiteID(actor.Site), own, false
		if q.Inboxes == nil {
			q.Inboxes = visible
		} else {
			q.Inboxes = slices.DeleteFunc(slices.Clone(q.Inboxes), func(id inbox.ID) bool {
				return !slices.Contains(visible, id)
			})
		}
		if len(q.Inboxes) == 0 {
			return
		}
		for t, err := range s.Store.Tickets(ctx, q) {
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// visible returns the inboxes whose tickets the actor may list, and those of them the actor created.
func (s *Service) visible(ctx context.Context, actor acl.Actor, trash bool) (all, own []inbox.ID, err error) {
	action := acl.ViewTickets
	if trash {
		action = acl.ViewTrash
	}
	all = []inbox.ID{}
	for in, err := range s.Inboxes.Inboxes(ctx, actor, inbox.Query{}) {
		if err != nil {
			return nil, nil, err
		}
		if in.Creator == actor.User {
			own = append(own, in.ID)
		}
		if _, err := s.Inboxes.Authorize(ctx, actor, in.ID, action, nil); err == nil {
			all = append(all, in.ID)
		}
	}
	return all, own, nil
}

// Ticket returns one ticket the actor may see, or storage.ErrNotFound. One in the trash is seen by
// those who may see the trash.
func (s *Service) Ticket(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	action := acl.ViewTickets
	if !t.DeletedAt.IsZero() {
		action = acl.ViewTrash
	}
	return t, s.allow(ctx, actor, &t, action, nil)
}

// Entries yields the history of a ticket, oldest first, as the actor may see it: hidden mail is the
// inbox creator's alone, and blind copies the creator's and the author's.
func (s *Service) Entries(ctx context.Context, actor acl.Actor, id ID) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		t, err := s.Ticket(ctx, actor, id)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		in, err := s.Inboxes.Inbox(ctx, actor, t.Inbox)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if e.Hidden && in.Creator != actor.User {
				continue
			}
			if e.Author != actor.User && in.Creator != actor.User {
				e.Bcc = nil
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// allow checks an action on a ticket. A ticket whose mail is hidden exists for its inbox's creator
// only.
func (s *Service) allow(ctx context.Context, actor acl.Actor, t *Ticket, action acl.Action, f *acl.Facts) error {
	if f == nil {
		f = &acl.Facts{}
	}
	f.Ticket = acl.Ticket{Archived: !t.ArchivedAt.IsZero(), Deleted: !t.DeletedAt.IsZero()}
	in, err := s.Inboxes.Authorize(ctx, actor, t.Inbox, action, f)
	if errors.Is(err, storage.ErrNotFound) || err == nil && t.Hidden() && in.Creator != actor.User {
		return &storage.Error{Op: "read", Entity: "ticket", ID: string(t.ID), Err: storage.ErrNotFound}
	}
	return err
}

// edit loads a ticket, checks the action, applies change and saves the ticket with the entry; on a
// version conflict it reads again and redoes, three times.
func (s *Service) edit(ctx context.Context, actor acl.Actor, id ID, action acl.Action, f *acl.Facts,
	change func(t *Ticket) ([]Entry, []inbox.Event, error)) (Ticket, error) {
	for try := 0; ; try++ {
		t, err := s.Store.Ticket(ctx, id)
		if err != nil {
			return Ticket{}, err
		}
		if err := s.allow(ctx, actor, &t, action, f); err != nil {
			return Ticket{}, err
		}
		next := t.Clone()
		entries, ev, err := change(&next)
		if err != nil {
			return Ticket{}, err
		}
		if len(entries) == 0 {
			return t, nil
		}
		for i := range ev {
			ev[i] = s.event(ev[i], &next, actor.User)
		}
		saved, err := s.Store.SaveTickets(ctx, []Write{{Ticket: next, Entries: entries}}, ev...)
		if try < 2 && errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err != nil {
			return Ticket{}, err
		}
		return saved[0], nil
	}
}

func (s *Service) event(e inbox.Event, t *Ticket, by acl.UserID) inbox.Event {
	e.ID, e.At, e.Site, e.Inbox = s.NewID(), s.now(), t.Site, t.Inbox
	e.Ticket, e.Actor = string(t.ID), by
	if len(t.Threads) > 0 {
		e.Thread = t.Threads[0]
	}
	return e
}

// entry starts a history line of a ticket.
func (s *Service) entry(t *Ticket, kind EntryKind, by acl.UserID) Entry {
	return Entry{ID: EntryID(s.NewID()), Ticket: t.ID, Inbox: t.Inbox, Kind: kind, At: s.now(), Author: by}
}

// touch moves the ticket's activity forward, never back.
func (t *Ticket) touch(at time.Time) {
	if at.After(t.Activity) {
		t.Activity = at
	}
}

// ErrEmpty says that there is nothing to note or to send.
var ErrEmpty = errors.New("nothing was written")

// Note adds an internal note. Notes never leave the system, whatever happens to the ticket
// (R-MSG-02), and change nothing but the ticket's activity.
func (s *Service) Note(ctx context.Context, actor acl.Actor, id ID, text string) (Entry, error) {
	var out Entry
	_, err := s.edit(ctx, actor, id, acl.AddNote, nil, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if text == "" {
			return nil, nil, fmt.Errorf("note on ticket %q: %w", id, ErrEmpty)
		}
		out = s.entry(t, EntryNoted, actor.User)
		out.Text = validText(text)
		t.touch(out.At)
		return []Entry{out}, []inbox.Event{{Name: EventNote, Entry: string(out.ID)}}, nil
	})
	return out, err
}
