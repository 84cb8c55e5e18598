package rfc822_test

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestParseAddressesSalvages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value string
		want  []string // name|addr-spec
	}{
		{"", nil},
		{"ann@a.example", []string{"|ann@a.example"}},
		{"Ann Lee <ann@a.example>", []string{"Ann Lee|ann@a.example"}},
		{`"Lee, Ann" <ann@a.example>, bob@b.example`, []string{"Lee, Ann|ann@a.example", "|bob@b.example"}},
		{"Lee, Ann <ann@a.example>", []string{"Lee, Ann|ann@a.example"}},
		{"Lee, Ann <ann@a.example>, Roy, Bob <bob@b.example>",
			[]string{"Lee, Ann|ann@a.example", "Roy, Bob|bob@b.example"}},
		{"Ann Lee <ann@a.example", []string{"Ann Lee|ann@a.example"}},
		{"Ann Lee <ann@a.example, Bob <bob@b.example>", []string{"Ann Lee|ann@a.example",
			"Bob|bob@b.example"}},
		{"Ann Lee ann@a.example>", []string{"Ann Lee|ann@a.example"}},
		{"Ann Lee ann@a.example", []string{"Ann Lee|ann@a.example"}},
		{"<<ann@a.example>>", []string{"|ann@a.example"}},
		{`"Ann Lee <ann@a.example>`, []string{"Ann Lee|ann@a.example"}},
		{"Bob <bob@x.example> Bobby <bobby@x.example>", []string{"Bob|bob@x.example",
			"Bobby|bobby@x.example"}},
		{"ann@a.example; bob@b.example;", []string{"|ann@a.example", "|bob@b.example"}},
		{"ann@a.example bob@b.example", []string{"|ann@a.example", "|bob@b.example"}},
		{"undisclosed-recipients:;", nil},
		{"Team: Ann <ann@a.example>, bob@b.example;", []string{"Ann|ann@a.example", "|bob@b.example"}},
		{"ann@a.example (Ann Lee)", []string{"Ann Lee|ann@a.example"}},
		{"<ann@a.example> (Ann (the boss) Lee)", []string{"Ann (the boss) Lee|ann@a.example"}},
		{"Ann (sales) Lee <ann@a.example>", []string{"Ann Lee|ann@a.example"}},
		{"Ann (sales <ann@a.example>", []string{"Ann sales|ann@a.example"}},
		{"<@relay.example,@b.example:ann@a.example>", []string{"|ann@a.example"}},
		{"<mailto:ann@a.example>", []string{"|ann@a.example"}},
		{"'ann@a.example'", []string{"|ann@a.example"}},
		{"Ann <junk> <ann@a.example>", []string{"Ann junk|ann@a.example"}},
		{"Ann", nil},
		{"Ann, bob@b.example", []string{"|bob@b.example"}},
		{`"ceo@corp.example" <evil@b.example>`, []string{"ceo@corp.example|evil@b.example"}},
		{`"ann lee"@a.example`, []string{`|"ann lee"@a.example`}},
		{`"ann@a.example, bob"@b.example`, []string{`|"ann@a.example, bob"@b.example`}},
		{`Ann <"ann \"the boss\" lee"@a.example>`, []string{`Ann|"ann \"the boss\" lee"@a.example`}},
		{`"ann.lee"@a.example`, []string{"|ann.lee@a.example"}},
		{"ann..lee.@a.example", []string{"|ann..lee.@a.example"}},
		{"jürgen@a.example", []string{"|jürgen@a.example"}},
		{"Ann <ann@bücher.example>", []string{"Ann|ann@bücher.example"}},
		{"ann@xn--bcher-kva.example", []string{"|ann@xn--bcher-kva.example"}},
		{"=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <j@a.example>", []string{"Jörg Müller|j@a.example"}},
		{"=?utf-8?q?M=C3=BCller,_J=C3=B6rg?= <j@a.example>", []string{"Müller, Jörg|j@a.example"}},
		{"=?utf-8?q?Caf=C3?= =?utf-8?q?=A9?= <j@a.example>", []string{"Café|j@a.example"}},
		{`"=?utf-8?q?J=C3=B6rg?=" <j@a.example>`, []string{"Jörg|j@a.example"}},
		{"=?utf-8?q?Ann_=3Cann=40a.example=3E?=", []string{"Ann|ann@a.example"}},
		{"Ann: Lee <ann@a.example>", []string{"Lee|ann@a.example"}},
		{"ann@", nil},
		{"ann@acme.com, bob@, carl", []string{"|ann@acme.com"}},
		{"@a.example", nil},
	} {
		var got []string
		for _, a := range rfc822.ParseAddresses(c.value) {
			got = append(got, a.Name+"|"+a.Address)
		}
		require.Equal(t, c.want, got, "value %q", c.value)
	}
}

