package gmailtest_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
)

const engineTopic = "projects/p/topics/mail"

// engine is the whole library over a server, in a bubble of synctest.
type engine struct {
	*enginetest.Engine
	t *testing.T
	s *gmailtest.Server
	a *gmailtest.Account
}

// engineConfig is what differs between engines. The zero engineConfig has no limits, takes all mail
// and is frugal.
type engineConfig struct {
	limits gmailtest.Limits
	quota  gmail.Quota
	rules  filter.Rules
	strict bool
	poll   time.Duration // a pushed inbox is polled six times as seldom
}

func newEngine(t *testing.T, c engineConfig) *engine {
	t.Helper()
	if c.limits.PerMinute == 0 {
		c.limits = gmailtest.Unlimited()
		c.quota = gmail.Quota{InFlight: 8}
	}
	s := gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: c.limits})
	a := s.Account(ann)
	at := s.Endpoints()
	return &engine{t: t, s: s, a: a, Engine: enginetest.New(t, enginetest.Config{
		Server: s, Account: theirs{a},
		Provider: func(logger *slog.Logger) (provider.Provider, error) {
			return gmail.New(gmail.Options{
				ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, HTTP: s.Client(),
				Endpoints: gmail.Endpoints{Auth: at.AuthURL, Token: at.TokenURL, Revoke: at.RevokeURL, API: at.APIURL},
				Quota:     c.quota, Topic: engineTopic, Logger: logger,
			})
		},
		Secrets: []string{"ya29.", "1//0", "4/0", gmailtest.ClientSecret},
		Rules:   c.rules, Strict: c.strict, Poll: c.poll,
	})}
}

// theirs is an account as an engine's tests see it.
type theirs struct{ a *gmailtest.Account }

// Deliver implements enginetest.Account.
func (t theirs) Deliver(raw []byte, received time.Time, sent bool) (id string) {
	return t.a.Deliver(raw, gmailtest.Delivery{Received: received, Sent: sent})
}

// MarkRead implements enginetest.Account.
func (t theirs) MarkRead(id string) { t.a.RemoveLabels(id, "UNREAD") }

// Star implements enginetest.Account.
func (t theirs) Star(id string) { t.a.AddLabels(id, "STARRED") }

// Spam implements enginetest.Account.
func (t theirs) Spam(id string) { t.a.Spam(id) }

// Trash implements enginetest.Account.
func (t theirs) Trash(id string) { t.a.Trash(id) }

// Expire implements enginetest.Account.
func (t theirs) Expire() { t.a.ExpireHistory() }

// Mail implements enginetest.Account.
func (t theirs) Mail() (all []enginetest.Mail) {
	for _, m := range t.a.Messages() {
		has := make(map[string]bool)
		for _, l := range m.Labels {
			has[l] = true
		}
		all = append(all, enginetest.Mail{
			ID: provider.RemoteID(m.ID), Unread: has["UNREAD"], Aside: has["SPAM"] || has["TRASH"], Raw: m.Raw,
		})
	}
	return all
}

// Sent implements enginetest.Account.
func (t theirs) Sent() (all [][]byte) {
	for _, m := range t.a.Sent() {
		all = append(all, m.Raw)
	}
	return all
}
