package testserver_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

func TestVerifies(t *testing.T) {
	t.Parallel()
	// RFC 7636 appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	require.True(t, testserver.Verifies(verifier, challenge))
	for name, v := range map[string]string{
		"other": strings.Replace(verifier, "d", "e", 1), "short": verifier[1:], "none": "",
		"the challenge itself": challenge, "long": strings.Repeat("a", 129),
	} {
		require.False(t, testserver.Verifies(v, challenge), name)
	}
}

func TestRedirectTarget(t *testing.T) {
	t.Parallel()
	const home = "https://app.example/callback"
	for _, c := range []struct {
		name, address string
		registered    []string
		want          bool
	}{
		{"any", home, nil, true},
		{"registered", home, []string{"https://x.example", home}, true},
		{"not registered", home + "/", []string{home}, false},
		{"with a query", home + "?a=1", nil, true},
		{"with a fragment", home + "#a", nil, false},
		{"no scheme", "app.example/callback", nil, false},
		{"none", "", nil, false},
		{"no address", "https://a b", nil, false},
	} {
		_, ok := testserver.RedirectTarget(c.address, c.registered)
		require.Equal(t, c.want, ok, c.name)
	}
}

func TestFollowReturnsWhereThePageRedirects(t *testing.T) {
	t.Parallel()
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		target, ok := testserver.RedirectTarget(r.FormValue("redirect_uri"), nil)
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		testserver.Redirect(w, r, target, url.Values{"code": {"4/0&"}, "state": {"s t"}})
	})
	const home = "http://127.0.0.1:1/callback?kept=1&code=old"
	u, err := testserver.Follow(t.Context(), s.Client(), s.URL()+"?redirect_uri="+url.QueryEscape(home))
	require.NoError(t, err)
	require.Equal(t, url.Values{"code": {"4/0&"}, "state": {"s t"}, "kept": {"1"}}, u.Query())
	require.Equal(t, "127.0.0.1:1", u.Host)
	_, err = testserver.Follow(t.Context(), s.Client(), s.URL())
	require.EqualError(t, err, "consent page: 400 Bad Request")
}

func TestIDTokenHoldsTheClaims(t *testing.T) {
	t.Parallel()
	parts := strings.Split(testserver.IDToken(map[string]any{"sub": "1", "exp": 2}), ".")
	require.Len(t, parts, 3)
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	require.JSONEq(t, `{"sub":"1","exp":2}`, string(claims))
	require.Empty(t, parts[2], "unsigned")
}

func TestWithTokenSendsTheTokenAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), http.NoBody)
	require.NoError(t, err)
	resp, err := testserver.WithToken(s.Client(), "secret").Do(r)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "Bearer secret", string(b))
	require.Empty(t, r.Header, "the caller's request is left as it was")
	_, plain, err := do(t, s, "")
	require.NoError(t, err)
	require.Empty(t, plain, "the client itself sends none")
}
