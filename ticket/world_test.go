package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

const site inbox.SiteID = "site-1"

var connected = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// world is a site with people, a mail service with one account, and the services under test. Carl's
// mailbox me@firm.example is the inbox; rita may reply, rob may read, ina is a read-only inbox admin,
// olga owns the site, adam is a site admin and zoe an agent without a grant.
type world struct {
	t       testing.TB
	store   *faulty
	host    *memory.Host
	mail    *fake.Service
	account *fake.Account
	inboxes *inbox.Service
	svc     *ticket.Service
	tasks   *ticket.MemoryTasks // the host's
	in      inbox.Inbox

	mu  sync.Mutex
	now time.Time
	n   int // ids given
}

func newWorld(t testing.TB, o fake.Options, configure ...func(*inbox.Settings)) *world {
	t.Helper()
	w := &world{t: t, store: &faulty{Store: memory.New()}, host: memory.NewHost(), tasks: new(ticket.MemoryTasks), now: connected}
	o.Now = w.clock
	w.mail = fake.New(o)
	w.account = w.mail.Account("me@firm.example")
	settings := inbox.Settings{ID: site}
	for _, f := range configure {
		f(&settings)
	}
	w.host.SetSite(settings)
	for user, role := range map[acl.UserID]acl.Role{
		"olga": acl.Owner, "carl": acl.Agent, "rita": acl.Agent, "rob": acl.Agent,
		"ina": acl.Agent, "adam": acl.Admin, "zoe": acl.Agent,
	} {
		w.host.AddPerson(person(user, role))
	}
	w.start()
	return w
}

func person(user acl.UserID, role acl.Role) inbox.Person {
	return inbox.Person{ID: user, Site: site, Role: role, State: acl.Active,
		Name: strings.ToUpper(string(user[:1])) + string(user[1:]), Addresses: []string{string(user) + "@firm.example"}}
}

// start makes the services, as a new process over the same stores would.
func (w *world) start() {
	w.t.Helper()
	var err error
	w.inboxes, err = inbox.New(inbox.Config{
		Store: w.store, Vault: w.store, Blobs: w.store, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Now: w.clock, NewID: w.id,
	})
	require.NoError(w.t, err)
	w.svc, err = ticket.New(ticket.Config{
		Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store, Tasks: w.tasks, PixelURL: pixelURL,
		Now: w.clock, NewID: w.id,
	})
	require.NoError(w.t, err)
}

// id makes ids that sort in the order they were given.
func (w *world) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return fmt.Sprintf("id-%06d", w.n)
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
	a, err := w.inboxes.Actor(w.t.Context(), site, user)
	require.NoError(w.t, err)
	return a
}

