package storagetest_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// bentDrafts is a right store of which one thing about drafts is changed.
type bentDrafts struct {
	*memory.Store
	read   func(d *ticket.Draft)
	which  func(entry *ticket.EntryID)
	draft  func(d *ticket.Draft)
	save   func(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error)
	query  func(q *ticket.DraftQuery)
	out    func(iter.Seq2[ticket.Draft, error]) iter.Seq2[ticket.Draft, error]
	remove func(entry ticket.EntryID, expect *storage.Version)
	purge  func(id ticket.ID, expect storage.Version) error
}

func (b *bentDrafts) Draft(ctx context.Context, entry ticket.EntryID) (ticket.Draft, error) {
	call(b.which, &entry)
	d, err := b.Store.Draft(ctx, entry)
	call(b.read, &d)
	return d, err
}

func (b *bentDrafts) Drafts(ctx context.Context, q ticket.DraftQuery) iter.Seq2[ticket.Draft, error] {
	call(b.query, &q)
	return through(b.out, b.Store.Drafts(ctx, q))
}

func (b *bentDrafts) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	call(b.draft, &d)
	if b.save != nil {
		return b.save(ctx, d, was)
	}
	return b.Store.SaveDraft(ctx, d, was)
}

func (b *bentDrafts) DeleteDraft(ctx context.Context, entry ticket.EntryID, expect storage.Version) error {
	if b.remove != nil {
		b.remove(entry, &expect)
	}
	return b.Store.DeleteDraft(ctx, entry, expect)
}

func (b *bentDrafts) PurgeTicket(ctx context.Context, id ticket.ID, expect storage.Version) error {
	if b.purge != nil {
		return b.purge(id, expect)
	}
	return b.Store.PurgeTicket(ctx, id, expect)
}

func (d *deaf) Drafts(ctx context.Context, q ticket.DraftQuery) iter.Seq2[ticket.Draft, error] {
	return unheard(ctx, d, func(ctx context.Context) iter.Seq2[ticket.Draft, error] { return d.Store.Drafts(ctx, q) })
}

func (c *oneConnection) Drafts(ctx context.Context, q ticket.DraftQuery) iter.Seq2[ticket.Draft, error] {
	return held(ctx, c, c.Store.Drafts(ctx, q))
}

func (c *oneConnection) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	if err := c.take(ctx); err != nil {
		return ticket.Draft{}, err
	}
	defer func() { c.free <- struct{}{} }()
	return c.Store.SaveDraft(ctx, d, was)
}

// lastDraftWins saves whatever is stored.
func lastDraftWins(s *memory.Store) ticket.Store {
	return &bentDrafts{Store: s, save: func(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
		for {
			stored, _ := s.Draft(ctx, was)
			d.Version = stored.Version
			saved, err := s.SaveDraft(ctx, d, stored.Entry)
			if now, _ := s.Draft(ctx, was); !errors.Is(err, storage.ErrConflict) || now.Version == stored.Version {
				return saved, err
			}
		}
	}}
}

// haunted is a store that shows drafts of tickets that are gone.
type haunted struct {
	*memory.Store
	ofTickets, ofInboxes bool // what a purge leaves
	save                 func(d ticket.Draft) error
	before, after        func() // a purge, where they are set

	mu   sync.Mutex
	left []ticket.Draft
}

func (h *haunted) Draft(ctx context.Context, entry ticket.EntryID) (ticket.Draft, error) {
	for d, err := range h.Drafts(ctx, ticket.DraftQuery{}) {
		if err != nil || d.Entry == entry {
			return d, err
		}
	}
	return h.Store.Draft(ctx, entry)
}

