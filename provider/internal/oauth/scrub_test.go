package oauth_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/oauth"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"words stay", "Token has been expired or revoked.", "Token has been expired or revoked."},
		{"quoted address", "User account 'ann@acme.com' is gone", "User account '[address]' is gone"},
		{"address in brackets", "for Ann <ann@acme.com>, who", "for Ann <[address]>, who"},
		{"guest", "ann_acme.com#EXT#@tenant.onmicrosoft.com", "[address]"},
		{"escaped address", "login_hint=ann%40acme.com", "[address]"},
		{"JSON escape", `ann\u0040acme.com`, "[address]"},
		{"HTML escape", "ann&#64;acme.com ann&commat;acme.com", "[address] [address]"},
		{"wide sign", "ann＠acme.com", "[address]"},
		{"local part with a space", `"ann b"@acme.com`, "[address]"},
		{"domain account", `CONTOSO\ann logged in`, "[address] logged in"},
		{"JWT", "token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl is bad", "token [redacted] is bad"},
		{"Google access token", "ya29.a0AfH6SMBx7-Zk_1qW", "[redacted]"},
		{"Google refresh token", "(1//0gDx7AbCdEfGhIjKlMn-L9Ir)", "([redacted])"},
		{"Google code", "code=4/0AX4XfWh9aBcDeFgHiJk", "code=[redacted]"},
		{"Google secret", "GOCSPX-aB3dE5gH7jK9mN1pQ3sT5vW7", "[redacted]"},
		{"Microsoft refresh token", "0.AXkA1b2C3d4E5f6G7h8I9j0.AgABAAEAAAD", "[redacted]"},
		{"Microsoft secret", "'abc8Q~dEfGhIjKlMnOpQrStUvWxYz01'", "'[redacted]'"},
		{"letters alone in both cases", "aBcDeFgHiJkLmNoPqRsTuVwXyZaB", "[redacted]"},
		{"GUID stays", "app '9188040d-6c67-4c5b-b112-36a304b66dad'.", "app '9188040d-6c67-4c5b-b112-36a304b66dad'."},
		{"GUID at the end of a sentence", "9188040D-6c67-4c5b-b112-36a304b66dad.", "9188040D-6c67-4c5b-b112-36a304b66dad."},
		{"nearly a GUID", "9188040d-6c67-4c5b-b112-36a304b66dag", "[redacted]"},
		{"not a GUID either", "9188040d16c67-4c5b-b112-36a304b66dad", "[redacted]"},
		{"number stays", "AADSTS7000215: Invalid", "AADSTS7000215: Invalid"},
		{"time stays", "Timestamp: 2026-10-01T10:00:00.0000000Z", "Timestamp: 2026-10-01T10:00:00.0000000Z"},
		{"scope stays", "https://www.googleapis.com/auth/gmail.readonly", "https://www.googleapis.com/auth/gmail.readonly"},
		{"link stays", "https://login.microsoftonline.com/error?code=700082", "https://login.microsoftonline.com/error?code=700082"},
		{"long word stays", "unsupported_challenge_method_for_client", "unsupported_challenge_method_for_client"},
		{"CamelCase stays", "ExternalServerRetryableErrorOfTheService", "ExternalServerRetryableErrorOfTheService"},
		{"lines", "a\r\n\tb\x00c\u2028d", "a b c d"},
		{"no UTF-8", "a\xffb", "a?b"},
	} {
		require.Equal(t, c.want, oauth.Scrub(c.text), c.name)
	}
}

func TestScrubCutsLongTexts(t *testing.T) {
	t.Parallel()
	long := oauth.Scrub(strings.Repeat("ö ", 5000))
	require.LessOrEqual(t, len(long), 400)
	require.True(t, strings.HasSuffix(long, "…"))
	require.Empty(t, oauth.Scrub(strings.Repeat("x", 9000)), "one word too long to be judged")
	// The cut of what is read goes through a token: the half that is left must not show.
	half := oauth.Scrub(strings.Repeat(strings.Repeat("a@b", 20)+" ", 134) + "ya29.a0AfH6SMBx7-Zk_1qW")
	require.NotContains(t, half, "ya29")
}

func FuzzScrub(f *testing.F) {
	f.Add("User account 'ann@acme.com' ", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", " is bad")
	f.Add("code=", "4/0AX4XfWh9aBcDeFgHiJk", "&state=1")
	f.Add("a%40b \xff\u2028", "0123456789abcdefghij", "…")
	f.Fuzz(func(t *testing.T, before, token, after string) {
		text := before + " " + token + " " + after
		got := oauth.Scrub(text)
		require.Equal(t, got, oauth.Scrub(got), "not idempotent")
		require.LessOrEqual(t, len(got), 400)
		require.True(t, utf8.ValidString(got))
		require.NotContains(t, got, "@")
		require.NotContains(t, strings.ToLower(got), "%40")
		require.False(t, strings.ContainsFunc(got, unicode.IsControl))
		if opaque(token) {
			require.NotContains(t, got, token)
		}
	})
}

// opaque says whether s is surely no text: 20 letters and digits or more, mixed.
func opaque(s string) bool {
	digits, letters := 0, 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			letters++
		default:
			return false
		}
	}
	return digits > 0 && letters > 0 && digits+letters >= 20
}
