package outlook_test

import (
	"errors"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	_, err := outlook.New(outlook.Options{})
	require.ErrorIs(t, err, provider.ErrConfig)
	require.ErrorContains(t, err, "ClientID is missing, ClientSecret is missing")
	good := outlook.Options{ClientID: "c", ClientSecret: "s"}
	for want, change := range map[string]func(*outlook.Options){
		"Tenant is not a tenant":               func(o *outlook.Options) { o.Tenant = "a/b" },
		"exclude each other":                   func(o *outlook.Options) { o.ReadOnly, o.SendAtOnce = true, true },
		"PageSize is not":                      func(o *outlook.Options) { o.PageSize = 801 },
		"PushKey is shorter":                   func(o *outlook.Options) { o.PushKey = []byte("short") },
		"Endpoints.Graph is not":               func(o *outlook.Options) { o.Endpoints.Graph = "graph" },
		"LifecycleURL is of no use":            func(o *outlook.Options) { o.LifecycleURL = "https://a.example" },
		"Quota has a negative limit":           func(o *outlook.Options) { o.Quota.Calls = -1 },
		"Quota.Interactive is not 0 to 1":      func(o *outlook.Options) { o.Quota.Interactive = 1 },
		"NotificationURL is not an http addre": func(o *outlook.Options) { o.NotificationURL = "ftp://a" },
	} {
		o := good
		change(&o)
		_, err := outlook.New(o)
		require.ErrorIs(t, err, provider.ErrConfig)
		require.ErrorContains(t, err, want)
	}
	p, err := outlook.New(good)
	require.NoError(t, err)
	require.Equal(t, outlook.Kind, p.Kind())
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		o    outlook.Options
		want []string
	}{
		{outlook.Options{}, []string{"Mail.ReadWrite", "Mail.Send"}},
		{outlook.Options{SendAtOnce: true}, []string{"Mail.Read", "Mail.Send"}},
		{outlook.Options{ReadOnly: true}, []string{"Mail.Read"}},
	} {
		row.o.ClientID, row.o.ClientSecret = "c", "s"
		p, err := outlook.New(row.o)
		require.NoError(t, err)
		require.Equal(t, append([]string{"openid", "profile", "email", "offline_access", "User.Read"}, row.want...), p.Scopes())
	}
}

func TestAuthURL(t *testing.T) {
	t.Parallel()
	p, err := outlook.New(outlook.Options{ClientID: "c", ClientSecret: "s"})
	require.NoError(t, err)
	address, err := p.AuthURL(t.Context(), provider.AuthRequest{State: "s", Verifier: "v", RedirectURL: "https://host.example/back"})
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "login.microsoftonline.com", u.Host)
	require.Equal(t, "/organizations/oauth2/v2.0/authorize", u.Path)
	require.Equal(t, "S256", u.Query().Get("code_challenge_method"))
	require.NotContains(t, address, "verifier")
	for _, bad := range []provider.AuthRequest{
		{Verifier: "v", RedirectURL: "r"}, {State: "s", RedirectURL: "r"}, {State: "s", Verifier: "v"},
	} {
		_, err := p.AuthURL(t.Context(), bad)
		require.ErrorIs(t, err, provider.ErrConfig)
	}
}

// Under Microsoft's default policy an administrator has to consent first, by a link.
func TestAdminConsent(t *testing.T) {
	t.Parallel()
	p, err := outlook.New(outlook.Options{ClientID: "c", ClientSecret: "s"})
	require.NoError(t, err)
	err = p.RedirectError(url.Values{"error": {"access_denied"},
		"error_description": {"AADSTS90094: The grant requires administrator permission."}})
	require.ErrorIs(t, err, provider.ErrAdminConsent)
	consent, ok := errors.AsType[*provider.ConsentError](err)
	require.True(t, ok)
	u, err := url.Parse(consent.URL)
	require.NoError(t, err)
	require.Equal(t, "/organizations/v2.0/adminconsent", u.Path)
	require.Equal(t, "c", u.Query().Get("client_id"))
	require.Contains(t, u.Query().Get("scope"), "https://graph.microsoft.com/Mail.ReadWrite")
	require.ErrorIs(t, p.RedirectError(url.Values{"error": {"access_denied"}}), provider.ErrAuth)
	require.NoError(t, p.RedirectError(url.Values{"code": {"1"}}))
}

// What the token endpoint says of a grant, and who has to act.
func TestRefusedRefreshes(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		700082: provider.ErrAuth, 50173: provider.ErrAuth, 50076: provider.ErrAuth, 53003: provider.ErrAuth,
		65001: provider.ErrAuth, 7000215: provider.ErrConfig, 50105: provider.ErrAdminConsent,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, outlook.Options{}, outlooktest.Config{})
			w.a.ExpireTokens()
			w.a.RefuseTokens(code)
			m := w.open(t)
			time.Sleep(3 * time.Hour)
			got := follow(t.Context(), m, "", provider.Walk{})
			require.ErrorIs(t, got.err, want, "AADSTS%d", code)
		})
	}
}

func TestScopesThatWereLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		s := outlooktest.New(t, outlooktest.Config{Pipe: true, Approve: func(c outlooktest.Consent) outlooktest.Decision {
			return outlooktest.Decision{Scopes: []string{"openid", "profile", "email", "offline_access", "User.Read", "Mail.ReadWrite"}}
		}})
		s.Account("owner@own.example")
		w.s = s
		w.o.HTTP = s.Client()
		p := w.provider(t)
		address, err := p.AuthURL(t.Context(), provider.AuthRequest{State: "state", Verifier: verifier, RedirectURL: "https://host.example/back"})
		require.NoError(t, err)
		back, err := s.Follow(t.Context(), address)
		require.NoError(t, err)
		_, err = p.Exchange(t.Context(), provider.AuthResponse{Code: back.Query().Get("code"), Verifier: verifier, RedirectURL: "https://host.example/back"})
		missing, ok := errors.AsType[*provider.ScopeError](err)
		require.True(t, ok, "got %v", err)
		require.Equal(t, []string{"Mail.Send"}, missing.Missing)
	})
}

const verifier = "verifier-verifier-verifier-verifier-verifier-2"

func TestCredentialsOfOthers(t *testing.T) {
	t.Parallel()
	p, err := outlook.New(outlook.Options{ClientID: "c", ClientSecret: "s"})
	require.NoError(t, err)
	for text, want := range map[string]error{
		"": provider.ErrAuth, "{}": provider.ErrAuth, "not JSON": provider.ErrAuth,
		`{"v":1,"id":"o","tenant":"t","token":{}}`: provider.ErrAuth, `{"v":2}`: provider.ErrConfig,
	} {
		_, err := p.Open(t.Context(), provider.NewCredential([]byte(text)), nil)
		require.ErrorIs(t, err, want, text)
	}
	require.ErrorIs(t, p.Revoke(t.Context(), provider.Credential{}), provider.ErrAuth)
}

// Microsoft gives a new refresh token at each use; it is stored before it is used.
func TestRefreshTokensAreStoredBeforeUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{RefuseUsedRefresh: true})
		before := string(w.cred.Reveal())
		for range 3 {
			time.Sleep(3 * time.Hour)
			require.NoError(t, follow(t.Context(), w.open(t), "", provider.Walk{}).err)
		}
		require.NotEqual(t, before, string(w.cred.Reveal()))
		require.ErrorIs(t, w.provider(t).Revoke(t.Context(), w.cred), errors.ErrUnsupported)
	})
}
