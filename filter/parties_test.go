package filter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// R-FLT-05 and 5.1: who stands for a message.
func TestCounterparty(t *testing.T) {
	t.Parallel()
	sent := func(mark filter.Mark, from ...string) filter.Facts {
		m := out(alice)
		m.From, m.SentMark = from, mark
		return m
	}
	mailFrom := func(sender string, from ...string) filter.Facts {
		m := in("")
		m.From, m.Sender = from, sender
		return m
	}
	reply := func(from string, replyTo ...string) filter.Facts {
		m := in(from)
		m.ReplyTo = replyTo
		return m
	}
	cc := func(m filter.Facts, cc ...string) filter.Facts {
		m.Cc = cc
		return m
	}
	bcc := func(m filter.Facts, bcc ...string) filter.Facts {
		m.Bcc = bcc
		return m
	}
	prefer := filter.Rules{PreferReplyTo: true}
	replyOnly := filter.Rules{OutboundOpensTicket: filter.Off}
	for _, c := range []struct {
		what   string
		rules  filter.Rules
		m      filter.Facts
		reason filter.Reason
		dir    filter.Direction
		who    string
	}{
		{"outbound to a customer", filter.Rules{}, out(eve, alice), filter.CustomerCompany, filter.Outbound, alice},
		{"outbound to a domain", filter.Rules{}, out(bob), filter.CompanyDomain, filter.Outbound, bob},
		{"outbound, 11 before 12", filter.Rules{}, cc(out(bob, eve), alice), filter.CustomerCompany,
			filter.Outbound, alice},
		{"outbound, client in Cc", filter.Rules{}, cc(out(eve), bob), filter.CompanyDomain, filter.Outbound, bob},
		{"outbound, client in Bcc", filter.Rules{}, bcc(out(eve), alice), filter.NotClientAssociated,
			filter.Outbound, owner},
		{"outbound in mode all", filter.Rules{Mode: filter.All}, out(anna, eve, fred), filter.ModeAll,
			filter.Outbound, eve},
		{"outbound in mode all, customer later", filter.Rules{Mode: filter.All}, out(eve, bob), filter.ModeAll,
			filter.Outbound, bob},
		{"outbound opens nothing", replyOnly, out(alice), filter.NotClientAssociated, filter.Outbound, owner},
		{"an excluded client is no reason", filter.Rules{Exclude: exclusions(t, alice)}, out(eve, alice),
			filter.NotClientAssociated, filter.Outbound, owner},
		{"source without marks", filter.Rules{}, sent(filter.Unknown, owner), filter.CustomerCompany,
			filter.Outbound, alice},
		{"marked as sent, From another", filter.Rules{}, sent(filter.Sent, eve), filter.NotClientAssociated,
			filter.Inbound, eve},
		{"several From, the account one of them", filter.Rules{}, sent(filter.Sent, anna, "Owner@US.example"),
			filter.CustomerCompany, filter.Outbound, alice},
		{"several From, Sender stands for them", filter.Rules{}, mailFrom(alice, eve, fred),
			filter.CustomerCompany, filter.Inbound, alice},
		{"several From without Sender", filter.Rules{}, mailFrom("", alice, eve), filter.CustomerCompany,
			filter.Inbound, alice},
		{"several From, first usable", filter.Rules{}, mailFrom("nobody", "x", alice, eve),
			filter.CustomerCompany, filter.Inbound, alice},
		{"one From, Sender does not count", filter.Rules{}, mailFrom(alice, eve), filter.NotClientAssociated,
			filter.Inbound, eve},
		{"several From, the account is Sender", filter.Rules{}, mailFrom(owner, alice, eve),
			filter.NotClientAssociated, filter.Inbound, owner},
		{"R-FLT-11 Reply-To does not count", filter.Rules{}, reply(eve, alice), filter.NotClientAssociated,
			filter.Inbound, eve},
		{"Reply-To preferred", prefer, reply(eve, "x", anna, alice), filter.CustomerCompany, filter.Inbound, alice},
		{"Reply-To preferred, none external", prefer, reply(alice, owner, anna), filter.CustomerCompany,
			filter.Inbound, alice},
		{"Reply-To preferred, not of sent mail", prefer,
			with(out(eve), func(m *filter.Facts) { m.ReplyTo = []string{alice} }), filter.NotClientAssociated,
			filter.Outbound, owner},
		{"Reply-To preferred and erased", prefer, reply(eve, gone), filter.Erased, filter.Inbound, eve},
		{"Reply-To preferred and excluded",
			filter.Rules{PreferReplyTo: true, Exclude: exclusions(t, alice)}, reply(eve, alice), filter.Excluded,
			filter.Inbound, eve},
		{"From excluded, Reply-To preferred",
			filter.Rules{PreferReplyTo: true, Exclude: exclusions(t, eve)}, reply(eve, alice), filter.Excluded,
			filter.Inbound, eve},
	} {
		v := compile(t, office(t), c.rules, owner).Decide(&c.m, filter.Thread{})
		require.Equal(t, c.reason, v.Reason, "R-FLT-05 %s", c.what)
		require.Equal(t, c.dir, v.Direction, "R-FLT-05 %s", c.what)
		require.Equal(t, c.who, v.Counterparty, "R-FLT-05 %s", c.what)
	}
	m := out(alice)
	f := compile(t, office(t), replyOnly, owner)
	require.Equal(t, filter.KnownThread, f.Decide(&m, filter.Thread{Opened: day(1)}).Reason, "only row 10")
}

