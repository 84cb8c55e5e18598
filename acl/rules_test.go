package acl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

// The tests of section 8.3 that are about the evaluator, by number. Unassigning after a revoke (4),
// and knowing whom a grant may go to (9), are the services'.
func TestRules83(t *testing.T) {
	t.Parallel()
	locked := func(s *scene) { s.facts.Ticket.Locked = true }
	own := func(s *scene) { s.facts.Target = s.actor.User }
	tests := []struct {
		rule   string
		column string
		action acl.Action
		given  func(*scene)
		reason acl.Reason
		hidden bool
	}{
		{"8.3(0) owner with a read-only grant still deletes the inbox", "OWN", acl.DeleteInbox,
			func(s *scene) {
				s.inbox.Grants = s.inbox.Grants.With(acl.Grant{User: "me", Access: acl.ReadOnly})
			}, "", false},
		{"8.3(0) read-only inbox admin raises own access", "IA+RO", acl.Share, own,
			acl.ReasonSelfGrant, false},
		{"8.3(0) owner with implicit read-and-reply on a locked ticket", "OWN implicit",
			acl.Reply, locked, acl.ReasonTicketLocked, false},
		{"8.3(0) read-and-reply grantee moves to a team inbox others read", "RR", acl.Move,
			func(s *scene) { s.facts.TargetReadersSeeOrigin = false },
			acl.ReasonWidensReaders, false},
		{"8.3(2) owner sees tickets with zero grants", "OWN", acl.ViewTickets,
			func(s *scene) { s.inbox.Grants = nil }, "", false},
		{"8.3(2) owner cannot reply with zero grants", "OWN", acl.Reply,
			func(s *scene) { s.inbox.Grants = nil }, acl.ReasonNeedsReply, false},
		{"8.3(3) read-only inbox admin deletes the inbox", "IA+RO", acl.DeleteInbox, nil, "", false},
		{"8.3(3) read-only inbox admin cannot reply", "IA+RO", acl.Reply, nil,
			acl.ReasonNeedsReply, false},
		{"8.3(4) the call after a revoke finds nothing", "RR", acl.ViewTickets,
			func(s *scene) { s.inbox.Grants = s.inbox.Grants.Without("me") },
			acl.ReasonNoAccess, true},
		{"8.3(5) creator revokes self", "CRE", acl.Share, own, acl.ReasonCreatorPinned, false},
		{"8.3(5) R-INB-10 an inbox admin touches the creator", "IA+RR", acl.Share,
			func(s *scene) { s.facts.Target = "carla" }, acl.ReasonCreatorPinned, false},
		{"8.3(5) R-INB-10 the site owner touches the creator", "OWN", acl.Share,
			func(s *scene) { s.facts.Target = "carla" }, acl.ReasonCreatorPinned, false},
		{"8.3(6) part-timer on the 11th ticket", "RR", acl.Reply,
			func(s *scene) { s.facts.QuotaSpent = true }, acl.ReasonQuotaSpent, false},
		{"8.3(6) part-timer may still add a note", "RR", acl.AddNote,
			func(s *scene) { s.facts.QuotaSpent = true }, "", false},
		{"8.3(6) R-ROL-04 a full-timer has no quota", "RR", acl.Reply, func(s *scene) {
			s.facts.QuotaSpent, s.actor.PartTime = true, false
		}, "", false},
		{"8.3(6) R-ROL-03 a part-time site admin has one", "RR admin", acl.Forward,
			func(s *scene) { s.facts.QuotaSpent = true }, acl.ReasonQuotaSpent, false},
		{"8.3(7) agents may not delete: agent", "RR", acl.Delete,
			func(s *scene) { s.actor.Policy = acl.Policy{} }, acl.ReasonDeleteSwitchedOff, false},
		{"8.3(7) agents may not delete: site admin", "RR admin", acl.Delete,
			func(s *scene) { s.actor.Policy = acl.Policy{} }, "", false},
		{"8.3(8) a child ticket in an inbox without access", "AGT0", acl.ViewTickets, nil,
			acl.ReasonNoAccess, true},
		{"R-ACL-11 a site admin's own grant", "IA+RR admin", acl.Share, own,
			acl.ReasonSelfGrant, false},
		{"R-ACL-11 the site owner's own grant", "OWN", acl.Share, own, "", false},
		{"R-ACL-11 anybody else's grant", "IA+RO", acl.Share, nil, "", false},
		{"R-ACL-11 the creator enables the auto reply: that is the consent", "CRE",
			acl.EnableSending, func(s *scene) { s.inbox.AutoReplyConsent = false }, "", false},
		{"R-ACL-11 a sending trigger needs no consent", "IA+RR", acl.EnableSending,
			func(s *scene) { s.inbox.AutoReplyConsent, s.facts.AutoReply = false, false }, "", false},
		{"row 27 the creator's pause", "IA+RR", acl.ResumeInbox,
			func(s *scene) { s.inbox.PausedBy = "carla" }, acl.ReasonPausedByCreator, false},
		{"row 27 the creator's pause and the site owner", "OWN", acl.ResumeInbox,
			func(s *scene) { s.inbox.PausedBy = "carla" }, acl.ReasonPausedByCreator, false},
		{"row 27 another inbox admin's pause", "IA+RR", acl.ResumeInbox,
			func(s *scene) { s.inbox.PausedBy = "rita" }, acl.ReasonPausedByAnother, false},
		{"row 27 one's own pause", "IA+RO", acl.ResumeInbox,
			func(s *scene) { s.inbox.PausedBy = "me" }, "", false},
		{"row 27 the creator ends any pause", "CRE", acl.ResumeInbox,
			func(s *scene) { s.inbox.PausedBy = "rita" }, "", false},
		{"c7 merge without the other ticket", "CRE", acl.Merge,
			func(s *scene) { s.facts.Others = nil }, acl.ReasonNoTarget, false},
		{"c7 move without the other inbox", "CRE", acl.Move,
			func(s *scene) { s.facts = nil }, acl.ReasonNoTarget, false},
		{"c7 split needs no other", "RR", acl.Split,
			func(s *scene) { s.facts = nil }, "", false},
		{"c13 merge inside one inbox shows nothing to others", "RR", acl.Merge, func(s *scene) {
			s.facts.TargetReadersSeeOrigin = false
			s.facts.Others = []acl.Party{{}, {Inbox: s.inbox}}
		}, "", false},
		{"R-ACL-10 purge needs a deleted ticket", "CRE", acl.Purge,
			func(s *scene) { s.facts.Ticket.Deleted = false }, acl.ReasonNotDeleted, false},
		{"R-ACL-10 a trigger replies on a locked ticket", "IA+RR", acl.RunTrigger,
			func(s *scene) {
				locked(s)
				s.facts.Trigger.Actions = []acl.Action{acl.Follow, acl.Reply}
			}, acl.ReasonTicketLocked, false},
		{"R-ACL-10 a trigger follows on a locked ticket", "IA+RR", acl.RunTrigger,
			func(s *scene) {
				locked(s)
				s.facts.Trigger.Actions = []acl.Action{acl.Follow}
			}, "", false},
		{"R-CUS-05 row 31 erasing is an action on the site", "OWN", acl.EraseCustomer,
			func(s *scene) { s.inbox = nil }, "", false},
		{"row 31 and only the owner's", "CRE", acl.EraseCustomer,
			func(s *scene) { s.inbox = nil }, acl.ReasonOwnerOnly, false},
		{"row 1 without an inbox", "AGT0", acl.CreateInbox,
			func(s *scene) { s.inbox = nil }, "", false},
		{"no inbox", "OWN", acl.Reply, func(s *scene) { s.inbox = nil }, acl.ReasonNoAccess, true},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			s := good(acl.Individual, test.action).as(test.column)
			if test.given != nil {
				test.given(&s)
			}
			got := s.check(test.action)
			require.Equal(t, test.reason, got.Reason, "%v in column %s", test.action, test.column)
			require.Equal(t, test.reason == "", got.Allowed, "%v: allowed", test.action)
			require.Equal(t, test.hidden, got.Hidden, "%v: hidden", test.action)
		})
	}
}

