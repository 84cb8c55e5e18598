package gmail_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/providertest"
)

func TestMailbox(t *testing.T) {
	t.Parallel()
	providertest.Mailbox(t, func(t providertest.T) providertest.Harness {
		return newWorld(t, unlimited, gmailtest.Config{Limits: gmailtest.Unlimited()})
	})
}

// unlimited is a quota without limits but the calls in flight.
var unlimited = gmail.Options{Quota: gmail.Quota{InFlight: 10}}

// The same checks in virtual time, where waiting for quota costs nothing.
func TestMailboxUnderQuotaAndFaults(t *testing.T) {
	t.Parallel()
	legacy := gmail.Options{Quota: gmail.LegacyProject()}
	for name, c := range map[string]struct {
		o      gmail.Options
		limits gmailtest.Limits
		faults []gmailtest.Fault
	}{
		"new project":    {limits: gmailtest.NewProject()},
		"legacy project": {o: legacy, limits: gmailtest.LegacyProject()},
		"one at a time":  {o: gmail.Options{PageSize: 1, Quota: gmail.Quota{InFlight: 1}}},
		"small pages":    {o: gmail.Options{PageSize: 7, MaxQuery: 200}},
		"big pages":      {o: gmail.Options{PageSize: 500}},
		"busy service":   {faults: []gmailtest.Fault{{Match: reads, Times: -1, Rate: 0.1, Seed: 1}}},
		"refusals": {faults: []gmailtest.Fault{
			{Match: reads, Times: -1, Rate: 0.05, Seed: 2, Reply: gmailtest.TooManyConcurrent()},
			{Match: reads, Times: -1, Rate: 0.05, Seed: 3, Reply: gmailtest.MinuteExceeded(403)},
		}},
		// Without limits: an empty refusal says nothing of a limit.
		"bad connections": {o: gmail.Options{PageSize: 3}, limits: gmailtest.Unlimited(), faults: []gmailtest.Fault{
			{Match: reads, Times: -1, Rate: 0.05, Seed: 4, Break: gmailtest.CloseServed},
			{Match: reads, Times: -1, Rate: 0.05, Seed: 5, Break: gmailtest.Shorten},
			{Match: reads, Times: -1, Rate: 0.05, Seed: 6, Break: gmailtest.Truncate},
			{Match: reads, Times: -1, Rate: 0.05, Seed: 7, Break: gmailtest.Empty},
		}},
		"lists with ids of mail that is gone": {faults: []gmailtest.Fault{
			{Method: "messages.list", Times: -1, Break: gmailtest.Phantoms},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.o.Quota.InFlight == 1 && testing.Short() {
				t.Skip("-short: one call at a time, a batch for each mail, takes as long as all the others")
			}
			start := func(t testT) *world {
				// The bubble's clock begins in 2000, before all mail of the checks.
				time.Sleep(time.Until(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)))
				w := newWorld(t, c.o, gmailtest.Config{Limits: c.limits, Pipe: true})
				for _, f := range c.faults {
					w.s.Fail(f)
				}
				return w
			}
			for _, check := range providertest.Checks() {
				t.Run(check.Name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						w := start(t)
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
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/users/")
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
	s    *gmailtest.Server
	a    *gmailtest.Account
	o    gmail.Options
	cred provider.Credential
}

var (
	_ providertest.Placer      = (*world)(nil)
	_ providertest.Mover       = (*world)(nil)
	_ providertest.Reader      = (*world)(nil)
	_ providertest.Remover     = (*world)(nil)
	_ providertest.Expirer     = (*world)(nil)
	_ providertest.Revoker     = (*world)(nil)
	_ providertest.Throttler   = (*world)(nil)
	_ providertest.AnswerLoser = (*world)(nil)
)

// newWorld starts a server with one account that has consented.
func newWorld(t testT, o gmail.Options, c gmailtest.Config) *world {
	t.Helper()
	s := gmailtest.New(t, c)
	e := s.Endpoints()
	o.ClientID, o.ClientSecret, o.HTTP = gmailtest.ClientID, gmailtest.ClientSecret, s.Client()
	o.Topic = "projects/p/topics/mail"
	o.Endpoints = gmail.Endpoints{Auth: e.AuthURL, Token: e.TokenURL, Revoke: e.RevokeURL, API: e.APIURL}
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

func (w *world) provider(t testT) *gmail.Provider {
	t.Helper()
	p, err := gmail.New(w.o)
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
	return provider.RemoteID(w.a.Deliver(m.Raw, gmailtest.Delivery{Received: m.Received}))
}

// labels of the kinds of folder.
var labels = map[provider.Folder][]string{
	provider.FolderMail: nil, provider.FolderDraft: {"DRAFT"}, provider.FolderSpam: {"SPAM"},
	provider.FolderTrash: {"TRASH"}, provider.FolderChat: {"CHAT"},
}

func (w *world) DeliverTo(
	_ providertest.T, m providertest.Mail, folder provider.Folder, unread, sent bool,
) provider.RemoteID {
	return provider.RemoteID(w.a.Deliver(m.Raw, gmailtest.Delivery{Received: m.Received,
		Labels: labels[folder], Read: !unread, Sent: sent}))
}

func (w *world) Move(_ providertest.T, id provider.RemoteID, folder provider.Folder) {
	if folder == provider.FolderMail {
		w.a.RemoveLabels(string(id), "TRASH", "SPAM")
		w.a.AddLabels(string(id), "INBOX")
		return
	}
	w.a.AddLabels(string(id), labels[folder]...)
	w.a.RemoveLabels(string(id), "INBOX")
}

func (w *world) MarkRead(_ providertest.T, id provider.RemoteID) {
	w.a.RemoveLabels(string(id), "UNREAD")
}
func (w *world) Remove(_ providertest.T, id provider.RemoteID) { w.a.Delete(string(id)) }
func (w *world) ExpireCursors(providertest.T)                  { w.a.ExpireHistory() }
func (w *world) Revoke(providertest.T)                         { w.a.Revoke() }
func (w *world) Reconnect(t providertest.T)                    { w.consent(t) }

func (w *world) Throttle(_ providertest.T, calls int, after time.Duration) {
	w.s.Fail(gmailtest.Fault{Times: calls, Reply: gmailtest.TooManyConcurrent().WithRetryAfter(after)})
}

func (w *world) LoseAnswerOfSend(providertest.T) {
	w.s.Fail(gmailtest.Fault{Method: "messages.send", Break: gmailtest.CloseServed})
}

func TestNewWorldHasConsented(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gmail.Options{}, gmailtest.Config{})
	account, err := w.open(t).(provider.Addresses).Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, w.a.Sub(), account.ID)
	require.Equal(t, w.a.Address(), account.Address)
}
