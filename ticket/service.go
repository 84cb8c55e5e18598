// Package ticket turns the mail of a shared inbox into tickets a team works on: it collects threads,
// keeps their history, takes notes and options, and sends replies through the inbox's own mailbox.
//
// Rules that hold everywhere:
//
//  1. Tickets pull. Collect reads the inbox's log after a mark of its own and moves the mark when
//     what it read is saved. A crash between the two is harmless: what is there already is
//     recognised and left out. Where a call of package inbox hides mail, tickets pull before that
//     call returns (inbox.Service.Follow), so that nobody reads on in a ticket what is hidden.
//  2. A ticket and the entry that explains its change are written in one step, so the history never
//     lies.
//  3. A mail goes out once or a person is asked. It is queued before it is sent, carries a marker,
//     and when the answer to a send is lost the mailbox is asked for the marker first.
//  4. What a person may see of a mail is decided by package inbox. Lists are bounded by the inboxes
//     the actor may view at that moment.
//  5. A ticket has one inbox, and who may do what with it is decided there. Its mail may lie in
//     others, since tickets are moved and merged: an answer leaves from the mailbox the mail lies in,
//     by whoever may reply there, and what is hidden of it is for the creator of that inbox alone.
//  6. A method with an actor refuses with an error matching acl.ErrDenied what they may not do, and with
//     storage.ErrNotFound what they may not know of (R-ACL-07), and then everything is as it was.
package ticket

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"sync"
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

	// Presence keeps who is at which ticket. Nil keeps it in this process.
	Presence Presence
	// Tasks is the host's list of tasks (R-TKT-09). Nil: what is about tasks answers errors.ErrUnsupported.
	Tasks Tasks
	// PixelURL is where the host serves Service.ServePixel, an absolute http or https address without a
	// query: a site's HTML mail has an image below it where the site tracks what is opened
	// (inbox.Settings.TrackOpens). Empty: nothing is tracked.
	PixelURL string
	// MaxRecipients is how many people one mail may go to (R-MSG-05). Zero is 50, negative no limit but
	// the mail service's.
	MaxRecipients int

	// Logger is told what is swallowed; ids and codes only. Nil discards.
	Logger *slog.Logger
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// NewID makes ids. Nil is inbox.NewID.
	NewID func() string
}

// Service works on tickets. It is safe for concurrent use and starts nothing in the background.
type Service struct {
	Config
	serving sync.Map       // the inbox.ID of those whose mail a Dispatch is at
	pixels  *regexp.Regexp // images of PixelURL in HTML; nil where it is empty
}

// New checks the configuration and fills in the defaults. Make one for each inbox.Service: the Service
// follows that one from then on (inbox.Service.Follow), so its Store is no transaction.
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
	pixels, err := pixelsOf(c.PixelURL)
	if err != nil {
		return nil, err
	}
	if c.Presence == nil {
		c.Presence = new(MemoryPresence)
	}
	if c.MaxRecipients == 0 {
		c.MaxRecipients = 50
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
	s := &Service{Config: c, pixels: pixels}
	c.Inboxes.Follow(func(ctx context.Context, id inbox.ID) error {
		_, err := s.Collect(ctx, id)
		return err
	})
	c.Inboxes.Withhold(s.redacted)
	return s, nil
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// engineInbox loads an inbox for the engine.
func (s *Service) engineInbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	return s.Inboxes.Store.Inbox(ctx, id)
}

func notFound(id ID) error {
	return &storage.Error{Op: "read", Entity: "ticket", ID: string(id), Err: storage.ErrNotFound}
}

// settings are those of a site, or the default ones where the host does not know the site.
func (s *Service) settings(ctx context.Context, site inbox.SiteID) (inbox.Settings, error) {
	out, err := s.Inboxes.Sites.Site(ctx, site)
	if errors.Is(err, storage.ErrNotFound) {
		return inbox.Settings{}, nil
	}
	return out, err
}

// update loads a ticket, checks the action, applies change and saves the ticket with the entries; on a
// version conflict it reads again and redoes. A change without entries saves nothing.
func (s *Service) update(ctx context.Context, actor acl.Actor, id ID, action acl.Action,
	change func(t *Ticket) ([]Entry, []inbox.Event, error)) (out Ticket, err error) {
	err = storage.Redo(func() error {
		t, err := s.Store.Ticket(ctx, id)
		if err != nil {
			return err
		}
		if _, err := s.allow(ctx, actor, &t, action); err != nil {
			return err
		}
		next := t.Clone()
		entries, ev, err := change(&next)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			out, err = s.unlinkTicket(ctx, actor, t)
			return err
		}
		for i := range ev {
			ev[i] = s.event(ev[i], &next, actor.User)
		}
		saved, err := s.saveTickets(ctx, []Write{{Ticket: next, Entries: entries, Texts: writtenTexts(entries)}}, ev...)
		if err == nil {
			out = s.leftTicket(ctx, actor, saved[0])
		}
		return err
	})
	return out, err
}

// event fills in what every event of a ticket has. An event that is about no mail names the newest
// one, so that a notice of it goes only to those who may see that; where there is none, veil sees to it.
func (s *Service) event(e inbox.Event, t *Ticket, by acl.UserID) inbox.Event {
	e.ID, e.At, e.Site, e.Inbox = s.NewID(), s.now(), t.Site, t.Inbox
	e.Ticket, e.Actor = string(t.ID), by
	if len(t.Threads) > 0 && !t.Moved() { // of a mailbox its readers may not know
		e.Thread = t.Threads[0]
	}
	if e.Message == "" {
		e.Message = t.Last
	}
	return e
}

// veil keeps the events of hidden tickets that no mail is left of to the creator of the mailbox, as
// theirs is all that can be seen of such a ticket (R-CHG-07).
func (s *Service) veil(ctx context.Context, w []Write, ev []inbox.Event) error {
	for i := range ev {
		e := &ev[i]
		j := slices.IndexFunc(w, func(w Write) bool { return string(w.Ticket.ID) == e.Ticket })
		if e.Message != "" || e.Personal || j < 0 || !w[j].Ticket.Hidden() {
			continue
		}
		in, err := s.engineInbox(ctx, w[j].Ticket.Mailbox())
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		e.Personal, e.Target = true, in.Creator // nobody where the inbox is gone
	}
	return nil
}

// newEntry starts a history line of a ticket.
func (s *Service) newEntry(t *Ticket, kind EntryKind, by acl.UserID) Entry {
	return Entry{ID: EntryID(s.NewID()), Ticket: t.ID, Inbox: t.Inbox, Kind: kind, At: s.now(), Author: by}
}
