package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

var messageChecks = []check[inbox.Store]{
	{"Messages/RoundTrip", checkMessageRoundTrip},
	{"Messages/NotFound", checkMessageNotFound},
	{"Messages/KeysetPages", checkMessagePages},
	{"Messages/HiddenKeptOut", checkHiddenKeptOut},
	{"Messages/QueryFields", checkMessageQuery},
	{"Messages/LongIDs", checkLongMessageIDs},
	{"Messages/Tally", checkTally},
	{"Log/ImportOrder", checkLogOrder},
}

func checkMessageRoundTrip(b *inboxes) {
	create(b, mailbox("in-1"))
	m, c := full[inbox.Message]("mail"), full[inbox.Content]("content")
	m.Inbox, m.Site, c.Message, m.Seq = "in-1", acme, m.ID, 99
	bare := mail("in-1", "bare", 1)
	bare.Message = inbox.Message{ID: "bare", Site: acme, Inbox: "in-1", Remote: "r", Thread: "t"}
	bare.Content = inbox.Content{Message: "bare"}
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{{Message: m, Content: c}, bare}})
	for _, want := range []inbox.Put{{Message: m, Content: c}, bare} {
		id := want.Message.ID
		got, err := b.s.Message(b.Context(), id)
		ok(b, "message", err)
		want.Message.Seq = got.Seq
		equal(b, fmt.Sprintf("message %q", id), got, want.Message)
		text, err := b.s.Content(b.Context(), id)
		ok(b, "content", err)
		equal(b, fmt.Sprintf("content of %q", id), text, want.Content)
		listed := collect(b, "messages", b.s.Messages(b.Context(), inbox.MessageQuery{
			Inbox: "in-1", Hidden: true, Remotes: []provider.RemoteID{want.Message.Remote},
		}))
		equal(b, fmt.Sprintf("message %q in a list", id), listed, []inbox.Message{want.Message})
	}
}

func checkMessageNotFound(b *inboxes) {
	create(b, mailbox("in-1"))
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "m-1", 1)}})
	_, err := b.s.Message(b.Context(), "m-2")
	refused(b, "read a message that is not there", err, storage.ErrNotFound)
	_, err = b.s.Content(b.Context(), "m-2")
	refused(b, "read the content of a message that is not there", err, storage.ErrNotFound)
}

// listed returns the IDs of the messages a query yields.
func listed(b *inboxes, q inbox.MessageQuery) []inbox.MessageID {
	b.Helper()
	if q.Inbox == "" {
		q.Inbox = "in-1"
	}
	return mapped(collect(b, "messages", b.s.Messages(b.Context(), q)),
		func(m inbox.Message) inbox.MessageID { return m.ID })
}

func checkMessagePages(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	var puts []inbox.Put
	for id, n := range map[string]int{
		"a": 1, "B": 1, "z": 1, "Z": 1, "b": 2, "c": 3, "ä": 3, "d": 3,
	} {
		puts = append(puts, mail("in-1", id, n))
	}
	late := mail("in-1", "0 a microsecond later", 1)
	late.Message.Received = at(1).Add(1000)
	commit(b, "in-1", inbox.Import{Put: append(puts, late)})
	commit(b, "in-2", inbox.Import{Put: []inbox.Put{mail("in-2", "foreign", 2)}})
	want := []inbox.MessageID{"ä", "d", "c", "b", "0 a microsecond later", "z", "a", "Z", "B"}
	equal(b, "messages, newest first", listed(b, inbox.MessageQuery{}), want)
	for size := 1; size <= len(want)+1; size++ {
		got := pages(b, size, func(after *inbox.Message) []inbox.Message {
			q := inbox.MessageQuery{Inbox: "in-1", Limit: size}
			if after != nil {
				q.After = after.Key()
			}
			return collect(b, "messages", b.s.Messages(b.Context(), q))
		})
		equal(b, fmt.Sprintf("messages with equal times, paging %d at a time", size),
			mapped(got, func(m inbox.Message) inbox.MessageID { return m.ID }), want)
	}
	equal(b, "messages behind a place where none is",
		listed(b, inbox.MessageQuery{After: &inbox.MessageKey{Received: at(2), ID: "zz"}}), want[3:])
}

func checkHiddenKeptOut(b *inboxes) {
	create(b, mailbox("in-1"))
	var imp inbox.Import
	for i, set := range []func(m *inbox.Message){
		func(*inbox.Message) {},
		func(m *inbox.Message) { m.Hidden = true },
		func(m *inbox.Message) { m.Removed = true },
		func(m *inbox.Message) { m.Private = true },
		func(m *inbox.Message) { m.CopyOf = "m-0" },
	} {
		p := mail("in-1", fmt.Sprintf("m-%d", i), i)
		p.Message.RFCID, p.Message.Marker, p.Message.Customer = "id@example.com", "mark", "cu-1"
		p.Message.Thread = "t"
		set(&p.Message)
		imp.Put = append(imp.Put, p)
	}
	commit(b, "in-1", imp)
	for _, q := range []inbox.MessageQuery{
		{}, {Thread: "t"}, {RFCIDs: []string{"id@example.com"}}, {Marker: "mark"}, {Customer: "cu-1"},
		{Remotes: []provider.RemoteID{
			"remote m-0", "remote m-1", "remote m-2", "remote m-3", "remote m-4",
		}},
	} {
		equal(b, fmt.Sprintf("what everybody may see (%+v)", q), listed(b, q), []inbox.MessageID{"m-0"})
		q.Hidden = true
		equal(b, fmt.Sprintf("with what is hidden (%+v)", q), listed(b, q),
			[]inbox.MessageID{"m-4", "m-3", "m-2", "m-1", "m-0"})
	}
}

