package desk_test

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
	"github.com/workinbox/workinbox/ticket/desk"
)

// A desk over a store in memory. A host would call d.Run instead of d.Step.
func ExampleNew() {
	ctx := context.Background()
	store, host, mail := memory.New(), memory.NewHost(), fake.New(fake.Options{})
	d, err := desk.New(desk.Config{
		Store: store, Vault: store, Blobs: store, People: host, Sites: host,
		Providers: []provider.Provider{mail},
	})
	check(err)

	host.SetSite(inbox.Settings{ID: "firm"})
	host.AddPerson(inbox.Person{ID: "carl", Site: "firm", Role: acl.Agent, State: acl.Active})
	carl, err := d.Inboxes.Actor(ctx, "firm", "carl")
	check(err)
	account := mail.Account("carl@firm.example")
	id := connect(ctx, d.Inboxes, carl, account.Address())

	account.Deliver([]byte("From: Ann <ann@acme.com>\r\nTo: carl@firm.example\r\n"+
		"Subject: Price?\r\nMessage-ID: <1@acme.com>\r\n\r\nWhat does it cost?\r\n"), fake.Delivery{})
	run, err := d.Step(ctx, id)
	check(err)
	fmt.Println("stored:", run.Stored)
	for t, err := range d.Tickets.Tickets(ctx, carl, ticket.Query{}) {
		check(err)
		fmt.Println(t.Subject)
	}

	// Output:
	// stored: 1
	// Price?
}

// connect does the four steps of the set-up.
func connect(ctx context.Context, s *inbox.Service, carl acl.Actor, address string) inbox.ID {
	in, err := s.Create(ctx, carl, inbox.Draft{Provider: "fake", Name: "Carl's mail"})
	check(err)
	_, err = s.SetRules(ctx, carl, in.ID, filter.Rules{Mode: filter.All})
	check(err)
	link, err := s.Connect(ctx, carl, in.ID, "https://host.example/back")
	check(err)
	u, err := url.Parse(link)
	check(err)
	_, err = s.Consent(ctx, carl, in.ID, inbox.Return{State: u.Query().Get("state"), Code: address})
	check(err)
	_, err = s.Finish(ctx, carl, in.ID)
	check(err)
	return in.ID
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
