package filter_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// R-DOM-03: the vectors, for companies and for exclusions.
func TestPatternsMatchOnLabels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, addr     string
		company, excluded bool
	}{
		{"acme.com", "a@acme.com", true, true},
		{"acme.com", "a@ACME.COM.", true, true},
		{"acme.com", "a@eu.acme.com", false, true},
		{"*.acme.com", "a@eu.acme.com", true, true},
		{"*.acme.com", "a@x.eu.acme.com", true, true},
		{"*.acme.com", "a@acme.com", false, false},
		{"*acme.com", "a@acme.com", true, true},
		{"*acme.com", "a@eu.acme.com", true, true},
		{"*acme.com", "a@notacme.com", false, false},
		{"*.acme.com", "a@notacme.com", false, false},
		{"acme.com", "a@notacme.com", false, false},
		{"acme.com", "a@acme.com.evil.io", false, false},
		{"münchen.de", "a@xn--mnchen-3ya.de", true, true},
		{"acme.com", `"x@evil.io"@acme.com`, true, true},
		{"straße.de", "a@xn--strae-oqa.de", true, true},
		{"acme.com", "a@acme.com..", false, false},
		{"acme.com", "a@[10.0.0.1]", false, false},
	} {
		p := company(t, c.pattern)
		dir := directory(t, filter.DirectoryData{
			Domains: []filter.DomainEntry{{Pattern: p, Company: "A"}},
		})
		id, by, ok := dir.Company(c.addr)
		require.Equal(t, c.company, ok, "R-DOM-03: company %q, address %q", c.pattern, c.addr)
		if d, isDomain := filter.AddressDomain(c.addr); isDomain {
			require.Equal(t, c.company, p.Matches(d), "R-DOM-03: %q matches %q", c.pattern, d)
		}
		if ok {
			require.Equal(t, filter.CompanyID("A"), id)
			require.Equal(t, p, by)
		}
		excluding := filter.Rules{Mode: filter.All, Exclude: exclusions(t, c.pattern)}
		m := filter.Facts{From: []string{c.addr}}
		v := compile(t, filter.DirectoryData{}, excluding).Decide(&m, filter.Thread{})
		require.Equal(t, c.excluded, !v.Accept, "R-DOM-03: exclusion %q, address %q", c.pattern, c.addr)
		excluding.ExactExclude = true
		v = compile(t, filter.DirectoryData{}, excluding).Decide(&m, filter.Thread{})
		require.Equal(t, c.company, !v.Accept, "R-DOM-03: ExactExclude %q, address %q", c.pattern, c.addr)
	}
}

func TestParsePatterns(t *testing.T) {
	t.Parallel()
	const suffix, star = "is a public suffix", `is only a "*"`
	for _, c := range []struct{ rule, in, company, exclusion string }{
		{"R-DOM-02", " @Acme.COM. ", "", ""},
		{"R-DOM-01", "*.Acme.com", "", ""},
		{"R-DOM-01", "*acme.com", "", ""},
		{"R-DOM-02 bare suffix", "com", suffix, suffix},
		{"R-DOM-02 bare suffix", "co.uk", suffix, suffix},
		{"R-DOM-02 one label", "localhost", suffix, suffix},
		{"R-DOM-05 suffix as a base", "*.com", suffix, ""},
		{"R-DOM-05 suffix as a base", "*co.uk", suffix, ""},
		{"R-DOM-05 suffix as a base", "*.github.io", suffix, ""},
		{"R-DOM-05 private suffix", "github.io", suffix, ""},
		{"R-DOM-02 lone star", "*", star, star},
		{"R-DOM-02 lone star", "*.", star, star},
		{"R-DOM-02 empty", "", "is empty", "is empty"},
		{"R-DOM-02 star not in front", "a.*.com", `has a "*" where none may be`, `has a "*" where none may be`},
		{"R-DOM-02 two stars", "**.acme.com", `has a "*" where none may be`, `has a "*" where none may be`},
		{"R-DOM-02 @ behind the star", "*@acme.com", `contains an "@"`, `contains an "@"`},
		{"R-DOM-02 scheme", "http://acme.com", "contains a slash", "contains a slash"},
		{"empty label", ".acme.com", "has an empty label", "has an empty label"},
		{"hyphen", "-acme.com", "has a label with a hyphen at its edge", "has a label with a hyphen at its edge"},
		{"hyphen", "acme-.com", "has a label with a hyphen at its edge", "has a label with a hyphen at its edge"},
		{"bad A-label", "xn--zzzzzz.com", "is not a valid international name", "is not a valid international name"},
		{"R-DOM-05 public", "gmail.com", "belongs to a public mail provider", ""},
		{"R-DOM-05 public", "*.Gmail.com", "belongs to a public mail provider", ""},
	} {
		_, err := filter.ParseCompanyPattern(c.in, filter.CompanyOptions{})
		require.Equal(t, c.company, reasonOf(err), "%s: company %q", c.rule, c.in)
		_, err = filter.ParseExclusionPattern(c.in)
		require.Equal(t, c.exclusion, reasonOf(err), "%s: exclusion %q", c.rule, c.in)
	}
}

