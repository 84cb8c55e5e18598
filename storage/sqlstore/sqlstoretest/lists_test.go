package sqlstoretest_test

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/ticket"
)

// many is more than the store reads at a time, and no multiple of it.
const many = 210

// step is how many are asked for when a list is read part by part.
const step = 37

// readLists reads every list in every way it can be asked for, at once and part by part, and checks
// the order and the number.
func readLists(t *testing.T, s *sqlstore.Store) {
	readInboxes(t, s)
	readMessages(t, s)
	readLedger(t, s)
	readClients(t, s)
	readTickets(t, s)
	readEntries(t, s)
}

// parts checks a list that can be asked for behind a place: read is given the last value of the part
// before, nil at first, and a limit.
func parts[T any](
	t *testing.T, what string, want int, order func(a, b T) int, read func(last *T, limit int) iter.Seq2[T, error],
) {
	t.Helper()
	all := collect(t, what, read(nil, 0))
	require.Len(t, all, want, "%s: all of them", what)
	require.True(t, slices.IsSortedFunc(all, order), "%s: out of order", what)
	var again []T
	for last := (*T)(nil); ; {
		part := collect(t, what, read(last, step))
		again = append(again, part...)
		if len(part) < step {
			break
		}
		last = &part[len(part)-1]
	}
	require.Equal(t, all, again, "%s: in parts of %d", what, step)
}

func collect[T any](t *testing.T, what string, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for v, err := range seq {
		require.NoError(t, err, what)
		all = append(all, v)
	}
	return all
}

func fillLists(t *testing.T, s *sqlstore.Store) {
	ctx := t.Context()
	for i := range many {
		in := inbox.Inbox{
			ID: inbox.ID(fmt.Sprintf("in-%03d", i)), Site: "acme", Kind: acl.Individual, Creator: "ann",
			Grants: acl.NewGrants(acl.Grant{User: "bob", Access: acl.ReadOnly}), State: inbox.StateActive,
		}
		if i%3 == 0 {
			in.Kind = acl.Team
		}
		_, err := s.CreateInbox(ctx, in)
		require.NoError(t, err)
	}
	fillArchive(t, s)
	var customers []inbox.Customer
	for i := range many {
		customers = append(customers, inbox.Customer{
			ID: inbox.CustomerID(fmt.Sprintf("cu-%03d", i)), Site: "acme", Company: "co-000",
			Address:   fmt.Sprintf("person.%d@eu-%d.example.com", i, i%3),
			KnownFrom: []inbox.ID{inbox.ID(fmt.Sprintf("in-%03d", i))}, ByHand: i%5 == 0,
		})
		_, err := s.SaveCompany(ctx, inbox.Company{ID: inbox.CompanyID(fmt.Sprintf("co-%03d", i)), Site: "acme"})
		require.NoError(t, err)
	}
	_, err := s.SaveCustomers(ctx, customers)
	require.NoError(t, err)
	fillDesk(t, s)
}

func fillArchive(t *testing.T, s *sqlstore.Store) {
	puts := mails("in-001", 0, many)
	var changed []inbox.MessageChange
	var queue []inbox.Queued
	hidden := true
	for i := range puts {
		puts[i].Content.HTML = ""
		m := &puts[i].Message
		m.Thread, m.Customer, m.Marker = "thread", "cu-000", fmt.Sprintf("marker-%d", i%2)
		if i%10 == 0 {
			changed = append(changed, inbox.MessageChange{ID: m.ID, Hidden: &hidden})
		}
		q := inbox.Queued{Remote: remote(100_000 + i), NotBefore: day.Add(time.Duration(i/2) * time.Minute)}
		q.Poison = i%2 == 0
		queue = append(queue, q)
	}
	for i := range many {
		imp := inbox.Import{
			State: state(t, s, "in-001"),
			Run: &inbox.Run{
				ID: fmt.Sprintf("run-%03d", i), Inbox: "in-001", Started: day.Add(time.Duration(i/2) * time.Minute),
			},
		}
		if i == 0 {
			imp.Put, imp.Queue, imp.Changed = puts, queue, changed
		}
		_, err := s.Commit(t.Context(), imp, inbox.Event{ID: fmt.Sprintf("event-%03d", i), Site: "acme"})
		require.NoError(t, err)
	}
}

