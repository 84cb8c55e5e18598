package gmail_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestNewNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := gmail.New(gmail.Options{
		PageSize: 501, MaxQuery: -1, Topic: "mail",
		Endpoints: gmail.Endpoints{API: "gmail.googleapis.com"},
		Quota:     gmail.Quota{PerMinute: -1, Interactive: 1, Prices: gmail.Prices{Get: -1}},
	})
	require.ErrorIs(t, err, provider.ErrConfig)
	for _, want := range []string{
		"ClientID is missing", "ClientSecret is missing", "PageSize", "MaxQuery", "Topic",
		"Endpoints.API", "negative limit", "Interactive", "negative price",
	} {
		require.ErrorContains(t, err, want)
	}
	p, err := gmail.New(gmail.Options{ClientID: "id", ClientSecret: "secret"})
	require.NoError(t, err)
	require.Equal(t, gmail.Kind, p.Kind())
	require.Equal(t, provider.Kind("gmail"), p.Kind())
}

func TestAuthURLAsksForOfflineAccessWithProofKey(t *testing.T) {
	t.Parallel()
	p, err := gmail.New(gmail.Options{ClientID: "id", ClientSecret: "s3cret"})
	require.NoError(t, err)
	req := provider.AuthRequest{State: "st", Verifier: verifier, RedirectURL: redirect, LoginHint: ownAddress}
	page, err := p.AuthURL(t.Context(), req)
	require.NoError(t, err)
	u, err := url.Parse(page)
	require.NoError(t, err)
	require.Equal(t, "https://accounts.google.com/o/oauth2/v2/auth", u.Scheme+"://"+u.Host+u.Path)
	require.Equal(t, url.Values{
		"client_id": {"id"}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"st"},
		"scope":          {"openid email " + gmail.ScopeRead + " " + gmail.ScopeSend},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, // RFC 7636 appendix B
		"access_type":    {"offline"}, "prompt": {"consent"}, "include_granted_scopes": {"true"},
		"code_challenge_method": {"S256"}, "login_hint": {ownAddress},
	}, u.Query())
	require.NotContains(t, page, verifier)
	require.NotContains(t, page, "s3cret")

	for _, without := range []func(*provider.AuthRequest){
		func(r *provider.AuthRequest) { r.State = "" },
		func(r *provider.AuthRequest) { r.Verifier = "" },
		func(r *provider.AuthRequest) { r.RedirectURL = "" },
	} {
		bad := req
		without(&bad)
		_, err := p.AuthURL(t.Context(), bad)
		require.ErrorIs(t, err, provider.ErrConfig)
	}
}

func TestReadOnlyAsksForReadingAlone(t *testing.T) {
	t.Parallel()
	p, err := gmail.New(gmail.Options{ClientID: "id", ClientSecret: "s", ReadOnly: true})
	require.NoError(t, err)
	require.Equal(t, []string{"openid", "email", gmail.ScopeRead}, p.Scopes())
}

func TestConsentConnectsTheMailbox(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	o.a.AddSendAs(gmailtest.SendAs{Address: "sales@acme.example", Verified: true})
	o.a.AddSendAs(gmailtest.SendAs{Address: "pending@acme.example"})
	c, err := o.consent(t)
	require.NoError(t, err)
	require.Equal(t, provider.Account{
		ID: o.a.Sub(), Address: ownAddress, Aliases: []string{"sales@acme.example"},
	}, c.Account)
	require.Contains(t, c.Scopes, gmail.ScopeRead)
	require.Contains(t, c.Scopes, gmail.ScopeSend)

	before := o.s.Stats()
	m := o.open(t, c.Credential)
	require.Equal(t, before.Requests, o.s.Stats().Requests, "Open calls nothing")
	again, err := is[provider.Addresses](t, m).Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, c.Account, again)
}

