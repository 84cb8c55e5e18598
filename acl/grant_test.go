package acl_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

func TestNormalizeGrant(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		give acl.Grant
		want acl.Grant
	}{
		{"R-ACL-01 flag without access", acl.Grant{User: "a", InboxAdmin: true},
			acl.Grant{User: "a", Access: acl.ReadOnly, InboxAdmin: true}},
		{"R-ACL-01 flag with access", acl.Grant{Access: acl.ReadAndReply, InboxAdmin: true},
			acl.Grant{Access: acl.ReadAndReply, InboxAdmin: true}},
		{"no flag, no access", acl.Grant{User: "a"}, acl.Grant{User: "a"}},
		{"unknown access is kept", acl.Grant{Access: "full", InboxAdmin: true},
			acl.Grant{Access: "full", InboxAdmin: true}},
	}
	for _, test := range tests {
		require.Equal(t, test.want, test.give.Normalize(), "%s: %+v", test.rule, test.give)
	}
}

func TestGrantJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(acl.NewGrants(
		acl.Grant{User: "zoe", InboxAdmin: true}, acl.Grant{User: "ann", Access: acl.ReadAndReply}))
	require.NoError(t, err)
	require.JSONEq(t, `[{"user":"ann","access":"read_and_reply"},
		{"user":"zoe","access":"read_only","inboxAdmin":true}]`, string(text))
}

// A map does the same in the plainest way.
func TestGrantsAreASortedListOfOnePerUser(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	user := func() acl.UserID { return acl.UserID(fmt.Sprintf("u%d", random.IntN(30))) }
	var got acl.Grants
	want := map[acl.UserID]acl.Grant{}
	for step := range 600 {
		before := slices.Clone(got)
		kept := got
		if rarely(random, 3) {
			u := user()
			delete(want, u)
			got = got.Without(u)
		} else {
			g := randomGrant(random, user())
			delete(want, g.User)
			if g = g.Normalize(); g.Access != acl.NoAccess {
				want[g.User] = g
			}
			got = got.With(g)
		}
		require.Equal(t, before, kept, "step %d changed the list it was called on", step)
		require.Len(t, got, len(want), "step %d", step)
		require.True(t, slices.IsSortedFunc(got, func(a, b acl.Grant) int {
			if a.User < b.User {
				return -1
			}
			return 1
		}), "step %d: not sorted: %v", step, got)
		for n := range 30 {
			u := acl.UserID(fmt.Sprintf("u%d", n))
			g, ok := got.Of(u)
			wanted, has := want[u]
			require.Equal(t, has, ok, "step %d: grant of %s", step, u)
			require.Equal(t, wanted, g, "step %d: grant of %s", step, u)
		}
	}
	require.Equal(t, got, acl.NewGrants(slices.Concat(
		acl.Grants{{User: got[0].User, Access: acl.ReadOnly}}, got)...), "the last one counts")
}

func TestNobodyHasAGrant(t *testing.T) {
	t.Parallel()
	gs := acl.NewGrants(acl.Grant{Access: acl.ReadAndReply})
	require.Empty(t, gs, "a grant for nobody")
	_, ok := acl.Grants{{Access: acl.ReadAndReply}}.Of("")
	require.False(t, ok, "nobody's grant in a list that holds one")
	require.Empty(t, acl.Grants(nil).Without("ann"))
}

func TestCheckAndOfDoNotAllocate(t *testing.T) {
	s := good(acl.Individual, acl.Move).as("IA+RO")
	s.facts.Trigger.Actions = []acl.Action{acl.AddNote, acl.EditNote}
	for n := range 20 {
		s.inbox.Grants = s.inbox.Grants.With(
			acl.Grant{User: acl.UserID(fmt.Sprintf("u%d", n)), Access: acl.ReadOnly})
	}
	actions := acl.Actions()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for _, action := range actions {
			s.check(action)
		}
		s.inbox.Grants.Of("u13")
		acl.Visible(s.actor).Includes(s.inbox)
	}))
}