func fillDesk(t *testing.T, s *sqlstore.Store) {
	var writes []ticket.Write
	for i := range many {
		w := note(i)
		w.Ticket.Activity = day.Add(time.Duration(i/2) * time.Minute)
		w.Ticket.Inbox, w.Ticket.Tags = inbox.ID(fmt.Sprintf("in-%03d", i%2)), []string{"vip", "late"}
		w.Ticket.Company = "co-000"
		w.Ticket.Threads = []inbox.ThreadID{"thread"}
		if writes = append(writes, w); len(writes) == ticket.MaxWrites || i == many-1 {
			_, err := s.SaveTickets(t.Context(), writes)
			require.NoError(t, err)
			writes = nil
		}
	}
	w := note(many)
	w.Ticket.DeletedAt, w.Ticket.Inbox = day, "in-009"
	w.Entries = nil
	for i := range many {
		w.Entries = append(w.Entries, ticket.Entry{
			ID: ticket.EntryID(fmt.Sprintf("en-%03d", i)), Inbox: "in-009", Kind: ticket.EntryReplied,
			At: day.Add(time.Duration(i/2) * time.Minute), RFCID: fmt.Sprintf("rfc-%d", i),
			Message:  inbox.MessageID(fmt.Sprintf("m-%d", i)),
			Outgoing: &ticket.Outgoing{State: ticket.OutgoingQueued, Marker: "marker", NotBefore: day},
		})
	}
	_, err := s.SaveTickets(t.Context(), []ticket.Write{w})
	require.NoError(t, err)
}

func readInboxes(t *testing.T, s *sqlstore.Store) {
	byID := func(a, b inbox.Inbox) int { return cmp.Compare(a.ID, b.ID) }
	for _, c := range []struct {
		what string
		q    inbox.Query
		want int
	}{
		{"inboxes", inbox.Query{}, many},
		{"inboxes of a site", inbox.Query{Site: "acme"}, many},
		{"inboxes in a state", inbox.Query{Site: "acme", States: []inbox.State{inbox.StateActive, inbox.StateDraft}}, many},
		{"inboxes of a creator", inbox.Query{Scope: &acl.Scope{Site: "acme", User: "ann"}}, many * 2 / 3},
		{"inboxes with a grant", inbox.Query{Scope: &acl.Scope{Site: "acme", User: "bob"}}, many},
		{"inboxes of a site admin", inbox.Query{Scope: &acl.Scope{Site: "acme", User: "eve", AllTeam: true}}, many / 3},
		{"inboxes of the owner", inbox.Query{Scope: &acl.Scope{Site: "acme", User: "olga", All: true}}, many},
		{"inboxes of nobody", inbox.Query{Scope: &acl.Scope{Site: "acme", None: true}}, 0},
		{"inboxes of another site", inbox.Query{Site: "other", Scope: &acl.Scope{Site: "acme", All: true}}, 0},
	} {
		parts(t, c.what, c.want, byID, func(last *inbox.Inbox, limit int) iter.Seq2[inbox.Inbox, error] {
			q := c.q
			q.Limit = limit
			if last != nil {
				q.After = last.ID
			}
			return s.Inboxes(t.Context(), q)
		})
	}
}

