package storagetest_test

import (
	"iter"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// column is as much of a text as some indexes have room for.
const column = 255

// firstStays keeps what is known of a remote id when a step names it twice.
func firstStays(s *memory.Store) inbox.Store {
	return &bent{Store: s, commit: func(imp *inbox.Import) {
		queued, rejected := map[provider.RemoteID]bool{}, map[provider.RemoteID]bool{}
		imp.Queue = slices.DeleteFunc(imp.Queue, func(q inbox.Queued) bool { return again(queued, q.Remote) })
		imp.Reject = slices.DeleteFunc(imp.Reject, func(r inbox.Rejected) bool { return again(rejected, r.Remote) })
	}}
}

// secondPutSkipped stores a step that puts one remote id twice, without the second.
func secondPutSkipped(s *memory.Store) inbox.Store {
	return &bent{Store: s, commit: func(imp *inbox.Import) {
		put := map[provider.RemoteID]bool{}
		imp.Put = slices.DeleteFunc(imp.Put, func(p inbox.Put) bool { return again(put, p.Message.Remote) })
	}}
}

func again[K comparable](seen map[K]bool, k K) bool {
	was := seen[k]
	seen[k] = true
	return was
}

// lastChangeAlone forgets the earlier changes of a message that a step changes twice.
func lastChangeAlone(s *memory.Store) inbox.Store {
	return &bent{Store: s, commit: func(imp *inbox.Import) {
		changed := map[inbox.MessageID]bool{}
		slices.Reverse(imp.Changed)
		imp.Changed = slices.DeleteFunc(imp.Changed, func(c inbox.MessageChange) bool { return again(changed, c.ID) })
		slices.Reverse(imp.Changed)
	}}
}

// changesByID makes the changes of a step in another order.
func changesByID(s *memory.Store) inbox.Store {
	return &bent{Store: s, commit: func(imp *inbox.Import) {
		slices.Reverse(imp.Changed)
		slices.SortStableFunc(imp.Changed, func(a, b inbox.MessageChange) int { return strings.Compare(string(a.ID), string(b.ID)) })
	}}
}

// markersStay has an index of markers that a refused commit does not leave.
func markersStay(s *memory.Store) inbox.Store {
	b, asked := &bent{Store: s}, ""
	left := map[string]inbox.Message{}
	b.committed = func(imp inbox.Import, err error) {
		for _, p := range imp.Put {
			if err != nil {
				left[p.Message.Marker] = p.Message
			}
		}
	}
	b.messages = func(q *inbox.MessageQuery) { asked = q.Marker }
	b.messagesOut = func(seq iter.Seq2[inbox.Message, error]) iter.Seq2[inbox.Message, error] {
		m, stays := left[asked]
		return with(seq, m, stays && asked != "")
	}
	return b
}

// with yields one more value than a list has.
func with[V any](seq iter.Seq2[V, error], more V, there bool) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		if there && !yield(more, nil) {
			return
		}
		seq(yield)
	}
}

// tallyStays counts what a refused commit would have stored.
func tallyStays(s *memory.Store) inbox.Store {
	more := 0
	return &bent{Store: s,
		committed: func(imp inbox.Import, err error) {
			if err != nil {
				more += len(imp.Put)
			}
		},
		tally: func(_ inbox.ID, t *inbox.Tally) { t.Messages += more }}
}

// readersStay lets in whom a refused write would have let in.
func readersStay(s *memory.Store) inbox.Store {
	open := false
	return &bent{Store: s,
		updated: func(in inbox.Inbox, _ []inbox.Event, err error) (inbox.Inbox, error) {
			open = true
			return inbox.Inbox{}, err
		},
		inboxes: func(q *inbox.Query) {
			if open {
				q.Scope = nil
			}
		}}
}

// markersCut finds a message by as much of its marker as fits into a column.
func markersCut(s *memory.Store) inbox.Store {
	b, asked := &bent{Store: s}, ""
	b.messages = func(q *inbox.MessageQuery) {
		if asked = q.Marker; len(asked) > column {
			asked, q.Marker = asked[:column], ""
		}
	}
	b.messagesOut = func(seq iter.Seq2[inbox.Message, error]) iter.Seq2[inbox.Message, error] {
		return only(seq, func(m inbox.Message) bool { return strings.HasPrefix(m.Marker, asked) })
	}
	return b
}

// only yields what is kept of a list.
func only[V any](seq iter.Seq2[V, error], keep func(V) bool) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for v, err := range seq {
			if (err != nil || keep(v)) && !yield(v, err) {
				return
			}
		}
	}
}

// entryIDsCut finds an entry by as much of its Message-ID as fits into a column.
func entryIDsCut(s *memory.Store) ticket.Store {
	b, asked := &bentTickets{Store: s}, ""
	b.entries = func(q *ticket.EntryQuery) {
		asked = ""
		if len(q.RFCIDs) > 0 && len(q.RFCIDs[0]) > column {
			asked, q.RFCIDs = q.RFCIDs[0][:column], nil
		}
	}
	b.entriesOut = func(seq iter.Seq2[ticket.Entry, error]) iter.Seq2[ticket.Entry, error] {
		return only(seq, func(e ticket.Entry) bool { return strings.HasPrefix(e.RFCID, asked) })
	}
	return b
}

// newTicketsAlone looks for a second ticket of a message only where a ticket is made.
func newTicketsAlone(s *memory.Store) ticket.Store {
	return &bentTickets{Store: s, write: func(w []ticket.Write) {
		for i := range w {
			for j := range w[i].Entries {
				if e := &w[i].Entries[j]; w[i].Ticket.Version > 0 {
					e.Message += inbox.MessageID(w[i].Ticket.ID)
				}
			}
		}
	}}
}

// tagsStay has an index of tags that a refused write does not leave.
func tagsStay(s *memory.Store) ticket.Store {
	b, asked := &bentTickets{Store: s}, []string(nil)
	left := map[string]ticket.Ticket{}
	b.save = func(w []ticket.Write, ev []inbox.Event) ([]ticket.Ticket, error) {
		saved, err := s.SaveTickets(background, w, ev...)
		for i := range w {
			for _, tag := range w[i].Ticket.Tags {
				if err != nil {
					left[tag] = w[i].Ticket
				}
			}
		}
		return saved, err
	}
	b.query = func(q *ticket.Query) { asked = q.AnyTag }
	b.ticketsOut = func(seq iter.Seq2[ticket.Ticket, error]) iter.Seq2[ticket.Ticket, error] {
		if len(asked) == 0 {
			return seq
		}
		t, stays := left[asked[0]]
		return with(seq, t, stays)
	}
	return b
}
