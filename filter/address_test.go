package filter_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

func TestAddressDomainAndKey(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 130)
	for _, c := range []struct{ rule, in, domain, key string }{
		{"plain", "a@acme.com", "acme.com", "a@acme.com"},
		{"R-DOM-03 case and dot", "a@ACME.COM.", "acme.com", "a@acme.com"},
		{"R-CUS-06 lower-cased", "Bob.Smith@Acme.com", "acme.com", "bob.smith@acme.com"},
		{"R-CUS-06 no folding", "b.o+x@acme.com", "acme.com", "b.o+x@acme.com"},
		{"R-DOM-03 last unquoted @", `"x@evil.io"@acme.com`, "acme.com", `"x@evil.io"@acme.com`},
		{"quoted pair", `"x\"@evil.io"@Acme.com`, "acme.com", `"x\"@evil.io"@acme.com`},
		{"unquoted @ twice", "a@evil.io@acme.com", "acme.com", "a@evil.io@acme.com"},
		{"@ only within quotes", `"a@acme.com"`, "", `"a@acme.com"`},
		{"open quotes", `"a@acme.com`, "", `"a@acme.com`},
		{"quotes behind the @", `a@"x@acme.com"`, "", `a@"x@acme.com"`},
		{"R-DOM-03 IDNA", "Ü@MÜNCHEN.de", "xn--mnchen-3ya.de", "ü@xn--mnchen-3ya.de"},
		{"another script before the @", "Ü@Acme.com.", "acme.com", "ü@acme.com"},
		{"R-DOM-06 non-transitional", "a@straße.de", "xn--strae-oqa.de", "a@xn--strae-oqa.de"},
		{"bad international host", "a@ü..de", "", "a@ü..de"},
		{"R-DOM-06 address literal", "a@[10.0.0.1]", "", "a@[10.0.0.1]"},
		{"IP address", "a@10.0.0.1", "", "a@10.0.0.1"},
		{"R-DOM-06 two dots", "a@acme.com..", "", "a@acme.com.."},
		{"R-DOM-06 two dots and case", "A@acme.com..", "", "a@acme.com.."},
		{"space around", " a@acme.com\r\n", "acme.com", "a@acme.com"},
		{"space of another kind around", "\u00a0a@acme.com\u00a0", "acme.com", "a@acme.com"},
		{"no name", "@acme.com", "", "@acme.com"},
		{"no host", "a@", "", "a@"},
		{"no @", "MAILER-DAEMON", "", "mailer-daemon"},
		{"no @, another script", "MÜLLER", "", "müller"},
		{"empty", "", "", ""},
		{"not UTF-8", "\xff@acme.com", "acme.com", "\uFFFD@acme.com"},
		{"longer than the room for it", "A" + long + "@Acme.com", "acme.com", "a" + long + "@acme.com"},
	} {
		d, ok := filter.AddressDomain(c.in)
		require.Equal(t, c.domain != "", ok, "%s: domain of %q", c.rule, c.in)
		require.Equal(t, c.domain, d.String(), "%s: domain of %q", c.rule, c.in)
		require.Equal(t, c.key, filter.AddressKey(c.in), "%s: key of %q", c.rule, c.in)
	}
}

func TestAddressKeyOfCleanAddressIsNotCopied(t *testing.T) {
	clean := "bob@acme.com"
	require.Zero(t, testing.AllocsPerRun(100, func() { clean = filter.AddressKey(clean) }))
}

// AddressKey never panics, is idempotent and UTF-8, folds case, and keeps the domain.
func FuzzAddressKey(f *testing.F) {
	for _, s := range worldAddresses {
		f.Add(s)
	}
	for _, s := range []string{
		"İ@acme.com", "Ⱥ@x.y", `"\`, `a"b@c"@d`, "a@b.", "a@b..", " @ ", "\u00a0@ü.de.", "a@\xff", "K@K.com",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key := filter.AddressKey(s)
		if again := filter.AddressKey(key); again != key || !utf8.ValidString(key) && utf8.ValidString(s) {
			t.Fatalf("%q: key %q has the key %q", s, key, again)
		}
		was, wasOK := filter.AddressDomain(s)
		is, isOK := filter.AddressDomain(key)
		if was != is || wasOK != isOK {
			t.Fatalf("%q: domain %q, %v; of its key %q: %q, %v", s, was, wasOK, key, is, isOK)
		}
		if wasOK && !strings.HasSuffix(key, "@"+was.String()) {
			t.Fatalf("%q: key %q does not end in its domain %q", s, key, was)
		}
	})
}