func TestRule83_1SiteAdminWithoutGrantIsToldNothing(t *testing.T) {
	t.Parallel()
	for _, action := range acl.Actions() {
		if action == acl.CreateInbox {
			continue
		}
		got := good(acl.Individual, action).as("ADM0").check(action)
		require.Equal(t, acl.Decision{Action: action, Hidden: true, Reason: acl.ReasonNoAccess}, got, "%v by a site admin without a grant", action)
	}
}

func TestWhoMayDoNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		spoil  func(*acl.Actor)
		reason acl.Reason
	}{
		{"R-ROL-05 invite not accepted", func(a *acl.Actor) { a.State = acl.Pending },
			acl.ReasonInactive},
		{"R-ROL-07 deactivated", func(a *acl.Actor) { a.State = acl.Deactivated },
			acl.ReasonInactive},
		{"state not known", func(a *acl.Actor) { a.State = "asleep" }, acl.ReasonInactive},
		{"nobody", func(a *acl.Actor) { a.User = "" }, acl.ReasonInactive},
		{"the zero actor", func(a *acl.Actor) { *a = acl.Actor{} }, acl.ReasonInactive},
		{"R-ROL-01 a customer", func(a *acl.Actor) { a.Role = "customer" }, acl.ReasonUnknownRole},
		{"R-ROL-01 no role", func(a *acl.Actor) { a.Role = "" }, acl.ReasonUnknownRole},
		{"another site", func(a *acl.Actor) { a.Site = "s2" }, acl.ReasonOtherSite},
	}
	for _, test := range tests {
		for _, column := range []string{"OWN", "CRE", "IA+RR"} {
			for _, action := range acl.Actions() {
				s := good(acl.Individual, action).as(column)
				test.spoil(&s.actor)
				got := s.check(action)
				require.False(t, got.Allowed, "%s: %v, column %s", test.rule, action, column)
				require.Equal(t, test.reason, got.Reason, "%s: %v", test.rule, action)
				if action != acl.CreateInbox {
					require.True(t, got.Hidden, "%s: %v, column %s", test.rule, action, column)
				}
			}
		}
	}
}

