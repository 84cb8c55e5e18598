package acl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

// spoiler makes one condition fail. Columns named in except are not refused for reason but for what
// stands there; empty when the condition cannot fail for them.
type spoiler struct {
	rule   string
	spoil  func(*scene)
	reason acl.Reason
	except map[string]acl.Reason
}

func (sp spoiler) reasonFor(column string) acl.Reason {
	if reason, ok := sp.except[column]; ok {
		return reason
	}
	return sp.reason
}

// Owner and admins bypass the switches; inbox admins and the creator the guard of c13.
var (
	bypassing = except("OWN", "OWN implicit", "OWN granted", "IA+RR admin", "IA+RO admin",
		"RR admin", "RO admin")
	managers = except("OWN", "OWN implicit", "OWN granted", "CRE", "IA+RR", "IA+RO",
		"IA+RR admin", "IA+RO admin")
)

func except(columns ...string) map[string]acl.Reason {
	reasons := map[string]acl.Reason{}
	for _, column := range columns {
		reasons[column] = ""
	}
	return reasons
}

var (
	editOff = spoiler{"c1 switch off", func(s *scene) {
		s.actor.Policy.AgentsMayEdit = false
	}, acl.ReasonEditSwitchedOff, bypassing}
	deleteOff = spoiler{"c2 switch off", func(s *scene) {
		s.actor.Policy.AgentsMayDelete = false
	}, acl.ReasonDeleteSwitchedOff, bypassing}
	othersNote = spoiler{"c3 another's note", func(s *scene) {
		s.facts.OwnNote = false
	}, acl.ReasonNotOwnNote, nil}
	notLive = spoiler{"c6 not live", func(s *scene) {
		s.inbox.Live = false
	}, acl.ReasonNotLive, nil}
	quotaSpent = spoiler{"c6 R-ROL-04 quota spent", func(s *scene) {
		s.facts.QuotaSpent = true
	}, acl.ReasonQuotaSpent, nil}

	others = []spoiler{
		{"c7 no access to the other inbox", func(s *scene) {
			s.facts.Others[0].Inbox = &acl.Inbox{Site: "s1", Kind: acl.Individual, Creator: "zoe"}
		}, acl.ReasonOtherHidden, map[string]acl.Reason{ // the owner sees every inbox
			"OWN":          acl.ReasonOtherNeedsReply,
			"OWN granted":  acl.ReasonOtherNeedsReply,
			"OWN implicit": "",
		}},
		{"c7 other inbox on another site", func(s *scene) {
			s.facts.Others[0].Inbox.Site = "s2"
		}, acl.ReasonOtherHidden, nil},
		{"c7 read-only in the other inbox", func(s *scene) {
			s.facts.Others = append(s.facts.Others, acl.Party{Inbox: &acl.Inbox{
				Site: "s1", Kind: acl.Individual, Creator: "zoe",
				Grants: acl.NewGrants(acl.Grant{User: "me", InboxAdmin: true}),
			}})
		}, acl.ReasonOtherNeedsReply, except("OWN implicit")},
		{"c7 other ticket locked", func(s *scene) {
			s.facts.Others[0].Ticket.Locked = true
		}, acl.ReasonOtherClosed, nil},
		{"c7 other ticket archived", func(s *scene) {
			s.facts.Others[0].Ticket.Archived = true
		}, acl.ReasonOtherClosed, nil},
		{"c7 other ticket of the same inbox deleted", func(s *scene) {
			s.facts.Others[0] = acl.Party{Ticket: acl.Ticket{Deleted: true}}
		}, acl.ReasonOtherClosed, nil},
	}
	widening = spoiler{"c13 target has other readers", func(s *scene) {
		s.facts.TargetReadersSeeOrigin = false
	}, acl.ReasonWidensReaders, managers}
	targets = []spoiler{
		{"c8 nobody named", func(s *scene) { s.facts.Follower = nil }, acl.ReasonCannotFollow, nil},
		{"c8 R-ROL-05 invite not accepted", func(s *scene) {
			s.facts.Follower.State = acl.Pending
		}, acl.ReasonCannotFollow, nil},
		{"c8 target without access", func(s *scene) {
			s.facts.Follower.User = "nora"
		}, acl.ReasonCannotFollow, nil},
	}
	timeOff = spoiler{"c9 time logging off", func(s *scene) {
		s.inbox.TimeLogging = false
	}, acl.ReasonTimeLoggingOff, nil}
	notForAgents = spoiler{"c10 not for agents", func(s *scene) {
		s.facts.Trigger.UsableByAgents = false
	}, acl.ReasonNotForAgents, nil}
	creatorWidens = spoiler{"c11 only creator widens", func(s *scene) {
		s.inbox.OnlyCreatorWidens = true
	}, acl.ReasonCreatorWidens, nil}
	tooMuch = []spoiler{
		{"c12 one of the actions is refused by hand", func(s *scene) {
			s.facts.Trigger.Actions = []acl.Action{acl.AddNote, acl.EditOptions}
		}, acl.ReasonTriggerExceeds, nil},
		{"c12 it runs triggers", func(s *scene) {
			s.facts.Trigger.Actions = []acl.Action{acl.RunTrigger}
		}, acl.ReasonTriggerExceeds, nil},
		{"c12 nothing said about what it does", func(s *scene) {
			s.facts.Trigger.Actions = nil
		}, acl.ReasonTriggerExceeds, nil},
		{"c12 outbound call", func(s *scene) {
			s.facts.Trigger.OutboundCall = true
		}, acl.ReasonTriggerExceeds, nil},
	}
	startOff = spoiler{"c14 grantees may not start", func(s *scene) {
		s.inbox.GranteesMayStart = false
	}, acl.ReasonStartSwitchedOff, nil}
	noConsent = spoiler{"cA creator has not agreed", func(s *scene) {
		s.inbox.AutoReplyConsent = false
	}, acl.ReasonNoConsent, nil}
	notElsewhere = spoiler{"cT not admin of any inbox", func(s *scene) {
		s.facts.InboxAdminElsewhere = false
	}, acl.ReasonNotAdminElsewhere, nil}
)

