package storagetest_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// bentTickets is a right store of which one thing about tickets is changed.
type bentTickets struct {
	*memory.Store
	mu         sync.Mutex
	write      func(w []ticket.Write)
	save       func(w []ticket.Write, ev []inbox.Event) ([]ticket.Ticket, error)
	saved      func(list []ticket.Ticket)
	ticket     func(t ticket.Ticket, err error) (ticket.Ticket, error)
	query      func(q *ticket.Query)
	ticketsOut func(iter.Seq2[ticket.Ticket, error]) iter.Seq2[ticket.Ticket, error]
	entries    func(q *ticket.EntryQuery)
	entriesOut func(iter.Seq2[ticket.Entry, error]) iter.Seq2[ticket.Entry, error]
	mark       func(id inbox.ID, version *storage.Version)
	purge      func(id inbox.ID) error
}

func (b *bentTickets) SaveTickets(
	ctx context.Context, w []ticket.Write, ev ...inbox.Event,
) ([]ticket.Ticket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w = slices.Clone(w)
	for i := range w {
		w[i].Entries = slices.Clone(w[i].Entries)
	}
	if b.write != nil {
		b.write(w)
	}
	if b.save != nil {
		return b.save(w, ev)
	}
	saved, err := b.Store.SaveTickets(ctx, w, ev...)
	if b.saved != nil {
		b.saved(saved)
	}
	return saved, err
}

func (b *bentTickets) Ticket(ctx context.Context, id ticket.ID) (ticket.Ticket, error) {
	t, err := b.Store.Ticket(ctx, id)
	if b.ticket != nil {
		return b.ticket(t, err)
	}
	return t, err
}

func (b *bentTickets) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	call(b.query, &q)
	return through(b.ticketsOut, b.Store.Tickets(ctx, q))
}

func (b *bentTickets) Entries(
	ctx context.Context, q ticket.EntryQuery,
) iter.Seq2[ticket.Entry, error] {
	call(b.entries, &q)
	return through(b.entriesOut, b.Store.Entries(ctx, q))
}

func (b *bentTickets) SaveMark(
	ctx context.Context, id inbox.ID, seq uint64, expect storage.Version,
) (storage.Version, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mark != nil {
		b.mark(id, &expect)
	}
	return b.Store.SaveMark(ctx, id, seq, expect)
}

func (b *bentTickets) PurgeTickets(ctx context.Context, id inbox.ID) error {
	if b.purge != nil {
		return b.purge(id)
	}
	return b.Store.PurgeTickets(ctx, id)
}

// current overwrites whatever is stored.
func current(s *memory.Store) func(w []ticket.Write) {
	return func(w []ticket.Write) {
		for i := range w {
			stored, _ := s.Ticket(background, w[i].Ticket.ID)
			w[i].Ticket.Version = stored.Version
		}
	}
}

// each saves every ticket in a write of its own.
func each(s *memory.Store) func(w []ticket.Write, ev []inbox.Event) ([]ticket.Ticket, error) {
	return func(w []ticket.Write, ev []inbox.Event) (saved []ticket.Ticket, err error) {
		for i := range w {
			one, err := s.SaveTickets(background, w[i:i+1], ev...)
			if err != nil {
				return nil, err
			}
			saved, ev = append(saved, one...), nil
		}
		return saved, nil
	}
}

// unnamed forgets the message of an entry that would be in a second ticket.
func unnamed(s *memory.Store) func(w []ticket.Write, ev []inbox.Event) ([]ticket.Ticket, error) {
	return func(w []ticket.Write, ev []inbox.Event) ([]ticket.Ticket, error) {
		saved, err := s.SaveTickets(background, w, ev...)
		if errors.Is(err, storage.ErrExists) {
			for i := range w {
				for j := range w[i].Entries {
					w[i].Entries[j].Message = ""
				}
			}
			saved, err = s.SaveTickets(background, w, ev...)
		}
		return saved, err
	}
}

