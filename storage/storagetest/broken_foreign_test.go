package storagetest_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// errBytes is what a database says that is asked for a text it cannot hold.
var errBytes = errors.New("invalid byte sequence")

func holdable[T ~string](text T) bool {
	return utf8.ValidString(string(text)) && !strings.Contains(string(text), "\x00")
}

// shortened ends a text at its first zero byte, as C does.
func shortened[T ~string](text T) T {
	before, _, _ := strings.Cut(string(text), "\x00")
	return T(before)
}

// cleaned puts marks where bytes are not UTF-8, as JSON does.
func cleaned[T ~string](text T) T { return T(strings.ToValidUTF8(string(text), "\ufffd")) }

// refusing answers some lookups by a text it cannot hold with an error.
type refusing struct{ *memory.Store }

func (r *refusing) Company(ctx context.Context, site inbox.SiteID, id inbox.CompanyID) (inbox.Company, error) {
	if !holdable(id) {
		return inbox.Company{}, errBytes
	}
	return r.Store.Company(ctx, site, id)
}

func (r *refusing) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	if holdable(q.Marker) {
		return r.Store.Entries(ctx, q)
	}
	return func(yield func(ticket.Entry, error) bool) { yield(ticket.Entry{}, errBytes) }
}

// halting stores the customers and tickets of a write up to the one it cannot hold.
type halting struct{ *memory.Store }

func (h *halting) SaveCustomers(ctx context.Context, cs []inbox.Customer, ev ...inbox.Event) ([]inbox.Customer, error) {
	bad := slices.IndexFunc(cs, func(c inbox.Customer) bool { return !holdable(c.ID) })
	if bad < 0 {
		return h.Store.SaveCustomers(ctx, cs, ev...)
	}
	_, err := h.Store.SaveCustomers(ctx, cs[:bad])
	return nil, errors.Join(err, errBytes)
}

func (h *halting) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) ([]ticket.Ticket, error) {
	bad := slices.IndexFunc(w, func(w ticket.Write) bool { return !holdable(w.Ticket.Assignee) })
	if bad < 0 {
		return h.Store.SaveTickets(ctx, w, ev...)
	}
	_, err := h.Store.SaveTickets(ctx, w[:bad])
	return nil, errors.Join(err, errBytes)
}

// blaming takes what it cannot hold for the caller's being late.
type blaming struct{ *memory.Store }

func (s *blaming) SaveAllowance(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error) {
	if !holdable(a.User) {
		return ticket.Allowance{}, storage.ErrConflict
	}
	return s.Store.SaveAllowance(ctx, a)
}

var brokenForeign = []broken[inbox.Store]{
	{"IDs/OthersFindNothing", "ends at a zero byte", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, message: shortened[inbox.MessageID]}
	}},
	{"IDs/OthersFindNothing", "an error instead of nothing", func(s *memory.Store) inbox.Store { return &refusing{s} }},
	{"IDs/OthersFindNothing", "a filter is folded", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messages: func(q *inbox.MessageQuery) { q.Marker = strings.ToLower(q.Marker) }}
	}},
	{"IDs/OthersFindNothing", "a filter it cannot hold is none", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, customers: func(q *inbox.CustomerQuery) {
			if !holdable(q.Company) {
				q.Company = ""
			}
		}}
	}},
	{"IDs/OthersFindNothing", "deletes what is like it", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, remove: func(id inbox.ID) error { return s.DeleteInbox(background, shortened(id)) }}
	}},
	{"IDs/AnyPlace", "nothing is behind what it cannot hold", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, companies: func(q *inbox.CompanyQuery) {
			if !holdable(q.After) {
				q.After = "\U0010ffff"
			}
		}}
	}},
	{"IDs/AnyPlace", "all is behind what it cannot hold", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messages: func(q *inbox.MessageQuery) {
			if q.After != nil && !holdable(q.After.ID) {
				q.After = nil
			}
		}}
	}},
	{"IDs/KeptOrRefused", "keeps something else", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, create: func(in *inbox.Inbox) { in.ID = cleaned(in.ID) }}
	}},
	{"IDs/KeptOrRefused", "keeps what came before", func(s *memory.Store) inbox.Store { return &halting{s} }},
}

var brokenForeignTickets = []broken[ticket.Store]{
	{"IDs/OthersFindNothing", "ends at a zero byte", func(s *memory.Store) ticket.Store {
		return &bentDrafts{Store: s, which: func(entry *ticket.EntryID) { *entry = shortened(*entry) }}
	}},
	{"IDs/OthersFindNothing", "an error instead of nothing", func(s *memory.Store) ticket.Store { return &refusing{s} }},
	{"IDs/OthersFindNothing", "nobody is another than what it cannot hold", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			if !holdable(q.NotAssignee) {
				q.Inboxes = []inbox.ID{}
			}
		}}
	}},
	{"IDs/OthersFindNothing", "tags are trimmed in a search", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, matches: func(q *ticket.MatchQuery) {
			for i, tag := range q.Tickets.AnyTag {
				q.Tickets.AnyTag[i] = strings.TrimSpace(tag)
			}
		}}
	}},
	{"IDs/OthersFindNothing", "counts for somebody like it", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(_ *ticket.Query, reader *acl.UserID) { *reader = shortened(*reader) }}
	}},
	{"IDs/OthersFindNothing", "purges what is like it", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, purge: func(id inbox.ID) error { return s.PurgeTickets(background, shortened(id)) }}
	}},
	{"IDs/AnyPlace", "nothing is behind what it cannot hold", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, query: func(q *ticket.Query) {
			if q.After != nil && !holdable(q.After.ID) {
				q.Inboxes = []inbox.ID{}
			}
		}}
	}},
	{"IDs/KeptOrRefused", "keeps something else", func(s *memory.Store) ticket.Store {
		return &bentTickets{Store: s, write: func(w []ticket.Write) {
			for i := range w {
				w[i].Ticket.Status = cleaned(w[i].Ticket.Status)
			}
		}}
	}},
	{"IDs/KeptOrRefused", "keeps what came before", func(s *memory.Store) ticket.Store { return &halting{s} }},
	{"IDs/KeptOrRefused", "says that it was changed", func(s *memory.Store) ticket.Store { return &blaming{s} }},
}

var brokenForeignVaults = []broken[inbox.Vault]{
	{"Vault/OthersFindNothing", "ends at a zero byte", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, key: func(k *inbox.VaultKey) { k.Inbox = shortened(k.Inbox) }}
	}},
	{"Vault/OthersFindNothing", "an error instead of nothing", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, read: func(version storage.Version, err error) (storage.Version, error) {
			if errors.Is(err, storage.ErrNotFound) {
				err = errBytes
			}
			return version, err
		}}
	}},
}

var brokenForeignBlobs = []broken[inbox.Blobs]{
	{"Blobs/OthersFindNothing", "ends at a zero byte", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, open: func(key inbox.BlobKey, r io.ReadCloser, err error) (io.ReadCloser, error) {
			if short := shortened(key); short != key {
				return s.OpenBlob(background, short)
			}
			return r, err
		}}
	}},
	{"Blobs/OthersFindNothing", "an error instead of nothing", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, drop: func(key inbox.BlobKey) error {
			if !holdable(key) {
				return errBytes
			}
			return nil
		}}
	}},
}
