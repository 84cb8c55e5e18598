package outlook_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/provider/providertest"
)

// The promises of package provider, in virtual time: what the checks deliver is new by the clock.
func TestMailbox(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o      outlook.Options
		c      outlooktest.Config
		faults []outlooktest.Fault
	}{
		"documented limits": {},
		"one at a time": {o: outlook.Options{PageSize: 1, Quota: outlook.Quota{InFlight: 1}},
			c: outlooktest.Config{Limits: outlooktest.Unlimited()}},
		"small pages":             {o: outlook.Options{PageSize: 7}},
		"big pages":               {o: outlook.Options{PageSize: 800}},
		"sent at once":            {o: outlook.Options{SendAtOnce: true}},
		"built":                   {o: outlook.Options{Raw: outlook.RawBuilt}},
		"built, small pages":      {o: outlook.Options{Raw: outlook.RawBuilt, PageSize: 3}},
		"empty pages":             {o: outlook.Options{PageSize: 5}, c: outlooktest.Config{Delta: outlooktest.Delta{EmptyPageEvery: 2}}},
		"doubled records":         {c: outlooktest.Config{Delta: outlooktest.Delta{DuplicateEvery: 2}}},
		"lost moves":              {c: outlooktest.Config{Delta: outlooktest.Delta{LoseMoves: true, MoveReason: "changed"}}},
		"used refresh tokens die": {c: outlooktest.Config{RefuseUsedRefresh: true, TokenLife: 400 * time.Second}},
		"busy service":            {faults: []outlooktest.Fault{{Match: reads, Times: -1, Rate: 0.05, Seed: 1, Reply: outlooktest.Unavailable()}}},
		"refusals": {faults: []outlooktest.Fault{
			{Match: reads, Times: -1, Rate: 0.02, Seed: 2, Reply: outlooktest.Throttled()},
			{Match: reads, Times: -1, Rate: 0.02, Seed: 3, Reply: outlooktest.Page(502)},
			{Match: reads, Times: -1, Rate: 0.02, Seed: 4, Reply: outlooktest.Bare(500)},
		}},
		"bad connections": {o: outlook.Options{PageSize: 3}, c: outlooktest.Config{Limits: outlooktest.Unlimited()},
			faults: []outlooktest.Fault{
				{Match: reads, Times: -1, Rate: 0.02, Seed: 4, Break: outlooktest.CloseServed},
				// Of a raw message nobody could tell.
				{Match: readsJSON, Times: -1, Rate: 0.02, Seed: 5, Break: outlooktest.Shorten},
				{Match: reads, Times: -1, Rate: 0.02, Seed: 6, Break: outlooktest.Truncate},
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.o.Quota.InFlight == 1 && testing.Short() {
				t.Skip("-short: one call at a time, a batch for each mail, takes as long as all the others")
			}
			for _, check := range providertest.Checks() {
				t.Run(check.Name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, c.o, c.c)
						for _, f := range c.faults {
							w.s.Fail(f)
						}
						if check.Needs == nil || check.Needs(w, w.open(t)) {
							check.Run(t, w)
						}
					})
				})
			}
		})
	}
}

// reads says whether a request only reads.
func reads(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/me/")
}

// readsJSON says whether a request reads something that has an end of its own.
func readsJSON(r *http.Request) bool {
	return reads(r) && !strings.HasSuffix(r.URL.Path, "value") && !strings.HasSuffix(r.URL.Path, "count")
}

// testT is what a world needs of *testing.T and providertest.T.
type testT interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// world is one account of a server, and the provider that opens it.
type world struct {
	s    *outlooktest.Server
	a    *outlooktest.Account
	o    outlook.Options
	cred provider.Credential
}

var (
	_ providertest.Placer    = (*world)(nil)
	_ providertest.Mover     = (*world)(nil)
	_ providertest.Reader    = (*world)(nil)
	_ providertest.Remover   = (*world)(nil)
	_ providertest.Expirer   = (*world)(nil)
	_ providertest.Revoker   = (*world)(nil)
	_ providertest.Throttler = (*world)(nil)

	_ providertest.AnswerLoser = (*world)(nil)
)

// noon is when the worlds begin, an hour after the checks deliver most of their mail.
var noon = time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)

