package memory_test

import (
	"context"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
)

// A step of an import stores messages, and moves the importer's state, in one write.
func Example() {
	ctx, store := context.Background(), memory.New()
	in, err := store.CreateInbox(ctx, inbox.Inbox{ID: "in-1", Site: "acme", Name: "Sales"})
	if err != nil {
		fmt.Println(err)
		return
	}
	st, err := store.Commit(ctx, inbox.Import{
		State: inbox.SyncState{Inbox: in.ID, Cursor: "page 2"},
		Put: []inbox.Put{
			{Message: inbox.Message{
				ID: "m-1", Inbox: in.ID, Remote: "17f", Thread: "t-1", Subject: "An offer?",
				Received: time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC),
			}},
			{Message: inbox.Message{
				ID: "m-2", Inbox: in.ID, Remote: "180", Thread: "t-1", Subject: "Re: An offer?",
				Received: time.Date(2026, time.March, 2, 11, 0, 0, 0, time.UTC),
			}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("cursor %q, %d changes\n", st.Cursor, st.Seq)
	for m, err := range store.Messages(ctx, inbox.MessageQuery{Inbox: in.ID}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Received.Format(time.TimeOnly), m.Subject)
	}
	// Output:
	// cursor "page 2", 2 changes
	// 11:00:00 Re: An offer?
	// 09:30:00 An offer?
}

func ExampleNewHost() {
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: "acme", Zone: "Europe/Berlin"})
	host.AddPerson(inbox.Person{ID: "ann", Site: "acme", Role: acl.Owner, State: acl.Active})

	ctx := context.Background()
	site, err := host.Site(ctx, "acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	ann, err := host.Person(ctx, "acme", "ann")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ann.Actor(site).Role, "in", site.Zone)
	// Output: owner in Europe/Berlin
}
