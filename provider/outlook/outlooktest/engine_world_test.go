package outlooktest_test

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// engine is the whole library over a server, in a bubble of synctest.
type engine struct {
	*enginetest.Engine
	t *testing.T
	s *outlooktest.Server
	a *outlooktest.Account
}

// engineConfig is what differs between engines. The zero engineConfig is the service as it is
// documented and observed, and takes all mail.
type engineConfig struct {
	server outlooktest.Config
	o      outlook.Options
	rules  filter.Rules
	strict bool
}

func newEngine(t *testing.T, c engineConfig) *engine {
	t.Helper()
	c.server.Pipe = true
	c.server.Push.Handler = http.HandlerFunc(shakeHands)
	s := outlooktest.New(t, c.server)
	a := s.Account(ann)
	at := s.Endpoints()
	return &engine{t: t, s: s, a: a, Engine: enginetest.New(t, enginetest.Config{
		Server: s, Account: theirs{a},
		Provider: func(logger *slog.Logger) (provider.Provider, error) {
			o := c.o
			o.ClientID, o.ClientSecret, o.HTTP = outlooktest.ClientID, outlooktest.ClientSecret, s.Client()
			o.Endpoints = outlook.Endpoints{Authority: at.LoginURL, Graph: at.GraphURL}
			o.NotificationURL, o.Logger = "https://host.example/push", logger
			return outlook.New(o)
		},
		Secrets: []string{"eyJ", "1.AXo", "0.AXo", "deltatoken=", "skiptoken=", outlooktest.ClientSecret},
		Rules:   c.rules, Strict: c.strict, Built: c.o.Raw == outlook.RawBuilt,
	})}
}

// shakeHands is an endpoint for notifications that looks at none.
func shakeHands(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
}

// theirs is an account as an engine's tests see it.
type theirs struct{ a *outlooktest.Account }

// Deliver implements enginetest.Account.
func (t theirs) Deliver(raw []byte, received time.Time, sent bool) (id string) {
	return t.a.Deliver(raw, outlooktest.Delivery{Received: received, Sent: sent})
}

// MarkRead implements enginetest.Account.
func (t theirs) MarkRead(id string) { t.a.MarkRead(id, true) }

// Star implements enginetest.Account.
func (t theirs) Star(id string) { t.a.Flag(id, true) }

// Spam implements enginetest.Account.
func (t theirs) Spam(id string) { t.a.Move(id, "junkemail") }

// Trash implements enginetest.Account.
func (t theirs) Trash(id string) { t.a.Trash(id) }

// Expire implements enginetest.Account.
func (t theirs) Expire() { t.a.EvictDelta("") }

// aside are the folders no mail is taken from.
var aside = []string{"junkemail", "deleteditems", "drafts", "outbox", "recoverableitemsdeletions"}

// Mail implements enginetest.Account.
func (t theirs) Mail() (all []enginetest.Mail) {
	for _, m := range t.a.Messages() {
		all = append(all, enginetest.Mail{
			ID: provider.RemoteID(m.ImmutableID), Unread: !m.Read, Aside: slices.Contains(aside, m.Folder), Raw: m.Raw,
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
