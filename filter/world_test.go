package filter_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workinbox/workinbox/filter"
)

// worldAddresses are the people of random tests: the mailbox twice, colleagues, clients, strangers,
// and things that are hardly addresses.
var worldAddresses = []string{
	"owner@us.example", "Owner@US.example.", "alias@us.example", "anna@us.example", "bert@us.example",
	"login@acme.com", "alice@acme.com", "Al@ACME.com", "bob@eu.acme.com", "z@x.eu.acme.com",
	`"x@evil.io"@acme.com`, "carol@beta.org", "c@sub.beta.org", "dave@gmail.com", "erin@gmail.com",
	"spouse@private.org", "kid@home.private.org", "u@münchen.de", "u@xn--mnchen-3ya.de",
	"gone@beta.org", "news@list.example", "a@[10.0.0.1]", "a@acme.com..", "nobody", "", "@acme.com",
}

var worldPatterns = []string{
	"acme.com", "*.acme.com", "*acme.com", "eu.acme.com", "*eu.acme.com", "*.eu.acme.com", "beta.org",
	"*beta.org", "münchen.de", "gmail.com", "private.org", "us.example", "list.example",
}

// world draws random directories, rules and messages. The same seed gives the same world.
type world struct {
	t    testing.TB
	draw *rand.Rand
}

func newWorld(t testing.TB, seed uint64) world {
	return world{t, rand.New(rand.NewPCG(seed, 7))}
}

func (w world) chance(percent int) bool { return w.draw.IntN(100) < percent }

func pick[T any](w world, from ...T) T { return from[w.draw.IntN(len(from))] }

// some draws up to n of the list, with repetition.
func some[T any](w world, n int, from []T) (out []T) {
	for range w.draw.IntN(n + 1) {
		out = append(out, pick(w, from...))
	}
	return out
}

// moment draws one of the first days of November, so that moments meet.
func (w world) moment() time.Time { return day(1 + w.draw.IntN(9)) }

func (w world) since() time.Time {
	if w.chance(60) {
		return time.Time{}
	}
	return w.moment()
}

func (w world) directory() filter.DirectoryData {
	companies := []filter.CompanyID{"A", "B", "G"}
	d := filter.DirectoryData{
		Groups:            []filter.CompanyID{"G"},
		InternalAddresses: some(w, 2, worldAddresses),
		Erased:            func(key string) bool { return key == "gone@beta.org" },
	}
	for _, s := range worldPatterns {
		if w.chance(35) {
			d.Domains = append(d.Domains, filter.DomainEntry{
				Pattern: company(w.t, s), Company: pick(w, companies...),
				Forced: s == "gmail.com", Since: w.since(),
			})
		}
	}
	for i, addr := range worldAddresses {
		key := filter.AddressKey(addr)
		taken := slices.ContainsFunc(d.Customers, func(e filter.CustomerEntry) bool {
			return filter.AddressKey(e.Address) == key
		})
		if w.chance(25) && !taken && len(usable([]string{addr})) > 0 {
			d.Customers = append(d.Customers, filter.CustomerEntry{
				Address: addr, Customer: filter.CustomerID(rune('a' + i)),
				Company: pick(w, "", "", "A", companies[1], "G"), Since: w.since(),
			})
		}
	}
	for _, s := range []string{"us.example", "acme.com", "gmail.com", "beta.org"} {
		switch d1 := domain(w.t, s); w.draw.IntN(4) {
		case 0:
			d.Internal = append(d.Internal, d1)
		case 1:
			d.Logins = append(d.Logins, d1)
		}
	}
	return d
}

func (w world) rules() filter.Rules {
	switches := []filter.Switch{"", "", filter.On, filter.Off}
	policies := []filter.ClassPolicy{
		"", filter.PolicyAccept, filter.PolicyAcceptPrivate, filter.PolicyReject, filter.PolicyReject,
	}
	r := filter.Rules{
		Mode:                pick(w, "", filter.ClientAssociated, filter.ClientAssociated, filter.All),
		ExactExclude:        w.chance(30),
		Scope:               pick(w, "", filter.SenderOnly, filter.AnyParticipant, filter.AllCounterparties),
		InternalGuard:       pick(w, switches...),
		Automated:           pick(w, switches...),
		OutboundOpensTicket: pick(w, switches...),
		GroupsCount:         pick(w, switches...),
		PreferReplyTo:       w.chance(25),
		Classes: map[filter.Class]filter.ClassPolicy{
			filter.Bulk: pick(w, policies...), filter.AutoReply: pick(w, policies...),
			filter.Bounce: pick(w, policies...), filter.Calendar: pick(w, policies...),
		},
	}
	if w.chance(30) {
		r.AllowPublic = []filter.Domain{domain(w.t, "gmail.com")}
	}
	for range w.draw.IntN(4) {
		e, err := filter.ParseExclusion(pick(w, slices.Concat(worldPatterns, worldAddresses)...))
		if err == nil {
			e.Personal = w.chance(30)
			r.Exclude = append(r.Exclude, e)
		}
	}
	return r
}

func (w world) facts() filter.Facts {
	m := filter.Facts{
		Received: w.moment(),
		From:     []string{pick(w, worldAddresses...)},
		ReplyTo:  some(w, 1, worldAddresses),
		To:       append(some(w, 1, worldAddresses), "owner@us.example"),
		Cc:       some(w, 2, worldAddresses),
		SentMark: pick(w, filter.Unknown, filter.Sent, filter.NotSent),
		Class:    pick(w, "", filter.Human, filter.AutoReply, filter.Bounce, filter.Bulk, filter.Calendar),
	}
	if w.chance(25) {
		m.From[0], m.To, m.Bcc = "owner@us.example", some(w, 2, worldAddresses), some(w, 1, worldAddresses)
	}
	if w.chance(15) {
		m.From, m.Sender = append(m.From, some(w, 1, worldAddresses)...), pick(w, worldAddresses...)
	}
	m.Report = m.Class == filter.Bounce && w.chance(70)
	m.CalendarReply = m.Class == filter.Calendar && w.chance(50)
	if w.chance(3) {
		m.Folder = filter.FolderSpam
	}
	return m
}

func (w world) thread() filter.Thread {
	if w.chance(60) {
		return filter.Thread{}
	}
	return filter.Thread{Opened: w.moment()}
}

// usable keeps what has a name, an unquoted "@" and a host, as far as the world's addresses go.
func usable(addrs []string) (out []string) {
	for _, addr := range addrs {
		if strings.LastIndex(addr, "@") > 0 {
			out = append(out, addr)
		}
	}
	return out
}

// strength orders the patterns that name one host: exact ones first, then by labels, "*.x" before "*x".
func strength(p filter.Pattern) int {
	n := 10 * (strings.Count(p.Base().String(), ".") + 1)
	switch s := p.String(); {
	case strings.HasPrefix(s, "*."):
		return n + 1
	case strings.HasPrefix(s, "*"):
		return n
	}
	return n + 1000
}