// spoilers holds what makes each condition fail for an agent; conditions built on others repeat
// theirs.
var spoilers = map[string][]spoiler{
	"c1": {editOff}, "c2": {deleteOff}, "c3": {othersNote, editOff}, "c6": {notLive, quotaSpent},
	"c7": others, "c8": targets, "c9": {timeOff}, "c10": {notForAgents}, "c11": {creatorWidens},
	"c12": tooMuch, "c13": append(slices.Clone(others), widening),
	"c14": {startOff, notLive, quotaSpent}, "cA": {noConsent}, "cQ": {quotaSpent},
	"cT": {notElsewhere},
}

func TestEveryCellOfTheMatrix(t *testing.T) {
	t.Parallel()
	rows := readTable(t, "testdata/matrix.txt")
	columns := []string{"OWN", "CRE", "IA+RR", "IA+RO", "RR", "RO", "ADM0", "AGT0",
		"IA+RR admin", "IA+RO admin", "RR admin", "RO admin", "OWN implicit", "OWN granted"}
	for action, row := range rows {
		for _, column := range columns {
			checkCell(t, acl.Individual, action, column, cellFor(row, column))
		}
	}
}

// cellFor returns the cell a column stands for. For an owner with read-and-reply c5 turns into the
// cell of IA+RR, and c12 into Y.
func cellFor(row map[string]string, column string) string {
	if !strings.HasPrefix(column, "OWN") {
		return row[strings.TrimSuffix(column, " admin")]
	}
	switch cell := row["OWN"]; {
	case cell == "c5" && column == "OWN":
		return "N"
	case cell == "c5":
		return row["IA+RR"]
	case cell == "c12" && column != "OWN":
		return "Y"
	case cell == "c3" && column == "OWN granted": // the union with RR
		return row["RR"]
	default:
		return cell
	}
}

func TestEveryCellOfTheTeamMatrix(t *testing.T) {
	t.Parallel()
	for action, row := range readTable(t, "testdata/team.txt") {
		for column, cell := range row {
			checkCell(t, acl.Team, action, column, cell)
		}
	}
}

// checkCell holds Check to one cell: what it says when all conditions hold, when each of its
// conditions fails, and that no other condition matters.
func checkCell(t *testing.T, kind acl.InboxKind, action acl.Action, column, cell string) {
	t.Helper()
	at := func(detail string) string {
		return string(kind) + ", " + action.String() + ", column " + column + ", cell " + cell +
			": " + detail
	}
	got := good(kind, action).as(column).check(action)
	if cell == "N" {
		outside := column == "ADM0" || column == "AGT0" || column == "NON"
		require.False(t, got.Allowed, at("want refused"))
		require.Equal(t, outside && action != acl.CreateInbox, got.Hidden, at("hidden"))
		require.NotEmpty(t, got.Reason, at("want a reason"))
		require.NotEmpty(t, got.Needed(), at("want what is needed"))
		return
	}
	require.True(t, got.Allowed, at("want allowed, got "+string(got.Reason)))
	require.Equal(t, cell == "totals", got.TotalsOnly, at("totals only"))
	require.NotEmpty(t, got.Via, at("want the source of the right"))
	require.Empty(t, got.Reason, at("want no reason"))

	own := spoilers[strings.TrimPrefix(cell, "Y ")]
	for _, sp := range everySpoiler() {
		want := acl.Reason("")
		if slices.ContainsFunc(own, func(o spoiler) bool { return o.rule == sp.rule }) {
			want = sp.reasonFor(column)
		}
		s := good(kind, action).as(column)
		sp.spoil(&s)
		got := s.check(action)
		require.Equal(t, want, got.Reason, at(sp.rule+": reason"))
		require.Equal(t, want == "", got.Allowed, at(sp.rule+": allowed"))
		require.Equal(t, want == acl.ReasonOtherHidden, got.Hidden, at(sp.rule+": hidden"))
		require.Empty(t, got.Needed(), at(sp.rule+": nothing to have helps"))
	}
}

func everySpoiler() []spoiler {
	var all []spoiler
	for _, list := range spoilers {
		all = append(all, list...)
	}
	return all
}
