package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/ticket/desk"
)

// jobEnv makes this program one of the workers.
const jobEnv = "WORKINBOX_EXAMPLE_WORKER"

const (
	site  inbox.SiteID = "agency"
	owner acl.UserID   = "olivia"

	// hold is how long a dead worker keeps what it held.
	hold = 2 * time.Second
	// steps is how many inboxes a worker looks at at the same time.
	steps = 4
	page  = 10
)

// job is what a worker works on.
type job struct {
	DSN       string
	Blobs     string
	Endpoints gmail.Endpoints
	Poll      time.Duration
}

// member is one process: its desk, and what it stands on.
type member struct {
	desk  *desk.Desk
	store *sqlstore.Store
	blobs *blob.Dir
	db    *sql.DB
}

// open wires a desk as every process does.
func (j job) open(ctx context.Context) (*member, error) {
	db, err := sql.Open("pgx", j.DSN)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(steps + 4)
	db.SetMaxIdleConns(steps + 4)
	m := &member{db: db}
	if m.store, err = sqlstore.Open(ctx, db, sqlstore.Options{Dialect: sqlstore.Postgres}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if m.blobs, err = blob.Open(j.Blobs, blob.Options{}); err != nil {
		return nil, errors.Join(err, m.store.Close(), db.Close())
	}
	people := memory.NewHost() // a real host has its own
	people.SetSite(inbox.Settings{ID: site})
	people.AddPerson(inbox.Person{ID: owner, Site: site, Role: acl.Owner, State: acl.Active})
	mail, err := gmail.New(gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, Endpoints: j.Endpoints, PageSize: page,
	})
	if err == nil {
		m.desk, err = desk.New(desk.Config{
			Store: m.store, Vault: m.store, Blobs: m.blobs, People: people, Sites: people,
			Providers: []provider.Provider{mail}, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
			Poll: j.Poll, Workers: steps, Leases: m.store, Hold: hold,
		})
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

func (m *member) close() error {
	return errors.Join(m.store.Close(), m.blobs.Close(), m.db.Close())
}

// work is a worker. It ends when nobody holds the other end of in any more.
func work(text string, in io.Reader) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m, err := j.open(ctx)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		stop()
	}()
	return errors.Join(m.desk.Run(ctx), m.close())
}

// process is a worker as its parent sees it.
type process struct {
	name  int
	cmd   *exec.Cmd
	alive io.Closer
}

func (j job) start(name int) (*process, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), jobEnv+"="+string(text))
	p.cmd.Stderr = os.Stderr
	if p.alive, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// kill ends it as a power cut does: SIGKILL.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("worker %d ended by itself: %w", p.name, err)
	}
	_ = p.cmd.Wait() // says that it was killed
	if p.cmd.ProcessState.Exited() {
		return fmt.Errorf("worker %d ended by itself: %v", p.name, p.cmd.ProcessState)
	}
	return nil
}

// end lets it give back what it holds.
func (p *process) end() error {
	if err := errors.Join(p.alive.Close(), p.cmd.Wait()); err != nil {
		return fmt.Errorf("worker %d: %w", p.name, err)
	}
	return nil
}
