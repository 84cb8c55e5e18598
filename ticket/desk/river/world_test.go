package riverdesk_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
	riverdesk "github.com/workinbox/workinbox/ticket/desk/river"
)

// A server has a hundred connections for the tests of all packages: a pool takes as many on every
// machine, not one more for each of its processors, and few tests run at once.
const connections = 4

var places = make(chan struct{}, 3)

func TestMain(m *testing.M) { os.Exit(sqlstoretest.Main(m)) }

const site inbox.SiteID = "site-1"

// world is a mail service and a store in memory, and River's tables in a schema of its own.
type world struct {
	t      *testing.T
	store  *memory.Store
	mail   *fake.Service
	base   desk.Config
	web    *desk.Desk // of a process that only shows
	schema string
	dsn    string
	pool   *pgxpool.Pool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	places <- struct{}{}
	t.Cleanup(func() { <-places })
	on := sqlstoretest.NewBare(t, sqlstore.Postgres)
	w := &world{t: t, store: memory.New(), mail: fake.New(fake.Options{PageSize: 5}), dsn: on.DSN}
	w.schema = fmt.Sprintf("workinbox_test_%d_%s", time.Now().Unix(), strings.ToLower(rand.Text()[:8]))
	_, err := on.DB.ExecContext(t.Context(), "CREATE SCHEMA "+w.schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := on.DB.ExecContext(context.Background(), "DROP SCHEMA "+w.schema+" CASCADE")
		require.NoError(t, err)
	})
	w.pool = w.connect()
	require.NoError(t, riverdesk.Migrate(t.Context(), w.pool, w.schema))

	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: site})
	for _, user := range []acl.UserID{"carl", "rita"} {
		host.AddPerson(inbox.Person{ID: user, Site: site, Role: acl.Agent, State: acl.Active, Name: string(user)})
	}
	w.base = desk.Config{Store: w.store, Vault: w.store, Blobs: w.store, People: host, Sites: host,
		Providers: []provider.Provider{w.mail}, Poll: 20 * time.Millisecond}
	w.web, err = desk.New(w.base)
	require.NoError(t, err)
	return w
}

func (w *world) connect() *pgxpool.Pool {
	w.t.Helper()
	config, err := pgxpool.ParseConfig(w.dsn)
	require.NoError(w.t, err)
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(w.t.Context(), config)
	require.NoError(w.t, err)
	w.t.Cleanup(pool.Close)
	return pool
}

// queue makes a process that does not run yet.
func (w *world) queue(configure ...func(*desk.Config, *riverdesk.Config)) *riverdesk.Queue {
	w.t.Helper()
	dc := w.base
	rc := riverdesk.Config{River: &river.Config{
		Schema: w.schema, TestOnly: true, FetchCooldown: time.Millisecond, FetchPollInterval: 5 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}}
	for _, c := range configure {
		c(&dc, &rc)
	}
	d, err := desk.New(dc)
	require.NoError(w.t, err)
	q, err := riverdesk.New(d, w.pool, rc)
	require.NoError(w.t, err)
	return q
}

// start runs a process until the test ends.
func (w *world) start(q *riverdesk.Queue) *riverdesk.Queue {
	w.t.Helper()
	require.NoError(w.t, q.Start(context.WithoutCancel(w.t.Context())))
	w.t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		require.NoError(w.t, q.StopAndCancel(ctx))
	})
	return q
}

// open connects a mailbox of carl's in mode all, shared with rita, that cannot ring.
func (w *world) open(address string) (*fake.Account, inbox.ID) {
	w.t.Helper()
	ctx, s := w.t.Context(), w.web.Inboxes
	account := w.mail.Account(address)
	carl := w.actor("carl")
	in, err := s.Create(ctx, carl, inbox.Draft{Provider: "fake", Name: address, Import: true})
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
	a, err := w.web.Inboxes.Actor(w.t.Context(), site, user)
	require.NoError(w.t, err)
	return a
}

func deliver(a *fake.Account, subject string) {
	a.Deliver(fmt.Appendf(nil, "From: ann@acme.com\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%x@acme.com>\r\n\r\nBody\r\n",
		a.Address(), subject, subject+a.Address()), fake.Delivery{Received: time.Now()})
}

// tickets returns an inbox's tickets, newest first.
func (w *world) tickets(id inbox.ID) (all []ticket.Ticket) {
	w.t.Helper()
	for t, err := range w.store.Tickets(w.t.Context(), ticket.Query{Inboxes: []inbox.ID{id}, AllHidden: true}) {
		require.NoError(w.t, err)
		all = append(all, t)
	}
	return all
}

// until asks again and again whether something is so.
func (w *world) until(what string, so func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := time.NewTimer(2 * time.Minute)
	defer patience.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-patience.C:
			w.t.Fatalf("%s: not within two minutes", what)
		}
	}
}

// jobs returns the jobs of an inbox, oldest first.
func (w *world) jobs(q *riverdesk.Queue, id inbox.ID) (all []*rivertype.JobRow) {
	w.t.Helper()
	got, err := q.JobList(w.t.Context(), river.NewJobListParams().First(1000).
		Kinds(riverdesk.LookArgs{}.Kind()).OrderBy(river.JobListOrderByID, river.SortOrderAsc))
	require.NoError(w.t, err)
	for _, row := range got.Jobs {
		if strings.Contains(string(row.EncodedArgs), string(id)) {
			all = append(all, row)
		}
	}
	return all
}

// job returns the newest job of an inbox.
func (w *world) job(q *riverdesk.Queue, id inbox.ID) *rivertype.JobRow {
	w.t.Helper()
	all := w.jobs(q, id)
	require.NotEmpty(w.t, all)
	return all[len(all)-1]
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), strings.ReplaceAll(sql, "river_job", w.schema+".river_job"), args...)
	require.NoError(w.t, err)
}
