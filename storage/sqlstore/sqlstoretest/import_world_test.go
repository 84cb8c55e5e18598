package sqlstoretest_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore"
)

const importSite inbox.SiteID = "firm"

// importer is a whole host in one folder: SQLite, blobs on disk, and a mailbox to import.
type importer struct {
	db    *sql.DB
	store *sqlstore.Store
	blobs *blob.Dir
	svc   *inbox.Service
	host  *memory.Host
	me    string
}

// hostParts lets a test stand between the service and what it uses.
type hostParts struct {
	provider provider.Provider
	store    func(inbox.Store) inbox.Store
	blobs    func(inbox.Blobs) inbox.Blobs
	inFlight int
	me       string
}

func openImporter(ctx context.Context, dir string, now time.Time, p hostParts) (*importer, error) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(dir, "inbox.db")))
	if err != nil {
		return nil, err
	}
	i := &importer{db: db, host: memory.NewHost(), me: p.me}
	if err := sqlstore.Migrate(ctx, db, sqlstore.Options{}); err != nil {
		return nil, err
	}
	if i.store, err = sqlstore.Open(ctx, db, sqlstore.Options{}); err != nil {
		return nil, err
	}
	if i.blobs, err = blob.Open(filepath.Join(dir, "blobs"), blob.Options{}); err != nil {
		return nil, err
	}
	i.host.SetSite(inbox.Settings{ID: importSite})
	i.host.AddPerson(inbox.Person{ID: "olivia", Site: importSite, Role: acl.Owner, State: acl.Active})
	c := inbox.Config{
		Store: i.store, Vault: i.store, Blobs: i.blobs, People: i.host, Sites: i.host,
		Providers: []provider.Provider{p.provider}, InFlight: p.inFlight,
		Now: func() time.Time { return now },
	}
	if p.store != nil {
		c.Store = p.store(i.store)
	}
	if p.blobs != nil {
		c.Blobs = p.blobs(i.blobs)
	}
	i.svc, err = inbox.New(c)
	return i, err
}

func (i *importer) close() {
	_ = i.blobs.Close()
	_ = i.db.Close()
}

// inbox returns the one inbox, set up by the four steps where it is not yet.
func (i *importer) inbox(ctx context.Context, rules filter.Rules, clients []string) (inbox.ID, error) {
	actor, err := i.svc.Actor(ctx, importSite, "olivia")
	if err != nil {
		return "", err
	}
	for in, err := range i.store.Inboxes(ctx, inbox.Query{}) {
		if err != nil || in.State.Live() {
			return in.ID, err
		}
	}
	for _, domain := range clients {
		if _, err := i.svc.CreateCompany(ctx, actor, inbox.CompanyEdit{Name: domain, Domains: []string{domain}}); err != nil {
			return "", err
		}
	}
	kind := i.svc.Providers[0].Kind()
	in, err := i.svc.Create(ctx, actor, inbox.Draft{Provider: kind, Name: "Olivia", Import: true, Window: -1})
	if err != nil {
		return "", err
	}
	if in, err = i.svc.SetRules(ctx, actor, in.ID, rules); err != nil {
		return "", err
	}
	link, err := i.svc.Connect(ctx, actor, in.ID, "https://host.example/back")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	back := inbox.Return{State: u.Query().Get("state"), Code: u.Query().Get("code")}
	if back.Code == "" { // the fake's code is the account's address
		back.Code = i.me
	}
	if _, err = i.svc.Consent(ctx, actor, in.ID, back); err != nil {
		return "", err
	}
	_, err = i.svc.Finish(ctx, actor, in.ID)
	return in.ID, err
}

// writeMail writes a generated mailbox as one mbox.
func writeMail(tb testing.TB, c mailgen.Config) (path string, mail *mailgen.Mailbox) {
	tb.Helper()
	mail, err := mailgen.New(c)
	require.NoError(tb, err)
	path = filepath.Join(tb.TempDir(), "mail.mbox")
	f, err := os.Create(path)
	require.NoError(tb, err)
	require.NoError(tb, mail.WriteMbox(f))
	require.NoError(tb, f.Close())
	return path, mail
}

// archiveOf opens the mbox as the mailbox of its owner.
func archiveOf(path string, mail *mailgen.Mailbox) provider.Provider {
	return archive.New(path, archive.Options{Own: []string{mail.Config().Owner}, PageSize: 100})
}
