package enginetest

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/testserver"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// Ann owns the mailbox, Bob writes to her.
const (
	Ann = "ann@acme.example"
	Bob = "bob@other.example"

	bobsDomain = "other.example"
)

const site = inbox.SiteID("site-1")

// Server is a test server, as the person who consents and who breaks calls sees it.
type Server interface {
	Follow(ctx context.Context, link string) (*url.URL, error)
	Fail(testserver.Fault) *testserver.Injection
	Heal()
}

// Account is what is really in Ann's mailbox, and what she does there with another program.
type Account interface {
	// Deliver puts mail into the inbox, or into the sent mail, and returns its id.
	Deliver(raw []byte, received time.Time, sent bool) (id string)
	MarkRead(id string)
	Star(id string)
	Spam(id string)
	Trash(id string)
	// Expire makes the service forget all that cursors hold on to.
	Expire()
	Mail() []Mail
	// Sent are the mails that left by the API, oldest first, as they left.
	Sent() [][]byte
}

// Mail is one mail of an Account.
type Mail struct {
	ID     provider.RemoteID
	Unread bool
	Aside  bool // it lies where no mail is taken from: spam, trash, drafts
	Raw    []byte
}

// Config is what an Engine is made of.
type Config struct {
	Server  Server
	Account Account
	// Provider is the client of the server; it logs to the logger alone.
	Provider func(*slog.Logger) (provider.Provider, error)
	// Secrets are the beginnings of the server's tokens and codes, and other words that must not be
	// said. The client's secret is one.
	Secrets []string

	Rules  filter.Rules // of the inbox; the zero Rules take all mail
	Strict bool
	Built  bool          // the provider may build raw mail (provider.BuiltHeader)
	Poll   time.Duration // a pushed inbox is polled six times as seldom
}

// Engine is the whole library over a server: the mailbox of Ann's, which carl has connected and shared
// with rita. It is for one goroutine, beside those of Desk.Run.
type Engine struct {
	Store *memory.Store
	Desk  *desk.Desk
	ID    inbox.ID // the one inbox
	// Said is all that was said: the logs, and the errors that callers got.
	Said *Words

	t        *testing.T
	c        Config
	refused  error // what the last consent ended in
	attached []int // bytes of what the last reply carries
}

// November takes the clock of a bubble, which begins in 2000, to a time mail comes from.
func November() { time.Sleep(time.Until(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))) }

// New makes an Engine whose inbox has rules and is not connected.
func New(t *testing.T, c Config) *Engine {
	t.Helper()
	if c.Rules.Mode == "" {
		c.Rules.Mode = filter.All
	}
	e := &Engine{t: t, c: c, Store: memory.New(), Said: &Words{}}
	logger := slog.New(slog.NewTextHandler(e.Said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := c.Provider(logger)
	require.NoError(t, err)
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: site})
	for user, role := range map[acl.UserID]acl.Role{"olga": acl.Owner, "carl": acl.Agent, "rita": acl.Agent} {
		host.AddPerson(inbox.Person{ID: user, Site: site, Role: role, State: acl.Active, Name: string(user)})
	}
	e.Desk, err = desk.New(desk.Config{
		Store: e.Store, Vault: e.Store, Blobs: e.Store, People: host, Sites: host,
		Providers: []provider.Provider{p}, Logger: logger, Inbox: inbox.Config{Strict: c.Strict},
		Poll: c.Poll, PushedPoll: 6 * c.Poll,
	})
	require.NoError(t, err)
	in, err := e.Desk.Inboxes.Create(t.Context(), e.Actor("carl"),
		inbox.Draft{Provider: p.Kind(), Name: "Ann", Import: true})
	require.NoError(t, err)
	e.ID = in.ID
	_, err = e.Desk.Inboxes.SetRules(t.Context(), e.Actor("carl"), e.ID, c.Rules)
	require.NoError(t, err)
	return e
}

// Actor is olga, who owns the site, carl or rita.
func (e *Engine) Actor(user acl.UserID) acl.Actor {
	e.t.Helper()
	a, err := e.Desk.Inboxes.Actor(e.t.Context(), site, user)
	require.NoError(e.t, err)
	return a
}

// consent goes to the consent page as carl and back.
func (e *Engine) consent() error {
	e.t.Helper()
	ctx, s := e.t.Context(), e.Desk.Inboxes
	link, err := s.Connect(ctx, e.Actor("carl"), e.ID, "https://host.example/back")
	require.NoError(e.t, err)
	back, err := e.c.Server.Follow(ctx, link)
	require.NoError(e.t, err)
	_, e.refused = s.Consent(ctx, e.Actor("carl"), e.ID, inbox.ParseReturn(back.Query()))
	return e.Said.keep(e.refused)
}

// finish shares the inbox with rita and ends the set-up.
func (e *Engine) finish() {
	e.t.Helper()
	ctx, s := e.t.Context(), e.Desk.Inboxes
	_, err := s.Share(ctx, e.Actor("carl"), e.ID, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	require.NoError(e.t, err)
	_, err = s.Finish(ctx, e.Actor("carl"), e.ID)
	require.NoError(e.t, err)
}

// Connect does all of the set-up that is left.
func (e *Engine) Connect() {
	e.t.Helper()
	require.NoError(e.t, e.consent())
	e.finish()
}

// Step is what desk.Run does for one inbox now and then.
func (e *Engine) Step() error {
	run, err := e.Desk.Step(e.t.Context(), e.ID)
	require.NoError(e.t, run.Balance())
	return e.Said.keep(err)
}

// round is one turn of desk.Run.
func (e *Engine) round() error {
	_, err := e.Desk.Tickets.Dispatch(e.t.Context(), 0)
	_ = e.Said.keep(err) // it shows in the entry
	return e.Step()
}

// Health is what people are told of the inbox.
func (e *Engine) Health() inbox.Health {
	e.t.Helper()
	h, err := e.Desk.Inboxes.Health(e.t.Context(), e.Actor("carl"), e.ID)
	require.NoError(e.t, err)
	return h
}

// Outgoing are the mails written here, oldest first.
func (e *Engine) Outgoing() []ticket.Entry {
	e.t.Helper()
	var out []ticket.Entry
	for entry, err := range e.Store.Entries(e.t.Context(), ticket.EntryQuery{Inbox: e.ID}) {
		require.NoError(e.t, err)
		if entry.Outgoing != nil {
			out = append(out, entry)
		}
	}
	return out
}

// Runs are the runs of the inbox, oldest first.
func (e *Engine) Runs() (all []inbox.Run) {
	e.t.Helper()
	for r, err := range e.Store.Runs(e.t.Context(), e.ID, 0) {
		require.NoError(e.t, err)
		all = append(all, r)
	}
	return all
}