func TestCodeAndVerifierAreCheckedByTheService(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	page, err := o.p.AuthURL(t.Context(), provider.AuthRequest{State: "s", Verifier: verifier, RedirectURL: redirect})
	require.NoError(t, err)
	back, err := o.s.Follow(t.Context(), page)
	require.NoError(t, err)
	code := back.Query().Get("code")
	_, err = o.p.Exchange(t.Context(), provider.AuthResponse{Code: code, Verifier: verifier + "x", RedirectURL: redirect})
	require.ErrorIs(t, err, provider.ErrAuth)
	require.NotContains(t, err.Error(), code)
	require.NotContains(t, err.Error(), verifier)
}

func TestScopesLeftOutAreNamedAndTheTokenIsDropped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		granted []string
		missing []string
	}{
		{"no reading", []string{"openid", "email", gmail.ScopeSend}, []string{gmail.ScopeRead}},
		{"no sending", []string{"openid", "email", gmail.ScopeRead}, []string{gmail.ScopeSend}},
		{"neither", []string{"openid", "email"}, []string{gmail.ScopeRead, gmail.ScopeSend}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, gmailtest.Config{
				Approve: func(gmailtest.Consent) gmailtest.Decision { return gmailtest.Decision{Scopes: c.granted} },
			})
			_, err := o.consent(t)
			require.ErrorIs(t, err, provider.ErrInsufficientScope)
			scope, ok := err.(interface{ Unwrap() error })
			require.True(t, ok)
			require.Equal(t, &provider.ScopeError{Missing: c.missing}, scope.Unwrap())
			require.Equal(t, 1, o.requests("revoke"))
			require.Zero(t, o.requests("getProfile"), "nothing is read without consent")
		})
	}
}

func TestRedirectErrorsSayWhoMustAct(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"access_denied": provider.ErrAuth, "admin_policy_enforced": provider.ErrAdminConsent,
		"org_internal": provider.ErrAdminConsent, "redirect_uri_mismatch": provider.ErrConfig,
		"temporarily_unavailable": provider.ErrRetry,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, gmailtest.Config{
				Approve: func(gmailtest.Consent) gmailtest.Decision { return gmailtest.Decision{Error: code} },
			})
			_, err := o.consent(t)
			require.ErrorIs(t, err, want)
		})
	}
}

func TestAccountWithoutGmailMustConnectAnother(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	o.a.MailServiceOff(true)
	_, err := o.consent(t)
	require.ErrorIs(t, err, provider.ErrAuth)
	require.ErrorContains(t, err, "Mail service not enabled")
	require.NotContains(t, err.Error(), "acme")
}

func TestRevokeEndsTheGrantAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	c, err := o.consent(t)
	require.NoError(t, err)
	require.NoError(t, o.p.Revoke(t.Context(), c.Credential))
	_, err = is[provider.Addresses](t, o.open(t, c.Credential)).Account(t.Context())
	require.ErrorIs(t, err, provider.ErrAuth)
	require.NoError(t, o.p.Revoke(t.Context(), c.Credential), "a dead grant is no error")
	require.ErrorIs(t, o.p.Revoke(t.Context(), provider.Credential{}), provider.ErrAuth)
}

func TestOpenRefusesWhatIsNoCredentialOfOurs(t *testing.T) {
	t.Parallel()
	p, err := gmail.New(gmail.Options{ClientID: "id", ClientSecret: "s"})
	require.NoError(t, err)
	for text, want := range map[string]error{
		"":            provider.ErrAuth,
		"s3cret junk": provider.ErrAuth,
		`{"v":1}`:     provider.ErrAuth,
		`{"v":0,"id":"1","token":{"refresh":"s3cret"}}`:           provider.ErrAuth,
		`{"v":1,"id":"","token":{"refresh":"s3cret"}}`:            provider.ErrAuth,
		`{"v":1,"id":"1","token":{"access":"s3cret"}}`:            provider.ErrAuth,
		`{"v":2,"id":"1","token":{"refresh":"s3cret"}}`:           provider.ErrConfig,
		`{"v":1,"id":"1","token":{"refresh":5,"access":"s3cret"`:  provider.ErrAuth,
		`{"v":1,"id":"1","token":{"refresh":["s3cret"],"v":"s"}}`: provider.ErrAuth,
	} {
		_, err := p.Open(t.Context(), provider.NewCredential([]byte(text)), nil)
		require.ErrorIs(t, err, want, text)
		require.NotContains(t, err.Error(), "s3cret")
	}
	m, err := p.Open(t.Context(), provider.NewCredential([]byte(`{"v":1,"id":"1","token":{"refresh":"s3cret"}}`)), nil)
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v", m), "s3cret")
}

