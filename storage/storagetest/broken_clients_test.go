package storagetest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

// bentClients is a right store of which customers, snapshots and events are changed.
type bentClients struct {
	*memory.Store
	save     func(cs []inbox.Customer, ev []inbox.Event) ([]inbox.Customer, error)
	ensure   func(from *inbox.ID, who []inbox.Known)
	ensured  func(cs []inbox.Customer)
	snapshot func(d *filter.DirectoryData, v storage.Version) (*filter.DirectoryData, storage.Version)
	events   func(e *inbox.Event)
	due      func(iter.Seq2[inbox.Due, error]) iter.Seq2[inbox.Due, error]
	retry    func(done *[]acl.UserID, notBefore *time.Time)
}

func (b *bentClients) SaveCustomers(
	ctx context.Context, cs []inbox.Customer, ev ...inbox.Event,
) ([]inbox.Customer, error) {
	if b.save != nil {
		return b.save(cs, ev)
	}
	return b.Store.SaveCustomers(ctx, cs, ev...)
}

func (b *bentClients) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time,
	newID func() string,
) ([]inbox.Customer, error) {
	who = slices.Clone(who)
	if b.ensure != nil {
		b.ensure(&from, who)
	}
	cs, err := b.Store.EnsureCustomers(ctx, site, from, who, at, newID)
	if b.ensured != nil {
		b.ensured(cs)
	}
	return cs, err
}

func (b *bentClients) Snapshot(
	ctx context.Context, site inbox.SiteID, after storage.Version,
) (*filter.DirectoryData, storage.Version, error) {
	d, v, err := b.Store.Snapshot(ctx, site, after)
	if b.snapshot != nil && err == nil {
		d, v = b.snapshot(d, v)
	}
	return d, v, err
}

func (b *bentClients) SaveEvents(ctx context.Context, ev ...inbox.Event) error {
	ev = slices.Clone(ev)
	for i := range ev {
		call(b.events, &ev[i])
	}
	return b.Store.SaveEvents(ctx, ev...)
}

func (b *bentClients) DueEvents(
	ctx context.Context, now time.Time, limit int,
) iter.Seq2[inbox.Due, error] {
	return through(b.due, b.Store.DueEvents(ctx, now, limit))
}

func (b *bentClients) RetryEvent(
	ctx context.Context, id string, done []acl.UserID, notBefore time.Time,
) error {
	if b.retry != nil {
		b.retry(&done, &notBefore)
	}
	return b.Store.RetryEvent(ctx, id, done, notBefore)
}

// oneByOne saves customers each in a write of its own.
func oneByOne(s *memory.Store) func(cs []inbox.Customer, ev []inbox.Event) ([]inbox.Customer, error) {
	return func(cs []inbox.Customer, ev []inbox.Event) (saved []inbox.Customer, err error) {
		for i, c := range cs {
			if i > 0 {
				ev = nil
			}
			one, err := s.SaveCustomers(background, []inbox.Customer{c}, ev...)
			if err != nil {
				return nil, err
			}
			saved = append(saved, one...)
		}
		return saved, nil
	}
}

