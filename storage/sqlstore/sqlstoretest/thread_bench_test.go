package sqlstoretest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// BenchmarkOpenThread reads a thread of 200 mails as a teammate opens it: the ticket, its history, and of
// each mail what may be shown of it, cleaned; whole, and a page of ten. Beside it stands the least a
// program could do, which is to read the same texts by one statement and clean them.
func BenchmarkOpenThread(b *testing.B) {
	const mails = 200
	for _, d := range sqlstoretest.Dialects() {
		b.Run(string(d), func(b *testing.B) {
			on := sqlstoretest.New(b, d)
			w := newThread(b, on, mails)
			open := func(limit int) {
				t, err := w.desk.Tickets.Ticket(b.Context(), w.reader, w.ticket)
				require.NoError(b, err)
				require.Equal(b, limit, count(b, w.desk.Tickets.Thread(b.Context(), w.reader, t.ID, ticket.ThreadQuery{Limit: limit})))
			}
			b.Run("page", func(b *testing.B) { timeEach(b, func() { open(10) }) })
			b.Run("whole", func(b *testing.B) { timeEach(b, func() { open(mails) }) })
			b.Run("floor", func(b *testing.B) { timeEach(b, func() { w.floor(b, mails) }) })
		})
	}
}

// thread is a desk on a store with one thread in it, and a teammate who reads.
type thread struct {
	desk   *desk.Desk
	on     *sqlstoretest.Database
	reader acl.Actor
	ticket ticket.ID
}

func newThread(b *testing.B, on *sqlstoretest.Database, mails int) *thread {
	b.Helper()
	ctx := b.Context()
	host, secrets := memory.NewHost(), memory.New()
	host.SetSite(inbox.Settings{ID: "acme"})
	for _, user := range []acl.UserID{"ann", "ben"} {
		host.AddPerson(inbox.Person{ID: user, Site: "acme", Role: acl.Agent, State: acl.Active,
			Name: string(user), Addresses: []string{string(user) + "@firm.example"}})
	}
	mail := fake.New(fake.Options{Now: func() time.Time { return day.AddDate(0, 1, 0) }})
	account := mail.Account("ann@firm.example")
	page := "<html><body>" + strings.Repeat("<p>Dear all, here is the <b>next</b> part of it.</p>", 40) + "</body></html>"
	for i := range mails {
		account.Deliver([]byte(fmt.Sprintf("From: Cem <cem@client.example>\r\nTo: ann@firm.example\r\nSubject: offer\r\n"+
			"Message-ID: <m%d@client.example>\r\nReferences: <m0@client.example>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s\r\n", i, page)),
			fake.Delivery{Received: day.Add(time.Duration(i) * time.Minute)})
	}
	w := &thread{on: on}
	var err error
	w.desk, err = desk.New(desk.Config{Store: on.Store(b), Vault: secrets, Blobs: secrets, People: host, Sites: host,
		Providers: []provider.Provider{mail}, Now: func() time.Time { return day.AddDate(0, 0, 1) }})
	require.NoError(b, err)
	in := w.desk.Inboxes
	ann, err := in.Actor(ctx, "acme", "ann")
	require.NoError(b, err)
	w.reader, err = in.Actor(ctx, "acme", "ben")
	require.NoError(b, err)
	box, err := in.Create(ctx, ann, inbox.Draft{Provider: mail.Kind(), Name: "Mail", Import: true})
	require.NoError(b, err)
	_, err = in.SetRules(ctx, ann, box.ID, filter.Rules{Mode: filter.All})
	require.NoError(b, err)
	link, err := in.Connect(ctx, ann, box.ID, "https://host.example/back")
	require.NoError(b, err)
	u, err := url.Parse(link)
	require.NoError(b, err)
	_, err = in.Consent(ctx, ann, box.ID, inbox.Return{State: u.Query().Get("state"), Code: account.Address()})
	require.NoError(b, err)
	_, err = in.Share(ctx, ann, box.ID, acl.Grant{User: "ben", Access: acl.ReadOnly})
	require.NoError(b, err)
	_, err = in.Finish(ctx, ann, box.ID)
	require.NoError(b, err)
	_, err = w.desk.Step(ctx, box.ID)
	require.NoError(b, err)
	for t, err := range w.desk.Tickets.Tickets(ctx, w.reader, ticket.Query{}) {
		require.NoError(b, err)
		w.ticket = t.ID
	}
	return w
}

func (w *thread) floor(b *testing.B, mails int) {
	rows, err := w.on.Connect(b).QueryContext(b.Context(), "SELECT m.doc, c.html FROM "+w.on.Table("messages")+" m JOIN "+
		w.on.Table("contents")+" c ON c.pk = m.pk")
	require.NoError(b, err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var message, content []byte
		require.NoError(b, rows.Scan(&message, &content))
		htmlsafe.Clean(string(content), htmlsafe.Options{})
	}
	require.NoError(b, rows.Err())
	require.Equal(b, mails, n)
}
