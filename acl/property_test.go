package acl_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

func TestAGrantTakesNothingAway(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 9))
	owners, added := 0, 0
	for range 8000 {
		s := randomScene(random)
		if s.inbox == nil {
			continue
		}
		if coin(random) {
			s.actor.Role = acl.Owner
		}
		s.inbox.Grants = s.inbox.Grants.Without(s.actor.User)
		more := *s.inbox
		more.Grants = more.Grants.With(randomGrant(random, s.actor.User))
		for _, action := range acl.Actions() {
			before := s.check(action)
			if !before.Allowed {
				continue
			}
			after := acl.Check(s.actor, &more, action, sameInbox(s, &more))
			if !after.Allowed || after.TotalsOnly && !before.TotalsOnly {
				t.Fatalf("R-ACL-09: %v by %+v: %v; with the grant %+v: %v",
					action, s.actor, before, more.Grants, after)
			}
		}
		if s.actor.Role == acl.Owner {
			owners++
		}
		if len(more.Grants) > len(s.inbox.Grants) {
			added++
		}
	}
	require.Greater(t, owners, 2000, "scenes with an owner")
	require.Greater(t, added, 2000, "scenes in which a grant was added")
}

// sameInbox returns the facts with the inbox of the scene replaced where it is a party.
func sameInbox(s scene, in *acl.Inbox) *acl.Facts {
	if s.facts == nil {
		return nil
	}
	f := *s.facts
	f.Others = append([]acl.Party(nil), s.facts.Others...)
	for i := range f.Others {
		if f.Others[i].Inbox == s.inbox {
			f.Others[i].Inbox = in
		}
	}
	return &f
}

func TestHiddenIsWhoeverCannotSeeTheInbox(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 7))
	for range 3000 {
		s := randomScene(random)
		sees := acl.Check(s.actor, s.inbox, acl.SeeInbox, nil)
		require.Equal(t, !sees.Allowed, sees.Hidden, "R-ACL-07: %+v in %+v", s.actor, s.inbox)
		if sees.Allowed || s.inbox == nil {
			continue
		}
		for _, action := range acl.Actions() {
			if action == acl.CreateInbox {
				continue
			}
			got := s.check(action)
			require.True(t, got.Hidden && !got.Allowed,
				"R-ACL-07: %v by %+v in %+v: got %+v", action, s.actor, s.inbox, got)
		}
	}
}

func TestScopeIsExactlyWhatCheckLetsSee(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 2))
	in, out := 0, 0
	for range 20000 {
		a, inbox := randomActor(random), randomInbox(random)
		want := acl.Check(a, inbox, acl.SeeInbox, nil).Allowed
		got := acl.Visible(a).Includes(inbox)
		require.Equal(t, want, got, "scope %+v of %+v, inbox %+v", acl.Visible(a), a, inbox)
		if want {
			in++
		} else {
			out++
		}
	}
	require.Greater(t, min(in, out), 3000, "inboxes in and out of scope")
	require.False(t, acl.Visible(acl.Actor{}).Includes(&acl.Inbox{}), "zero actor, zero inbox")
	require.False(t, acl.Scope{}.Includes(&acl.Inbox{Grants: acl.Grants{{Access: acl.ReadOnly}}}),
		"zero scope, inbox with a grant for nobody")
	require.False(t, acl.Scope{All: true}.Includes(nil), "no inbox")
}

func TestScopeSaysWhatAStoreAsksFor(t *testing.T) {
	t.Parallel()
	who := acl.Actor{Site: "s1", User: "ann", Role: acl.Agent, State: acl.Active}
	tests := []struct {
		rule string
		role acl.Role
		want acl.Scope
	}{
		{"R-ACL-03 owner", acl.Owner, acl.Scope{Site: "s1", User: "ann", All: true}},
		{"R-ACL-04 admin", acl.Admin, acl.Scope{Site: "s1", User: "ann", AllTeam: true}},
		{"agent", acl.Agent, acl.Scope{Site: "s1", User: "ann"}},
		{"R-ROL-01 customer", "customer", acl.Scope{Site: "s1", User: "ann", None: true}},
	}
	for _, test := range tests {
		who.Role = test.role
		require.Equal(t, test.want, acl.Visible(who), test.rule)
	}
}
