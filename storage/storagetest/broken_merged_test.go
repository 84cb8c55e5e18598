package storagetest_test

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// bentMerged is a right store that changes each query of tickets, whoever asks it.
type bentMerged struct {
	*memory.Store
	query func(q *ticket.Query)
}

func (b *bentMerged) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	b.query(&q)
	return b.Store.Tickets(ctx, q)
}

func bendMerged(bend func(q *ticket.Query)) func(s *memory.Store) ticket.Store {
	return func(s *memory.Store) ticket.Store { return &bentMerged{s, bend} }
}

// bendPurge purges one ticket in a way of its own.
func bendPurge(purge func(s *memory.Store, id ticket.ID, expect storage.Version) error) func(s *memory.Store) ticket.Store {
	return func(s *memory.Store) ticket.Store {
		return &bentDrafts{Store: s, purge: func(id ticket.ID, expect storage.Version) error { return purge(s, id, expect) }}
	}
}

// purgedThen purges a ticket and brings back what keep makes of it.
func purgedThen(keep func(s *memory.Store, t ticket.Ticket, entries []ticket.Entry) error) func(s *memory.Store) ticket.Store {
	return bendPurge(func(s *memory.Store, id ticket.ID, expect storage.Version) error {
		t, missing := s.Ticket(background, id)
		var entries []ticket.Entry
		for e := range s.Entries(background, ticket.EntryQuery{Ticket: id}) {
			entries = append(entries, e)
		}
		if err := s.PurgeTicket(background, id, expect); err != nil || missing != nil {
			return err
		}
		return keep(s, t, entries)
	})
}

