package importtest

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore"
)

// Site is the one site of an Importer.
const Site inbox.SiteID = "firm"

const olivia = "olivia" // owns the site and the inbox

// Importer is a whole host in one folder: SQLite, or tables elsewhere, blobs on disk, and a mailbox to
// import. One goroutine sets it up and closes it.
type Importer struct {
	DB      *sql.DB
	Store   *sqlstore.Store
	Blobs   *blob.Dir
	Service *inbox.Service
	parts   Parts
}

// Parts are what an Importer is made of, and let a test stand between the service and what it uses.
type Parts struct {
	Provider provider.Provider // whose mailbox is imported
	// Database is where the store lies. Nil: a SQLite file in the folder.
	Database *Database
	// Store and Blobs return what the service uses instead of what they get. Nil: that itself.
	Store func(inbox.Store) inbox.Store
	Blobs func(inbox.Blobs) inbox.Blobs
	// InFlight and Strict are those of inbox.Config.
	InFlight int
	Strict   bool
	// Me is the code of consent where the link brings none, as provider/fake's is an address.
	Me string
	// Consent is the person at the page of consent; it returns where they are sent from there. Nil:
	// the link is that address already.
	Consent func(ctx context.Context, link string) (string, error)
}

// Database says where a store lies. The program links the driver.
type Database struct {
	Options sqlstore.Options
	Driver  string // of database/sql
	DSN     string
}

// Open opens the host that lies in dir, or makes it. For the service it is always now. The caller
// closes it.
func Open(ctx context.Context, dir string, now time.Time, p Parts) (*Importer, error) {
	if p.Database == nil {
		p.Database = &Database{Driver: "sqlite", DSN: sqlstore.SQLiteDSN(filepath.Join(dir, "inbox.db"))}
	}
	db, err := sql.Open(p.Database.Driver, p.Database.DSN)
	if err != nil {
		return nil, err
	}
	i := &Importer{DB: db, parts: p}
	if err := i.open(ctx, dir, now); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func (i *Importer) open(ctx context.Context, dir string, now time.Time) (err error) {
	if err := sqlstore.Migrate(ctx, i.DB, i.parts.Database.Options); err != nil {
		return err
	}
	if i.Store, err = sqlstore.Open(ctx, i.DB, i.parts.Database.Options); err != nil {
		return err
	}
	if i.Blobs, err = blob.Open(filepath.Join(dir, "blobs"), blob.Options{}); err != nil {
		return err
	}
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: Site})
	host.AddPerson(inbox.Person{ID: olivia, Site: Site, Role: acl.Owner, State: acl.Active})
	c := inbox.Config{
		Store: i.Store, Vault: i.Store, Blobs: i.Blobs, People: host, Sites: host,
		Providers: []provider.Provider{i.parts.Provider}, InFlight: i.parts.InFlight, Strict: i.parts.Strict,
		Now: func() time.Time { return now },
	}
	if i.parts.Store != nil {
		c.Store = i.parts.Store(i.Store)
	}
	if i.parts.Blobs != nil {
		c.Blobs = i.parts.Blobs(i.Blobs)
	}
	i.Service, err = inbox.New(c)
	return err
}

// Close closes what Open opened. What is stored stays.
func (i *Importer) Close() error {
	var errs []error
	if i.Store != nil {
		errs = append(errs, i.Store.Close())
	}
	if i.Blobs != nil {
		errs = append(errs, i.Blobs.Close())
	}
	return errors.Join(append(errs, i.DB.Close())...)
}

// Inbox returns the one inbox. Where it is not set up yet it takes the four steps to it: companies
// with the domains of clients, the rules, consent, and all mail of whatever age.
func (i *Importer) Inbox(ctx context.Context, rules filter.Rules, clients []string) (inbox.ID, error) {
	actor, err := i.Service.Actor(ctx, Site, olivia)
	if err != nil {
		return "", err
	}
	for in, err := range i.Store.Inboxes(ctx, inbox.Query{}) {
		if err != nil || in.State.Live() {
			return in.ID, err
		}
	}
	for _, domain := range clients {
		company := inbox.CompanyEdit{Name: domain, Domains: []string{domain}}
		if _, err := i.Service.CreateCompany(ctx, actor, company); err != nil {
			return "", err
		}
	}
	kind := i.Service.Providers[0].Kind()
	in, err := i.Service.Create(ctx, actor, inbox.Draft{Provider: kind, Name: "Olivia", Import: true, Window: -1})
	if err != nil {
		return "", err
	}
	if in, err = i.Service.SetRules(ctx, actor, in.ID, rules); err != nil {
		return "", err
	}
	link, err := i.Service.Connect(ctx, actor, in.ID, "https://host.example/back")
	if err != nil {
		return "", err
	}
	back, err := i.consent(ctx, link)
	if err != nil {
		return "", err
	}
	if _, err = i.Service.Consent(ctx, actor, in.ID, back); err != nil {
		return "", err
	}
	_, err = i.Service.Finish(ctx, actor, in.ID)
	return in.ID, err
}

// consent is what the person brings back from the page of consent.
func (i *Importer) consent(ctx context.Context, link string) (back inbox.Return, err error) {
	if i.parts.Consent != nil {
		if link, err = i.parts.Consent(ctx, link); err != nil {
			return back, err
		}
	}
	u, err := url.Parse(link)
	if err != nil {
		return back, err
	}
	back = inbox.ParseReturn(u.Query())
	if back.Code == "" {
		back.Code = i.parts.Me
	}
	return back, nil
}