func (h *haunted) Drafts(ctx context.Context, q ticket.DraftQuery) iter.Seq2[ticket.Draft, error] {
	return func(yield func(ticket.Draft, error) bool) {
		for d, err := range h.Store.Drafts(ctx, q) {
			if !yield(d, err) {
				return
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, d := range h.left {
			if (q.Ticket == "" || q.Ticket == d.Ticket) && (q.Author == "" || q.Author == d.Author) && !yield(d, nil) {
				return
			}
		}
	}
}

func (h *haunted) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	if h.save == nil || !errors.Is(h.save(d), errHaunts) {
		return h.Store.SaveDraft(ctx, d, was)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d.Version++
	h.left = append(h.left, d)
	return d, nil
}

// errHaunts says that a draft is to be saved without its ticket.
var errHaunts = errors.New("the draft haunts")

func (h *haunted) purge(haunts bool, q ticket.DraftQuery, purge func() error) error {
	var before []ticket.Draft
	for d := range h.Store.Drafts(background, q) {
		before = append(before, d)
	}
	if h.before != nil {
		h.before()
		defer h.after()
	}
	err := purge()
	for _, d := range before {
		if _, gone := h.Store.Draft(background, d.Entry); gone != nil && haunts {
			h.left = append(h.left, d)
		}
	}
	return err
}

func (h *haunted) PurgeTicket(ctx context.Context, id ticket.ID, expect storage.Version) error {
	return h.purge(h.ofTickets, ticket.DraftQuery{Ticket: id}, func() error { return h.Store.PurgeTicket(ctx, id, expect) })
}

func (h *haunted) PurgeTickets(ctx context.Context, id inbox.ID) error {
	return h.purge(h.ofInboxes, ticket.DraftQuery{}, func() error { return h.Store.PurgeTickets(ctx, id) })
}

func keptDrafts(s *memory.Store) ticket.Store { return &haunted{Store: s, ofTickets: true} }

// looksBefore looks for the ticket of a draft, and saves the draft in a step of its own: those of bob after
// the ticket was purged.
func looksBefore(s *memory.Store) ticket.Store {
	looked, purged := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h := &haunted{Store: s, save: func(d ticket.Draft) (err error) {
		if d.Author != "bob" {
			return nil
		}
		if _, gone := s.Ticket(background, d.Ticket); gone != nil {
			return nil
		}
		once.Do(func() {
			close(looked)
			<-purged
			err = errHaunts
		})
		return err
	}}
	h.before, h.after = func() { <-looked }, sync.OnceFunc(func() { close(purged) })
	return h
}

func bendDrafts(bend func(b *bentDrafts)) func(s *memory.Store) ticket.Store {
	return func(s *memory.Store) ticket.Store {
		b := &bentDrafts{Store: s}
		bend(b)
		return b
	}
}

var brokenDrafts = []broken[ticket.Store]{
	{"Drafts/RoundTrip", "forgets files", bendDrafts(func(b *bentDrafts) {
		b.draft = func(d *ticket.Draft) { d.Files = nil }
	})},
	{"Drafts/RoundTrip", "empty is what it was", bendDrafts(func(b *bentDrafts) {
		was := ""
		b.draft = func(d *ticket.Draft) {
			if d.Text == "" {
				d.Text = was
			}
			was = d.Text
		}
	})},
	{"Drafts/AnyTimeAnyText", "seconds", bendDrafts(func(b *bentDrafts) {
		b.draft = func(d *ticket.Draft) { d.SendAt = d.SendAt.Truncate(time.Second) }
	})},
	{"Drafts/AnyTimeAnyText", "trims", bendDrafts(func(b *bentDrafts) {
		b.draft = func(d *ticket.Draft) { d.Text = strings.TrimSpace(d.Text) }
	})},
	{"Drafts/CompareAndSet", "last write wins", lastDraftWins},
	{"Drafts/CompareAndSet", "whatever the entry", bendDrafts(func(b *bentDrafts) {
		b.save = func(ctx context.Context, d ticket.Draft, _ ticket.EntryID) (ticket.Draft, error) {
			return b.Store.SaveDraft(ctx, d, d.Entry)
		}
	})},
	{"Drafts/CompareAndSet", "stays on its ticket", bendDrafts(func(b *bentDrafts) {
		b.save = func(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
			if stored, err := b.Store.Draft(ctx, was); err == nil {
				d.Ticket = stored.Ticket
			}
			return b.Store.SaveDraft(ctx, d, was)
		}
	})},
	{"Drafts/DeleteCompares", "whatever the version", bendDrafts(func(b *bentDrafts) {
		b.remove = func(entry ticket.EntryID, expect *storage.Version) {
			stored, _ := b.Store.Draft(background, entry)
			*expect = stored.Version
		}
	})},
	{"Drafts/Apart", "entries in any case", bendDrafts(func(b *bentDrafts) {
		b.which = func(entry *ticket.EntryID) { *entry = ticket.EntryID(strings.ToLower(string(*entry))) }
	})},
	{"Drafts/Apart", "entries without spaces", bendDrafts(func(b *bentDrafts) {
		b.which = func(entry *ticket.EntryID) { *entry = ticket.EntryID(strings.TrimSpace(string(*entry))) }
	})},
	{"Drafts/AreCopies", "hands out its own", bendDrafts(func(b *bentDrafts) {
		var own []ticket.DraftFile
		b.read = func(d *ticket.Draft) {
			if own == nil {
				own = d.Files
			}
			d.Files = own
		}
	})},
	{"Drafts/ExactlyOneWins", "all win", lastDraftWins},
	{"Drafts/OrderAndFilters", "forgets the site", bendDrafts(func(b *bentDrafts) {
		b.query = func(q *ticket.DraftQuery) { q.Site = "" }
	})},
	{"Drafts/OrderAndFilters", "forgets the author", bendDrafts(func(b *bentDrafts) {
		b.query = func(q *ticket.DraftQuery) { q.Author = "" }
	})},
	{"Drafts/OrderAndFilters", "by author", bendDrafts(func(b *bentDrafts) {
		b.out = resorted(func(x, y ticket.Draft) int { return strings.Compare(string(x.Author), string(y.Author)) })
	})},
	{"Drafts/OrderAndFilters", "in any case", bendDrafts(func(b *bentDrafts) {
		b.out = resorted(func(x, y ticket.Draft) int {
			return strings.Compare(strings.ToLower(string(x.Ticket+"\x00"+ticket.ID(x.Author))),
				strings.ToLower(string(y.Ticket+"\x00"+ticket.ID(y.Author))))
		})
	})},
	{"Drafts/LongLists", "one page", bendDrafts(func(b *bentDrafts) { b.out = short[ticket.Draft] })},
	{"Drafts/GoneWithTheirTicket", "stay", keptDrafts},
	{"Drafts/GoneWithTheirTicket", "stay with an inbox", func(s *memory.Store) ticket.Store {
		return &haunted{Store: s, ofInboxes: true}
	}},
	{"Drafts/NoneWithoutATicket", "asks for no ticket", func(s *memory.Store) ticket.Store {
		return &haunted{Store: s, save: func(d ticket.Draft) error {
			if _, gone := s.Ticket(background, d.Ticket); gone != nil {
				return errHaunts
			}
			return nil
		}}
	}},
	{"Drafts/NoneWithoutATicket", "saves while it is purged", func(s *memory.Store) ticket.Store {
		return &haunted{Store: s, save: func(d ticket.Draft) error {
			if t, err := s.Ticket(background, d.Ticket); err == nil && !t.PurgeBegan.IsZero() {
				return errHaunts
			}
			return nil
		}}
	}},
	{"Drafts/NoneLeftByAPurge", "looks before it saves", looksBefore},
	{"Drafts/GoneWithTheirTicket", "every one goes", bendDrafts(func(b *bentDrafts) {
		b.purge = func(id ticket.ID, expect storage.Version) error {
			err := b.Store.PurgeTicket(background, id, expect)
			for d := range b.Store.Drafts(background, ticket.DraftQuery{}) {
				err = errors.Join(err, b.Store.DeleteDraft(background, d.Entry, d.Version))
			}
			return err
		}
	})},
	{"Drafts/WriteWhileReading", "one connection", func(s *memory.Store) ticket.Store { return single(s, 1, true) }},
	{"Drafts/CancelledContext", "does not hear", func(s *memory.Store) ticket.Store { return &deaf{s, false} }},
	{"Drafts/BreakReleases", "keeps a connection", func(s *memory.Store) ticket.Store { return single(s, 8, false) }},
}
