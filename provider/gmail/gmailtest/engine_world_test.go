package gmailtest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

const (
	engineSite  = inbox.SiteID("site-1")
	engineTopic = "projects/p/topics/mail"
)

// engine is the whole library over a server, in a bubble of synctest: the mailbox of Ann's, which
// carl has connected and shared with rita.
type engine struct {
	t     *testing.T
	s     *gmailtest.Server
	a     *gmailtest.Account
	store *memory.Store
	desk  *desk.Desk
	id    inbox.ID
	said  *words

	gateway *gateway
	refused error // what the last consent ended in
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

// november takes the clock of a bubble, which begins in 2000, to a time mail comes from.
func november() { time.Sleep(time.Until(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))) }

func newEngine(t *testing.T, c engineConfig) *engine {
	t.Helper()
	if c.limits.PerMinute == 0 {
		c.limits = gmailtest.Unlimited()
		c.quota = gmail.Quota{InFlight: 8}
	}
	if c.rules.Mode == "" {
		c.rules.Mode = filter.All
	}
	e := &engine{t: t, store: memory.New(), said: &words{}}
	e.s = gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: c.limits})
	e.a = e.s.Account(ann)
	e.gateway = &gateway{next: e.s.Client().Transport}
	at := e.s.Endpoints()
	logger := slog.New(slog.NewTextHandler(e.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := gmail.New(gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, HTTP: &http.Client{Transport: e.gateway},
		Endpoints: gmail.Endpoints{Auth: at.AuthURL, Token: at.TokenURL, Revoke: at.RevokeURL, API: at.APIURL},
		Quota:     c.quota, Topic: engineTopic, Logger: logger,
	})
	require.NoError(t, err)
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: engineSite})
	for user, role := range map[acl.UserID]acl.Role{"olga": acl.Owner, "carl": acl.Agent, "rita": acl.Agent} {
		host.AddPerson(inbox.Person{ID: user, Site: engineSite, Role: role, State: acl.Active, Name: string(user)})
	}
	e.desk, err = desk.New(desk.Config{
		Store: e.store, Vault: e.store, Blobs: e.store, People: host, Sites: host,
		Providers: []provider.Provider{p}, Logger: logger, Inbox: inbox.Config{Strict: c.strict},
		Poll: c.poll, PushedPoll: 6 * c.poll,
	})
	require.NoError(t, err)
	in, err := e.desk.Inboxes.Create(t.Context(), e.actor("carl"),
		inbox.Draft{Provider: gmail.Kind, Name: "Ann", Import: true})
	require.NoError(t, err)
	e.id = in.ID
	_, err = e.desk.Inboxes.SetRules(t.Context(), e.actor("carl"), e.id, c.rules)
	require.NoError(t, err)
	return e
}

func (e *engine) actor(user acl.UserID) acl.Actor {
	e.t.Helper()
	a, err := e.desk.Inboxes.Actor(e.t.Context(), engineSite, user)
	require.NoError(e.t, err)
	return a
}

// consent goes to the consent page as carl and back.
func (e *engine) consent() error {
	e.t.Helper()
	ctx, s := e.t.Context(), e.desk.Inboxes
	link, err := s.Connect(ctx, e.actor("carl"), e.id, "https://host.example/back")
	require.NoError(e.t, err)
	back, err := e.s.Follow(ctx, link)
	require.NoError(e.t, err)
	_, e.refused = s.Consent(ctx, e.actor("carl"), e.id, returned(back))
	return e.said.keep(e.refused)
}

