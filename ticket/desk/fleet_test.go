package desk_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket/desk"
)

// fleet is a world with several processes on one store: its own desk is that of a web process, which
// does not run.
type fleet struct {
	*world
	watch *watch
	procs []*process
}

// process is one of them.
type process struct {
	t    *testing.T
	name string
	desk *desk.Desk
	cut  *cutLeases
	stop func()
}

// bubbleFleet runs a test with n processes that run, and then stops them.
func bubbleFleet(t *testing.T, n int, configure func(*desk.Config), test func(t *testing.T, f *fleet)) {
	t.Helper()
	var base desk.Config
	f := &fleet{watch: &watch{at: make(map[string]string), looks: make(map[string]map[string]int)}}
	bubble(t, func(c *desk.Config) {
		c.Sites.(*memory.Host).SetSite(inbox.Settings{ID: site, Retention: 5 * time.Hour})
		if configure != nil {
			configure(c)
		}
		base = *c
	}, func(t *testing.T, w *world) {
		w.stop() // the web process
		f.world = w
		for i := range n {
			f.start(fmt.Sprint("p", i), base)
		}
		synctest.Wait()
		test(t, f)
		for _, p := range f.procs {
			p.stop()
		}
		require.Empty(t, f.watch.faults)
		w.stop = func() {}
	})
}

// start runs one more process.
func (f *fleet) start(name string, c desk.Config) *process {
	cut := &cutLeases{Leases: f.store}
	c.Leases = cut
	c.Providers = []provider.Provider{&seen{f.mail, name, f.watch}}
	d, err := desk.New(c)
	require.NoError(f.t, err)
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	p := &process{t: f.t, name: name, desk: d, cut: cut}
	p.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(f.t, <-done)
	})
	f.procs = append(f.procs, p)
	return p
}

// openMany connects mailboxes that cannot ring.
func (f *fleet) openMany(n int) (accounts []*fake.Account, ids []inbox.ID) {
	for i := range n {
		a, id := f.open(fmt.Sprintf("me-%03d@firm.example", i), deaf)
		accounts, ids = append(accounts, a), append(ids, id)
	}
	return accounts, ids
}

// holder returns who reads the mailbox now.
func (f *fleet) holder(a *fake.Account) *process {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	for _, p := range f.procs {
		if p.name == f.watch.at[string(a.Credential().Reveal())] {
			return p
		}
	}
	return nil
}

// cutLeases are leases that a process can be cut off from: then it dies, or is as good as dead.
type cutLeases struct {
	desk.Leases
	mu   sync.Mutex
	gone bool
}

var errCut = errors.New("no answer")

func (c *cutLeases) off() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
}

func (c *cutLeases) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return errCut
	}
	return nil
}

func (c *cutLeases) Enroll(ctx context.Context, tasks ...desk.Task) error {
	return errors.Join(c.err(), c.Leases.Enroll(ctx, tasks...))
}

func (c *cutLeases) Claim(
	ctx context.Context, kind desk.TaskKind, owner string, n int, hold time.Duration,
) ([]desk.Lease, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.Leases.Claim(ctx, kind, owner, n, hold)
}

func (c *cutLeases) Renew(ctx context.Context, hold time.Duration, all ...desk.Lease) ([]desk.Lease, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.Leases.Renew(ctx, hold, all...)
}

func (c *cutLeases) Release(ctx context.Context, l desk.Lease, next, rest time.Duration) error {
	if err := c.err(); err != nil {
		return err
	}
	return c.Leases.Release(ctx, l, next, rest)
}

func (c *cutLeases) Ring(ctx context.Context, tasks ...desk.Task) error {
	if err := c.err(); err != nil {
		return err
	}
	return c.Leases.Ring(ctx, tasks...)
}

// watch notes which process reads which mailbox. Two at a time are a fault.
type watch struct {
	mu     sync.Mutex
	at     map[string]string         // by account: the process
	looks  map[string]map[string]int // by process, then account
	faults []string
}

func (w *watch) enter(account, process string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if other := w.at[account]; other != "" {
		w.faults = append(w.faults, fmt.Sprintf("%s reads %s while %s does", process, account, other))
	}
	w.at[account] = process
	if w.looks[process] == nil {
		w.looks[process] = make(map[string]int)
	}
	w.looks[process][account]++
}

func (w *watch) leave(account, process string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at[account] == process {
		delete(w.at, account)
	}
}

// count returns how often a process looked, and at which account how often all of them did.
func (w *watch) count() (byProcess, byAccount map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	byProcess, byAccount = make(map[string]int), make(map[string]int)
	for process, accounts := range w.looks {
		for account, n := range accounts {
			byProcess[process] += n
			byAccount[account] += n
		}
	}
	return byProcess, byAccount
}

// seen is the mail service as one process sees it.
type seen struct {
	*fake.Service
	process string
	watch   *watch
}

func (s *seen) Open(ctx context.Context, cred provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	m, err := s.Service.Open(ctx, cred, save)
	if err != nil {
		return nil, err
	}
	// Who it is, without a call to the service.
	return &seenMailbox{m, s, string(cred.Reveal())}, nil
}

type seenMailbox struct {
	provider.Mailbox
	s       *seen
	account string
}

func (m *seenMailbox) Unwrap() provider.Mailbox { return m.Mailbox }

func (m *seenMailbox) Changes(
	ctx context.Context, from provider.Cursor, w provider.Walk,
) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		m.s.watch.enter(m.account, m.s.process)
		defer m.s.watch.leave(m.account, m.s.process)
		m.Mailbox.Changes(ctx, from, w)(yield)
	}
}

// memoryLeases says that the store of the world is one of leases.
var _ desk.Leases = (*memory.Store)(nil)