var brokenMerged = []broken[ticket.Store]{
	{"Merged/KeptOut", "listed", bendMerged(func(q *ticket.Query) { q.Merged = true })},
	{"Merged/KeptOut", "listed with a thread", bendMerged(func(q *ticket.Query) { q.Merged = len(q.Threads) > 0 })},
	{"Merged/KeptOut", "in the trash", bendMerged(func(q *ticket.Query) { q.Merged = q.Deleted })},
	{"Merged/KeptOut", "counted", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(q *ticket.Query, _ *acl.UserID) { q.Merged = true }}
	}},
	{"Merged/KeptOut", "found", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.Merged = true })},
	{"Tickets/BeingPurged", "listed", bendMerged(func(q *ticket.Query) { q.AllHidden = true })},
	{"Tickets/BeingPurged", "counted", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(q *ticket.Query, _ *acl.UserID) { q.AllHidden = true }}
	}},
	{"Tickets/BeingPurged", "found", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.AllHidden = true })},
	{"Tickets/BeingPurged", "lost to the engine", bendMerged(func(q *ticket.Query) { q.AllHidden = false })},
	{"Merged/WhereAsked", "never", bendMerged(func(q *ticket.Query) { q.Merged = false })},
	{"Merged/WhereAsked", "and the live ones instead of the trash", bendMerged(func(q *ticket.Query) {
		q.Deleted = q.Deleted && !q.Merged
	})},
	{"Merged/WhereAsked", "at rest", bendMerged(func(q *ticket.Query) {
		if q.Merged {
			q.Resting = ""
		}
	})},
	{"Merged/WhereAsked", "not by their ID", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, ticket: func(t ticket.Ticket, err error) (ticket.Ticket, error) {
			if t.MergedInto != "" {
				return ticket.Ticket{}, storage.ErrNotFound
			}
			return t, err
		}}
	}},
	{"Merged/ThereAndBack", "once merged, for ever merged", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			for i := range w {
				if old, err := s.Ticket(background, w[i].Ticket.ID); err == nil && old.MergedInto != "" {
					w[i].Ticket.MergedInto = old.MergedInto
				}
			}
		}}
	}},
	{"Mailbox/OfTheThreads", "passed over", bendMerged(func(q *ticket.Query) { q.Mailbox = "" })},
	{"Mailbox/OfTheThreads", "where tickets lie", bendMerged(func(q *ticket.Query) {
		if q.Mailbox != "" && q.Inboxes == nil {
			q.Inboxes, q.Mailbox = []inbox.ID{q.Mailbox}, ""
		}
	})},
	{"Mailbox/OfTheThreads", "passed over by counts", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(q *ticket.Query, _ *acl.UserID) { q.Mailbox = "" }}
	}},
	{"Mailbox/OfTheThreads", "passed over by searches", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.Mailbox = "" })},
	{"Mailbox/HiddenAndMoved", "shown to another creator", bendMerged(func(q *ticket.Query) {
		q.AllHidden = q.AllHidden || len(q.HiddenIn) > 0
	})},
	{"Merge/EntriesMove", "without their texts", bendTexts(func(w *ticket.Write) {
		for _, e := range w.Entries {
			if len(w.Texts) == 0 {
				w.Texts = append(w.Texts, ticket.Text{Entry: e.ID})
			}
		}
	})},
	{"Merge/EntriesMove", "and are shown", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			for i := range w {
				for j := range w[i].Entries {
					w[i].Entries[j].Hidden = w[i].Entries[j].Hidden && w[i].Ticket.Version == 0
				}
			}
		}}
	}},
	{"Merge/EntriesMove", "a hundred at most", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			for i := range w {
				if w[i].Ticket.Version > 0 {
					w[i].Entries = w[i].Entries[:min(100, len(w[i].Entries))]
				}
			}
		}}
	}},
	{"Merge/EntriesMove", "one by one", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: func(w []ticket.Write, ev []inbox.Event) ([]ticket.Ticket, error) {
			last := len(w) - 1
			if w[last].Ticket.Version > 0 && len(w[last].Entries) > 1 {
				w[last].Entries = w[last].Entries[1:]
			}
			return each(s)(w, ev)
		}}
	}},
	{"Merge/AllOrNothing", "one by one", func(s *memory.Store) ticket.Store { return &bentTickets{Store: s, save: each(s)} }},
	{"Merge/AllOrNothing", "takes the mail of others", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, save: unnamed(s)}
	}},

	{"Merge/AcrossInboxes", "found where their mail lies", bendMatches(func(q *ticket.MatchQuery) {
		if slices.Equal(q.Tickets.Inboxes, []inbox.ID{"in-2"}) {
			q.Only = []ticket.ID{"nowhere"}
		}
	})},
	{"Mailbox/FoundWhereItMoved", "found where it came from", bendMatches(func(q *ticket.MatchQuery) {
		if len(q.Tickets.Inboxes) == 1 && q.Tickets.Inboxes[0] != "in-1" {
			q.Tickets.Inboxes = []inbox.ID{"in-1"}
		}
	})},

	{"PurgeTicket/LeavesNothing", "leaves all", bendPurge(func(*memory.Store, ticket.ID, storage.Version) error { return nil })},
	{"PurgeTicket/LeavesNothing", "leaves drafts", keptDrafts},
	{"PurgeTicket/LeavesNothing", "leaves the entries of another inbox", purgedThen(
		func(s *memory.Store, t ticket.Ticket, entries []ticket.Entry) error {
			t.Version, t.MergedInto = 0, "b"
			entries = slices.DeleteFunc(entries, func(e ticket.Entry) bool { return e.Inbox == "in-1" })
			_, err := s.SaveTickets(background, []ticket.Write{{Ticket: t, Entries: entries}})
			return err
		})},
	{"PurgeTicket/OthersUntouched", "every mark", bendPurge(func(s *memory.Store, id ticket.ID, expect storage.Version) error {
		seq, v, _ := s.Mark(background, "in-1")
		_, err := s.SaveMark(background, "in-1", seq, v)
		return errors.Join(err, s.PurgeTicket(background, id, expect))
	})},
	{"PurgeTicket/OthersUntouched", "who has read what", bendPurge(func(s *memory.Store, id ticket.ID, expect storage.Version) error {
		err := s.PurgeTicket(background, id, expect)
		for t := range s.Tickets(background, ticket.Query{AllHidden: true}) {
			err = errors.Join(err, s.SaveReading(background, t.ID, "ann", t.ClosedAt))
		}
		return err
	})},
	{"PurgeTicket/OthersUntouched", "the whole inbox", bendPurge(func(s *memory.Store, _ ticket.ID, _ storage.Version) error {
		return s.PurgeTickets(background, "in-1")
	})},
	{"PurgeTicket/VersionGuard", "whatever the version", bendPurge(func(s *memory.Store, id ticket.ID, _ storage.Version) error {
		stored, _ := s.Ticket(background, id)
		return s.PurgeTicket(background, id, stored.Version)
	})},
	{"PurgeTicket/VersionGuard", "absent is an error", bendPurge(func(s *memory.Store, id ticket.ID, expect storage.Version) error {
		if _, err := s.Ticket(background, id); err != nil {
			return err
		}
		return s.PurgeTicket(background, id, expect)
	})},
	{"PurgeTicket/VersionGuard", "forgets before it looks", bendPurge(func(s *memory.Store, id ticket.ID, expect storage.Version) error {
		_ = s.SaveReading(background, id, "ann", ticket.Ticket{}.ClosedAt)
		return s.PurgeTicket(background, id, expect)
	})},
	{"PurgeTicket/NumbersOnce", "highest plus one", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, saved: func(list []ticket.Ticket) {
			n := int64(0)
			for range s.Tickets(background, ticket.Query{}) {
				n++
			}
			list[0].Number = n
		}}
	}},
	{"PurgeTicket/NothingForTheNext", "threads stay", func(s *memory.Store) ticket.Store {
		return &bentMerged{s, func(q *ticket.Query) {
			if len(q.Threads) > 1 {
				q.Threads = append(slices.Clone(q.Threads), "thread c")
			}
		}}
	}},
	{"PurgeTicket/NothingForTheNext", "drafts stay", keptDrafts},
	{"PurgeTicket/OrMerged", "both", purgedWhileMerged},
}

// purgedWhileMerged looks at no version, neither of what it purges nor of what it saves.
func purgedWhileMerged(s *memory.Store) ticket.Store {
	return &blind{&bentTickets{Store: s, write: current(s)}}
}

// blind purges a ticket whatever its version.
type blind struct{ *bentTickets }

func (b *blind) PurgeTicket(ctx context.Context, id ticket.ID, _ storage.Version) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	stored, _ := b.Store.Ticket(ctx, id)
	return b.Store.PurgeTicket(ctx, id, stored.Version)
}
