package gmailtest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

const (
	ann = "ann@acme.example"
	bob = "bob@other.example"

	scopeAll      = "https://mail.google.com/"
	scopeModify   = "https://www.googleapis.com/auth/gmail.modify"
	scopeReadonly = "https://www.googleapis.com/auth/gmail.readonly"
	scopeMetadata = "https://www.googleapis.com/auth/gmail.metadata"
	scopeSend     = "https://www.googleapis.com/auth/gmail.send"
)

// service is Google's own client for the account with these scopes; without any with all.
func service(t testing.TB, s *gmailtest.Server, a *gmailtest.Account, scopes ...string) *gmail.UsersService {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{scopeAll}
	}
	api, err := gmail.NewService(t.Context(), option.WithEndpoint(s.Endpoints().APIURL),
		option.WithHTTPClient(a.Client(scopes...)))
	require.NoError(t, err)
	return api.Users
}

// open starts a server without limits, with an account.
func open(t testing.TB, c gmailtest.Config) (*gmailtest.Server, *gmailtest.Account) {
	t.Helper()
	c.Limits = gmailtest.Unlimited()
	s := gmailtest.New(t, c)
	return s, s.Account(ann)
}

// mail makes a mail from its header fields, each "Name: value", and a body.
func mail(body string, fields ...string) []byte {
	return []byte(strings.Join(fields, "\r\n") + "\r\n\r\n" + body)
}

func hello(n int) []byte {
	return mail("Hello.\r\n", "From: Bob <bob@other.example>", "To: "+ann,
		fmt.Sprintf("Subject: Hello %d", n), fmt.Sprintf("Message-ID: <%d@other.example>", n),
		"Date: Sun, 01 Nov 2026 10:00:00 +0000")
}

func itoa(n int) string { return fmt.Sprint(n) }

func raw64(raw []byte) string { return base64.URLEncoding.EncodeToString(raw) }

func unraw(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	require.NoError(t, err)
	return b
}

func requireStatus(t testing.TB, err error, status int, reason string) {
	t.Helper()
	var e *googleapi.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, status, e.Code)
	require.Len(t, e.Errors, 1)
	require.Equal(t, reason, e.Errors[0].Reason)
}

// consent is a request for consent as a careful application makes it.
const (
	redirect = "http://127.0.0.1:8000/callback"
	verifier = "0123456789-0123456789-0123456789-0123456789"
)

func consentURL(s *gmailtest.Server, change func(url.Values)) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {gmailtest.ClientID}, "redirect_uri": {redirect}, "response_type": {"code"},
		"scope": {"openid email " + scopeReadonly + " " + scopeSend}, "state": {"s&t"},
		"access_type": {"offline"}, "prompt": {"consent"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}
	if change != nil {
		change(q)
	}
	return s.Endpoints().AuthURL + "?" + q.Encode()
}

func exchangeForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect},
		"code_verifier": {verifier}, "client_id": {gmailtest.ClientID},
		"client_secret": {gmailtest.ClientSecret},
	}
}

func refreshForm(token string) url.Values {
	return url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token},
		"client_id": {gmailtest.ClientID}, "client_secret": {gmailtest.ClientSecret},
	}
}

func post(t testing.TB, s *gmailtest.Server, to string, form url.Values) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
