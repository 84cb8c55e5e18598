package acl_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

// reference is a second evaluator: it knows the tables of testdata as text and the conditions in
// the words of the rules, and is as simple as it can be. Check must agree with it everywhere.
type reference struct {
	individual, team table
	limits           map[string]map[acl.Action]bool
}

func newReference(tb testing.TB) reference {
	tb.Helper()
	return reference{
		individual: readTable(tb, "testdata/matrix.txt"),
		team:       readTable(tb, "testdata/team.txt"),
		limits:     readLimits(tb),
	}
}

// answer is what the reference says.
type answer struct{ allowed, hidden, totals bool }

// question is one thing asked of the reference.
type question struct {
	reference
	scene
	action  acl.Action
	row     map[string]string
	columns []string // in which the actor stands
}

// answer reads the rules top to bottom.
func (r reference) answer(s scene, action acl.Action) answer {
	if s.facts == nil {
		s.facts = &acl.Facts{}
	}
	person := s.actor.State == acl.Active && s.actor.User != "" &&
		slices.Contains([]acl.Role{acl.Owner, acl.Admin, acl.Agent}, s.actor.Role)
	switch {
	case s.inbox == nil && action == acl.CreateInbox:
		return answer{allowed: person}
	case s.inbox == nil && action == acl.EraseCustomer:
		return answer{allowed: person && s.actor.Role == acl.Owner}
	case s.inbox == nil:
		return answer{hidden: true}
	case !person:
		return answer{hidden: action != acl.CreateInbox}
	case s.inbox.Site != s.actor.Site:
		return answer{hidden: true}
	}
	q := question{r, s, action, r.individual[action], columnsOf(s.actor, s.inbox)}
	if s.inbox.Kind == acl.Team {
		q.row = r.team[action]
	}
	if action == acl.CreateInbox { // needs no standing: everybody stands in the last column
		q.columns = append(q.columns, "AGT0", "NON")
	}
	if len(q.columns) == 0 {
		return answer{hidden: true}
	}
	return q.answer()
}

// answer adds up the columns and takes the limits away.
func (q question) answer() answer {
	allowed, hides, totals := false, false, true
	for _, column := range q.columns {
		if q.holds(q.row[column]) {
			allowed = true
			totals = totals && q.row[column] == "totals"
		}
		hides = hides || q.hides(q.row[column])
	}
	mine := q.inbox.Kind != acl.Team && q.inbox.Creator == q.actor.User
	private := q.facts.Private && !mine && q.limits["private denies"][q.action]
	switch {
	case private && q.actor.Role != acl.Owner:
		return answer{hidden: true}
	case !allowed:
		return answer{hidden: hides}
	case !q.beside() || !q.open(q.action):
		return answer{}
	case private && !q.limits["private owner"][q.action]:
		return answer{}
	case q.facts.BelowFull && !mine && q.limits["below_full denies"][q.action]:
		return answer{}
	case q.facts.BelowFull && !mine && q.action == acl.EditNote && !q.facts.OwnNote:
		return answer{}
	}
	return answer{allowed: true, totals: totals}
}

// columnsOf names every column the actor stands in.
func columnsOf(a acl.Actor, in *acl.Inbox) []string {
	var columns []string
	if a.Role == acl.Owner {
		columns = append(columns, "OWN")
	}
	if a.Role == acl.Admin && in.Kind == acl.Team {
		columns = append(columns, "ADM")
	}
	if in.Creator == a.User && in.Kind != acl.Team {
		columns = append(columns, "CRE")
	}
	for _, g := range in.Grants {
		access := map[acl.Access]string{"read_only": "RO", "read_and_reply": "RR"}[g.Access]
		switch {
		case g.User != a.User || access == "":
		case in.Kind == acl.Team && g.InboxAdmin:
			columns = append(columns, "IA")
		case in.Kind == acl.Team:
			columns = append(columns, "MEM")
		case g.InboxAdmin:
			columns = append(columns, "IA+"+access)
		default:
			columns = append(columns, access)
		}
	}
	return columns
}

// replies reports read-and-reply in an inbox.
func replies(a acl.Actor, in *acl.Inbox) bool {
	columns := columnsOf(a, in)
	if slices.Contains(columns, "OWN") && a.Policy.OwnerImplicitAccess == "read_and_reply" {
		return true
	}
	return in.Kind == acl.Team && len(columns) > 0 || slices.Contains(columns, "CRE") ||
		slices.Contains(columns, "RR") || slices.Contains(columns, "IA+RR")
}

