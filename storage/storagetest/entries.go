package storagetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var entryChecks = []check[ticket.Store]{
	{"Tickets/EntriesReplacedByID", checkEntriesReplaced},
	{"Entries/KeysetPages", checkEntryPages},
	{"Entries/QueryFields", checkEntryQuery},
	{"Entries/LongIDs", checkLongEntryIDs},
	{"Entries/MessageJoinsOneTicket", checkMessageJoins},
	{"Tickets/RefusedLate", checkLateTickets},
}

func checkEntriesReplaced(b *tickets) {
	out := ticket.Entry{
		ID: "e-1", Ticket: "t-1", Inbox: "in-1", Kind: ticket.EntryReplied, At: at(1),
		Outgoing: &ticket.Outgoing{State: ticket.OutgoingQueued, Marker: "mark", NotBefore: at(2)},
	}
	note := ticket.Entry{ID: "e-2", Ticket: "t-1", Inbox: "in-1", Kind: ticket.EntryNoted, At: at(2)}
	t := save(b, ticket.Write{Ticket: open("t-1", "in-1", 1), Entries: []ticket.Entry{out, note}})[0]
	out.At, out.Message, out.RFCID = at(5), "m-1", "id@example.com"
	sent := *out.Outgoing
	sent.State, sent.Attempts = ticket.OutgoingSent, 1
	out.Outgoing = &sent
	t = save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{out}})[0]
	equal(b, "entries after one was replaced", lookDesk(b).Entries, []ticket.Entry{note, out})
	for _, q := range []ticket.EntryQuery{
		{Outgoing: []ticket.OutgoingState{ticket.OutgoingQueued}}, {Messages: []inbox.MessageID{"m-2"}},
	} {
		if got := collect(b, "entries", b.s.Entries(b.Context(), q)); len(got) > 0 {
			b.Errorf("entries by what one was before (%+v): got %v, want none", q, got)
		}
	}
	save(b, ticket.Write{Ticket: t})
	equal(b, "entries after a write without any", lookDesk(b).Entries, []ticket.Entry{note, out})
}

func checkEntryPages(b *tickets) {
	var all []ticket.Entry
	for id, n := range map[ticket.EntryID]int{
		"a": 1, "B": 1, "z": 1, "Z": 1, "b": 2, "c": 3, "ä": 3, "d": 3,
	} {
		all = append(all, received(id, "t-1", "in-1", n))
	}
	late := received("0 a microsecond later", "t-1", "in-1", 1)
	late.At = late.At.Add(time.Microsecond)
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1), Entries: append(all, late)})
	want := []ticket.EntryID{"B", "Z", "a", "z", "0 a microsecond later", "b", "c", "d", "ä"}
	for size := 1; size <= len(want)+1; size++ {
		got := pages(b, size, func(after *ticket.Entry) []ticket.Entry {
			q := ticket.EntryQuery{Ticket: "t-1", Limit: size}
			if after != nil {
				q.After = after.Key()
			}
			return collect(b, "entries", b.s.Entries(b.Context(), q))
		})
		equal(b, fmt.Sprintf("entries with equal times, paging %d at a time", size),
			mapped(got, func(e ticket.Entry) ticket.EntryID { return e.ID }), want)
	}
}

