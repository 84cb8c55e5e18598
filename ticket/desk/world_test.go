package desk_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

const site inbox.SiteID = "site-1"

// world is a desk over a store in memory and a mail service in memory, in a bubble of synctest: its
// clock moves when everything waits.
type world struct {
	t       *testing.T
	store   *memory.Store
	mail    *fake.Service
	desk    *desk.Desk
	notices *recorder
	logs    *logs
	stop    func()
}

// bubble runs a test with a world in which desk.Run is running, and then stops it: a goroutine that
// is left fails the test.
func bubble(t *testing.T, configure func(*desk.Config), test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, store: memory.New(), mail: fake.New(fake.Options{}), notices: &recorder{}, logs: &logs{}}
		host := memory.NewHost()
		host.SetSite(inbox.Settings{ID: site})
		for _, user := range []acl.UserID{"carl", "rita"} {
			host.AddPerson(inbox.Person{ID: user, Site: site, Role: acl.Agent, State: acl.Active, Name: string(user)})
		}
		c := desk.Config{Store: w.store, Vault: w.store, Blobs: w.store, People: host, Sites: host,
			Providers: []provider.Provider{w.mail}, Notifier: w.notices, Logger: slog.New(w.logs)}
		if configure != nil {
			configure(&c)
		}
		var err error
		w.desk, err = desk.New(c)
		require.NoError(t, err)
		w.run()
		test(t, w)
		w.stop()
	})
}

// run starts desk.Run and lets it look around; stop ends it and waits until it has returned.
func (w *world) run() {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.desk.Run(ctx) }()
	w.stop = func() {
		cancel()
		require.NoError(w.t, <-done)
	}
	synctest.Wait()
}

// open connects a mailbox of carl's in mode all, shared with rita. ready makes its account what the test
// needs, before anybody looks.
func (w *world) open(address string, ready ...func(*fake.Account)) (*fake.Account, inbox.ID) {
	w.t.Helper()
	ctx, s := w.t.Context(), w.desk.Inboxes
	account := w.mail.Account(address)
	for _, f := range ready {
		f(account)
	}
	carl := w.actor("carl")
	in, err := s.Create(ctx, carl, inbox.Draft{Provider: "fake", Name: address})
	require.NoError(w.t, err)
	_, err = s.SetRules(ctx, carl, in.ID, filter.Rules{Mode: filter.All})
	require.NoError(w.t, err)
	link, err := s.Connect(ctx, carl, in.ID, "https://host.example/back")
	require.NoError(w.t, err)
	u, err := url.Parse(link)
	require.NoError(w.t, err)
	_, err = s.Consent(ctx, carl, in.ID, inbox.Return{State: u.Query().Get("state"), Code: address})
	require.NoError(w.t, err)
	_, err = s.Share(ctx, carl, in.ID, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	require.NoError(w.t, err)
	_, err = s.Finish(ctx, carl, in.ID)
	require.NoError(w.t, err)
	return account, in.ID
}

func (w *world) actor(user acl.UserID) acl.Actor {
	w.t.Helper()
	a, err := w.desk.Inboxes.Actor(w.t.Context(), site, user)
	require.NoError(w.t, err)
	return a
}

// after lets time pass until nothing is left to do at that moment.
func after(d time.Duration) {
	time.Sleep(d) // in a bubble: the clock jumps
	synctest.Wait()
}

func deliver(a *fake.Account, subject string) {
	a.Deliver(fmt.Appendf(nil, "From: ann@acme.com\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%x@acme.com>\r\n\r\nBody\r\n",
		a.Address(), subject, subject+a.Address()), fake.Delivery{})
}

// tickets returns the subjects of an inbox's tickets, newest first.
func (w *world) tickets(id inbox.ID) []string {
	w.t.Helper()
	out := []string{}
	for t, err := range w.store.Tickets(w.t.Context(), ticket.Query{Inboxes: []inbox.ID{id}, AllHidden: true}) {
		require.NoError(w.t, err)
		out = append(out, t.Subject)
	}
	return out
}

func (w *world) only(id inbox.ID) ticket.Ticket {
	w.t.Helper()
	for t, err := range w.store.Tickets(w.t.Context(), ticket.Query{Inboxes: []inbox.ID{id}, AllHidden: true}) {
		require.NoError(w.t, err)
		return t
	}
	w.t.Fatal("no ticket")
	return ticket.Ticket{}
}

// recorder keeps notices. Each takes a while.
type recorder struct {
	takes time.Duration
	mu    sync.Mutex
	got   []string
}

func (r *recorder) Notify(_ context.Context, n inbox.Notice) error {
	time.Sleep(r.takes)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, string(n.To.ID)+" "+string(n.Event.Name))
	return nil
}

func (r *recorder) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.got...)
}

// logs counts what was logged, by message.
type logs struct {
	mu  sync.Mutex
	got map[string]int
}

func (l *logs) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l *logs) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logs) WithGroup(string) slog.Handler                    { return l }
func (l *logs) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.got == nil {
		l.got = make(map[string]int)
	}
	l.got[r.Message]++
	return nil
}

func (l *logs) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.got[message]
}
