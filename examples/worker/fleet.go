package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/ticket"
)

var errNoDatabase = errors.New("no PostgreSQL answers; -postgres says where one is")

// fleet is mailboxes on a server, a database, and workers.
type fleet struct {
	o        options
	random   *mathrand.Rand
	mail     *gmailtest.Server
	admin    *sql.DB
	schema   string
	job      job
	web      *member // of this process: it connects and looks, and does not run
	accounts []*gmailtest.Account
	ids      []inbox.ID

	began     time.Time
	delivered int
	started   int
	running   []*process
	killed    []string
}

func newFleet(ctx context.Context, o options) (_ *fleet, err error) {
	f := &fleet{o: o, random: mathrand.New(mathrand.NewPCG(o.seed, 1))}
	if err := f.makeSchema(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.job.Blobs, err = os.MkdirTemp("", "workinbox-worker"); err != nil {
		return nil, err
	}
	var asked string // who sits at the page of consent
	f.mail = gmailtest.New(nil, gmailtest.Config{
		Limits:  gmailtest.Unlimited(),
		Approve: func(gmailtest.Consent) gmailtest.Decision { return gmailtest.Decision{Address: asked} },
	})
	e := f.mail.Endpoints()
	f.job.Endpoints = gmail.Endpoints{Auth: e.AuthURL, Token: e.TokenURL, Revoke: e.RevokeURL, API: e.APIURL}
	// Twenty looks a second keep the little machines that show this busy, and no more.
	f.job.Poll = max(time.Second, time.Duration(o.inboxes)*50*time.Millisecond)
	if f.web, err = f.job.open(ctx); err != nil {
		return nil, err
	}
	for i := range o.inboxes {
		asked = fmt.Sprintf("me-%03d@agency.example", i)
		account := f.mail.Account(asked)
		f.accounts = append(f.accounts, account)
		for range o.mails {
			f.deliver(i)
		}
		id, err := f.connect(ctx)
		if err != nil {
			return nil, err
		}
		f.ids = append(f.ids, id)
	}
	f.mail.ResetStats()
	if o.latency > 0 { // a fault that does not delay fails
		f.mail.Fail(gmailtest.Fault{Times: -1, Delay: o.latency})
	}
	f.began = time.Now()
	return f, nil
}

// makeSchema makes a schema that goes in the end, with the tables of the store.
func (f *fleet) makeSchema(ctx context.Context) error {
	at, err := url.Parse(f.o.postgres)
	if err != nil {
		return fmt.Errorf("%w: it must be a URL", errNoDatabase)
	}
	if f.admin, err = sql.Open("pgx", f.o.postgres); err != nil {
		return err
	}
	reached, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	if err := f.admin.PingContext(reached); err != nil {
		return errors.Join(fmt.Errorf("%w (%s)", errNoDatabase, at.Host), f.admin.Close())
	}
	schema := "workinbox_worker_" + strings.ToLower(rand.Text()[:10])
	if _, err := f.admin.ExecContext(ctx, "CREATE SCHEMA "+schema); err != nil {
		return errors.Join(err, f.admin.Close())
	}
	f.schema = schema
	q := at.Query()
	q.Set("search_path", schema)
	at.RawQuery = q.Encode()
	f.job.DSN = at.String()
	db, err := sql.Open("pgx", f.job.DSN)
	if err != nil {
		return err
	}
	return errors.Join(sqlstore.Migrate(ctx, db, sqlstore.Options{Dialect: sqlstore.Postgres}), db.Close())
}

// close leaves nothing behind.
func (f *fleet) close() {
	for _, p := range f.running {
		_ = p.kill()
	}
	if f.web != nil {
		_ = f.web.close()
	}
	if f.mail != nil {
		f.mail.Close()
	}
	_ = os.RemoveAll(f.job.Blobs)
	_, _ = f.admin.Exec("DROP SCHEMA IF EXISTS " + f.schema + " CASCADE")
	_ = f.admin.Close()
}

// connect sets up the inbox of whoever sits at the page of consent.
func (f *fleet) connect(ctx context.Context) (inbox.ID, error) {
	s := f.web.desk.Inboxes
	actor, err := s.Actor(ctx, site, owner)
	if err != nil {
		return "", err
	}
	in, err := s.Create(ctx, actor, inbox.Draft{Provider: gmail.Kind, Name: "Olivia", Import: true})
	if err != nil {
		return "", err
	}
	if _, err = s.SetRules(ctx, actor, in.ID, filter.Rules{Mode: filter.All}); err != nil {
		return "", err
	}
	link, err := s.Connect(ctx, actor, in.ID, "https://agency.example/back")
	if err != nil {
		return "", err
	}
	back, err := f.mail.Follow(ctx, link)
	if err != nil {
		return "", err
	}
	_, err = s.Consent(ctx, actor, in.ID,
		inbox.Return{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	if err != nil {
		return "", err
	}
	_, err = s.Finish(ctx, actor, in.ID)
	return in.ID, err
}

// deliver puts one more mail into a mailbox.
func (f *fleet) deliver(i int) {
	f.delivered++
	f.accounts[i].Deliver(fmt.Appendf(nil, "From: Ann <ann%d@client.example>\r\nTo: %s\r\nSubject: Offer %d\r\n"+
		"Message-ID: <%d@client.example>\r\n\r\nWhat does it cost?\r\n", f.delivered%50, f.accounts[i].Address(),
		f.delivered, f.delivered), gmailtest.Delivery{Received: time.Now()})
}

func (f *fleet) clock() string { return time.Since(f.began).Round(10 * time.Millisecond).String() }

func (f *fleet) startAll(n int) error {
	for range n {
		if err := f.start(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) start() error {
	f.started++
	p, err := f.job.start(f.started)
	if err == nil {
		f.running = append(f.running, p)
	}
	return err
}

// strike lets mail come in and the workers work, kills one, and starts another.
func (f *fleet) strike(ctx context.Context, out io.Writer) error {
	for range max(1, f.o.inboxes/4) {
		f.deliver(f.random.IntN(f.o.inboxes))
	}
	until := f.asked() + 5 + f.random.IntN(3*f.o.inboxes)
	if err := f.wait(ctx, "the workers ask for mail", func() (bool, error) { return f.asked() >= until, nil }); err != nil {
		return err
	}
	n := f.random.IntN(len(f.running))
	p := f.running[n]
	if err := p.kill(); err != nil {
		return err
	}
	f.running = append(f.running[:n], f.running[n+1:]...)
	if err := f.start(); err != nil {
		return err
	}
	f.killed = append(f.killed, fmt.Sprint(p.name))
	fmt.Fprintf(out, "%8s  worker %d is killed, worker %d takes its place\n", f.clock(), p.name, f.started)
	return nil
}

// asked is how many requests the mail service has had.
func (f *fleet) asked() (n int) {
	for _, count := range f.mail.Stats().Requests {
		n += count
	}
	return n
}

func (f *fleet) endAll() error {
	var errs []error
	for _, p := range f.running {
		errs = append(errs, p.end())
	}
	f.running = nil
	return errors.Join(errs...)
}

// caughtUp waits until every mail is in a ticket.
func (f *fleet) caughtUp(ctx context.Context) error {
	done := 0 // inboxes
	return f.wait(ctx, "every mail is in a ticket", func() (bool, error) {
		for ; done < len(f.ids); done++ {
			n := 0
			q := ticket.Query{Inboxes: []inbox.ID{f.ids[done]}, AllHidden: true}
			for _, err := range f.web.store.Tickets(ctx, q) {
				if err != nil {
					return false, err
				}
				n++
			}
			if n < len(f.accounts[done].Messages()) {
				return false, nil
			}
		}
		return true, nil
	})
}

// allTurns waits until every inbox was synced after a moment, and returns after how long.
func (f *fleet) allTurns(ctx context.Context, since time.Time) (turns []time.Duration, err error) {
	err = f.wait(ctx, "every inbox has its turn", func() (bool, error) {
		for len(turns) < len(f.ids) {
			state, err := f.web.store.SyncState(ctx, f.ids[len(turns)])
			if err != nil || !state.LastSuccess.After(since) {
				return false, err
			}
			turns = append(turns, state.LastSuccess.Sub(since))
		}
		return true, nil
	})
	return turns, err
}

// wait asks again and again whether something is so.
func (f *fleet) wait(ctx context.Context, what string, so func() (bool, error)) error {
	ctx, stop := context.WithTimeout(ctx, f.o.patience)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := so()
		if done || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %v: %w", what, f.o.patience, ctx.Err())
		}
	}
}