var brokenClients = []broken[inbox.Store]{
	{"Clients/RoundTrip", "loses a field", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, saveCompany: func(c *inbox.Company) { c.Details = "" }}
	}},
	{"Clients/NotFound", "looks at any site", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, companyOf: func(inbox.SiteID) inbox.SiteID { return "acme" }}
	}},
	{"Clients/StaleVersion", "last write wins", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, saveCompany: func(c *inbox.Company) {
			stored, _ := s.Company(background, c.Site, c.ID)
			c.Version = stored.Version
		}}
	}},
	{"Clients/DomainTaken", "lets it be taken", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, companySaved: func(c inbox.Company, err error) (inbox.Company, error) {
			if errors.Is(err, storage.ErrExists) {
				c.Domains = nil
				return s.SaveCompany(background, c)
			}
			return c, err
		}}
	}},
	{"Clients/DomainTaken", "the trash holds patterns", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, saveCompany: func(c *inbox.Company) { c.DeletedAt = time.Time{} }}
	}},
	{"Clients/ByteOrder", "order of a collation", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, companiesOut: resorted(func(a, b inbox.Company) int {
			return strings.Compare(strings.ToLower(string(a.ID)), strings.ToLower(string(b.ID)))
		})}
	}},
	{"Clients/DeletedLeftOut", "lists the trash", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, companies: func(q *inbox.CompanyQuery) { q.Deleted = true }}
	}},
	{"Clients/SnapshotVersion", "does not rise", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, snapshot: func(
			d *filter.DirectoryData, v storage.Version,
		) (*filter.DirectoryData, storage.Version) {
			return d, min(v, 3)
		}}
	}},
	{"Clients/SnapshotVersion", "always anew", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, snapshot: func(
			_ *filter.DirectoryData, v storage.Version,
		) (*filter.DirectoryData, storage.Version) {
			return new(filter.DirectoryData), v
		}}
	}},
	{"Clients/SnapshotLive", "associates with the trash", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, snapshot: func(
			d *filter.DirectoryData, v storage.Version,
		) (*filter.DirectoryData, storage.Version) {
			for i, c := range d.Customers {
				stored, _ := s.Customer(background, "acme", c.Customer)
				d.Customers[i].Company = stored.Company
			}
			return d, v
		}}
	}},
	{"Clients/SnapshotLive", "forgets alternatives", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, snapshot: func(
			d *filter.DirectoryData, v storage.Version,
		) (*filter.DirectoryData, storage.Version) {
			d.Customers = slices.CompactFunc(d.Customers, func(a, b filter.CustomerEntry) bool {
				return a.Customer == b.Customer
			})
			return d, v
		}}
	}},
	{"Clients/AddressTaken", "alternatives may be taken", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, save: func(
			cs []inbox.Customer, ev []inbox.Event,
		) ([]inbox.Customer, error) {
			saved, err := s.SaveCustomers(background, cs, ev...)
			if errors.Is(err, storage.ErrExists) {
				for i := range cs {
					cs[i].Alternatives = nil
				}
				saved, err = s.SaveCustomers(background, cs, ev...)
			}
			return saved, err
		}}
	}},
	{"Clients/AddressMoves", "one by one", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, save: oneByOne(s)}
	}},
	{"Clients/SaveAllOrNothing", "one by one", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, save: oneByOne(s)}
	}},
	{"Clients/EnsureIdempotent", "every time is a write", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, ensured: func(cs []inbox.Customer) {
			for _, c := range cs {
				_, _ = s.SaveCustomers(background, []inbox.Customer{c})
			}
		}}
	}},
	{"Clients/EnsureFindsByKey", "folds tags", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, ensure: func(_ *inbox.ID, who []inbox.Known) {
			for i := range who {
				who[i].Address = strings.Replace(who[i].Address, "+tag", "", 1)
			}
		}}
	}},
	{"Clients/EnsureNotesInbox", "forgets to", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, ensure: func(from *inbox.ID, _ []inbox.Known) { *from = "" }}
	}},
	{"Clients/ManualBeatsDomain", "the domain wins", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, save: func(
			cs []inbox.Customer, ev []inbox.Event,
		) ([]inbox.Customer, error) {
			cs = slices.Clone(cs)
			for i := range cs {
				cs[i].Source = inbox.SourceDomain
			}
			return s.SaveCustomers(background, cs, ev...)
		}}
	}},
	{"Clients/ManualBeatsDomain", "the first domain stays", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, ensure: func(_ *inbox.ID, who []inbox.Known) {
			if who[0].Address == "by@example.com" {
				who[0].Company = ""
			}
		}}
	}},
	{"Clients/QueryFields", "no inbox is every inbox", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, customers: func(q *inbox.CustomerQuery) {
			if len(q.Visible) == 0 {
				q.Visible = nil
			}
		}}
	}},
	{"Clients/QueryFields", "domain as a suffix of text", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, customers: func(q *inbox.CustomerQuery) {
			q.Domain = strings.Replace(q.Domain, "me.example", "acme.example", 1)
		}}
	}},
}

var brokenOutboxes = []broken[inbox.Store]{
	{"Outbox/RoundTrip", "loses facts", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, events: func(e *inbox.Event) { e.Facts = nil }}
	}},
	{"Outbox/AtLeastOnce", "at most once", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, due: altered(func(d *inbox.Due) {
			_ = s.DoneEvent(background, d.ID)
		})}
	}},
	{"Outbox/RetryHides", "does not hide", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, retry: func(_ *[]acl.UserID, notBefore *time.Time) {
			*notBefore = time.Time{}
		}}
	}},
	{"Outbox/RetryHides", "forgets who has it", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, retry: func(done *[]acl.UserID, _ *time.Time) { *done = nil }}
	}},
	{"Outbox/ByID", "order of a collation", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, due: resorted(func(a, b inbox.Due) int {
			return strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID))
		})}
	}},
	{"Outbox/WrittenWithItsCause", "events of a refused write stay", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, updated: func(
			in inbox.Inbox, ev []inbox.Event, err error,
		) (inbox.Inbox, error) {
			return in, errors.Join(err, s.SaveEvents(background, ev...))
		}}
	}},
}
