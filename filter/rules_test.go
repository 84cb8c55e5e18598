package filter_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// stored writes rules as a store does and reads them again.
func stored(t testing.TB, r filter.Rules) (out filter.Rules) {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &out), "%s", text)
	return out
}

func fullRules(t testing.TB) filter.Rules {
	r := filter.Rules{
		Mode: filter.All, Exclude: exclusions(t, "*.acme.com", "Bob@X.com", "acme.com", "acme.com"),
		ExactExclude: true, Scope: filter.AnyParticipant, InternalGuard: filter.On, Automated: filter.Off,
		Classes: map[filter.Class]filter.ClassPolicy{
			filter.Bulk: filter.PolicyReject, filter.Bounce: filter.PolicyAcceptPrivate, filter.NoReply: "",
			filter.Calendar: filter.PolicyAccept,
		},
		PreferReplyTo: true, OutboundOpensTicket: filter.Off, GroupsCount: filter.Off,
		AllowPublic: []filter.Domain{domain(t, "gmx.de"), domain(t, "gmail.com"), domain(t, "gmx.de")},
	}
	r.Exclude[2].Personal = true
	return r
}

func TestRulesKeepTheirJSON(t *testing.T) {
	t.Parallel()
	normal := fullRules(t).Normalize()
	text, err := json.Marshal(normal)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"mode": "all",
		"exclude": [
			{"match": "*.acme.com"}, {"match": "acme.com"}, {"match": "acme.com", "personal": true},
			{"match": "bob@x.com"}
		],
		"exact_exclude": true, "scope": "any_participant", "internal_guard": "on", "automated": "off",
		"classes": {"bounce": "accept_private", "bulk": "reject"}, "prefer_reply_to": true,
		"outbound_opens_ticket": "off", "groups_count": "off", "allow_public": ["gmail.com", "gmx.de"]
	}`, string(text))
	require.Equal(t, normal, stored(t, normal))

	text, err = json.Marshal(filter.Rules{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(text), "the zero value is the default")
	require.Equal(t, filter.Rules{}, stored(t, filter.Rules{}))

	text, err = json.Marshal(filter.Revision{Version: 2, At: day(3)})
	require.NoError(t, err)
	require.Equal(t, `{"version":2,"at":"2026-11-03T00:00:00Z","rules":{}}`, string(text))
}

func TestNormalizeIsIdempotentAndSharesNothing(t *testing.T) {
	t.Parallel()
	r := fullRules(t)
	r.Exclude[1].Address = " BOB@x.com."
	normal := r.Normalize()
	require.Equal(t, normal, normal.Normalize())
	require.Equal(t, "bob@x.com", normal.Exclude[3].String())
	normal.Exclude[0].Personal, normal.AllowPublic[0] = true, filter.Domain{}
	normal.Classes[filter.Bulk] = ""
	require.Equal(t, fullRules(t).AllowPublic, r.AllowPublic)
	require.Equal(t, filter.PolicyReject, r.Classes[filter.Bulk])
	require.False(t, r.Exclude[0].Personal)
	spelled := filter.Rules{Mode: filter.ClientAssociated, Scope: filter.SenderOnly}
	require.Equal(t, spelled, filter.Rules{}.Normalize())
}

func TestValidateNamesEveryFault(t *testing.T) {
	t.Parallel()
	require.NoError(t, filter.Rules{}.Validate())
	require.NoError(t, fullRules(t).Validate())
	err := filter.Rules{
		Mode: "half", Scope: "some", InternalGuard: "maybe", Automated: "yes", OutboundOpensTicket: "1",
		GroupsCount: "0", Classes: map[filter.Class]filter.ClassPolicy{filter.Human: "reject", filter.Bulk: "burn"},
		Exclude: []filter.Exclusion{
			exclusion(t, "acme.com"), {}, {Address: "bob"}, {Address: "bob@x.com", Pattern: company(t, "x.com")},
		},
		AllowPublic: []filter.Domain{{}},
	}.Validate()
	require.EqualError(t, err, `mode "half" is unknown
