package acl_test

import (
	"math/rand/v2"

	"github.com/workinbox/workinbox/acl"
)

// Few people, so that actors, creators, grantees and targets are often the same.
var people = []acl.UserID{"ann", "bob", "cy", "dee"}

func oneOf[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// rarely is true once in n.
func rarely(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

func coin(r *rand.Rand) bool { return rarely(r, 2) }

func randomScene(r *rand.Rand) scene {
	s := scene{actor: randomActor(r), inbox: randomInbox(r)}
	if !rarely(r, 20) {
		s.facts = randomFacts(r, s.inbox)
	}
	if rarely(r, 50) {
		s.inbox = nil
	}
	return s
}

func randomActor(r *rand.Rand) acl.Actor {
	a := acl.Actor{
		Site: "s1", User: oneOf(r, people...), Role: oneOf(r, acl.Owner, acl.Admin, acl.Agent),
		State: acl.Active, PartTime: coin(r), ManageCompanies: coin(r),
		Policy: acl.Policy{
			AgentsMayEdit: coin(r), AgentsMayDelete: coin(r),
			OwnerImplicitAccess: oneOf(r, acl.NoAccess, acl.ReadOnly, acl.ReadAndReply, "all"),
		},
	}
	if rarely(r, 20) {
		a.State = oneOf(r, acl.Pending, acl.Deactivated, "")
	}
	if rarely(r, 20) {
		a.Role = oneOf[acl.Role](r, "", "customer", "OWNER")
	}
	if rarely(r, 20) {
		a.User = ""
	}
	if rarely(r, 20) {
		a.Site = "s2"
	}
	return a
}

func randomInbox(r *rand.Rand) *acl.Inbox {
	in := &acl.Inbox{
		Site: "s1", Kind: oneOf(r, acl.Individual, acl.Individual, acl.Team, ""),
		Creator: oneOf(r, append(people, "")...), Live: coin(r), OnlyCreatorWidens: coin(r),
		GranteesMayStart: coin(r), TimeLogging: coin(r), PausedBy: oneOf(r, append(people, "")...),
		AutoReplyConsent: coin(r),
	}
	for range r.IntN(4) {
		in.Grants = in.Grants.With(randomGrant(r, oneOf(r, people...)))
	}
	if rarely(r, 30) {
		in.Site = "s2"
	}
	return in
}

func randomGrant(r *rand.Rand, user acl.UserID) acl.Grant {
	return acl.Grant{
		User: user, InboxAdmin: coin(r),
		Access: oneOf(r, acl.NoAccess, acl.ReadOnly, acl.ReadAndReply, acl.ReadAndReply, "full"),
	}
}

func randomFacts(r *rand.Rand, in *acl.Inbox) *acl.Facts {
	f := &acl.Facts{
		Ticket: randomTicket(r), QuotaSpent: coin(r), OwnNote: coin(r),
		Target: oneOf(r, append(people, "")...), TargetReadersSeeOrigin: coin(r),
		AutoReply: coin(r), InboxAdminElsewhere: coin(r),
		BelowFull: rarely(r, 4), Private: rarely(r, 6),
		Trigger: acl.Trigger{UsableByAgents: coin(r), OutboundCall: rarely(r, 4)},
	}
	if coin(r) {
		follower := randomActor(r)
		f.Follower = &follower
	}
	for range r.IntN(3) {
		f.Others = append(f.Others, acl.Party{
			Inbox: oneOf(r, nil, in, randomInbox(r), randomInbox(r)), Ticket: randomTicket(r),
		})
	}
	for range r.IntN(3) {
		f.Trigger.Actions = append(f.Trigger.Actions, acl.Action(r.IntN(len(acl.Actions())+3)))
	}
	return f
}

func randomTicket(r *rand.Rand) acl.Ticket {
	if !rarely(r, 3) {
		return acl.Ticket{}
	}
	return acl.Ticket{Locked: coin(r), Archived: coin(r), Deleted: coin(r)}
}