// newWorld starts a server, inside a bubble, with one account that has consented.
func newWorld(t testT, o outlook.Options, c outlooktest.Config) *world {
	t.Helper()
	time.Sleep(time.Until(noon))
	c.Pipe = true
	if c.Push.Handler == nil {
		c.Push.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
		})
	}
	if o.NotificationURL == "" {
		o.NotificationURL = "https://host.example/push"
	}
	s := outlooktest.New(t, c)
	e := s.Endpoints()
	o.ClientID, o.ClientSecret, o.HTTP = outlooktest.ClientID, outlooktest.ClientSecret, s.Client()
	o.Endpoints = outlook.Endpoints{Authority: e.LoginURL, Graph: e.GraphURL}
	w := &world{s: s, a: s.Account("owner@own.example"), o: o}
	w.consent(t)
	s.ResetStats()
	return w
}

// consent connects the account as its owner does.
func (w *world) consent(t testT) {
	t.Helper()
	p := w.provider(t)
	const verifier = "verifier-verifier-verifier-verifier-verifier-1"
	address, err := p.AuthURL(t.Context(), provider.AuthRequest{State: "state", Verifier: verifier,
		RedirectURL: "https://host.example/back", LoginHint: w.a.Address()})
	if err != nil {
		t.Fatalf("AuthURL: %v", err)
	}
	back, err := w.s.Follow(t.Context(), address)
	if err != nil {
		t.Fatalf("consent page: %v", err)
	}
	consent, err := p.Exchange(t.Context(), provider.AuthResponse{Code: back.Query().Get("code"),
		Verifier: verifier, RedirectURL: "https://host.example/back"})
	if err != nil {
		t.Fatalf("Exchange: %v", err)
	}
	w.cred = consent.Credential
}

func (w *world) provider(t testT) *outlook.Provider {
	t.Helper()
	p, err := outlook.New(w.o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return p
}

// Open opens the mailbox with a provider of its own, as another process does.
func (w *world) Open(t providertest.T) provider.Mailbox { return w.open(t) }

func (w *world) open(t testT) provider.Mailbox {
	t.Helper()
	m, err := w.provider(t).Open(t.Context(), w.cred, func(_ context.Context, c provider.Credential) error {
		w.cred = c
		return nil
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return m
}

func (w *world) Deliver(_ providertest.T, m providertest.Mail) provider.RemoteID {
	return provider.RemoteID(w.a.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received}))
}

// folders of the kinds of folder.
var folders = map[provider.Folder]string{
	provider.FolderMail: "inbox", provider.FolderDraft: "drafts", provider.FolderSpam: "junkemail",
	provider.FolderTrash: "deleteditems", provider.FolderChat: "conversationhistory",
}

func (w *world) DeliverTo(
	_ providertest.T, m providertest.Mail, folder provider.Folder, unread, sent bool,
) provider.RemoteID {
	d := outlooktest.Delivery{Received: m.Received, Folder: folders[folder], Read: !unread, Sent: sent}
	if sent {
		d.Folder = ""
	}
	return provider.RemoteID(w.a.Deliver(m.Raw, d))
}

func (w *world) Move(_ providertest.T, id provider.RemoteID, folder provider.Folder) {
	w.a.Move(string(id), folders[folder])
}

func (w *world) MarkRead(_ providertest.T, id provider.RemoteID) { w.a.MarkRead(string(id), true) }
func (w *world) Remove(_ providertest.T, id provider.RemoteID)   { w.a.Delete(string(id)) }
func (w *world) ExpireCursors(providertest.T)                    { w.a.EvictDelta("") }
func (w *world) Revoke(providertest.T)                           { w.a.Revoke() }
func (w *world) Reconnect(t providertest.T)                      { w.consent(t) }

func (w *world) Throttle(_ providertest.T, calls int, after time.Duration) {
	w.s.Fail(outlooktest.Fault{Times: calls, Reply: outlooktest.Throttled().WithRetryAfter(after)})
}

func (w *world) LoseAnswerOfSend(providertest.T) {
	w.s.Fail(outlooktest.Fault{Match: func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/send") || strings.HasSuffix(r.URL.Path, "/sendMail")
	}, Times: 1, Break: outlooktest.CloseServed})
}

func TestNewWorldHasConsented(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		account, err := w.open(t).(provider.Addresses).Account(t.Context())
		require.NoError(t, err)
		require.Equal(t, w.a.Tenant()+"/"+w.a.ObjectID(), account.ID)
		require.Equal(t, w.a.Address(), account.Address)
	})
}