// 5.1: an account address in From without the mark.
func TestForgedSelfEntersOnlyInModeAll(t *testing.T) {
	t.Parallel()
	m := in(owner, alice)
	known := filter.Thread{Opened: day(1)}
	f := compile(t, office(t), filter.Rules{}, owner)
	m.Report = true
	v := f.DecideReport(&m, known, true)
	require.False(t, v.Accept, "neither row 10 nor 10b takes it")
	require.Equal(t, filter.NotClientAssociated, v.Reason)
	require.True(t, v.ForgedSelf)
	require.True(t, v.ClientPresent, "alice is on it")

	v = compile(t, office(t), filter.Rules{Mode: filter.All}, owner).Decide(&m, known)
	require.Equal(t, filter.Verdict{
		Accept: true, Reason: filter.ModeAll, Version: 1, Direction: filter.Inbound, ForgedSelf: true,
		ClientPresent: true, Counterparty: owner,
	}, v)
	excluded := filter.Rules{Mode: filter.All, Exclude: exclusions(t, "us.example")}
	require.Equal(t, filter.Excluded, compile(t, office(t), excluded, owner).Decide(&m, known).Reason)
}

// 11.4
func TestInternalGuard(t *testing.T) {
	t.Parallel()
	onGmail := filter.DirectoryData{
		Internal: []filter.Domain{domain(t, "gmail.com")}, Logins: []filter.Domain{domain(t, "gmail.com")},
		InternalAddresses: []string{"Partner@gmail.com"},
	}
	login := office(t)
	login.Logins = []filter.Domain{domain(t, "acme.com"), domain(t, "sub.example"), {}}
	listed := office(t)
	listed.Internal = append(listed.Internal, domain(t, "acme.com"))
	all, guarded := filter.Rules{Mode: filter.All}, filter.Rules{Mode: filter.All, InternalGuard: filter.On}
	for _, c := range []struct {
		what string
		data filter.DirectoryData
		r    filter.Rules
		m    filter.Facts
		want filter.Reason
	}{
		{"among colleagues", office(t), filter.Rules{}, in(anna, "bert@us.example"), filter.InternalOnly},
		{"on in client mode, off when switched", office(t), filter.Rules{InternalGuard: filter.Off}, in(anna),
			filter.NotClientAssociated},
		{"off in mode all", office(t), all, in(anna), filter.ModeAll},
		{"on in mode all when switched", office(t), guarded, in(anna), filter.InternalOnly},
		{"one external is enough", office(t), guarded, in(anna, eve), filter.ModeAll},
		{"one external in Bcc is enough", office(t), guarded,
			with(in(anna), func(m *filter.Facts) { m.Bcc = []string{eve} }), filter.ModeAll},
		{"a subdomain is not internal", office(t), guarded, in("x@eu.us.example"), filter.ModeAll},
		{"what is no address does not count", office(t), guarded, in(anna, "undisclosed"), filter.InternalOnly},
		{"the mailbox to itself", office(t), guarded, out(owner), filter.InternalOnly},
		{"mailbox on a public provider, stranger there", onGmail, guarded, in("x@gmail.com"), filter.ModeAll},
		{"mailbox on a public provider, listed address", onGmail, guarded, in("partner@gmail.com"),
			filter.InternalOnly},
		{"a login's domain", login, guarded, in("x@sub.example"), filter.InternalOnly},
		{"a login at a client does not silence the client", login, filter.Rules{}, in(alice),
			filter.CustomerCompany},
		{"unless the site lists the client's domain", listed, filter.Rules{}, in(alice), filter.InternalOnly},
		{"then it is no client either", listed, filter.Rules{}, out(eve, alice), filter.NotClientAssociated},
	} {
		v := compile(t, c.data, c.r, owner, "me@gmail.com").Decide(&c.m, filter.Thread{})
		require.Equal(t, c.want, v.Reason, "11.4 %s", c.what)
	}
}