var brokenTickets = []broken[ticket.Store]{
	{"Tickets/RoundTrip", "loses followers", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) { w[0].Ticket.Followers = nil }}
	}},
	{"Tickets/NotFound", "hides the trash", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, ticket: func(t ticket.Ticket, err error) (ticket.Ticket, error) {
			if !t.DeletedAt.IsZero() {
				return ticket.Ticket{}, storage.ErrNotFound
			}
			return t, err
		}}
	}},
	{"Tickets/NotFound", "nothing is no error", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, ticket: func(t ticket.Ticket, _ error) (ticket.Ticket, error) {
			return t, nil
		}}
	}},
	{"Tickets/VersionGuard", "last write wins", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: current(s)}
	}},
	{"Tickets/NumbersPerSite", "one count for all", func(s *memory.Store) ticket.Store {
		numbers := map[ticket.ID]int64{}
		return &bentTickets{Store: s, saved: func(list []ticket.Ticket) {
			for i := range list {
				if numbers[list[i].ID] == 0 {
					numbers[list[i].ID] = int64(len(numbers) + 1)
				}
				list[i].Number = numbers[list[i].ID]
			}
		}}
	}},
	{"Tickets/NumbersOnce", "highest plus one", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, saved: func(list []ticket.Ticket) {
			n := int64(0)
			for range s.Tickets(background, ticket.Query{}) {
				n++
			}
			list[0].Number = n
		}}
	}},
	{"Tickets/MessageInOneEntry", "twice in a ticket", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			for i := range w {
				for j := range w[i].Entries {
					e := &w[i].Entries[j]
					for other := range s.Entries(background, ticket.EntryQuery{Ticket: w[i].Ticket.ID}) {
						if other.Message == e.Message && other.ID != e.ID {
							e.Message += "-again"
						}
					}
				}
			}
		}}
	}},
	{"Tickets/MessageInOneEntry", "in several", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: unnamed(s)}
	}},
	{"Tickets/MessageMoves", "one by one", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: each(s)}
	}},
	{"Tickets/AllOrNothing", "one by one", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: each(s)}
	}},
	{"Tickets/SixteenAtOnce", "eight at most", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: func(
			w []ticket.Write, ev []inbox.Event,
		) ([]ticket.Ticket, error) {
			if len(w) > 8 {
				return nil, errors.New("too many tickets")
			}
			return s.SaveTickets(background, w, ev...)
		}}
	}},
	{"Tickets/EventsWithTheirCause", "before the write", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: func(
			w []ticket.Write, ev []inbox.Event,
		) ([]ticket.Ticket, error) {
			_ = s.SaveEvents(background, ev...)
			return s.SaveTickets(background, w)
		}}
	}},
	{"Tickets/ConflictExactlyOneWins", "last write wins", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: current(s)}
	}},
	{"Tickets/MessageExactlyOneWins", "all win", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: unnamed(s)}
	}},
	{"Marks/CompareAndSet", "last write wins", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, mark: func(id inbox.ID, version *storage.Version) {
			_, *version, _ = s.Mark(background, id)
		}}
	}},
	{"Purge/LeavesNothing", "keeps the mark", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, purge: func(id inbox.ID) error {
			seq, v, _ := s.Mark(background, id)
			err := s.PurgeTickets(background, id)
			if v > 0 {
				_, _ = s.SaveMark(background, id, seq, 0)
			}
			return err
		}}
	}},
	{"Purge/LeavesNothing", "keeps the trash", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, purge: func(id inbox.ID) error {
			var kept []ticket.Write
			for t := range s.Tickets(background, ticket.Query{Deleted: true, Inboxes: []inbox.ID{id}}) {
				t.Version = 0
				kept = append(kept, ticket.Write{Ticket: t})
			}
			err := s.PurgeTickets(background, id)
			_, saved := s.SaveTickets(background, kept)
			return errors.Join(err, saved)
		}}
	}},
	{"Purge/OthersUntouched", "every mark", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, purge: func(id inbox.ID) error {
			seq, v, _ := s.Mark(background, "in-2")
			_, err := s.SaveMark(background, "in-2", seq, v)
			return errors.Join(err, s.PurgeTickets(background, id))
		}}
	}},
}