// open connects carl's mailbox in mode all and shares it.
func (w *world) open(importing bool) {
	w.t.Helper()
	w.connect("carl", importing,
		acl.Grant{User: "rita", Access: acl.ReadAndReply},
		acl.Grant{User: "rob", Access: acl.ReadOnly},
		acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
}

// connect does the four steps of the set-up for the account at hand.
func (w *world) connect(user acl.UserID, importing bool, grants ...acl.Grant) {
	w.t.Helper()
	ctx, actor := w.t.Context(), w.actor(user)
	in, err := w.inboxes.Create(ctx, actor, inbox.Draft{Provider: w.mail.Kind(), Name: "Mail", Import: importing})
	require.NoError(w.t, err)
	in, err = w.inboxes.SetRules(ctx, actor, in.ID, filter.Rules{Mode: filter.All})
	require.NoError(w.t, err)
	link, err := w.inboxes.Connect(ctx, actor, in.ID, "https://host.example/back")
	require.NoError(w.t, err)
	u, err := url.Parse(link)
	require.NoError(w.t, err)
	_, err = w.inboxes.Consent(ctx, actor, in.ID, inbox.Return{State: u.Query().Get("state"), Code: w.account.Address()})
	require.NoError(w.t, err)
	_, err = w.inboxes.Share(ctx, actor, in.ID, grants...)
	require.NoError(w.t, err)
	w.in, err = w.inboxes.Finish(ctx, actor, in.ID)
	require.NoError(w.t, err)
}

// pull syncs and collects.
func (w *world) pull() ticket.Collected {
	w.t.Helper()
	run, err := w.inboxes.Sync(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
	require.NoError(w.t, run.Balance())
	return w.collect()
}

func (w *world) collect() ticket.Collected {
	w.t.Helper()
	got, err := w.svc.Collect(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
	return got
}

// deliver puts a mail into the inbox folder, received now.
func (w *world) deliver(from, subject string, more ...string) {
	w.account.Deliver(mailText(from, w.account.Address(), subject, more...), fake.Delivery{})
}

// deliverSent puts a mail into the sent folder that the owner wrote in their own mail program.
func (w *world) deliverSent(to, subject string, more ...string) {
	w.account.Deliver(mailText(w.account.Address(), to, subject, more...), fake.Delivery{Sent: true})
}

// asked is a world with one live ticket: Ann of acme.com asks with the subject "offer".
func asked(t *testing.T, o fake.Options, more ...string) (*world, ticket.Ticket) {
	t.Helper()
	w := newWorld(t, o)
	w.open(false)
	w.advance(time.Minute)
	if !slices.ContainsFunc(more, func(line string) bool { return strings.HasPrefix(line, "Message-ID:") }) {
		more = append(more, "Message-ID: <ask@acme.com>")
	}
	w.deliver("Ann <ann@acme.com>", "offer", more...)
	w.pull()
	return w, w.only()
}

// tickets returns every ticket of the store, hidden ones too, oldest number first.
func (w *world) tickets() []ticket.Ticket {
	w.t.Helper()
	var out []ticket.Ticket
	for t, err := range w.store.Tickets(context.Background(), ticket.Query{AllHidden: true}) {
		require.NoError(w.t, err)
		out = append(out, t)
	}
	return out
}

// only returns the one ticket there is.
func (w *world) only() ticket.Ticket {
	w.t.Helper()
	all := w.tickets()
	require.Len(w.t, all, 1, "tickets in the store")
	return all[0]
}

// entries returns the history as it is stored.
func (w *world) entries(id ticket.ID) []ticket.Entry {
	w.t.Helper()
	var out []ticket.Entry
	for e, err := range w.store.Entries(context.Background(), ticket.EntryQuery{Ticket: id}) {
		require.NoError(w.t, err)
		out = append(out, e)
	}
	return out
}

// lines writes the history as text, one line for each entry.
func (w *world) lines(id ticket.ID) []string {
	w.t.Helper()
	var out []string
	for _, e := range w.entries(id) {
		line := string(e.Kind)
		if e.Change != nil {
			line += " " + e.Change.Field + " " + e.Change.From + ">" + e.Change.To
		}
		if e.Outgoing != nil {
			line += " " + string(e.Outgoing.State)
		}
		if e.Author != "" {
			line += " by " + string(e.Author)
		}
		out = append(out, line)
	}
	return out
}

// listed returns the subjects the user sees in the list.
func (w *world) listed(user acl.UserID, q ticket.Query) []string {
	w.t.Helper()
	out := []string{}
	for t, err := range w.svc.Tickets(w.t.Context(), w.actor(user), q) {
		require.NoError(w.t, err)
		out = append(out, t.Subject)
	}
	return out
}

// events returns the names of what waits in the outbox, without those of the inbox itself.
func (w *world) events() []string {
	w.t.Helper()
	out := []string{}
	for _, e := range w.due() {
		out = append(out, string(e.Name))
	}
	return out
}

func (w *world) due() []inbox.Event {
	w.t.Helper()
	var out []inbox.Event
	for e, err := range w.store.DueEvents(context.Background(), w.clock(), 0) {
		require.NoError(w.t, err)
		if strings.HasPrefix(string(e.Name), "ticket.") {
			out = append(out, e.Event)
		}
	}
	return out
}

// blobs counts the raw mails that are kept.
func (w *world) blobs() int {
	w.t.Helper()
	n := 0
	for _, err := range w.store.Blobs(context.Background(), w.in.ID) {
		require.NoError(w.t, err)
		n++
	}
	return n
}

// mailText is a small mail; more are further header lines, and replace those of the same name.
func mailText(from, to, subject string, more ...string) []byte {
	var b strings.Builder
	lines := []string{"From: " + from, "To: " + to, "Subject: " + subject,
		"Date: Tue, 31 Mar 2026 10:00:00 +0000", fmt.Sprintf("Message-ID: <%x@mail.example>", subject+from),
		"Content-Type: text/plain; charset=utf-8"}
	for _, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		given := false
		for _, m := range more {
			given = given || strings.HasPrefix(m, name+":")
		}
		if !given {
			b.WriteString(l + "\r\n")
		}
	}
	for _, m := range more {
		b.WriteString(m + "\r\n")
	}
	b.WriteString("\r\nBody of " + subject + "\r\n")
	return []byte(b.String())
}

// errFault is what a faulty store answers.
var errFault = errors.New("the store does not answer")

// faulty is a store whose n-th write of the ticket service goes wrong: it is not done, or it is done
// and the answer is lost. Every later write fails too until heal: the process is dying.
type faulty struct {
	*memory.Store

	mu     sync.Mutex
	writes int
	failAt int
	lose   bool
	before func() // called before each ticket write

	catalog   error // answered instead of a catalog
	inbox     error // answered instead of an inbox
	allowance error // answered instead of an allowance
}

func (f *faulty) Allowance(ctx context.Context, site inbox.SiteID, user acl.UserID) (ticket.Allowance, error) {
	if f.allowance != nil {
		return ticket.Allowance{}, f.allowance
	}
	return f.Store.Allowance(ctx, site, user)
}

func (f *faulty) Inbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	if f.inbox != nil {
		return inbox.Inbox{}, f.inbox
	}
	return f.Store.Inbox(ctx, id)
}

func (f *faulty) Catalog(ctx context.Context, site inbox.SiteID) (ticket.Catalog, error) {
	if f.catalog != nil {
		return ticket.Catalog{}, f.catalog
	}
	return f.Store.Catalog(ctx, site)
}

func (f *faulty) SaveMark(ctx context.Context, id inbox.ID, seq uint64, expect storage.Version) (storage.Version, error) {
	done, fault := f.fault()
	if !done {
		return 0, fault
	}
	v, err := f.Store.SaveMark(ctx, id, seq, expect)
	if err == nil && fault != nil {
		return 0, fault
	}
	return v, err
}

// failFrom makes the n-th write from now on fail, and all after it.
func (f *faulty) failFrom(n int, lose bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes, f.failAt, f.lose = 0, n, lose
}

// heal ends the faults and says how many writes there were.
func (f *faulty) heal() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt = 0
	return f.writes
}

// fault says whether the write is done, and its error.
func (f *faulty) fault() (done bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	switch {
	case f.failAt == 0 || f.writes < f.failAt:
		return true, nil
	case f.writes == f.failAt && f.lose:
		return true, errFault
	}
	return false, errFault
}

func (f *faulty) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) ([]ticket.Ticket, error) {
	if f.before != nil {
		f.before()
	}
	done, fault := f.fault()
	if !done {
		return nil, fault
	}
	saved, err := f.Store.SaveTickets(ctx, w, ev...)
	if err == nil && fault != nil {
		return nil, fault
	}
	return saved, err
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