func TestParseAddressesTakesTimeInProportion(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"<", `"`, "(", "a,", "=?x?q?", "<a@b", "\"a\\", "(a", "a:", "a@b ", "((", ";"} {
		g := growth(25_000, func(n int) { rfc822.ParseAddresses(strings.Repeat(piece, n/len(piece))) })
		require.Less(t, g, float64(moreWork), "work on 200 KB of %q, of that on 25 KB", piece)
	}
}

// TestParseAddressesFindsWhatNetMailFinds: on all address fields of the corpora that net/mail
// accepts, the addresses are the same.
func TestParseAddressesFindsWhatNetMailFinds(t *testing.T) {
	t.Parallel()
	fields, accepted, found := 0, 0, 0
	for _, s := range everything(t) {
		h := parse(t, s.raw).Header
		for _, name := range []string{"From", "To", "Cc", "Reply-To", "Sender"} {
			for _, value := range h.Values(name) {
				fields++
				got := rfc822.ParseAddresses(value)
				if len(got) > 0 {
					found++
				}
				want, err := mail.ParseAddressList(value)
				if err != nil {
					continue
				}
				accepted++
				require.Len(t, got, len(want), "value %q", value)
				for i := range want { // which come without quotes
					require.Equal(t, rfc822.QuoteLocal(want[i].Address), got[i].Address, "value %q", value)
				}
			}
		}
	}
	require.Greater(t, found, accepted, "fields with addresses")
	t.Logf("%d fields: net/mail accepts %d, we find addresses in %d", fields, accepted, found)
}

// TestCheckAddress: an address is one addr-spec as it stands (RFC 5322 section 3.4.1).
func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		err     error
	}{
		{"ann@a.example", nil},
		{"ann.lee+tag/!#$%&'*-=?^_`{|}~@a.example", nil},
		{"ann@bücher.example", nil},
		{"ann@[192.0.2.1]", nil},
		{`"ann lee"@a.example`, nil},
		{`"a@b.c, d"@e.f`, nil},
		{`"ann \"the boss\" lee"@a.example`, nil},
		{"ann..lee.@a.example", nil}, // phone companies gave such out
		{"", rfc822.ErrBadAddress},
		{"ann", rfc822.ErrBadAddress},
		{"@a.example", rfc822.ErrBadAddress},
		{`""@a.example`, rfc822.ErrBadAddress},
		{"a b@c.d", rfc822.ErrBadAddress},
		{" ann@a.example", rfc822.ErrBadAddress},
		{"a@b.c, d@e.f", rfc822.ErrBadAddress},
		{"a@b.c,d@e.f", rfc822.ErrBadAddress},
		{"a@b.c; d@e.f", rfc822.ErrBadAddress},
		{"Eve <e@e.e>@x.y", rfc822.ErrBadAddress},
		{"Eve <e@e.e>", rfc822.ErrBadAddress},
		{"<e@e.e>", rfc822.ErrBadAddress},
		{"mailto:e@e.e", rfc822.ErrBadAddress},
		{"e(the boss)@e.e", rfc822.ErrBadAddress},
		{`"a" b@c.d`, rfc822.ErrBadAddress},
		{`"a"b"@c.d`, rfc822.ErrBadAddress},
		{`"a\"@c.d`, rfc822.ErrBadAddress},
		{`"a@c.d`, rfc822.ErrBadAddress},
		{"a\tb@c.d", rfc822.ErrBadAddress},
		{"a\x7fb@c.d", rfc822.ErrBadAddress},
		{strings.Repeat("a", 5000) + "@b.cc", rfc822.ErrBadAddress},
		{"jürgen@a.example", rfc822.ErrUnicodeLocal},
		{`"jürgen lee"@a.example`, rfc822.ErrUnicodeLocal},
		{"x@y.zz\r\nBcc: a@b.c", rfc822.ErrHeaderInjection},
		{"a\x00b@c.dd", rfc822.ErrHeaderInjection},
	} {
		err := rfc822.CheckAddress(c.address)
		if c.err == nil {
			require.NoError(t, err, "address %q", c.address)
			continue
		}
		require.ErrorIs(t, err, c.err, "address %q", c.address)
	}
}

func TestQuoteLocal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, want string }{
		{"ann@a.example", "ann@a.example"},
		{"ann..lee@a.example", "ann..lee@a.example"},
		{"jürgen@a.example", "jürgen@a.example"},
		{"ann lee@a.example", `"ann lee"@a.example`},
		{`"ann lee"@a.example`, `"ann lee"@a.example`},
		{`ann "the boss" lee@a.example`, `"ann \"the boss\" lee"@a.example`},
		{"ann", "ann"},
		{"@a.example", "@a.example"},
	} {
		require.Equal(t, c.want, rfc822.QuoteLocal(c.address), "address %q", c.address)
	}
}
