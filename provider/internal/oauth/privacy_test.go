package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// A service that repeats everything it was sent, and a person's address, in every place of its
// answer: none of it may come out.
func TestErrorsNeverHoldWhatWasSent(t *testing.T) {
	t.Parallel()
	private := []string{"hush-hush", "code-1", "verify-1", "refresh-0", "ann@acme.com", "acme"}
	for _, c := range []struct {
		name   string
		answer func(all, quoted string) answer
	}{
		{"description", func(_, q string) answer {
			return answer{400, `{"error":"invalid_grant","error_description":` + q + `}`, nil}
		}},
		{"code", func(_, q string) answer { return answer{400, `{"error":` + q + `}`, nil} }},
		{"subtype", func(_, q string) answer { return answer{400, `{"error":"x","error_subtype":` + q + `}`, nil} }},
		{"suberror", func(_, q string) answer { return answer{400, `{"error":"x","suberror":` + q + `}`, nil} }},
		{"another shape", func(_, q string) answer { return answer{400, `{"error":{"message":` + q + `}}`, nil} }},
		{"page", func(all, _ string) answer { return answer{502, "<html>" + all, nil} }},
		{"broken success", func(all, _ string) answer { return answer{200, "{" + all, nil} }},
		{"form", func(all, _ string) answer {
			return answer{400, url.Values{"error": {all}}.Encode(), http.Header{"Content-Type": {"text/plain"}}}
		}},
		{"retry field", func(all, _ string) answer { return answer{503, ``, http.Header{"Retry-After": {all}}} }},
	} {
		s := &service{reply: func(_ int, form url.Values) answer {
			all := "who ann@acme.com sent"
			for _, name := range []string{"client_secret", "code", "code_verifier", "refresh_token", "token"} {
				all += " " + form.Get(name)
			}
			quoted, err := json.Marshal(all)
			require.NoError(t, err)
			return c.answer(all, string(quoted))
		}}
		client := s.client()
		for _, classify := range []func(oauth.Failure) error{oauth.Google, oauth.Microsoft, nil} {
			client.Classify = classify
			_, exchanged := client.Exchange(t.Context(), provider.AuthResponse{Code: "code-1", Verifier: "verify-1"})
			_, refreshed := oauth.NewSource(client, old(0), nil).Token(t.Context())
			redirected := client.RedirectError(url.Values{"error": {"x"}, "error_description": {"who ann@acme.com"}})
			for call, err := range map[string]error{"exchange": exchanged, "refresh": refreshed, "redirect": redirected} {
				require.Error(t, err, c.name)
				wantNone(t, c.name+", "+call, err, private)
			}
			if err := client.Revoke(t.Context(), "refresh-0"); err != nil {
				wantNone(t, c.name+", revoke", err, private)
			}
		}
	}
}

// wantNone looks through an error and its causes.
func wantNone(t *testing.T, name string, err error, private []string) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, p := range private {
		require.False(t, strings.Contains(text, p), "%s: %q in %s", name, p, text)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if e.Unwrap() != nil {
			wantNone(t, name, e.Unwrap(), private)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			wantNone(t, name, cause, private)
		}
	}
}