func checkEntryQuery(b *tickets) {
	queued, sending := ticket.OutgoingQueued, ticket.OutgoingSending
	var w [2][]ticket.Entry
	for i, set := range []func(e *ticket.Entry){
		func(e *ticket.Entry) { e.Message, e.RFCID = "m-0", "zero@example.com" },
		func(e *ticket.Entry) { e.Message, e.RFCID = "m-1", "one@example.com" },
		func(e *ticket.Entry) { e.Inbox = "in-2" },
		func(e *ticket.Entry) {
			e.Outgoing = &ticket.Outgoing{State: queued, Marker: "mark-3", NotBefore: at(5)}
		},
		func(e *ticket.Entry) {
			e.Outgoing = &ticket.Outgoing{State: sending, Marker: "mark-4", NotBefore: at(6)}
		},
		func(e *ticket.Entry) {
			e.Outgoing = &ticket.Outgoing{State: ticket.OutgoingSent, Marker: "mark-5"}
		},
	} {
		e := ticket.Entry{
			ID: ticket.EntryID(fmt.Sprint("e-", i)), Ticket: ticket.ID(fmt.Sprint("t-", i%2)),
			Inbox: "in-1", Kind: ticket.EntryNoted, At: at(i),
		}
		set(&e)
		w[i%2] = append(w[i%2], e)
	}
	save(b, ticket.Write{Ticket: open("t-0", "in-1", 1), Entries: w[0]},
		ticket.Write{Ticket: open("t-1", "in-1", 1), Entries: w[1]})
	for _, c := range []struct {
		what string
		q    ticket.EntryQuery
		want string
	}{
		{"everything", ticket.EntryQuery{}, "012345"},
		{"a ticket", ticket.EntryQuery{Ticket: "t-1"}, "135"},
		{"an inbox", ticket.EntryQuery{Inbox: "in-2"}, "2"},
		{"a ticket's in an inbox", ticket.EntryQuery{Ticket: "t-0", Inbox: "in-1"}, "04"},
		{"messages", ticket.EntryQuery{Messages: []inbox.MessageID{"m-0", "m-1", "M-0"}}, "01"},
		{"a message in another ticket",
			ticket.EntryQuery{Messages: []inbox.MessageID{"m-0"}, Ticket: "t-1"}, ""},
		{"Message-IDs", ticket.EntryQuery{RFCIDs: []string{"one@example.com", "ZERO@example.com"}}, "1"},
		{"a marker", ticket.EntryQuery{Marker: "mark-4"}, "4"},
		{"a state of mail on its way out",
			ticket.EntryQuery{Outgoing: []ticket.OutgoingState{queued}}, "3"},
		{"states", ticket.EntryQuery{Outgoing: []ticket.OutgoingState{queued, sending}}, "34"},
		{"what may go now", ticket.EntryQuery{
			Outgoing: []ticket.OutgoingState{queued, sending}, Due: at(5),
		}, "3"},
		{"what may go a microsecond too early", ticket.EntryQuery{
			Outgoing: []ticket.OutgoingState{queued, sending}, Due: at(5).Add(-time.Microsecond),
		}, ""},
		{"a limit", ticket.EntryQuery{Limit: 2}, "01"},
		{"from a place", ticket.EntryQuery{After: &ticket.EntryKey{At: at(3), ID: "e-3"}}, "45"},
		{"a ticket that is not there", ticket.EntryQuery{Ticket: "T-1"}, ""},
	} {
		got := collect(b, "entries", b.s.Entries(b.Context(), c.q))
		ids := strings.ReplaceAll(strings.Join(mapped(got, func(e ticket.Entry) string {
			return string(e.ID)
		}), ""), "e-", "")
		if ids != c.want {
			b.Errorf("entries: %s (%+v): got %q, want %q", c.what, c.q, ids, c.want)
		}
	}
}

// checkMessageJoins puts one message into many tickets that are there, as collectors of copies of a
// thread would: new tickets would wait for each other's numbers anyway.
func checkMessageJoins(b *tickets) {
	for round := range 3 {
		there := make([]ticket.Ticket, writers)
		for i := range there {
			id := ticket.ID(fmt.Sprintf("t-%d-%d", round, i))
			there[i] = save(b, ticket.Write{Ticket: open(id, "in-1", i)})[0]
		}
		message := inbox.MessageID(fmt.Sprint("m-", round))
		winner := race(b, "SaveTickets of tickets that are there, with one message", storage.ErrExists,
			func(ctx context.Context, i int) error {
				e := received(ticket.EntryID(fmt.Sprintf("e-%d-%d", round, i)), there[i].ID, "in-1", 1)
				e.Message = message
				_, err := b.s.SaveTickets(ctx, []ticket.Write{{Ticket: there[i], Entries: []ticket.Entry{e}}})
				return err
			})
		got := collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Messages: []inbox.MessageID{message}}))
		if winner < 0 || len(got) != 1 || got[0].Ticket != there[winner].ID {
			b.Errorf("entries of a message after a race: got %+v, want one in the ticket of writer %d", got, winner)
		}
		for i := range there {
			want := storage.Version(1)
			if i == winner {
				want = 2
			}
			if t := load(b, there[i].ID); t.Version != want {
				b.Errorf("ticket of writer %d after writer %d won: got version %d, want %d", i, winner, t.Version, want)
			}
		}
	}
}