// holds evaluates the text of a cell.
func (q question) holds(cell string) bool {
	switchesBind := q.actor.Role == acl.Agent
	in, f := q.inbox, q.facts
	quota := !q.actor.PartTime || !f.QuotaSpent
	switch strings.TrimPrefix(cell, "Y ") {
	case "Y", "totals":
		return true
	case "c1":
		return !switchesBind || q.actor.Policy.AgentsMayEdit
	case "c2":
		return !switchesBind || q.actor.Policy.AgentsMayDelete
	case "c3":
		return f.OwnNote && q.holds("c1")
	case "c5":
		return replies(q.actor, in) && q.holds(q.row["IA+RR"])
	case "c6":
		return in.Live && quota
	case "c7":
		return q.parties() == "fine"
	case "c8":
		return f.Follower != nil &&
			q.reference.answer(scene{*f.Follower, in, nil}, acl.Follow).allowed
	case "c9":
		return in.TimeLogging
	case "c10":
		return f.Trigger.UsableByAgents
	case "c11":
		return !in.OnlyCreatorWidens
	case "c12":
		return replies(q.actor, in) || q.byHand()
	case "c13":
		return q.holds("c7") && (f.TargetReadersSeeOrigin || q.manages() || !q.leaves())
	case "c14":
		return q.holds("c6") && in.GranteesMayStart
	case "cA":
		return !f.AutoReply || in.AutoReplyConsent
	case "cQ":
		return quota
	case "cT":
		return f.InboxAdminElsewhere
	}
	return false
}

// hides reports whether a cell is refused because of an inbox the actor may not know of.
func (q question) hides(cell string) bool {
	switch {
	case cell == "c5":
		return replies(q.actor, q.inbox) && q.hides(q.row["IA+RR"])
	case cell == "c7", cell == "c13":
		return q.parties() == "hidden"
	}
	return false
}

// parties tells how it stands with the other parties of c7.
func (q question) parties() string {
	if len(q.facts.Others) == 0 && q.action != acl.Split {
		return "missing"
	}
	for _, p := range q.facts.Others {
		if p.Inbox != nil && p.Inbox != q.inbox {
			if p.Inbox.Site != q.actor.Site || len(columnsOf(q.actor, p.Inbox)) == 0 {
				return "hidden"
			}
			if !replies(q.actor, p.Inbox) {
				return "no reply"
			}
		}
		if p.Ticket.Locked || p.Ticket.Archived || p.Ticket.Deleted {
			return "closed"
		}
	}
	return "fine"
}

func (q question) leaves() bool {
	return slices.ContainsFunc(q.facts.Others, func(p acl.Party) bool {
		return p.Inbox != nil && p.Inbox != q.inbox
	})
}

func (q question) manages() bool {
	return slices.ContainsFunc(q.columns, func(c string) bool {
		return c == "OWN" || c == "CRE" || strings.HasPrefix(c, "IA")
	})
}

func (q question) byHand() bool {
	for _, action := range q.facts.Trigger.Actions {
		if action == acl.RunTrigger || !q.reference.answer(q.scene, action).allowed {
			return false
		}
	}
	return len(q.facts.Trigger.Actions) > 0 && !q.facts.Trigger.OutboundCall
}

// beside holds the rules that are no cells.
func (q question) beside() bool {
	in, f := q.inbox, q.facts
	switch q.action {
	case acl.Share: // R-INB-10, R-ACL-11
		pinned := f.Target == in.Creator && in.Kind != acl.Team
		own := f.Target == q.actor.User && q.actor.Role != acl.Owner
		return f.Target == "" || !pinned && !own
	case acl.ResumeInbox: // row 27
		return in.Kind == acl.Team || in.PausedBy == "" ||
			q.actor.User == in.PausedBy || q.actor.User == in.Creator
	case acl.Purge:
		return f.Ticket.Deleted
	case acl.RunTrigger: // R-ACL-10 for what it does
		return !slices.ContainsFunc(f.Trigger.Actions, func(a acl.Action) bool {
			return !q.open(a)
		})
	}
	return true
}

// open is R-ACL-10.
func (q question) open(action acl.Action) bool {
	t := q.facts.Ticket
	return !(t.Locked && q.limits["locked denies"][action]) &&
		!(t.Archived && q.limits["archived denies"][action]) &&
		!(t.Deleted && !q.limits["deleted allows"][action])
}

func TestCheckAgreesWithTheTablesEverywhere(t *testing.T) {
	t.Parallel()
	r := newReference(t)
	random := rand.New(rand.NewPCG(8, 1))
	allowed := map[acl.Action]int{}
	refused := map[acl.Action]int{}
	for range 4000 {
		s := randomScene(random)
		for _, action := range acl.Actions() {
			got, want := s.check(action), r.answer(s, action)
			if (answer{got.Allowed, got.Hidden, got.TotalsOnly}) != want {
				t.Fatalf("%v by %+v in %+v with %+v: got %+v, want %+v by the tables",
					action, s.actor, s.inbox, s.facts, got, want)
			}
			if got.Allowed != (got.Reason == "") || got.Allowed != (got.Via != "") {
				t.Fatalf("%v: want a source or a reason and not both: %+v", action, got)
			}
			if got.Allowed {
				allowed[action]++
			} else {
				refused[action]++
			}
		}
	}
	for _, action := range acl.Actions() {
		require.Greater(t, allowed[action], 50, "random scenes that allow %v", action)
		require.Greater(t, refused[action], 50, "random scenes that refuse %v", action)
	}
}
