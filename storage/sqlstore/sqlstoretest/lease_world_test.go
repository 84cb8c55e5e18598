//go:build unix

package sqlstoretest_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket/desk"
)

// fleetEnv makes this program a worker: one process of several on a database.
const fleetEnv = "SQLSTORETEST_FLEET"

// How the workers of tests run: a dead one is taken over fast.
const (
	fleetHold = time.Second
	fleetPoll = 500 * time.Millisecond
	fleetPage = 20
)

// fleetJob is what a worker works on.
type fleetJob struct {
	stored
	Endpoints gmail.Endpoints
}

// stored is where the processes of a test keep what they share.
type stored struct {
	Options     sqlstore.Options
	Driver, DSN string
	Blobs       string
}

// member is one process: its desk and what must be closed.
type member struct {
	desk  *desk.Desk
	store *sqlstore.Store
	blobs *blob.Dir
	close func()
}

func storedOn(tb testing.TB, db *sqlstoretest.Database) stored {
	return stored{Options: db.Options, Driver: db.Driver, DSN: db.DSN, Blobs: tb.TempDir()}
}

// member opens what is shared, for a process of at most that many connections, and the host of all of them.
func (j stored) member(ctx context.Context, conns int) (*member, *memory.Host, error) {
	db, err := sql.Open(j.Driver, j.DSN)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(conns)
	m := &member{}
	if m.store, err = sqlstore.Open(ctx, db, j.Options); err != nil {
		return nil, nil, err
	}
	if m.blobs, err = blob.Open(j.Blobs, blob.Options{}); err != nil {
		return nil, nil, err
	}
	m.close = func() {
		_ = m.store.Close()
		_ = m.blobs.Close()
		_ = db.Close()
	}
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: importSite})
	host.AddPerson(inbox.Person{ID: "olivia", Site: importSite, Role: acl.Owner, State: acl.Active, Name: "Olivia"})
	return m, host, nil
}

// open wires a desk as every process does.
func (j fleetJob) open(ctx context.Context) (*member, error) {
	m, host, err := j.member(ctx, 6)
	if err != nil {
		return nil, err
	}
	mail, err := gmail.New(gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, Endpoints: j.Endpoints,
		Quota: gmail.Quota{InFlight: gmailInFlight}, PageSize: fleetPage,
	})
	if err != nil {
		return nil, err
	}
	m.desk, err = desk.New(desk.Config{
		Store: m.store, Vault: m.store, Blobs: m.blobs, People: host, Sites: host,
		Providers: []provider.Provider{mail}, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Poll: fleetPoll, Workers: 4, Leases: m.store, Hold: fleetHold,
	})
	return m, err
}

// fleetChild runs until nobody writes to this process any more.
func fleetChild(text string) error {
	var job fleetJob
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	m, err := job.open(ctx)
	if err != nil {
		stop()
		return err
	}
	defer m.close()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return m.desk.Run(ctx)
}

// worker is a process that runs.
type worker struct {
	cmd   *exec.Cmd
	alive io.WriteCloser
}

func (j fleetJob) start(tb testing.TB) *worker {
	tb.Helper()
	text, err := json.Marshal(j)
	require.NoError(tb, err)
	self, err := os.Executable()
	require.NoError(tb, err)
	w := &worker{cmd: exec.Command(self)}
	w.cmd.Env = append(os.Environ(), fleetEnv+"="+string(text))
	if testing.Verbose() {
		w.cmd.Stderr = os.Stderr
	}
	w.alive, err = w.cmd.StdinPipe()
	require.NoError(tb, err)
	require.NoError(tb, w.cmd.Start())
	tb.Cleanup(func() { // does nothing where it has ended
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
	})
	return w
}

// kill ends it as a power cut does.
func (w *worker) kill(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, w.cmd.Process.Kill())
	require.Error(tb, w.cmd.Wait(), "a killed process")
}

// end lets it stop by itself.
func (w *worker) end(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, w.alive.Close())
	require.NoError(tb, w.cmd.Wait())
}

// fleet is mailboxes on a server, a database, and workers.
type fleet struct {
	job      fleetJob
	web      *member // of the test itself: it does not run
	mail     *gmailtest.Server
	accounts []*gmailtest.Account
	ids      []inbox.ID
	n        int // mails delivered so far
}

func newFleet(tb testing.TB, d sqlstore.Dialect, inboxes int) *fleet {
	tb.Helper()
	on := sqlstoretest.New(tb, d)
	var asked string // who sits at the page of consent
	f := &fleet{}
	f.mail = gmailtest.New(tb, gmailtest.Config{
		Limits:  gmailtest.Unlimited(),
		Approve: func(gmailtest.Consent) gmailtest.Decision { return gmailtest.Decision{Address: asked} },
	})
	f.job = fleetJob{stored: storedOn(tb, on), Endpoints: gmailEndpoints(f.mail)}
	var err error
	f.web, err = f.job.open(tb.Context())
	require.NoError(tb, err)
	tb.Cleanup(f.web.close)
	for i := range inboxes {
		asked = fmt.Sprintf("me-%03d@firm.example", i)
		f.accounts = append(f.accounts, f.mail.Account(asked))
		f.ids = append(f.ids, f.connect(tb))
	}
	return f
}

// connect sets up the inbox of whoever sits at the page of consent.
func (f *fleet) connect(tb testing.TB) inbox.ID {
	tb.Helper()
	ctx, s := tb.Context(), f.web.desk.Inboxes
	actor, err := s.Actor(ctx, importSite, "olivia")
	require.NoError(tb, err)
	in, err := s.Create(ctx, actor, inbox.Draft{Provider: gmail.Kind, Name: "Olivia", Import: true, Window: -1})
	require.NoError(tb, err)
	_, err = s.SetRules(ctx, actor, in.ID, filter.Rules{Mode: filter.All})
	require.NoError(tb, err)
	link, err := s.Connect(ctx, actor, in.ID, "https://host.example/back")
	require.NoError(tb, err)
	back, err := f.mail.Follow(ctx, link)
	require.NoError(tb, err)
	_, err = s.Consent(ctx, actor, in.ID, inbox.Return{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	require.NoError(tb, err)
	_, err = s.Finish(ctx, actor, in.ID)
	require.NoError(tb, err)
	return in.ID
}

// deliver puts one more mail into an inbox.
func (f *fleet) deliver(i int) {
	f.n++
	f.accounts[i].Deliver(fmt.Appendf(nil, "From: Ann <ann%d@client.example>\r\nTo: %s\r\nSubject: Offer %d\r\n"+
		"Message-ID: <%d@client.example>\r\nDate: %s\r\n\r\nWhat does it cost?\r\n", f.n%50, f.accounts[i].Address(),
		f.n, f.n, time.Now().Format(time.RFC1123Z)), gmailtest.Delivery{Received: time.Now()})
}
