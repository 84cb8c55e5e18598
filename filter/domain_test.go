package filter_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

func TestParseDomainNormalizes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, in, want, shown string }{
		{"R-DOM-02 as it is", "acme.com", "acme.com", "acme.com"},
		{"R-DOM-02 space", "  acme.com\t", "acme.com", "acme.com"},
		{"R-DOM-02 leading @", "@acme.com", "acme.com", "acme.com"},
		{"R-DOM-02 case", "Acme.COM", "acme.com", "acme.com"},
		{"R-DOM-02 trailing dot", "acme.com.", "acme.com", "acme.com"},
		{"R-DOM-03 IDNA", "münchen.de", "xn--mnchen-3ya.de", "münchen.de"},
		{"R-DOM-03 IDNA upper case", "MÜNCHEN.DE.", "xn--mnchen-3ya.de", "münchen.de"},
		{"R-DOM-03 A-label", "XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de", "münchen.de"},
		{"R-DOM-06 non-transitional", "straße.de", "xn--strae-oqa.de", "straße.de"},
		{"ideographic full stop", "例え。jp", "xn--r8jz45g.jp", "例え.jp"},
		{"full-width letters", "ａｃｍｅ.com", "acme.com", "acme.com"},
		{"underscore", "_dmarc.acme.com", "_dmarc.acme.com", "_dmarc.acme.com"},
		{"a label no A-label", "xn--zzzzzz.com", "xn--zzzzzz.com", "xn--zzzzzz.com"},
		{"one label", "localhost", "localhost", "localhost"},
		{"a public suffix", "co.uk", "co.uk", "co.uk"},
		{"63 characters", strings.Repeat("a", 63) + ".com", strings.Repeat("a", 63) + ".com",
			strings.Repeat("a", 63) + ".com"},
	} {
		got, err := filter.ParseDomain(c.in)
		require.NoError(t, err, "%s: %q", c.rule, c.in)
		require.Equal(t, c.want, got.String(), "%s: %q", c.rule, c.in)
		require.Equal(t, c.shown, got.Unicode(), "%s: %q shown", c.rule, c.in)
	}
}

func TestParseDomainRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, in, reason string }{
		{"R-DOM-02 empty", " ", "is empty"},
		{"R-DOM-02 only @", "@", "is empty"},
		{"R-DOM-02 @", "bob@acme.com", `contains an "@"`},
		{"R-DOM-02 slash", "acme.com/x", "contains a slash"},
		{"R-DOM-02 space", "acme .com", "contains a space"},
		{"R-DOM-02 scheme", "https://acme.com", "contains a slash"},
		{"R-DOM-02 scheme", "mailto:acme.com", "contains a colon"},
		{"R-DOM-02 star", "*.acme.com", `has a "*" where none may be`},
		{"R-DOM-06 two dots at the end", "acme.com..", "has an empty label"},
		{"empty label", "a..com", "has an empty label"},
		{"empty label in another script", "ü..com", "has an empty label"},
		{"dot alone", ".", "has an empty label"},
		{"R-DOM-06 address literal", "[10.0.0.1]", "contains a character no domain has"},
		{"IP address", "10.0.0.1", "is an IP address"},
		{"full-width @", "a＠ü.com", "contains a character no domain has"},
		{"label of 64", strings.Repeat("a", 64) + ".com", "has a label of more than 63 characters"},
		{"last label of 64", "a." + strings.Repeat("a", 64), "has a label of more than 63 characters"},
		{"254 characters", strings.Repeat("a.", 126) + "aa", "is too long"},
		{"endless", strings.Repeat("ü", 1000), "is too long"},
		{"bad A-label beside others", "xn--zzzzzz.ü.com", "is not a valid international name"},
		{"not UTF-8", "a\xff.com", "is not a valid international name"},
	} {
		got, err := filter.ParseDomain(c.in)
		var bad *filter.DomainError
		require.ErrorAs(t, err, &bad, "%s: %q", c.rule, c.in)
		require.Equal(t, c.reason, bad.Reason, "%s: %q", c.rule, c.in)
		require.Equal(t, c.in, bad.Input)
		require.Equal(t, "domain "+c.reason, err.Error(), "the text keeps the input to itself")
		require.True(t, got.IsZero())
	}
}

func TestDomainKeepsItsTextInJSON(t *testing.T) {
	t.Parallel()
	in := map[string]filter.Domain{"a": domain(t, "straße.de"), "b": {}}
	text, err := json.Marshal(in)
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"xn--strae-oqa.de","b":""}`, string(text))
	var out map[string]filter.Domain
	require.NoError(t, json.Unmarshal(text, &out))
	require.Equal(t, in, out)

	var d filter.Domain
	require.Error(t, json.Unmarshal([]byte(`"not a domain"`), &d))
}

// ParseDomain never panics; what it takes is its own normal form and matches as a domain of an address.
func FuzzParseDomain(f *testing.F) {
	for d := range filter.PublicProviders().All() {
		if len(d.String())%29 == 0 {
			f.Add(d.String())
		}
	}
	for _, s := range []string{
		"Acme.COM.", "@münchen.de", "straße.de", "例え。jp", "xn--mnchen-3ya.de", "a..b", "*.x.y", "a@b",
		"10.0.0.1", "[::1]", "\u200d.com", "ﬁ.com", "א.com", "a\x00b", "K.com", "xn--.com",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := filter.ParseDomain(s)
		if err != nil {
			var bad *filter.DomainError
			if !errors.As(err, &bad) || bad.Input != s || !d.IsZero() {
				t.Fatalf("%q: got %v and %v, want no domain and a DomainError with the input", s, d, err)
			}
			return
		}
		again, err := filter.ParseDomain(d.String())
		if err != nil || again != d {
			t.Fatalf("%q: parsed %q parses again as %q, %v", s, d, again, err)
		}
		if got, ok := filter.AddressDomain("x@" + d.String()); !ok || got != d {
			t.Fatalf("%q: domain of x@%s is %q, %v", s, d, got, ok)
		}
		if len(d.String()) > 253 || strings.ToLower(d.String()) != d.String() || d.Unicode() == "" {
			t.Fatalf("%q: %q is no normal form", s, d)
		}
	})
}