func readMessages(t *testing.T, s *sqlstore.Store) {
	newest := func(a, b inbox.Message) int { return cmp.Or(b.Received.Compare(a.Received), cmp.Compare(b.ID, a.ID)) }
	shown := many - many/10
	var q inbox.MessageQuery
	for _, m := range mails("in-001", 0, many) {
		q.RFCIDs = append(q.RFCIDs, m.Message.RFCID)
		q.Remotes = append(q.Remotes, m.Message.Remote)
	}
	for _, c := range []struct {
		what string
		q    inbox.MessageQuery
		want int
	}{
		{"messages", inbox.MessageQuery{}, shown},
		{"messages, hidden too", inbox.MessageQuery{Hidden: true}, many},
		{"messages of a thread", inbox.MessageQuery{Thread: "thread"}, shown},
		{"messages of a thread, hidden too", inbox.MessageQuery{Thread: "thread", Hidden: true}, many},
		{"messages of a customer", inbox.MessageQuery{Customer: "cu-000"}, shown},
		{"messages of a customer, hidden too", inbox.MessageQuery{Customer: "cu-000", Hidden: true}, many},
		{"messages by Message-ID", inbox.MessageQuery{RFCIDs: q.RFCIDs}, shown},
		{"messages by remote id", inbox.MessageQuery{Remotes: q.Remotes, Hidden: true}, many},
		{"messages by both", inbox.MessageQuery{Remotes: q.Remotes[:50], RFCIDs: q.RFCIDs[25:], Hidden: true}, 25},
		{"messages by marker", inbox.MessageQuery{Marker: "marker-1", Hidden: true}, many / 2},
		{"messages by marker and thread", inbox.MessageQuery{Marker: "marker-1", Thread: "thread"}, many / 2},
	} {
		c.q.Inbox = "in-001"
		parts(t, c.what, c.want, newest, func(last *inbox.Message, limit int) iter.Seq2[inbox.Message, error] {
			q := c.q
			q.Limit = limit
			if last != nil {
				q.After = last.Key()
			}
			return s.Messages(t.Context(), q)
		})
	}
}

func readLedger(t *testing.T, s *sqlstore.Store) {
	ctx := t.Context()
	log := collect(t, "log", s.Log(ctx, "in-001", 0))
	require.Len(t, log, many+many/10)
	for i, c := range log {
		require.Equal(t, uint64(i+1), c.Seq, "log line %d", i)
	}
	require.Len(t, collect(t, "log", s.Log(ctx, "in-001", many-3)), 3+many/10)

	runs := collect(t, "runs", s.Runs(ctx, "in-001", 0))
	require.Len(t, runs, many)
	require.True(t, slices.IsSortedFunc(runs, func(a, b inbox.Run) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID))
	}), "runs: out of order")
	require.Equal(t, runs[:step], collect(t, "runs", s.Runs(ctx, "in-001", step)))

	soonest := func(a, b inbox.Queued) int {
		return cmp.Or(a.NotBefore.Compare(b.NotBefore), cmp.Compare(a.Remote, b.Remote))
	}
	for _, poison := range []bool{false, true} {
		queue := collect(t, "queue", s.Queue(ctx, inbox.QueueQuery{Inbox: "in-001", Poison: poison}))
		require.Len(t, queue, many/2)
		require.True(t, slices.IsSortedFunc(queue, soonest), "queue: out of order")
		due := collect(t, "queue", s.Queue(ctx, inbox.QueueQuery{
			Inbox: "in-001", Poison: poison, Due: day.Add(9 * time.Minute), Limit: 10,
		}))
		require.Equal(t, queue[:10], due)
	}
	events := collect(t, "events", s.DueEvents(ctx, day, 0))
	require.Len(t, events, many)
	require.True(t, slices.IsSortedFunc(events, func(a, b inbox.Due) int { return cmp.Compare(a.ID, b.ID) }))

	_, err := s.Rejections(ctx, "in-001")
	require.NoError(t, err)
	_, err = s.Threads(ctx, "in-001", []inbox.ThreadID{"thread", "other"})
	require.NoError(t, err)
	tally, err := s.Tally(ctx, "in-001")
	require.NoError(t, err)
	require.Equal(t, inbox.Tally{Messages: many - many/10, Threads: 1}, tally)
}