func TestUnknownActionIsRefused(t *testing.T) {
	t.Parallel()
	known := acl.Actions()
	for n := range 256 {
		action := acl.Action(n)
		if n > 0 && n <= len(known) {
			continue
		}
		for _, column := range []string{"OWN implicit", "CRE"} {
			got := good(acl.Individual, action).as(column).check(action)
			require.Equal(t, acl.Decision{Action: action, Reason: acl.ReasonUnknownAction}, got,
				"action %d, column %s", n, column)
		}
		got := good(acl.Individual, action).as("AGT0").check(action)
		require.True(t, got.Hidden, "action %d by somebody without access: got %+v", n, got)
	}
}

func TestTicketAndThreadLimits(t *testing.T) {
	t.Parallel()
	limits := readLimits(t)
	for _, action := range acl.Actions() {
		for _, column := range []string{"CRE", "OWN implicit", "IA+RR", "RR admin"} {
			if !good(acl.Individual, action).as(column).check(action).Allowed {
				continue
			}
			under := func(state func(*acl.Facts)) acl.Decision {
				s := good(acl.Individual, action).as(column)
				state(s.facts)
				return s.check(action)
			}
			is := func(got acl.Decision, refused bool, reason acl.Reason) {
				t.Helper()
				if !refused {
					reason = ""
				}
				require.Equal(t, reason, got.Reason, "%v, column %s: reason", action, column)
				require.Equal(t, !refused, got.Allowed, "%v, column %s: allowed", action, column)
			}
			is(under(func(f *acl.Facts) { f.Ticket.Locked = true }),
				limits["locked denies"][action], acl.ReasonTicketLocked)
			is(under(func(f *acl.Facts) { f.Ticket.Archived = true }),
				limits["archived denies"][action], acl.ReasonTicketArchived)
			is(under(func(f *acl.Facts) { f.Ticket.Deleted = true }),
				!limits["deleted allows"][action], acl.ReasonTicketDeleted)

			mine := column == "CRE"
			is(under(func(f *acl.Facts) { f.BelowFull = true }),
				!mine && limits["below_full denies"][action], acl.ReasonBelowFull)
			private := under(func(f *acl.Facts) { f.Private = true })
			kept := mine || column == "OWN implicit" && limits["private owner"][action]
			is(private, !kept && limits["private denies"][action], acl.ReasonPrivate)
			if !private.Allowed { // others may not know of the thread, the owner may
				require.Equal(t, column != "OWN implicit", private.Hidden,
					"private: %v, column %s: hidden", action, column)
			}
		}
	}
}

func TestAnothersNoteNeedsTheFullLevel(t *testing.T) {
	t.Parallel()
	s := good(acl.Individual, acl.EditNote).as("RR")
	s.facts.BelowFull = true
	require.True(t, s.check(acl.EditNote).Allowed, "11.2: own note below full")
	s.facts.OwnNote = false
	require.Equal(t, acl.ReasonBelowFull, s.check(acl.EditNote).Reason, "11.2: another's note")
}

// A refusal for any other reason would tell that there is a thread.
func TestPrivateThreadIsHiddenBeforeAnythingElseRefuses(t *testing.T) {
	t.Parallel()
	for _, action := range []acl.Action{acl.Reply, acl.EditNote, acl.Purge, acl.LinkTask} {
		for _, column := range []string{"RO", "RR admin", "IA+RR"} {
			s := good(acl.Individual, action).as(column)
			s.facts = &acl.Facts{Private: true, Ticket: acl.Ticket{Locked: true}}
			got := s.check(action)
			require.True(t, got.Hidden, "11.3: %v, column %s: got %v", action, column, got)
		}
	}
}

func TestGrantWithUnknownAccessGivesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []acl.InboxKind{acl.Individual, acl.Team} {
		s := good(kind, acl.SeeInbox)
		s.inbox.Grants = acl.Grants{{User: "me", Access: "everything", InboxAdmin: true}}
		require.True(t, s.check(acl.SeeInbox).Hidden, "%s: unknown access", kind)
		s.inbox.Grants = acl.Grants{{User: "me"}}
		require.True(t, s.check(acl.SeeInbox).Hidden, "%s: no access", kind)
		s.inbox.Grants = acl.Grants{{User: "me", InboxAdmin: true}}
		require.True(t, s.check(acl.EditSettings).Allowed, "%s: R-ACL-01 flag alone", kind)
	}
}