scope "some" is unknown
internal_guard "maybe" is neither "on" nor "off"
automated "yes" is neither "on" nor "off"
outbound_opens_ticket "1" is neither "on" nor "off"
groups_count "0" is neither "on" nor "off"
exclusion 2: domain is empty
exclusion 3: domain of the address is no domain
exclusion 4: has both a pattern and an address
policy "burn" of class "bulk" is unknown
class "human" has no policy
allow_public 1: domain is empty`)
	require.NotContains(t, err.Error(), "bob", "addresses stay out of texts")
	var bad *filter.DomainError
	require.True(t, errors.As(err, &bad))
}

func TestParseExclusion(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Acme.com":       "acme.com",
		"@acme.com":      "acme.com",
		" *.Acme.com ":   "*.acme.com",
		"*acme.com":      "*acme.com",
		"*.com":          "*.com",
		"gmail.com":      "gmail.com",
		"Bob@X.com.":     "bob@x.com",
		"ü@münchen.de":   "ü@xn--mnchen-3ya.de",
		`"a@b"@acme.com`: `"a@b"@acme.com`,
	} {
		e := exclusion(t, in)
		require.Equal(t, want, e.String(), "%q", in)
		require.Equal(t, e, exclusion(t, e.String()), "%q read again", in)
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var again filter.Exclusion
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, e, again, "%q from JSON", in)
	}
	for in, reason := range map[string]string{
		"":                "is empty",
		"com":             "is a public suffix",
		"bob@[10.0.0.1]":  "of the address is no domain",
		"bob@acme.com..":  "of the address is no domain",
		"bob smith":       "contains a space",
		"https://acme.de": "contains a slash",
	} {
		_, err := filter.ParseExclusion(in)
		require.Equal(t, reason, reasonOf(err), "%q", in)
		require.NotContains(t, err.Error(), "bob")
	}
	var e filter.Exclusion
	require.Error(t, json.Unmarshal([]byte(`{"match":"a b"}`), &e))
	require.Error(t, json.Unmarshal([]byte(`{"match":1}`), &e))
}

// Row 23 of the permissions.
func TestWidens(t *testing.T) {
	t.Parallel()
	excl := func(exactOnly bool, texts ...string) filter.Rules {
		return filter.Rules{Exclude: exclusions(t, texts...), ExactExclude: exactOnly}
	}
	class := func(p filter.ClassPolicy) filter.Rules {
		return filter.Rules{Classes: map[filter.Class]filter.ClassPolicy{filter.Bulk: p}}
	}
	scope := func(s filter.ExclusionScope) filter.Rules {
		return filter.Rules{Scope: s, Exclude: exclusions(t, "acme.com")}
	}
	allow := filter.Rules{AllowPublic: []filter.Domain{domain(t, "gmail.com")}}
	var none filter.Rules
	for _, c := range []struct {
		what     string
		from, to filter.Rules
		widens   bool
		back     bool // and the other way round
	}{
		{"nothing", fullRules(t), fullRules(t), false, false},
		{"default spelled out", none, none.Normalize(), false, false},
		{"mode", none, filter.Rules{Mode: filter.All}, true, false},
		{"guard off", none, filter.Rules{InternalGuard: filter.Off}, true, false},
		{"guard on by default", none, filter.Rules{InternalGuard: filter.On}, false, false},
		{"reply-to", none, filter.Rules{PreferReplyTo: true}, true, true},
		{"outbound off", none, filter.Rules{OutboundOpensTicket: filter.Off}, false, true},
		{"groups off", none, filter.Rules{GroupsCount: filter.Off}, false, true},
		{"forced public allowed", none, allow, true, false},
		{"class rejected", none, class(filter.PolicyReject), false, true},
		{"class private", none, class(filter.PolicyAcceptPrivate), false, true},
		{"class private, then rejected", class(filter.PolicyAcceptPrivate), class(filter.PolicyReject), true, true},
		{"exclusion added", none, excl(false, "acme.com"), false, true},
		{"exclusion replaced", excl(false, "acme.com"), excl(false, "beta.org"), true, true},
		{"address within a domain", excl(false, "bob@acme.com"), excl(false, "acme.com"), false, true},
		{"address kept", excl(false, "bob@acme.com"), excl(false, "Bob@acme.com", "x.org"), false, true},
		{"wildcard for its domain", excl(false, "acme.com"), excl(false, "*acme.com"), false, false},
		{"exact only", excl(false, "acme.com"), excl(true, "acme.com"), true, false},
		{"exact only within a wildcard", excl(true, "acme.com"), excl(true, "*acme.com"), false, true},
		{"wildcard over its subdomain", excl(false, "eu.acme.com"), excl(true, "*.acme.com"), false, true},
		{"scope", scope(filter.SenderOnly), scope(filter.AnyParticipant), false, true},
		{"scope, between", scope(filter.AllCounterparties), scope(filter.AnyParticipant), false, true},
		{"scope without exclusions", filter.Rules{Scope: filter.AnyParticipant}, none, false, false},
	} {
		require.Equal(t, c.widens, c.to.Widens(c.from), "row 23 %s", c.what)
		require.Equal(t, c.back, c.from.Widens(c.to), "row 23 %s, taken back", c.what)
	}
}