var brokenTicketLists = []broken[ticket.Store]{
	{"Tickets/KeysetPages", "goes on by time alone", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			if q.After != nil {
				q.After = &ticket.Key{Activity: q.After.Activity}
			}
		}}
	}},
	{"Tickets/VisibleSetOnly", "empty is everything", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			if len(q.Inboxes) == 0 {
				q.Inboxes = nil
			}
		}}
	}},
	{"Tickets/VisibleSetOnly", "a thread opens it", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			if len(q.Threads) > 0 {
				q.Inboxes = nil
			}
		}}
	}},
	{"Tickets/HiddenKeptOut", "shows all to a creator", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			q.AllHidden = q.AllHidden || len(q.HiddenIn) > 0
		}}
	}},
	{"Tickets/QueryFields", "forgets the tag", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) { q.AnyTag = nil }}
	}},
	{"Tickets/QueryFields", "looks at the first thread only", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			w[0].Ticket.Threads = w[0].Ticket.Threads[:1]
		}}
	}},
	{"Tickets/LongLists", "one page", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, ticketsOut: short[ticket.Ticket]}
	}},
	{"Tickets/WriteWhileReading", "one connection", func(s *memory.Store) ticket.Store {
		return single(s, 1, true)
	}},
	{"Tickets/CancelledContext", "does not hear", func(s *memory.Store) ticket.Store {
		return &deaf{s, false}
	}},
	{"Tickets/BreakReleases", "keeps a connection", func(s *memory.Store) ticket.Store {
		return single(s, 8, false)
	}},
	{"Tickets/Resting", "forgets when", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			if q.Resting != "" {
				q.RestedBy = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
			}
		}}
	}},
	{"Tickets/Resting", "finds all there are", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) { q.Resting = "" }}
	}},
	{"Tickets/EntriesReplacedByID", "appends", func(s *memory.Store) ticket.Store {
		n := 0
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			for _, e := range w[0].Entries {
				if n++; n > 2 {
					e.ID += " again"
					w[0].Entries = []ticket.Entry{e}
				}
			}
		}}
	}},
	{"Entries/KeysetPages", "goes on by time alone", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, entries: func(q *ticket.EntryQuery) {
			if q.After != nil {
				q.After = &ticket.EntryKey{At: q.After.At, ID: "\xff"}
			}
		}}
	}},
	{"Entries/QueryFields", "everything is due", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, entries: func(q *ticket.EntryQuery) { q.Due = time.Time{} }}
	}},
	{"Entries/QueryFields", "newest first", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, entriesOut: resorted(func(a, b ticket.Entry) int {
			return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
		})}
	}},
	{"Times/MicrosecondsUTC", "seconds", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			w[0].Ticket.Activity = w[0].Ticket.Activity.Truncate(time.Second)
		}}
	}},
	{"Text/AnyUTF8", "trims", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			w[0].Ticket.Subject = strings.TrimSpace(w[0].Ticket.Subject)
		}}
	}},
	{"IDs/CaseSensitive", "messages are folded", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, entries: func(q *ticket.EntryQuery) {
			for i, id := range q.Messages {
				q.Messages[i] = inbox.MessageID(strings.ToLower(string(id)))
			}
		}}
	}},
	{"Tickets/RefusedLate", "tags stay", tagsStay},
	{"Entries/LongIDs", "cuts what it indexes", entryIDsCut},
	{"Entries/MessageJoinsOneTicket", "looks where it makes tickets", newTicketsAlone},
	{"Values/AreCopies", "hands out its own", func(s *memory.Store) ticket.Store {
		var own []string
		return &bentTickets{Store: s, ticket: func(t ticket.Ticket, err error) (ticket.Ticket, error) {
			if own == nil {
				own = t.Tags
			}
			t.Tags = own
			return t, err
		}}
	}},
}