func checkMessageQuery(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	imp := inbox.Import{}
	for i := range 8 {
		p := mail("in-1", fmt.Sprintf("m-%d", i), i)
		m := &p.Message
		m.Thread, m.Remote = inbox.ThreadID(fmt.Sprint("t", i%2)), provider.RemoteID(fmt.Sprint("r", i))
		m.RFCID = fmt.Sprintf("id-%d@example.com", i%4)
		m.Customer = inbox.CustomerID(fmt.Sprint("cu-", i/4))
		m.Marker = []string{"", "mark"}[i/7]
		imp.Put = append(imp.Put, p)
	}
	commit(b, "in-1", imp)
	foreign := mail("in-2", "foreign", 3)
	foreign.Message.Thread, foreign.Message.RFCID, foreign.Message.Remote = "t1", "id-1@example.com", "r1"
	foreign.Message.Marker, foreign.Message.Customer = "mark", "cu-1"
	commit(b, "in-2", inbox.Import{Put: []inbox.Put{foreign}})
	for _, c := range []struct {
		what string
		q    inbox.MessageQuery
		want []inbox.MessageID
	}{
		{"a thread", inbox.MessageQuery{Thread: "t1"}, []inbox.MessageID{"m-7", "m-5", "m-3", "m-1"}},
		{"Message-IDs", inbox.MessageQuery{RFCIDs: []string{"id-1@example.com", "id-2@example.com", "no"}},
			[]inbox.MessageID{"m-6", "m-5", "m-2", "m-1"}},
		{"a Message-ID in other case", inbox.MessageQuery{RFCIDs: []string{"ID-1@example.com"}}, nil},
		{"remote ids", inbox.MessageQuery{Remotes: []provider.RemoteID{"r2", "r7", "R1", "r99"}},
			[]inbox.MessageID{"m-7", "m-2"}},
		{"a marker", inbox.MessageQuery{Marker: "mark"}, []inbox.MessageID{"m-7"}},
		{"a customer", inbox.MessageQuery{Customer: "cu-1"}, []inbox.MessageID{"m-7", "m-6", "m-5", "m-4"}},
		{"a customer's mail in a thread", inbox.MessageQuery{Customer: "cu-1", Thread: "t0"},
			[]inbox.MessageID{"m-6", "m-4"}},
		{"remote ids in a thread",
			inbox.MessageQuery{Thread: "t0", Remotes: []provider.RemoteID{"r1", "r2"}},
			[]inbox.MessageID{"m-2"}},
		{"a marker with another Message-ID",
			inbox.MessageQuery{Marker: "mark", RFCIDs: []string{"id-1@example.com"}}, nil},
		{"a thread, from a place, with a limit", inbox.MessageQuery{
			Thread: "t1", After: &inbox.MessageKey{Received: at(5), ID: "m-5"}, Limit: 1,
		}, []inbox.MessageID{"m-3"}},
		{"another inbox", inbox.MessageQuery{Inbox: "in-2"}, []inbox.MessageID{"foreign"}},
		{"an inbox that is not there", inbox.MessageQuery{Inbox: "in-3"}, nil},
	} {
		equal(b, fmt.Sprintf("messages of %s (%+v)", c.what, c.q), listed(b, c.q), c.want)
	}
}

func checkTally(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	var imp inbox.Import
	for i, thread := range []inbox.ThreadID{"t-1", "t-1", "t-2", "t-3", "t-4"} {
		p := mail("in-1", fmt.Sprintf("m-%d", i), i)
		p.Message.Thread = thread
		p.Message.Hidden, p.Message.Removed = i == 3, i == 4
		imp.Put = append(imp.Put, p)
	}
	yes, no := true, false
	commit(b, "in-2", inbox.Import{Put: []inbox.Put{mail("in-2", "foreign", 1)}})
	for _, c := range []struct {
		what string
		imp  inbox.Import
		want inbox.Tally
	}{
		{"nothing", inbox.Import{}, inbox.Tally{}},
		{"two threads and two of hidden and removed mail", imp, inbox.Tally{Messages: 3, Threads: 2}},
		{"one hidden of two", inbox.Import{Changed: []inbox.MessageChange{{ID: "m-0", Hidden: &yes}}},
			inbox.Tally{Messages: 2, Threads: 2}},
		{"a thread removed", inbox.Import{Changed: []inbox.MessageChange{{ID: "m-2", Removed: &yes}}},
			inbox.Tally{Messages: 1, Threads: 1}},
		{"one shown", inbox.Import{Changed: []inbox.MessageChange{{ID: "m-3", Hidden: &no}}},
			inbox.Tally{Messages: 2, Threads: 2}},
	} {
		commit(b, "in-1", c.imp)
		got, err := b.s.Tally(b.Context(), "in-1")
		ok(b, "tally", err)
		equal(b, "tally after "+c.what, got, c.want)
	}
}

func checkLogOrder(b *inboxes) {
	in := create(b, mailbox("in-1"))
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "late", 9), mail("in-1", "early", 1)}})
	update(b, in, inbox.Change{Kind: inbox.ChangeTrashed, At: at(-9)})
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "middle", 5)}})
	log := collect(b, "log", b.s.Log(b.Context(), "in-1", 0))
	equal(b, "log in import order", mapped(log, func(c inbox.Change) string {
		return string(c.Kind) + " " + string(c.Message)
	}), []string{"arrived late", "arrived early", "trashed ", "arrived middle"})
	for i, c := range log {
		rest := collect(b, "log", b.s.Log(b.Context(), "in-1", c.Seq))
		equal(b, fmt.Sprintf("log behind line %d", i), rest, log[i+1:])
	}
	equal(b, "log of an inbox that is not there",
		collect(b, "log", b.s.Log(b.Context(), "in-2", 0)), []inbox.Change{})
}
