package gmail_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

const (
	ownAddress = "ann@acme.example"
	redirect   = "https://host.example/consent"
	verifier   = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// office is one server with one account, and a provider that is connected to it.
type office struct {
	s *gmailtest.Server
	a *gmailtest.Account
	p *gmail.Provider

	mu    sync.Mutex
	saved []provider.Credential
	deny  error // what storing a credential answers
}

func newOffice(t testing.TB, c gmailtest.Config, edit ...func(*gmail.Options)) *office {
	t.Helper()
	s := gmailtest.New(t, c)
	o := &office{s: s, a: s.Account(ownAddress)}
	o.p = o.provider(t, edit...)
	return o
}

func (o *office) provider(t testing.TB, edit ...func(*gmail.Options)) *gmail.Provider {
	t.Helper()
	e := o.s.Endpoints()
	options := gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, HTTP: o.s.Client(),
		Endpoints: gmail.Endpoints{Auth: e.AuthURL, Token: e.TokenURL, Revoke: e.RevokeURL, API: e.APIURL},
	}
	for _, it := range edit {
		it(&options)
	}
	p, err := gmail.New(options)
	require.NoError(t, err)
	return p
}

// consent goes to the consent page and back.
func (o *office) consent(t testing.TB) (provider.Consent, error) {
	t.Helper()
	page, err := o.p.AuthURL(t.Context(), provider.AuthRequest{
		State: "state-1", Verifier: verifier, RedirectURL: redirect, LoginHint: ownAddress,
	})
	require.NoError(t, err)
	back, err := o.s.Follow(t.Context(), page)
	require.NoError(t, err)
	if err := o.p.RedirectError(back.Query()); err != nil {
		return provider.Consent{}, err
	}
	require.Equal(t, "state-1", back.Query().Get("state"))
	return o.p.Exchange(t.Context(), provider.AuthResponse{
		Code: back.Query().Get("code"), Verifier: verifier, RedirectURL: redirect,
	})
}

func (o *office) connect(t testing.TB) provider.Mailbox {
	t.Helper()
	c, err := o.consent(t)
	require.NoError(t, err)
	return o.open(t, c.Credential)
}

func (o *office) open(t testing.TB, c provider.Credential) provider.Mailbox {
	t.Helper()
	m, err := o.p.Open(t.Context(), c, func(_ context.Context, c provider.Credential) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.deny != nil {
			return o.deny
		}
		o.saved = append(o.saved, c)
		return nil
	})
	require.NoError(t, err)
	return m
}

func (o *office) requests(method string) int { return o.s.Stats().Requests[method] }

func is[T any](t testing.TB, m provider.Mailbox) T {
	t.Helper()
	c, ok := provider.As[T](m)
	require.True(t, ok)
	return c
}

// letter is a mail with a marker to send.
func letter(marker, subject, more string) string {
	return "From: Ann <" + ownAddress + ">\r\nTo: bob@client.example\r\nSubject: " + subject +
		"\r\nMessage-ID: <" + marker + "@acme.example>\r\n" + provider.MarkerHeader + ": " + marker + "\r\n" +
		more + "\r\nHello Bob.\r\n"
}

func outgoing(marker, raw string, thread provider.ThreadID) provider.Outgoing {
	return provider.Outgoing{
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(raw)), nil },
		Size: int64(len(raw)), Thread: thread, Marker: marker,
	}
}

// seconds lets a test count what leaves besides the server.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
