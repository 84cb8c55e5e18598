package storagetest

import (
	"fmt"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

var restingChecks = []check[ticket.Store]{
	{"Tickets/Resting", checkResting},
	{"Tickets/BeingPurged", checkBeingPurged},
}

// checkBeingPurged begins to purge tickets of the trash: the engine finds them, and nobody else does.
func checkBeingPurged(b *tickets) {
	for i, id := range []ticket.EntryID{"a", "b", "c"} {
		w := said(id, "in-1", 9-i, "word")
		w.Ticket.HeardAt, w.Ticket.DeletedAt = at(1), at(2)
		w.Ticket.Threads, w.Ticket.Customer = []inbox.ThreadID{"shared"}, "cu-1"
		save(b, w)
	}
	began := load(b, "b")
	began.PurgeBegan = at(3)
	save(b, ticket.Write{Ticket: began})
	for _, q := range []ticket.Query{
		{}, {Merged: true}, {HiddenIn: []inbox.ID{"in-1"}}, {Inboxes: []inbox.ID{"in-1"}}, {Inboxes: []inbox.ID{"in-1", "in-2"}},
		{Threads: []inbox.ThreadID{"shared"}}, {Customers: []inbox.CustomerID{"cu-1"}},
		{Resting: ticket.RestTrash, RestedBy: at(99)},
	} {
		q.Deleted = true
		tellsOf(b, "the trash, with one that is being purged", q, "ac")
		q.AllHidden = true
		tellsOf(b, "the trash for the engine", q, "abc")
	}
	tellsOf(b, "that one by its number", ticket.Query{Deleted: true, Merged: true, Number: began.Number}, "")
	tellsOf(b, "what is not in the trash", ticket.Query{AllHidden: true}, "")
}

// checkResting lets tickets come to rest and wake again, and looks for those that lie still for long.
func checkResting(b *tickets) {
	var w []ticket.Write
	for i, set := range []func(t *ticket.Ticket){
		func(t *ticket.Ticket) { t.Status, t.StatusAt = ticket.Waiting, at(1) },
		func(t *ticket.Ticket) { t.Status, t.StatusAt = ticket.Waiting, at(3) },
		func(t *ticket.Ticket) { t.Status, t.StatusAt, t.Site = ticket.Waiting, at(1), other },
		func(t *ticket.Ticket) { t.Status = ticket.Solved },
		func(t *ticket.Ticket) { t.Status = ticket.Closed },
		func(t *ticket.Ticket) { t.Status, t.ArchivedAt = ticket.Closed, at(9) },
		func(t *ticket.Ticket) { t.Status, t.DeletedAt = ticket.Closed, at(2) },
		func(t *ticket.Ticket) { t.DeletedAt = at(4) },
		func(t *ticket.Ticket) { t.StatusAt = at(1) },
	} {
		t := open(ticket.ID(fmt.Sprint("t-", i)), "in-1", i)
		set(&t)
		w = append(w, ticket.Write{Ticket: t})
		save(b, w[i])
	}
	expect := func(when string, want map[ticket.ID][]ticket.Query) {
		b.Helper()
		for _, q := range []ticket.Query{
			{Resting: ticket.RestWaiting, RestedBy: at(2)}, {Resting: ticket.RestWaiting, RestedBy: at(3)},
			{Resting: ticket.RestWaiting, RestedBy: at(2), Site: acme},
			{Resting: ticket.RestDone, RestedBy: at(3)}, {Resting: ticket.RestDone, RestedBy: at(99)},
			{Resting: ticket.RestTrash, RestedBy: at(2), Deleted: true},
			{Resting: ticket.RestTrash, RestedBy: at(99), Deleted: true},
			{Resting: ticket.RestTrash, RestedBy: at(99)},
		} {
			var ids []ticket.ID
			for i := len(w) - 1; i >= 0; i-- {
				id := w[i].Ticket.ID
				for _, in := range want[id] {
					if in.Resting == q.Resting && in.RestedBy.Equal(q.RestedBy) && in.Site == q.Site && in.Deleted == q.Deleted {
						ids = append(ids, id)
					}
				}
			}
			equal(b, fmt.Sprintf("tickets of %+v %s", q, when), ticketIDs(b, q), ids)
		}
	}
	waiting2, waiting3 := ticket.Query{Resting: ticket.RestWaiting, RestedBy: at(2)}, ticket.Query{Resting: ticket.RestWaiting, RestedBy: at(3)}
	waitingHere := ticket.Query{Resting: ticket.RestWaiting, RestedBy: at(2), Site: acme}
	done3, done := ticket.Query{Resting: ticket.RestDone, RestedBy: at(3)}, ticket.Query{Resting: ticket.RestDone, RestedBy: at(99)}
	trash2, trash := ticket.Query{Resting: ticket.RestTrash, RestedBy: at(2), Deleted: true}, ticket.Query{Resting: ticket.RestTrash, RestedBy: at(99), Deleted: true}
	want := map[ticket.ID][]ticket.Query{
		"t-0": {waiting2, waiting3, waitingHere}, "t-1": {waiting3}, "t-2": {waiting2, waiting3},
		"t-3": {done3, done}, "t-4": {done}, "t-6": {trash2, trash}, "t-7": {trash},
	}
	expect("at first", want)

	woken := load(b, "t-0")
	woken.Status = ticket.Active
	archived := load(b, "t-3")
	archived.ArchivedAt = at(99)
	restored := load(b, "t-6")
	restored.DeletedAt = time.Time{}
	save(b, ticket.Write{Ticket: woken}, ticket.Write{Ticket: archived}, ticket.Write{Ticket: restored})
	delete(want, "t-0")
	delete(want, "t-3")
	want["t-6"] = []ticket.Query{done}
	expect("after some woke", want)
}
