package acl_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

// table is a matrix as it stands in testdata: the cell of an action in a column, as text.
type table map[acl.Action]map[string]string

// readTable reads the lines "# | action | cell | cell ..." of a file. It demands that every action
// has exactly one line, so that no row can be forgotten.
func readTable(tb testing.TB, file string) table {
	tb.Helper()
	rows := table{}
	var columns []string
	for _, line := range lines(tb, file) {
		fields := strings.Split(line, "|")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if strings.HasPrefix(line, "#") {
			if len(fields) > 2 && fields[1] == "action" {
				columns = fields[2:]
			}
			continue
		}
		require.Len(tb, fields, len(columns)+2, "line %q of %s", line, file)
		action, err := acl.ParseAction(fields[1])
		require.NoError(tb, err, "line %q of %s", line, file)
		require.NotContains(tb, rows, action, "second line for the action in %s", file)
		rows[action] = map[string]string{}
		for i, column := range columns {
			rows[action][column] = fields[i+2]
		}
	}
	require.Len(tb, rows, len(acl.Actions()), "actions with a line in %s", file)
	return rows
}

// limits holds for each word of limits.txt and each verb the actions listed.
func readLimits(tb testing.TB) map[string]map[acl.Action]bool {
	tb.Helper()
	limits := map[string]map[acl.Action]bool{}
	for _, line := range lines(tb, "testdata/limits.txt") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		key := words[0] + " " + words[1]
		if limits[key] == nil {
			limits[key] = map[acl.Action]bool{}
		}
		for _, word := range words[2:] {
			action, err := acl.ParseAction(word)
			require.NoError(tb, err, "line %q of limits.txt", line)
			limits[key][action] = true
		}
	}
	return limits
}

func lines(tb testing.TB, file string) []string {
	tb.Helper()
	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	var all []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// scene is everything Check looks at.
type scene struct {
	actor acl.Actor
	inbox *acl.Inbox
	facts *acl.Facts
}

func (s scene) check(action acl.Action) acl.Decision {
	return acl.Check(s.actor, s.inbox, action, s.facts)
}

// good is a scene in which every condition of the matrix holds and no limit applies: somebody
// active looks at an inbox of another person.
func good(kind acl.InboxKind, action acl.Action) scene {
	s := scene{
		actor: acl.Actor{
			Site: "s1", User: "me", Role: acl.Agent, State: acl.Active, PartTime: true,
			Policy: acl.Policy{AgentsMayEdit: true, AgentsMayDelete: true},
		},
		inbox: &acl.Inbox{
			Site: "s1", Kind: kind, Creator: "carla", Live: true, GranteesMayStart: true,
			TimeLogging: true, AutoReplyConsent: true,
			Grants: acl.NewGrants(acl.Grant{User: "rita", Access: acl.ReadOnly}),
		},
		facts: &acl.Facts{
			OwnNote: true, Target: "rita", TargetReadersSeeOrigin: true, AutoReply: true,
			InboxAdminElsewhere: true,
			Follower: &acl.Actor{
				Site: "s1", User: "rita", Role: acl.Agent, State: acl.Active,
			},
			Others: []acl.Party{{Inbox: &acl.Inbox{
				Site: "s1", Kind: acl.Team,
				Grants: acl.NewGrants(acl.Grant{User: "me", Access: acl.ReadAndReply}),
			}}},
			Trigger: acl.Trigger{UsableByAgents: true, Actions: []acl.Action{acl.Follow}},
		},
	}
	s.facts.Ticket.Deleted = action == acl.Restore || action == acl.Purge
	return s
}

// as puts the actor of the scene into a column of a matrix. RR and the like are agents' grants;
// "RR admin" is the grant of a site admin.
func (s scene) as(column string) scene {
	grant := func(access acl.Access, admin bool) {
		s.inbox.Grants = s.inbox.Grants.With(
			acl.Grant{User: s.actor.User, Access: access, InboxAdmin: admin})
	}
	column, isAdmin := strings.CutSuffix(column, " admin")
	if isAdmin {
		s.actor.Role = acl.Admin
	}
	switch column {
	case "OWN":
		s.actor.Role = acl.Owner
	case "OWN implicit":
		s.actor.Role = acl.Owner
		s.actor.Policy.OwnerImplicitAccess = acl.ReadAndReply
	case "OWN granted":
		s.actor.Role = acl.Owner
		grant(acl.ReadAndReply, false)
	case "CRE":
		s.inbox.Creator = s.actor.User
	case "IA+RR":
		grant(acl.ReadAndReply, true)
	case "IA+RO":
		grant(acl.ReadOnly, true)
	case "IA": // team: the flag decides, the access does not
		grant(acl.ReadOnly, true)
	case "RR":
		grant(acl.ReadAndReply, false)
	case "RO", "MEM":
		grant(acl.ReadOnly, false)
	case "ADM0", "ADM":
		s.actor.Role = acl.Admin
	}
	return s
}