func readClients(t *testing.T, s *sqlstore.Store) {
	for _, deleted := range []bool{false, true} {
		parts(t, "companies", many, func(a, b inbox.Company) int { return cmp.Compare(a.ID, b.ID) },
			func(last *inbox.Company, limit int) iter.Seq2[inbox.Company, error] {
				q := inbox.CompanyQuery{Site: "acme", Deleted: deleted, Limit: limit}
				if last != nil {
					q.After = last.ID
				}
				return s.Companies(t.Context(), q)
			})
	}
	var inboxes []inbox.ID
	for i := range 2 * many {
		inboxes = append(inboxes, inbox.ID(fmt.Sprintf("in-%03d", i)))
	}
	for _, c := range []struct {
		what string
		q    inbox.CustomerQuery
		want int
	}{
		{"customers", inbox.CustomerQuery{}, many},
		{"customers, deleted too", inbox.CustomerQuery{Deleted: true}, many},
		{"customers of a company", inbox.CustomerQuery{Company: "co-000"}, many},
		{"customers by address", inbox.CustomerQuery{Address: "Person.7@EU-1.example.com"}, 1},
		{"customers at a domain", inbox.CustomerQuery{Domain: "example.com"}, many},
		{"customers at a subdomain", inbox.CustomerQuery{Domain: "eu-1.example.com"}, many / 3},
		{"customers at part of a label", inbox.CustomerQuery{Domain: "ample.com"}, 0},
		{"customers at a domain of a company", inbox.CustomerQuery{Domain: "example.com", Company: "co-000"}, many},
		{"customers by address and domain", inbox.CustomerQuery{Address: "person.7@eu-1.example.com", Domain: "eu-2.example.com"}, 0},
		{"customers by hand", inbox.CustomerQuery{Visible: []inbox.ID{}}, many / 5},
		{"customers seen by somebody", inbox.CustomerQuery{Visible: inboxes[:6]}, many/5 + 4},
		{"customers seen by somebody with many inboxes", inbox.CustomerQuery{Visible: inboxes}, many},
		{"customers visible at a domain", inbox.CustomerQuery{Visible: inboxes[:6], Domain: "example.com"}, many/5 + 4},
	} {
		c.q.Site = "acme"
		parts(t, c.what, c.want, func(a, b inbox.Customer) int { return cmp.Compare(a.ID, b.ID) },
			func(last *inbox.Customer, limit int) iter.Seq2[inbox.Customer, error] {
				q := c.q
				q.Limit = limit
				if last != nil {
					q.After = last.ID
				}
				return s.Customers(t.Context(), q)
			})
	}
	data, _, err := s.Snapshot(t.Context(), "acme", 0)
	require.NoError(t, err)
	_, err = filter.NewDirectory(*data)
	require.NoError(t, err)
	require.Len(t, data.Customers, many)
}

