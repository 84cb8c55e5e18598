// Command host is the smallest program that has the library built in: it connects mail that is on
// disk, shares it with one teammate, and prints what they see.
//
//	go run ./examples/host export.mbox
package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

func main() {
	ctx, store, people := context.Background(), memory.New(), memory.NewHost()
	people.SetSite(inbox.Settings{ID: "agency"})
	for _, id := range []acl.UserID{"olivia", "ravi"} {
		people.AddPerson(inbox.Person{ID: id, Site: "agency", Role: acl.Agent, State: acl.Active})
	}
	mail := archive.New(os.Args[1], archive.Options{Own: []string{"olivia@agency.example"}})
	d := must(desk.New(desk.Config{Store: store, Vault: store, Blobs: store,
		People: people, Sites: people, Providers: []provider.Provider{mail}}))

	olivia := must(d.Inboxes.Actor(ctx, "agency", "olivia"))
	in := must(d.Inboxes.Create(ctx, olivia,
		inbox.Draft{Provider: mail.Kind(), Name: "Olivia's mail", Import: true, Window: -1}))
	must(d.Inboxes.SetRules(ctx, olivia, in.ID, filter.Rules{Mode: filter.All}))
	consent := must(d.Inboxes.Connect(ctx, olivia, in.ID, "https://agency.example/back"))
	back := must(url.Parse(consent)).Query() // where her browser comes back with it
	must(d.Inboxes.Consent(ctx, olivia, in.ID, inbox.ParseReturn(back)))
	must(d.Inboxes.Share(ctx, olivia, in.ID, acl.Grant{User: "ravi", Access: acl.ReadAndReply}))
	must(d.Inboxes.Finish(ctx, olivia, in.ID))

	must(d.Step(ctx, in.ID)) // a server calls d.Run(ctx) instead, which goes on until ctx ends
	ravi := must(d.Inboxes.Actor(ctx, "agency", "ravi"))
	for t, err := range d.Tickets.Tickets(ctx, ravi, ticket.Query{}) {
		fmt.Println(must(t, err).Number, t.Status, t.Subject)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
