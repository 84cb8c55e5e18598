package examples_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// TestTheWorkOfREADMEWorks does it on a mail service in memory (R-MSG-06, R-TKT-06 to R-TKT-08).
func TestTheWorkOfREADMEWorks(t *testing.T) {
	t.Parallel()
	store, people, mail := memory.New(), memory.NewHost(), fake.New(fake.Options{})
	d, err := desk.New(desk.Config{Store: store, Vault: store, Blobs: store, People: people, Sites: people,
		Providers: []provider.Provider{mail}})
	require.NoError(t, err)
	people.SetSite(inbox.Settings{ID: "agency"})
	people.AddPerson(inbox.Person{ID: "ravi", Site: "agency", Role: acl.Agent, State: acl.Active})
	ravi, err := d.Inboxes.Actor(t.Context(), "agency", "ravi")
	require.NoError(t, err)
	account := mail.Account("ravi@agency.example")
	mine, billing := connectFake(t, d, ravi, account), connectFake(t, d, ravi, mail.Account("billing@agency.example"))
	deliver(account, "Subject: Printer\r\nMessage-ID: <1@acme.com>\r\n\r\nIt is out of ink.\r\n")
	deliver(account, "Subject: Paper\r\nMessage-ID: <2@acme.com>\r\n\r\nAn invoice for the second floor is missing.\r\n")
	_, err = d.Step(t.Context(), mine)
	require.NoError(t, err)
	twin, newest := byNumber(t, d, ravi, 1), byNumber(t, d, ravi, 2)

	require.NoError(t, work(t.Context(), d.Tickets, ravi, twin, newest, billing))
	require.Len(t, account.Sends(), 2)
	whole, part := byNumber(t, d, ravi, 1), byNumber(t, d, ravi, 4)
	require.Equal(t, []ticket.ID{newest.ID}, whole.MergedFrom)
	require.Equal(t, 1, whole.Messages, "one of the two mails was split off")
	require.Equal(t, billing, part.Inbox)
	require.Equal(t, "Paper", part.Subject)
}

func deliver(a *fake.Account, mail string) {
	a.Deliver([]byte("From: Ann <ann@acme.com>\r\nTo: ravi@agency.example\r\n"+mail), fake.Delivery{})
}

func connectFake(t *testing.T, d *desk.Desk, who acl.Actor, a *fake.Account) inbox.ID {
	t.Helper()
	ctx := t.Context()
	in, err := d.Inboxes.Create(ctx, who, inbox.Draft{Provider: "fake", Name: a.Address()})
	require.NoError(t, err)
	_, err = d.Inboxes.SetRules(ctx, who, in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	page, err := d.Inboxes.Connect(ctx, who, in.ID, "https://agency.example/back")
	require.NoError(t, err)
	u, err := url.Parse(page)
	require.NoError(t, err)
	back := inbox.Return{State: u.Query().Get("state"), Code: a.Address()}
	_, err = d.Inboxes.Consent(ctx, who, in.ID, back)
	require.NoError(t, err)
	_, err = d.Inboxes.Finish(ctx, who, in.ID)
	require.NoError(t, err)
	return in.ID
}

func byNumber(t *testing.T, d *desk.Desk, who acl.Actor, number int64) ticket.Ticket {
	t.Helper()
	for found, err := range d.Tickets.Tickets(t.Context(), who, ticket.Query{Number: number}) {
		require.NoError(t, err)
		return found
	}
	require.Fail(t, "no such ticket", "number %d", number)
	return ticket.Ticket{}
}