func reasonOf(err error) string {
	var bad *filter.DomainError
	if errors.As(err, &bad) {
		return bad.Reason
	}
	return ""
}

// R-DOM-05
func TestPublicProviderBecomesACompanyOnlyByForce(t *testing.T) {
	t.Parallel()
	_, err := filter.ParseCompanyPattern("gmail.com", filter.CompanyOptions{})
	require.ErrorIs(t, err, filter.ErrPublicDomain)
	require.Equal(t, "domain: belongs to a public mail provider", err.Error())
	p, err := filter.ParseCompanyPattern("gmail.com", filter.CompanyOptions{ForcePublic: true})
	require.NoError(t, err)
	require.Equal(t, "gmail.com", p.String())
	_, err = filter.ParseCompanyPattern("*.com", filter.CompanyOptions{ForcePublic: true})
	require.Error(t, err, "no force makes a public suffix a company's")

	mine := filter.NewDomainSet(domain(t, "mail.example"), domain(t, "post.example"))
	_, err = filter.ParseCompanyPattern("mail.example", filter.CompanyOptions{Public: mine})
	require.ErrorIs(t, err, filter.ErrPublicDomain, "the list is replaceable")
	_, err = filter.ParseCompanyPattern("gmail.com", filter.CompanyOptions{Public: mine})
	require.NoError(t, err, "the list is replaceable")
}

func TestPatternKeepsItsTextInJSON(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"acme.com", "*.acme.com", "*acme.com", "*.xn--mnchen-3ya.de", "*.com", "com", ""} {
		var p filter.Pattern
		require.NoError(t, p.UnmarshalText([]byte(s)), "stored %q is read whatever its base", s)
		require.Equal(t, s, p.String())
		require.Equal(t, s == "", p.IsZero())
		text, err := json.Marshal(p)
		require.NoError(t, err)
		require.Equal(t, `"`+s+`"`, string(text))
	}
	var p filter.Pattern
	require.Error(t, p.UnmarshalText([]byte("a b")))
	require.Equal(t, "*.münchen.de", company(t, "*.münchen.de").Unicode())
	require.Equal(t, domain(t, "münchen.de"), company(t, "*.münchen.de").Base())
	require.False(t, filter.Pattern{}.Matches(filter.Domain{}), "the zero pattern matches nothing")
	require.False(t, company(t, "*.acme.com").Matches(filter.Domain{}))
}

func TestPublicProviders(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "yahoo.co.jp", "icloud.com", "proton.me", "gmx.de",
		"gmx.fr", "0-mail.com", "zzz.com",
	} {
		require.True(t, filter.IsPublicProvider(domain(t, s)), "R-DOM-05: %s", s)
	}
	for _, s := range []string{"acme.com", "eu.gmail.com", "gmail.co", "0.com", "zzzzz.zz", "mail"} {
		require.False(t, filter.IsPublicProvider(domain(t, s)), "R-DOM-05: %s", s)
	}
	require.False(t, filter.IsPublicProvider(filter.Domain{}))
}

// The data is searched as it lies: it must be sorted, normal and found, line by line.
func TestPublicProvidersAreSortedAndNormal(t *testing.T) {
	t.Parallel()
	n, last := 0, ""
	for d := range filter.PublicProviders().All() {
		require.Greater(t, d.String(), last, "sorted")
		require.Equal(t, d, domain(t, d.String()), "normal")
		require.True(t, filter.IsPublicProvider(d), "found: %s", d)
		n, last = n+1, d.String()
	}
	require.Greater(t, n, 13_000)
	for d := range filter.PublicProviders().All() {
		require.NotEmpty(t, d.String())
		break
	}
}

func TestDomainSet(t *testing.T) {
	t.Parallel()
	var texts []string
	set := filter.NewDomainSet(domain(t, "b.org"), domain(t, "b.org"), filter.Domain{}, domain(t, "a.org"))
	for d := range set.All() {
		texts = append(texts, d.String())
	}
	require.Equal(t, []string{"a.org", "b.org"}, texts)
	require.True(t, set.Contains(domain(t, "a.org")))
	require.False(t, filter.NewDomainSet().Contains(domain(t, "a.org")))
}

// A pattern that parses has one text, whoever reads it, and a company's is an exclusion's too.
func FuzzParsePattern(f *testing.F) {
	odd := []string{"*", "*.", "**a", "@*.x.y", "*@x.y", "*.*.x", "gmail.com"}
	for _, s := range append(odd, worldPatterns...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := filter.ParseCompanyPattern(s, filter.CompanyOptions{ForcePublic: true})
		if err != nil {
			return
		}
		e, err := filter.ParseExclusionPattern(p.String())
		var read filter.Pattern
		if err != nil || e != p || read.UnmarshalText([]byte(p.String())) != nil || read != p {
			t.Fatalf("%q: pattern %q, read again %q, as an exclusion %q (%v)", s, p, read, e, err)
		}
	})
}
