package acl_test

import (
	"errors"
	"fmt"

	"github.com/workinbox/workinbox/acl"
)

func Example() {
	inbox := acl.Inbox{
		Site: "s1", Kind: acl.Individual, Creator: "carla", Live: true,
		Grants: acl.NewGrants(acl.Grant{User: "rita", Access: acl.ReadOnly}),
	}
	rita := acl.Actor{Site: "s1", User: "rita", Role: acl.Agent, State: acl.Active}

	fmt.Println(acl.Check(rita, &inbox, acl.AddNote, nil))

	reply := acl.Check(rita, &inbox, acl.Reply, nil)
	fmt.Println(reply)
	fmt.Println("needed:", reply.Needed())
	fmt.Println(reply.Err(), errors.Is(reply.Err(), acl.ErrDenied))

	// A site admin has no right of their own in somebody's mailbox, and is not told that it exists.
	adam := acl.Actor{Site: "s1", User: "adam", Role: acl.Admin, State: acl.Active}
	fmt.Println("hidden from the site admin:", acl.Check(adam, &inbox, acl.Reply, nil).Hidden)

	// Output:
	// add_note: allowed, via grant
	// reply: refused (needs_read_and_reply)
	// needed: read_and_reply
	// reply is not allowed: needs_read_and_reply true
	// hidden from the site admin: true
}

func ExampleVisible() {
	rita := acl.Actor{Site: "s1", User: "rita", Role: acl.Agent, State: acl.Active}
	scope := acl.Visible(rita)
	mine := acl.Inbox{Site: "s1", Kind: acl.Individual, Creator: "rita"}
	other := acl.Inbox{Site: "s1", Kind: acl.Individual, Creator: "carla"}
	fmt.Println(scope.Includes(&mine), scope.Includes(&other))
	// Output: true false
}