// R-FLT-03 and 11.5, in mode all.
func TestExclusionScopes(t *testing.T) {
	t.Parallel()
	const no, yes = filter.ModeAll, filter.Excluded
	many := func(sender string, from ...string) filter.Facts {
		m := in("")
		m.From, m.Sender = from, sender
		return m
	}
	bcc := with(out(spouse), func(m *filter.Facts) { m.Bcc = []string{alice} })
	for _, c := range []struct {
		what                         string
		m                            filter.Facts
		sender, counterparties, any_ filter.Reason
	}{
		{"inbound from them", in(spouse), yes, yes, yes},
		{"inbound from them with a client", in(spouse, alice), yes, yes, yes},
		{"inbound from a subdomain", in("x@home.private.org"), yes, yes, yes},
		{"any From", many("", alice, spouse), yes, yes, yes},
		{"Sender", many(spouse, alice), yes, yes, yes},
		{"inbound from a client, Cc them", in(alice, spouse), no, no, yes},
		{"inbound from a colleague, Cc them", in(anna, spouse), no, yes, yes},
		{"outbound to them alone", out(spouse), yes, yes, yes},
		{"outbound to two of them", out(spouse, "kid@home.private.org"), yes, yes, yes},
		{"outbound to them and a colleague", out(spouse, anna), yes, yes, yes},
		{"outbound to them and a client", out(spouse, alice), no, no, yes},
		{"outbound to them, Bcc a client", bcc, no, no, yes},
		{"outbound to a client", out(alice), no, no, no},
		{"outbound to an excluded colleague alone", out("hr@us.example"), yes, yes, yes},
		{"outbound to an excluded colleague and another", out("hr@us.example", anna), no, no, yes},
		{"outbound to nobody known", out("undisclosed"), no, no, no},
		{"the mailbox itself never is", in(alice), no, no, no},
	} {
		for scope, want := range map[filter.ExclusionScope]filter.Reason{
			"": c.sender, filter.SenderOnly: c.sender,
			filter.AllCounterparties: c.counterparties, filter.AnyParticipant: c.any_,
		} {
			r := filter.Rules{
				Mode: filter.All, Scope: scope,
				Exclude: exclusions(t, "private.org", "hr@us.example", owner),
			}
			v := compile(t, office(t), r, owner).Decide(&c.m, filter.Thread{})
			require.Equal(t, want, v.Reason, "11.5 scope %q, %s", scope, c.what)
		}
	}
	r := filter.Rules{Exclude: exclusions(t, "*.acme.com")}
	data := office(t)
	data.Domains = append(data.Domains, filter.DomainEntry{Pattern: company(t, "*.acme.com"), Company: "Acme"})
	m := in("a@eu.acme.com")
	require.Equal(t, filter.Excluded, compile(t, data, r, owner).Decide(&m, filter.Thread{}).Reason, "R-DOM-06")
}
