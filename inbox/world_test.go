package inbox_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
)

const site inbox.SiteID = "site-1"

var connected = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// world is a site with people, a mail service with one account, and the service under test.
type world struct {
	t       *testing.T
	store   *memory.Store
	host    *memory.Host
	mail    *fake.Service
	account *fake.Account
	svc     *inbox.Service
	notices *recorder

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T, o fake.Options, configure ...func(*inbox.Config)) *world {
	t.Helper()
	w := &world{t: t, store: memory.New(), host: memory.NewHost(), notices: &recorder{}, now: connected}
	o.Now = w.clock
	w.mail = fake.New(o)
	w.account = w.mail.Account("me@firm.example")
	w.host.SetSite(inbox.Settings{ID: site})
	for user, role := range map[acl.UserID]acl.Role{
		"olga": acl.Owner, "carl": acl.Agent, "rita": acl.Agent, "rob": acl.Agent,
		"ina": acl.Agent, "adam": acl.Admin, "zoe": acl.Agent,
	} {
		w.host.AddPerson(inbox.Person{ID: user, Site: site, Role: role, State: acl.Active,
			Name: strings.ToUpper(string(user[:1])) + string(user[1:]), Addresses: []string{string(user) + "@firm.example"}})
	}
	c := inbox.Config{
		Store: w.store, Vault: w.store, Blobs: w.store, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Notifier: w.notices, Now: w.clock,
	}
	for _, f := range configure {
		f(&c)
	}
	var err error
	w.svc, err = inbox.New(c)
	require.NoError(t, err)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) actor(user acl.UserID) acl.Actor {
	w.t.Helper()
	a, err := w.svc.Actor(w.t.Context(), site, user)
	require.NoError(w.t, err)
	return a
}

// client adds a company with domains.
func (w *world) client(name string, domains ...string) inbox.Company {
	w.t.Helper()
	c, err := w.svc.CreateCompany(w.t.Context(), w.actor("olga"), inbox.CompanyEdit{Name: name, Domains: domains})
	require.NoError(w.t, err)
	return c
}

// draft does step 1 and 2 of the set-up for carl.
func (w *world) draft(importing bool, rules filter.Rules) inbox.Inbox {
	w.t.Helper()
	ctx := w.t.Context()
	in, err := w.svc.Create(ctx, w.actor("carl"), inbox.Draft{Provider: "fake", Name: "Carl", Import: importing})
	require.NoError(w.t, err)
	in, err = w.svc.SetRules(ctx, w.actor("carl"), in.ID, rules)
	require.NoError(w.t, err)
	return in
}

// consent does step 3.
func (w *world) consent(id inbox.ID) (inbox.Inbox, error) {
	w.t.Helper()
	ctx := w.t.Context()
	url, err := w.svc.Connect(ctx, w.actor("carl"), id, "https://host.example/back")
	require.NoError(w.t, err)
	return w.svc.Consent(ctx, w.actor("carl"), id, inbox.Return{State: query(w.t, url, "state"), Code: w.account.Address()})
}

// open does all four steps.
func (w *world) open(importing bool, rules filter.Rules, grants ...acl.Grant) inbox.Inbox {
	w.t.Helper()
	ctx := w.t.Context()
	in := w.draft(importing, rules)
	_, err := w.consent(in.ID)
	require.NoError(w.t, err)
	_, err = w.svc.Share(ctx, w.actor("carl"), in.ID, grants...)
	require.NoError(w.t, err)
	in, err = w.svc.Finish(ctx, w.actor("carl"), in.ID)
	require.NoError(w.t, err)
	return in
}

// sync runs one sync and checks that its ledger balances.
func (w *world) sync(id inbox.ID) inbox.Run {
	w.t.Helper()
	run, err := w.svc.Sync(w.t.Context(), id)
	require.NoError(w.t, err)
	require.NoError(w.t, run.Balance())
	return run
}

// stored returns the subjects of what is stored, newest first.
func (w *world) stored(id inbox.ID) []string {
	w.t.Helper()
	var out []string
	for m, err := range w.store.Messages(w.t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(w.t, err)
		out = append(out, m.Subject)
	}
	return out
}

// mailFrom delivers a plain mail some hours before the connection.
func (w *world) mailFrom(from, subject string, hours int, more ...string) provider.RemoteID {
	return w.account.Deliver(mailText(from, w.account.Address(), subject, more...),
		fake.Delivery{Received: connected.Add(-time.Duration(hours) * time.Hour)})
}

// mailText is a small mail; more are further header lines.
func mailText(from, to, subject string, more ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: Mon, 30 Mar 2026 10:00:00 +0000\r\n", from, to, subject)
	has := false
	for _, line := range more {
		has = has || strings.HasPrefix(line, "Message-ID:")
		b.WriteString(line + "\r\n")
	}
	if !has {
		fmt.Fprintf(&b, "Message-ID: <%x@mail.example>\r\n", subject)
	}
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\n\r\nBody of " + subject + "\r\n")
	return []byte(b.String())
}

// recorder keeps notices.
type recorder struct {
	mu   sync.Mutex
	got  []inbox.Notice
	fail error
}

func (r *recorder) Notify(_ context.Context, n inbox.Notice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.got = append(r.got, n)
	return nil
}

func (r *recorder) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, n := range r.got {
		out = append(out, string(n.To.ID)+" "+string(n.Event.Name))
	}
	return out
}

func query(t *testing.T, link, key string) string {
	t.Helper()
	u, err := url.Parse(link)
	require.NoError(t, err)
	return u.Query().Get(key)
}