func returned(back *url.URL) inbox.Return {
	q := back.Query()
	return inbox.Return{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error")}
}

// finish shares the inbox with rita and ends the set-up.
func (e *engine) finish() {
	e.t.Helper()
	ctx, s := e.t.Context(), e.desk.Inboxes
	_, err := s.Share(ctx, e.actor("carl"), e.id, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	require.NoError(e.t, err)
	_, err = s.Finish(ctx, e.actor("carl"), e.id)
	require.NoError(e.t, err)
}

// connect does all of the set-up that is left.
func (e *engine) connect() {
	e.t.Helper()
	require.NoError(e.t, e.consent())
	e.finish()
}

// step is what desk.Run does for one inbox now and then.
func (e *engine) step() error {
	run, err := e.desk.Step(e.t.Context(), e.id)
	require.NoError(e.t, run.Balance())
	return e.said.keep(err)
}

// round is one turn of desk.Run.
func (e *engine) round() error {
	_, err := e.desk.Tickets.Dispatch(e.t.Context(), 0)
	_ = e.said.keep(err) // it shows in the entry
	return e.step()
}

func (e *engine) health() inbox.Health {
	e.t.Helper()
	h, err := e.desk.Inboxes.Health(e.t.Context(), e.actor("carl"), e.id)
	require.NoError(e.t, err)
	return h
}

// letter delivers a mail of Bob's, received so long ago.
func (e *engine) letter(n int, ago time.Duration, fields ...string) string {
	fields = append([]string{"From: Bob <" + bob + ">", "To: " + ann,
		fmt.Sprintf("Message-ID: <quagga-%d@other.example>", n)}, fields...)
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "Subject:") }) {
		fields = append(fields, fmt.Sprintf("Subject: Zebra number %d", n))
	}
	return e.a.Deliver(mail("Okapi text.\r\n", fields...), gmailtest.Delivery{Received: time.Now().Add(-ago)})
}

// thread delivers three mails of one conversation.
func (e *engine) thread(n int, ago time.Duration) []string {
	ids := []string{e.letter(n, ago, "Subject: Zebra offer")}
	for i := 1; i < 3; i++ {
		answers := fmt.Sprintf("<quagga-%d@other.example>", n+i-1)
		ids = append(ids, e.letter(n+i, ago-time.Duration(i)*time.Minute, "Subject: Re: Zebra offer",
			"In-Reply-To: "+answers, "References: "+answers))
	}
	return ids
}

// reply answers the newest ticket as rita, as large as that many bytes of attachment make it.
func (e *engine) reply(attached int) {
	e.t.Helper()
	var last ticket.Ticket
	for t, err := range e.store.Tickets(e.t.Context(), ticket.Query{AllHidden: true, Limit: 1}) {
		require.NoError(e.t, err)
		last = t
	}
	r := ticket.Reply{Text: "Okapi answer."}
	if attached > 0 {
		r.Attachments = attachment(attached)
	}
	_, err := e.desk.Tickets.Reply(e.t.Context(), e.actor("rita"), last.ID, r)
	require.NoError(e.t, e.said.keep(err))
}

// outgoing are the mails written here, oldest first.
func (e *engine) outgoing() []ticket.Entry {
	e.t.Helper()
	var out []ticket.Entry
	for entry, err := range e.store.Entries(e.t.Context(), ticket.EntryQuery{Inbox: e.id}) {
		require.NoError(e.t, err)
		if entry.Outgoing != nil {
			out = append(out, entry)
		}
	}
	return out
}

// words are all that was said: the logs, and the errors that callers got.
type words struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// keep remembers the text of an error, which it returns.
func (w *words) keep(err error) error {
	if err != nil {
		_, _ = fmt.Fprintln(w, err.Error())
	}
	return err
}

func (w *words) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// secrets are in everything that must not be said: tokens and codes as the server makes them, the
// client's secret, addresses, subjects and texts of the mail here.
var secrets = []string{
	"ya29.", "1//0", "4/0", gmailtest.ClientSecret, ann, bob, "other.example", "acme.example",
	"quagga", "Zebra", "Okapi", "zebra", "okapi",
}

// silent fails when a secret was said.
func (e *engine) silent() {
	e.t.Helper()
	text := e.said.all()
	for _, secret := range secrets {
		if i := strings.Index(text, secret); i >= 0 {
			e.t.Errorf("%q was said: %s", secret, text[max(i-200, 0):min(i+100, len(text))])
		}
	}
}

func runs(ctx context.Context, t *testing.T, e *engine) (all []inbox.Run) {
	t.Helper()
	for r, err := range e.store.Runs(ctx, e.id, 0) {
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}
