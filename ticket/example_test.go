package ticket_test

import (
	"context"
	"fmt"
	"log"
	"net/url"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// Rita works on a ticket of Carl's shared mailbox: a note for the team, the ticket to herself, and an
// answer from Carl's address.
func ExampleService() {
	ctx := context.Background()
	store, host, mail := memory.New(), memory.NewHost(), fake.New(fake.Options{})
	inboxes, err := inbox.New(inbox.Config{Store: store, Vault: store, Blobs: store, People: host, Sites: host,
		Providers: []provider.Provider{mail}})
	check(err)
	tickets, err := ticket.New(ticket.Config{Store: store, Inboxes: inboxes, Archive: store, Blobs: store})
	check(err)
	id, rita := share(ctx, host, mail, inboxes)

	mail.Account("carl@firm.example").Deliver([]byte("From: Ann <ann@acme.com>\r\nTo: carl@firm.example\r\n"+
		"Subject: Price?\r\nMessage-ID: <1@acme.com>\r\n\r\nWhat does it cost?\r\n"), fake.Delivery{})
	_, err = inboxes.Sync(ctx, id)
	check(err)
	_, err = tickets.Collect(ctx, id)
	check(err)

	for t, err := range tickets.Tickets(ctx, rita, ticket.Query{Unassigned: true, Limit: 20}) {
		check(err)
		fmt.Printf("#%d %s (%s)\n", t.Number, t.Subject, t.Status)
		_, err = tickets.Note(ctx, rita, t.ID, "She is a good client.")
		check(err)
		_, err = tickets.Assign(ctx, rita, t.ID, rita.User)
		check(err)
		sent, err := tickets.Reply(ctx, rita, t.ID, ticket.Reply{Text: "It costs 5.", ExpectedLast: t.Latest})
		check(err)
		fmt.Println("reply:", sent.Outgoing.State, "to", sent.To[0].Address)
		for e, err := range tickets.Entries(ctx, rita, t.ID) {
			check(err)
			fmt.Printf("- %s %q\n", e.Kind, e.Author)
		}
	}

	// Output:
	// #1 Price? (active)
	// reply: sent to ann@acme.com
	// - received ""
	// - noted "rita"
	// - changed "rita"
	// - replied "rita"
	// - changed "rita"
}

// share connects Carl's mailbox and shares it with Rita.
func share(ctx context.Context, host *memory.Host, mail *fake.Service, inboxes *inbox.Service) (inbox.ID, acl.Actor) {
	mail.Account("carl@firm.example")
	host.SetSite(inbox.Settings{ID: "firm"})
	for _, user := range []acl.UserID{"carl", "rita"} {
		host.AddPerson(inbox.Person{ID: user, Site: "firm", Role: acl.Agent, State: acl.Active})
	}
	carl, err := inboxes.Actor(ctx, "firm", "carl")
	check(err)
	in, err := inboxes.Create(ctx, carl, inbox.Draft{Provider: "fake", Name: "Carl's mail"})
	check(err)
	_, err = inboxes.SetRules(ctx, carl, in.ID, filter.Rules{Mode: filter.All})
	check(err)
	link, err := inboxes.Connect(ctx, carl, in.ID, "https://host.example/back")
	check(err)
	u, err := url.Parse(link)
	check(err)
	_, err = inboxes.Consent(ctx, carl, in.ID, inbox.Return{State: u.Query().Get("state"), Code: "carl@firm.example"})
	check(err)
	_, err = inboxes.Share(ctx, carl, in.ID, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	check(err)
	_, err = inboxes.Finish(ctx, carl, in.ID)
	check(err)
	rita, err := inboxes.Actor(ctx, "firm", "rita")
	check(err)
	return in.ID, rita
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
