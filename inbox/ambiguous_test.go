package inbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"strings"
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
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

// unsure is a memory store that answers one of its writes, or two in a row, with ErrAmbiguous.
type unsure struct {
	*memory.Store

	mu     sync.Mutex
	writes []string
	at     int    // the first write to answer so, from 1; 0 is none
	done   []bool // for each of them whether it is done
}

// doubt is one write. A write that is refused says so.
func doubt[T any](u *unsure, op string, write func() (T, error)) (T, error) {
	u.mu.Lock()
	u.writes = append(u.writes, op)
	n := len(u.writes) - u.at
	u.mu.Unlock()
	var none T
	if u.at == 0 || n < 0 || n >= len(u.done) {
		return write()
	}
	if u.done[n] {
		if out, err := write(); err != nil {
			return out, err
		}
	}
	return none, &storage.Error{Op: op, Entity: "value", Err: storage.ErrAmbiguous}
}

func doubted(u *unsure, op string, write func() error) error {
	_, err := doubt(u, op, func() (struct{}, error) { return struct{}{}, write() })
	return err
}

func (u *unsure) CreateInbox(ctx context.Context, in inbox.Inbox, ev ...inbox.Event) (inbox.Inbox, error) {
	return doubt(u, "CreateInbox", func() (inbox.Inbox, error) { return u.Store.CreateInbox(ctx, in, ev...) })
}

func (u *unsure) UpdateInbox(ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event) (inbox.Inbox, error) {
	return doubt(u, "UpdateInbox", func() (inbox.Inbox, error) { return u.Store.UpdateInbox(ctx, in, log, ev...) })
}

func (u *unsure) DeleteInbox(ctx context.Context, id inbox.ID) error {
	return doubted(u, "DeleteInbox", func() error { return u.Store.DeleteInbox(ctx, id) })
}

func (u *unsure) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	return doubt(u, "Commit", func() (inbox.SyncState, error) { return u.Store.Commit(ctx, imp, ev...) })
}

func (u *unsure) EnsureCustomers(ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known,
	at time.Time, newID func() string) ([]inbox.Customer, error) {
	return doubt(u, "EnsureCustomers", func() ([]inbox.Customer, error) {
		return u.Store.EnsureCustomers(ctx, site, from, who, at, newID)
	})
}

func (u *unsure) SaveCompany(ctx context.Context, c inbox.Company, ev ...inbox.Event) (inbox.Company, error) {
	return doubt(u, "SaveCompany", func() (inbox.Company, error) { return u.Store.SaveCompany(ctx, c, ev...) })
}

func (u *unsure) SaveCustomers(ctx context.Context, cs []inbox.Customer, ev ...inbox.Event) ([]inbox.Customer, error) {
	return doubt(u, "SaveCustomers", func() ([]inbox.Customer, error) { return u.Store.SaveCustomers(ctx, cs, ev...) })
}

func (u *unsure) DoneEvent(ctx context.Context, id string) error {
	return doubted(u, "DoneEvent", func() error { return u.Store.DoneEvent(ctx, id) })
}

func (u *unsure) RetryEvent(ctx context.Context, id string, done []acl.UserID, notBefore time.Time) error {
	return doubted(u, "RetryEvent", func() error { return u.Store.RetryEvent(ctx, id, done, notBefore) })
}

func (u *unsure) SaveCredential(ctx context.Context, key inbox.VaultKey, c provider.Credential, expect storage.Version) (storage.Version, error) {
	return doubt(u, "SaveCredential", func() (storage.Version, error) { return u.Store.SaveCredential(ctx, key, c, expect) })
}

func (u *unsure) DeleteCredential(ctx context.Context, key inbox.VaultKey) error {
	return doubted(u, "DeleteCredential", func() error { return u.Store.DeleteCredential(ctx, key) })
}

// unsureWorld is a world whose ids are counted, so that two of them that did the same are the same.
func unsureWorld(t *testing.T, at int, done ...bool) (*world, *unsure) {
	u := &unsure{at: at, done: done}
	var mu sync.Mutex
	ids := 0
	w := newWorld(t, fake.Options{PageSize: 3}, func(c *inbox.Config) {
		u.Store = c.Store.(*memory.Store)
		c.Store, c.Vault, c.InFlight = u, u, 1
		c.NewID = func() string {
			mu.Lock()
			defer mu.Unlock()
			ids++
			return fmt.Sprintf("id-%05d", ids)
		}
	})
	return w, u
}

