package main

import (
	"context"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/memory"
)

// site is the one tenant of this host.
const site inbox.SiteID = "example"

// The people of the site.
const (
	mailboxOwner acl.UserID = "olivia"
	reader       acl.UserID = "rosa"
	replier      acl.UserID = "ravi"
	inboxAdmin   acl.UserID = "ines"
	siteOwner    acl.UserID = "boss"
	siteAdmin    acl.UserID = "adam"
	stranger     acl.UserID = "sam"
)

// cast says who they are, in the order they are shown.
var cast = []struct {
	id   acl.UserID
	role acl.Role
	what string
}{
	{mailboxOwner, acl.Agent, "whose mailbox it is"},
	{reader, acl.Agent, "teammate, may read"},
	{replier, acl.Agent, "teammate, may read and reply"},
	{inboxAdmin, acl.Agent, "teammate, reads and manages"},
	{siteOwner, acl.Owner, "owner of the site, no grant"},
	{siteAdmin, acl.Admin, "admin of the site, no grant"},
	{stranger, acl.Agent, "colleague, no grant"},
}

// grants are what the mailbox's owner shares.
func grants() []acl.Grant {
	return []acl.Grant{
		{User: reader, Access: acl.ReadOnly},
		{User: replier, Access: acl.ReadAndReply},
		{User: inboxAdmin, Access: acl.ReadOnly, InboxAdmin: true},
	}
}

// staff is the host's own user directory, which the library only reads: here in memory, in a host in
// service over the table of users it has anyway.
func staff(me []string) *memory.Host {
	people := memory.NewHost()
	people.SetSite(inbox.Settings{ID: site})
	for _, p := range cast {
		person := inbox.Person{ID: p.id, Site: site, Role: p.role, State: acl.Active, Name: string(p.id)}
		if p.id == mailboxOwner {
			person.Addresses = me
		}
		people.AddPerson(person)
	}
	return people
}

// know notes whose account was connected.
func (h *host) know(a provider.Account) {
	h.me = a.Own()
	h.people.AddPerson(inbox.Person{ID: mailboxOwner, Site: site, Role: acl.Agent, State: acl.Active,
		Name: string(mailboxOwner), Addresses: h.me})
}

// actor is who makes a request. A host asks for it once per request.
func (h *host) actor(ctx context.Context, id acl.UserID) (acl.Actor, error) {
	return h.desk.Inboxes.Actor(ctx, site, id)
}
