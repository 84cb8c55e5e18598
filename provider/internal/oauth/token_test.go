package oauth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/oauth"
)

func TestTokensAndClientsNeverTellTheirSecrets(t *testing.T) {
	t.Parallel()
	token := oauth.Token{
		Access: oauth.NewSecret("s3cret-a"), Refresh: oauth.NewSecret("s3cret-r"), ID: oauth.NewSecret("s3cret-i"),
	}
	client := oauth.Client{ID: "client-1", Secret: "s3cret-c"}
	type host struct {
		Open   oauth.Token
		hidden oauth.Token
		Client *oauth.Client
		Shown  oauth.Secret
		secret oauth.Secret
	}
	h := host{token, token, &client, token.Access, token.Access}
	source := oauth.NewSource(&client, token, nil)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{token, &token, token.Access, client, &client, h, &h, source} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, l := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(l).Info("x", "token", token, "secret", token.Access, "client", client, "pointer", &client, "host", h)
	}
	text, err := json.Marshal(h)
	require.NoError(t, err)
	out.Write(text)
	require.NotContains(t, out.String(), "s3cret")
	require.NotContains(t, out.String(), fmt.Sprintf("%x", "s3cret"))
	require.Contains(t, out.String(), "client-1", "the id of the client is no secret")
	require.Equal(t, "s3cret-a", h.secret.Reveal())
	require.Equal(t, "s3cret-r", h.hidden.Refresh.Reveal())
	require.Empty(t, oauth.Secret{}.Reveal())
	require.True(t, oauth.NewSecret("").IsZero())
}

func TestTokenComesBackFromItsStoredForm(t *testing.T) {
	t.Parallel()
	expiry := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	token := oauth.Token{
		Access: oauth.NewSecret("a"), Refresh: oauth.NewSecret("r"), Type: "Bearer",
		Expiry: expiry, Scopes: []string{"x", "y"},
	}
	kept := token
	token.ID = oauth.NewSecret("i")
	text, err := oauth.Marshal(token)
	require.NoError(t, err)
	require.JSONEq(t,
		`{"access":"a","refresh":"r","type":"Bearer","expiry":"2026-11-20T10:00:00Z","scopes":["x","y"]}`,
		string(text), "the names stand in databases")
	got, err := oauth.Unmarshal(text)
	require.NoError(t, err)
	require.Equal(t, kept, got)
}

func TestStoredTokenThatIsNoneIsRefusedWithoutQuotingIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"empty", ""},
		{"no JSON", "s3cret"},
		{"no object", `"s3cret"`},
		{"other type", `{"access":["s3cret"]}`},
		{"cut", `{"access":"s3cret`},
		{"no token in it", `{"type":"Bearer"}`},
	} {
		_, err := oauth.Unmarshal([]byte(c.text))
		require.Error(t, err, c.name)
		require.NotContains(t, err.Error(), "s3cret", c.name)
	}
}

// A token inside other JSON would be lost without a word.
func TestTokenInsideOtherJSONIsNotReadBack(t *testing.T) {
	t.Parallel()
	type record struct{ Token oauth.Token }
	text, err := json.Marshal(record{oauth.Token{Access: oauth.NewSecret("s3cret")}})
	require.NoError(t, err)
	require.ErrorContains(t, json.Unmarshal(text, &record{}), "Unmarshal")
}