// life is all that writes: clients, the four steps, an import, people's edits, events told and not
// told, a dead sync, and the end of the inbox.
func life(w *world) {
	ctx, olga, carl := w.t.Context(), w.actor("olga"), w.actor("carl")
	ok := func(err error) { w.t.Helper(); require.NoError(w.t, err) }
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "question", 20)
	w.mailFrom("Bob <bob@bond.com>", "order", 19)
	w.mailFrom("eve@elsewhere.org", "stranger", 7)
	w.mailFrom("ann@acme.com", "answer", 5)
	w.mailFrom("ann@acme.com", "old", 24*31)
	bond, err := w.svc.CreateCompany(ctx, olga, inbox.CompanyEdit{Name: "Bond", Domains: []string{"bond.com"}})
	ok(err)
	bob, err := w.svc.CreateCustomer(ctx, olga, inbox.CustomerEdit{Name: "Bob", Address: "bob@bond.com"})
	ok(err)
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rita", Access: acl.ReadOnly})
	ok(w.svc.Watch(ctx, w.actor("rita"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventImportCompleted}}))
	w.sync(in.ID)
	w.notices.fail = errBroken
	_, err = w.svc.Deliver(ctx, 0)
	ok(err)
	w.notices.fail = nil
	w.advance(time.Hour)
	_, err = w.svc.Deliver(ctx, 0)
	ok(err)
	_, err = w.svc.UpdateCustomer(ctx, olga, bob.ID, inbox.CustomerEdit{Name: "Bobby", Address: "bob@bond.com"})
	ok(err)
	_, err = w.svc.UpdateCompany(ctx, olga, bond.ID, inbox.CompanyEdit{Name: "Bond", Domains: []string{"bond.com", "bond.eu"}})
	ok(err)
	ok(w.svc.DeleteCompany(ctx, olga, bond.ID))
	ok(w.svc.RestoreCompany(ctx, olga, bond.ID))
	_, err = w.svc.Unshare(ctx, carl, in.ID, "rita")
	ok(err)
	_, err = w.svc.SetRules(ctx, carl, in.ID, filter.Rules{Mode: filter.All})
	ok(err)
	ok(w.svc.Backfill(ctx, carl, in.ID, connected.AddDate(0, 0, -40)))
	w.sync(in.ID)
	_, err = w.svc.Pause(ctx, carl, in.ID)
	ok(err)
	_, err = w.svc.Resume(ctx, carl, in.ID)
	ok(err)
	w.mailFrom("ann@acme.com", "late", 0)
	w.sync(in.ID)
	ok(w.svc.TakeOver(ctx, in.ID))
	_, err = w.svc.Disconnect(ctx, carl, in.ID, inbox.PurgeMail)
	ok(err)
	_, err = w.consent(in.ID)
	ok(err)
	w.sync(in.ID)
	_, err = w.svc.Deliver(ctx, 0)
	ok(err)
	ok(w.svc.Delete(ctx, carl, in.ID))
	_, err = w.svc.Restore(ctx, carl, in.ID)
	ok(err)
}

// random are values that differ from run to run: secrets of a consent, and the names of steps.
var random = regexp.MustCompile(`"(step|Step|state|State)":"[A-Za-z0-9_-]{20,}"`)

// dump is everything in the store but blobs.
func (w *world) dump() string {
	var b strings.Builder
	ctx := w.t.Context()
	write(w.t, &b, "inbox", w.store.Inboxes(ctx, inbox.Query{}))
	for in, err := range w.store.Inboxes(ctx, inbox.Query{}) {
		require.NoError(w.t, err)
		st, err := w.store.SyncState(ctx, in.ID)
		require.NoError(w.t, err)
		fmt.Fprintf(&b, "version %d, log %d, queue %d, poison %d\n", st.Version, st.Seq, st.Queued, st.Poisoned)
		write(w.t, &b, "change", w.store.Log(ctx, in.ID, 0))
		write(w.t, &b, "message", w.store.Messages(ctx, inbox.MessageQuery{Inbox: in.ID, Hidden: true}))
		write(w.t, &b, "queued", w.store.Queue(ctx, inbox.QueueQuery{Inbox: in.ID}))
		write(w.t, &b, "run", w.store.Runs(ctx, in.ID, 0))
		_, version, err := w.store.Credential(ctx, inbox.VaultKey{Inbox: in.ID, Use: inbox.UseMailbox})
		fmt.Fprintln(&b, "credential", version, err)
	}
	write(w.t, &b, "company", w.store.Companies(ctx, inbox.CompanyQuery{Site: site, Deleted: true}))
	write(w.t, &b, "customer", w.store.Customers(ctx, inbox.CustomerQuery{Site: site, Deleted: true}))
	write(w.t, &b, "event", w.store.DueEvents(ctx, connected.AddDate(1, 0, 0), 0))
	fmt.Fprintln(&b, "told", w.notices.names())
	return random.ReplaceAllString(b.String(), "")
}

func write[T any](t *testing.T, b *strings.Builder, name string, list iter.Seq2[T, error]) {
	for v, err := range list {
		require.NoError(t, err)
		text, err := json.Marshal(v)
		require.NoError(t, err)
		fmt.Fprintln(b, name, string(text))
	}
}

// Every write of a whole life is answered by a broken connection, done or not, once or twice: the end
// is the same as if nothing had happened, to the last version and event.
func TestAWriteWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	w, u := unsureWorld(t, 0)
	life(w)
	want, writes := w.dump(), u.writes
	again, _ := unsureWorld(t, 0)
	life(again)
	require.Equal(t, want, again.dump(), "two lives without a fault are the same")
	t.Logf("%d writes", len(writes))
	for _, op := range []string{
		"CreateInbox", "UpdateInbox", "Commit", "EnsureCustomers", "SaveCompany", "SaveCustomers",
		"DoneEvent", "RetryEvent", "SaveCredential", "DeleteCredential",
	} {
		require.Contains(t, writes, op)
	}
	for name, done := range map[string][]bool{
		"not done": {false}, "done": {true}, "done, and lost again": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 1; at <= len(writes); at++ {
				synctest.Test(t, func(t *testing.T) { // the service waits before it asks a third time
					w, u := unsureWorld(t, at, done...)
					life(w)
					require.Equal(t, want, w.dump(), "write %d, %s", at, u.writes[at-1])
				})
			}
		})
	}
}