func readTickets(t *testing.T, s *sqlstore.Store) {
	latest := func(a, b ticket.Ticket) int { return cmp.Or(b.Activity.Compare(a.Activity), cmp.Compare(b.ID, a.ID)) }
	var inboxes []inbox.ID
	for i := range 2 * many {
		inboxes = append(inboxes, inbox.ID(fmt.Sprintf("in-%03d", i)))
	}
	yes, no := true, false
	for _, c := range []struct {
		what string
		q    ticket.Query
		want int
	}{
		{"tickets", ticket.Query{}, many},
		{"tickets of inboxes", ticket.Query{Inboxes: inboxes[:5]}, many},
		{"tickets of an inbox", ticket.Query{Inboxes: inboxes[:1], HiddenIn: inboxes[:3]}, many / 2},
		{"tickets of very many inboxes", ticket.Query{Inboxes: inboxes, HiddenIn: inboxes}, many},
		{"tickets of no inbox", ticket.Query{Inboxes: []inbox.ID{}}, 0},
		{"tickets in a thread", ticket.Query{Threads: []inbox.ThreadID{"thread", "other"}, Inboxes: inboxes[1:2]}, many / 2},
		{"tickets in a thread, merged ones too", ticket.Query{Threads: []inbox.ThreadID{"thread"}, Merged: true, AllHidden: true}, many},
		{"tickets in a thread of a mailbox, merged ones too", ticket.Query{
			Threads: []inbox.ThreadID{"thread"}, Mailbox: "in-001", Merged: true, AllHidden: true,
		}, many / 2},
		{"tickets by status", ticket.Query{Statuses: []ticket.Status{ticket.Active, ticket.Spam}, AllHidden: true}, many},
		{"tickets of an assignee", ticket.Query{Assignee: "ann", Inboxes: inboxes[:9]}, many},
		{"tickets of nobody", ticket.Query{Unassigned: true}, 0},
		{"tickets of a customer", ticket.Query{Customers: []inbox.CustomerID{"01jnc000000000000000000001"}}, many},
		{"tickets of customers", ticket.Query{Customers: []inbox.CustomerID{"01jnc000000000000000000001", "x"}}, many},
		{"tickets of a company", ticket.Query{Companies: []inbox.CompanyID{"co-000"}}, many},
		{"tickets of companies", ticket.Query{Companies: []inbox.CompanyID{"co-000", "co-001"}, Assignee: "ann"}, many},
		{"tickets with a tag", ticket.Query{AnyTag: []string{"vip"}}, many},
		{"tickets with part of a tag", ticket.Query{AnyTag: []string{"vi"}}, 0},
		{"tickets by number", ticket.Query{Number: 7}, 1},
		{"tickets in the trash", ticket.Query{Deleted: true}, 1},
		{"tickets at rest", ticket.Query{Resting: ticket.RestDone, RestedBy: time.Now()}, 0},
		{"tickets imported", ticket.Query{Imported: &yes}, 0},
		{"tickets not imported", ticket.Query{Imported: &no}, many},
	} {
		c.q.Site = "acme"
		parts(t, c.what, c.want, latest, func(last *ticket.Ticket, limit int) iter.Seq2[ticket.Ticket, error] {
			q := c.q
			q.Limit = limit
			if last != nil {
				q.After = last.Key()
			}
			return s.Tickets(t.Context(), q)
		})
	}
	everywhere := collect(t, "tickets of all sites", s.Tickets(t.Context(), ticket.Query{Inboxes: inboxes[:1]}))
	require.Len(t, everywhere, many/2)
}

func readEntries(t *testing.T, s *sqlstore.Store) {
	oldest := func(a, b ticket.Entry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }
	var messages []inbox.MessageID
	var rfcids []string
	for i := range 2 * many {
		messages = append(messages, inbox.MessageID(fmt.Sprintf("m-%d", i)))
		rfcids = append(rfcids, fmt.Sprintf("rfc-%d", i))
	}
	queued := []ticket.OutgoingState{ticket.OutgoingQueued, ticket.OutgoingSending}
	for _, c := range []struct {
		what string
		q    ticket.EntryQuery
		want int
	}{
		{"entries of a ticket", ticket.EntryQuery{Ticket: note(many).Ticket.ID}, many},
		{"entries of a ticket on their way", ticket.EntryQuery{Ticket: note(many).Ticket.ID, Outgoing: queued}, many},
		{"entries of an inbox", ticket.EntryQuery{Inbox: "in-009"}, many},
		{"entries of messages", ticket.EntryQuery{Messages: messages}, many},
		{"entries by Message-ID", ticket.EntryQuery{RFCIDs: rfcids, Inbox: "in-009"}, many},
		{"entries by both", ticket.EntryQuery{RFCIDs: rfcids[:60], Messages: messages[30:]}, 30},
		{"entries by marker", ticket.EntryQuery{Marker: "marker"}, many},
		{"entries on their way", ticket.EntryQuery{Outgoing: queued}, many},
		{"entries that may go", ticket.EntryQuery{Outgoing: queued, Due: day}, many},
		{"entries that may not go yet", ticket.EntryQuery{Outgoing: queued, Due: day.Add(-time.Second)}, 0},
	} {
		parts(t, c.what, c.want, oldest, func(last *ticket.Entry, limit int) iter.Seq2[ticket.Entry, error] {
			q := c.q
			q.Limit = limit
			if last != nil {
				q.After = last.Key()
			}
			return s.Entries(t.Context(), q)
		})
	}
}