func TestTokenRefusedBeforeItsTimeIsRefreshedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{RotateRefresh: true})
	m := o.connect(t)
	o.s.ResetStats()
	o.a.ExpireTokens()
	_, err := is[provider.Addresses](t, m).Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, o.requests("token"))
	require.Equal(t, 2, o.requests("getProfile"), "refused once, then served")
	require.Len(t, o.saved, 1, "the new token is stored")

	// What was stored is enough for another process, although the former refresh token is dead.
	_, err = is[provider.Addresses](t, o.open(t, o.saved[0])).Account(t.Context())
	require.NoError(t, err)
}

func TestTokenThatCannotBeStoredIsNotUsed(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{RotateRefresh: true})
	m := o.connect(t)
	o.deny = fmt.Errorf("the disk is full")
	o.a.ExpireTokens()
	_, err := is[provider.Addresses](t, m).Account(t.Context())
	require.ErrorIs(t, err, o.deny)
	require.NotContains(t, err.Error(), "acme")
	require.Equal(t, 2, o.requests("getProfile"), "one to connect, one with the dead token")
}

func TestRevokedGrantIsAskedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	m := o.connect(t)
	o.a.Revoke()
	o.s.ResetStats()
	for range 3 {
		_, err := is[provider.Addresses](t, m).Account(t.Context())
		require.ErrorIs(t, err, provider.ErrAuth)
	}
	require.Equal(t, 1, o.requests("token"))
}

func TestWrongClientSecretBlamesTheHost(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	c, err := o.consent(t)
	require.NoError(t, err)
	o.p = o.provider(t, func(o *gmail.Options) { o.ClientSecret = "other" })
	o.a.ExpireTokens()
	_, err = is[provider.Addresses](t, o.open(t, c.Credential)).Account(t.Context())
	require.ErrorIs(t, err, provider.ErrConfig)
	require.NotErrorIs(t, err, provider.ErrAuth)
}

func TestRedirectsAreNotFollowedWithTheToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	c, err := o.consent(t)
	require.NoError(t, err)
	elsewhere := 0
	o.p = o.provider(t, func(o *gmail.Options) {
		o.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "elsewhere.example" {
				elsewhere++
			}
			return &http.Response{
				StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://elsewhere.example/"}},
				Body: http.NoBody, Request: r,
			}, nil
		})}
	})
	_, err = is[provider.Addresses](t, o.open(t, c.Credential)).Account(t.Context())
	require.ErrorContains(t, err, "302")
	require.Zero(t, elsewhere)
}

func TestAccountIsAskedAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true})
		m := is[provider.Addresses](t, o.connect(t))
		o.s.ResetStats()
		for range 3 {
			a, err := m.Account(t.Context())
			require.NoError(t, err)
			a.Aliases = append(a.Aliases, "changed by the caller")
		}
		require.Equal(t, 1, o.requests("settings.sendAs.list"))
		o.a.AddSendAs(gmailtest.SendAs{Address: "sales@acme.example", Verified: true})
		time.Sleep(time.Hour)
		a, err := m.Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"sales@acme.example"}, a.Aliases)
	})
}

func TestTheClientsOwnLogIsOff(t *testing.T) {
	// Not parallel: it sets the environment. The client prints requests and answers at this level.
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug")
	var printed bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&printed, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	o := newOffice(t, gmailtest.Config{})
	_, err := is[provider.Addresses](t, o.connect(t)).Account(t.Context())
	require.NoError(t, err)
	require.Empty(t, printed.String())
}
