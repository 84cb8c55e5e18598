package acl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

func TestRefusalMatchesItsSentinels(t *testing.T) {
	t.Parallel()
	narrow := []error{acl.ErrSelfGrant, acl.ErrCreatorPinned, acl.ErrReplyQuota}
	tests := []struct {
		rule   string
		reason acl.Reason
		want   error // besides ErrDenied
	}{
		{"R-ACL-11", acl.ReasonSelfGrant, acl.ErrSelfGrant},
		{"R-INB-10", acl.ReasonCreatorPinned, acl.ErrCreatorPinned},
		{"R-ROL-04", acl.ReasonQuotaSpent, acl.ErrReplyQuota},
		{"R-ACL-07", acl.ReasonNeedsReply, nil},
		{"R-ACL-10", acl.ReasonTicketLocked, nil},
	}
	for _, test := range tests {
		err := fmt.Errorf("reply: %w",
			acl.Decision{Action: acl.Reply, Reason: test.reason}.Err())
		require.ErrorIs(t, err, acl.ErrDenied, test.rule)
		for _, sentinel := range narrow {
			require.Equal(t, sentinel == test.want, errors.Is(err, sentinel),
				"%s: %q matches %q", test.rule, err, sentinel)
		}
		var denied *acl.DeniedError
		require.ErrorAs(t, err, &denied, test.rule)
		require.Equal(t, test.reason, denied.Decision.Reason, test.rule)
	}
	require.NoError(t, acl.Decision{Action: acl.Reply, Allowed: true}.Err())
	require.EqualError(t, acl.Decision{Action: acl.Reply, Reason: acl.ReasonNotLive}.Err(),
		"reply is not allowed: inbox_not_live")
}

func TestDecisionNamesItsSource(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		kind   acl.InboxKind
		column string
		action acl.Action
		want   string
	}{
		{"R-INB-01", acl.Individual, "AGT0", acl.CreateInbox, "create_inbox: allowed, via site"},
		{"R-ACL-06", acl.Individual, "CRE", acl.Reply, "reply: allowed, via creator"},
		{"R-ACL-03", acl.Individual, "OWN", acl.DeleteInbox, "delete_inbox: allowed, via owner"},
		{"R-ACL-09", acl.Individual, "OWN granted", acl.EditNote, "edit_note: allowed, via owner"},
		{"R-ACL-02", acl.Individual, "RR", acl.Reply, "reply: allowed, via grant"},
		{"8.2", acl.Team, "ADM", acl.Reply, "reply: allowed, via site_admin"},
		{"8.2", acl.Team, "OWN", acl.CreateInbox, "create_inbox: allowed, via owner"},
		{"row 32", acl.Individual, "IA+RO", acl.PreviewRules, "preview_rules: totals, via grant"},
		{"row 32", acl.Individual, "CRE", acl.PreviewRules, "preview_rules: allowed, via creator"},
		{"row 31", acl.Individual, "OWN", acl.EraseCustomer, "erase_customer: allowed, via owner"},
		{"R-ACL-05", acl.Individual, "OWN", acl.Reply, "reply: refused (needs_read_and_reply)"},
	}
	for _, test := range tests {
		got := good(test.kind, test.action).as(test.column).check(test.action)
		require.Equal(t, test.want, got.String(), "%s: column %s", test.rule, test.column)
	}
}

func TestRefusalSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind   acl.InboxKind
		column string
		action acl.Action
		reason acl.Reason
		need   acl.Need
	}{
		{acl.Individual, "AGT0", acl.Reply, acl.ReasonNoAccess, acl.NeedAccess},
		{acl.Individual, "RO", acl.Reply, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "IA+RO", acl.Reply, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "OWN", acl.Reply, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "RO", acl.ViewRaw, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "RR", acl.Share, acl.ReasonNeedsInboxAdmin, acl.NeedInboxAdmin},
		{acl.Individual, "RO", acl.RunTrigger, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "RR", acl.EnableSending, acl.ReasonNeedsInboxAdmin, acl.NeedInboxAdmin},
		{acl.Individual, "IA+RO", acl.EnableSending, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "OWN", acl.EnableSending, acl.ReasonNeedsReply, acl.NeedReply},
		{acl.Individual, "OWN", acl.Connect, acl.ReasonCreatorOnly, acl.NeedCreator},
		{acl.Individual, "IA+RR", acl.ExplainMail, acl.ReasonCreatorOnly, acl.NeedCreator},
		{acl.Individual, "CRE", acl.EraseCustomer, acl.ReasonOwnerOnly, acl.NeedOwner},
		{acl.Team, "MEM", acl.Share, acl.ReasonNeedsInboxAdmin, acl.NeedInboxAdmin},
		{acl.Team, "IA", acl.DeleteInbox, acl.ReasonNeedsSiteAdmin, acl.NeedSiteAdmin},
		{acl.Team, "ADM", acl.EraseCustomer, acl.ReasonOwnerOnly, acl.NeedOwner},
		{acl.Team, "NON", acl.CreateInbox, acl.ReasonNeedsSiteAdmin, acl.NeedSiteAdmin},
	}
	for _, test := range tests {
		got := good(test.kind, test.action).as(test.column).check(test.action)
		require.Equal(t, test.reason, got.Reason, "%v, column %s", test.action, test.column)
		require.Equal(t, test.need, got.Needed(), "%v, column %s", test.action, test.column)
	}
}

func TestDecisionInJSON(t *testing.T) {
	t.Parallel()
	want := good(acl.Individual, acl.Reply).as("RO").check(acl.Reply)
	text, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, `{"action":"reply","allowed":false,"reason":"needs_read_and_reply"}`, string(text))
	var got acl.Decision
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, want, got)
}

func TestManagingCompanies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		who  acl.Actor
		want bool
	}{
		{"R-CUS-05 agent", acl.Actor{User: "a", Role: acl.Agent, State: acl.Active}, false},
		{"R-CUS-05 agent with the flag", acl.Actor{
			User: "a", Role: acl.Agent, State: acl.Active, ManageCompanies: true}, true},
		{"R-CUS-05 admin", acl.Actor{User: "a", Role: acl.Admin, State: acl.Active}, true},
		{"R-CUS-05 owner", acl.Actor{User: "a", Role: acl.Owner, State: acl.Active}, true},
		{"R-ROL-07 deactivated admin", acl.Actor{
			User: "a", Role: acl.Admin, State: acl.Deactivated, ManageCompanies: true}, false},
		{"zero actor", acl.Actor{}, false},
	}
	for _, test := range tests {
		require.Equal(t, test.want, test.who.ManagesCompanies(), test.rule)
	}
}
