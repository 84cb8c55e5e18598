package desktest_test

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
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
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

const site inbox.SiteID = "site-1"

// backend is what a desk keeps its things in.
type backend struct {
	desk.Store
	vault inbox.Vault
	blobs inbox.Blobs
}

// kind is a kind of store. What is done on all of them is done at length in memory alone, unless whole
// says otherwise: the rules are the services', and a store is a hundred times slower.
type kind struct {
	name  string
	brief bool
	open  func(t *testing.T) backend // an empty one
}

var whole = os.Getenv("WORKINBOX_DESK_WHOLE") != ""

var inMemory = kind{"memory", false, func(*testing.T) backend {
	s := memory.New()
	return backend{s, s, s}
}}

// kinds are all there are.
func kinds() []kind {
	all := []kind{inMemory}
	for _, d := range sqlstoretest.Dialects() {
		all = append(all, kind{string(d), !whole, func(t *testing.T) backend {
			s := sqlstoretest.New(t, d).Store(t)
			return backend{s, s, memory.New()}
		}})
	}
	return all
}

// seeds says which seeds are tried, where there are usually so many: one on what is brief.
func (k kind) seeds(usual int) (first, n int) {
	if k.brief {
		usual = 1
	}
	if n, err := strconv.Atoi(os.Getenv("WORKINBOX_MODEL_SEED")); err == nil {
		return n, 1
	}
	if n, err := strconv.Atoi(os.Getenv("WORKINBOX_MODEL_SEEDS")); err == nil {
		return 1, n
	}
	return 1, usual
}

// world is a desk with a mail service in memory and a clock of its own.
type world struct {
	t     *testing.T
	store backend
	host  *memory.Host
	mail  *fake.Service
	tasks *ticket.MemoryTasks // the host's
	desk  *desk.Desk

	mu  sync.Mutex
	now time.Time
	n   int // ids given
}

// newWorld has no site and nobody in it. The functions may change what the desk is made of.
func newWorld(t *testing.T, store backend, configure ...func(*desk.Config)) *world {
	t.Helper()
	w := &world{t: t, store: store, host: memory.NewHost(), tasks: new(ticket.MemoryTasks),
		now: time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)}
	w.mail = fake.New(fake.Options{Now: w.clock, SearchOff: true})
	c := desk.Config{Store: store, Vault: store.vault, Blobs: store.blobs, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Now: w.clock, NewID: w.id, Ticket: ticket.Config{Tasks: w.tasks}}
	for _, f := range configure {
		f(&c)
	}
	var err error
	w.desk, err = desk.New(c)
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

// id makes ids that sort in the order they were given.
func (w *world) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return fmt.Sprintf("id-%06d", w.n)
}

func (w *world) person(user acl.UserID, at inbox.SiteID) acl.Actor {
	w.t.Helper()
	a, err := w.desk.Inboxes.Actor(w.t.Context(), at, user)
	require.NoError(w.t, err)
	return a
}

// connect opens a mailbox in mode all and shares it.
func (w *world) connect(creator acl.Actor, name, address string, rules filter.Rules, grants ...acl.Grant) (inbox.ID, *fake.Account) {
	w.t.Helper()
	ctx, s := w.t.Context(), w.desk.Inboxes
	account := w.mail.Account(address)
	in, err := s.Create(ctx, creator, inbox.Draft{Provider: w.mail.Kind(), Name: name})
	require.NoError(w.t, err)
	rules.Mode = filter.All
	_, err = s.SetRules(ctx, creator, in.ID, rules)
	require.NoError(w.t, err)
	link, err := s.Connect(ctx, creator, in.ID, "https://host.example/back")
	require.NoError(w.t, err)
	u, err := url.Parse(link)
	require.NoError(w.t, err)
	_, err = s.Consent(ctx, creator, in.ID, inbox.Return{State: u.Query().Get("state"), Code: address})
	require.NoError(w.t, err)
	_, err = s.Share(ctx, creator, in.ID, grants...)
	require.NoError(w.t, err)
	_, err = s.Finish(ctx, creator, in.ID)
	require.NoError(w.t, err)
	return in.ID, account
}

// pull syncs and collects.
func (w *world) pull(id inbox.ID) {
	w.t.Helper()
	run, err := w.desk.Inboxes.Sync(w.t.Context(), id)
	require.NoError(w.t, err)
	require.NoError(w.t, run.Balance())
	_, err = w.desk.Tickets.Collect(w.t.Context(), id)
	require.NoError(w.t, err)
}
