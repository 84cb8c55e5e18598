package storagetest

import (
	"fmt"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

var ticketValueChecks = []check[ticket.Store]{
	{"Times/MicrosecondsUTC", checkTicketTimes},
	{"Text/AnyUTF8", checkTicketText},
	{"IDs/CaseSensitive", checkTicketCase},
	{"Values/AreCopies", checkTicketCopies},
}

func checkTicketTimes(b *tickets) {
	for i, now := range moments() {
		t := open(ticket.ID(fmt.Sprint("t-", i)), "in-1", 0)
		t.LastMail, t.Activity, t.CreatedAt, t.ClosedAt, t.ArchivedAt = now, now, now, now, now
		e := ticket.Entry{
			ID: ticket.EntryID(fmt.Sprint("e-", i)), Ticket: t.ID, Inbox: "in-1",
			Kind: ticket.EntryReplied, At: now, ViewedAt: now,
			Outgoing: &ticket.Outgoing{State: ticket.OutgoingSent, NotBefore: now, SendingAt: now, Pixel: "0f"},
		}
		save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{e}})
		got, err := b.s.Ticket(b.Context(), t.ID)
		ok(b, "ticket", err)
		equal(b, fmt.Sprintf("ticket with times of %v", now), []time.Time{
			got.LastMail, got.Activity, got.CreatedAt, got.ClosedAt, got.ArchivedAt, got.DeletedAt,
		}, []time.Time{now, now, now, now, now, {}})
		entries := collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: t.ID}))
		equal(b, fmt.Sprintf("entry with times of %v", now), entries, []ticket.Entry{e})
	}
}

func checkTicketText(b *tickets) {
	for i, text := range texts {
		t := open(ticket.ID(fmt.Sprint("t-", i)), "in-1", i)
		t.Subject, t.Tags = text, []string{text}
		e := ticket.Entry{
			ID: ticket.EntryID(fmt.Sprint("e-", i)), Ticket: t.ID, Inbox: "in-1",
			Kind: ticket.EntryNoted, At: at(i), Text: text,
			To: []rfc822.Address{{Name: text, Address: "x@example.com"}},
		}
		save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{e}})
		got, err := b.s.Ticket(b.Context(), t.ID)
		ok(b, "ticket", err)
		equal(b, fmt.Sprintf("subject and tag of text %d", i), []string{got.Subject, got.Tags[0]},
			[]string{text, text})
		entries := collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: t.ID}))
		equal(b, fmt.Sprintf("entry of text %d", i), entries, []ticket.Entry{e})
		equal(b, fmt.Sprintf("tickets tagged with text %d", i), ticketIDs(b, ticket.Query{AnyTag: []string{text}}),
			[]ticket.ID{t.ID})
	}
}

func checkTicketCase(b *tickets) {
	ids := []string{"AAkA", "AAka", "aaka", "aaka ", "é", "e\u0301", "e"}
	for i, id := range ids {
		t := open(ticket.ID(id), inbox.ID(id), i)
		t.Threads = []inbox.ThreadID{inbox.ThreadID(id)}
		e := received(ticket.EntryID(id), t.ID, t.Inbox, i)
		e.Message = inbox.MessageID(id)
		save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{e}})
		_, err := b.s.SaveMark(b.Context(), t.Inbox, uint64(i), 0)
		ok(b, "save mark", err)
	}
	for i, id := range ids {
		got, err := b.s.Ticket(b.Context(), ticket.ID(id))
		ok(b, "ticket", err)
		equal(b, fmt.Sprintf("activity of ticket %q", id), got.Activity, at(i))
		for _, q := range []ticket.Query{
			{Inboxes: []inbox.ID{inbox.ID(id)}}, {Threads: []inbox.ThreadID{inbox.ThreadID(id)}},
		} {
			equal(b, fmt.Sprintf("tickets of %+v", q), ticketIDs(b, q), []ticket.ID{ticket.ID(id)})
		}
		for _, q := range []ticket.EntryQuery{
			{Ticket: ticket.ID(id)}, {Inbox: inbox.ID(id)},
			{Messages: []inbox.MessageID{inbox.MessageID(id)}},
		} {
			entries := collect(b, "entries", b.s.Entries(b.Context(), q))
			if len(entries) != 1 || string(entries[0].ID) != id {
				b.Errorf("entries of %+v: got %v, want %q alone", q, entries, id)
			}
		}
		if seq, _, err := b.s.Mark(b.Context(), inbox.ID(id)); seq != uint64(i) || err != nil {
			b.Errorf("mark of %q: got %d (%v), want %d", id, seq, err, i)
		}
	}
}

// checkTicketCopies changes whatever it gave and whatever it got, and looks again.
func checkTicketCopies(b *tickets) {
	whole := func() (ticket.Ticket, ticket.Entry) {
		t, e := full[ticket.Ticket]("ticket"), full[ticket.Entry]("entry")
		t.Site, t.Version, t.DeletedAt, e.Ticket = acme, 0, time.Time{}, t.ID
		return t, e
	}
	t, e := whole()
	w := []ticket.Write{{Ticket: t, Entries: []ticket.Entry{e}}}
	saved := save(b, w...)
	scramble(&w)
	scramble(&e)
	scramble(&saved)
	scramble(&t)
	want, wantEntry := whole()
	want.Version = 1
	for _, when := range []string{"what was given is changed", "what was read is changed"} {
		got, err := b.s.Ticket(b.Context(), want.ID)
		ok(b, "ticket", err)
		want.Number = got.Number
		equal(b, "ticket after "+when, got, want)
		shot := lookDesk(b)
		equal(b, "tickets and entries after "+when, shot,
			desk{Tickets: []ticket.Ticket{want}, Entries: []ticket.Entry{wantEntry}})
		scramble(&got)
		scramble(&shot)
	}
}
