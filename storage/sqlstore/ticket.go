package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// SaveTickets writes tickets with their entries. An entry belongs to the ticket of its Write; one
// that is stored in another ticket moves. More than ticket.MaxWrites tickets, or tickets of several
// sites, are refused.
func (s *Store) SaveTickets(
	ctx context.Context, w []ticket.Write, ev ...inbox.Event,
) ([]ticket.Ticket, error) {
	if err := checkWrites(w); err != nil {
		return nil, err
	}
	saved := make([]ticket.Ticket, len(w))
	err := s.write(ctx, op{"save", "tickets", ""}, func(x *session) error {
		for i := range w {
			key, doc, err := x.saveTicket(w[i].Ticket)
			if err != nil {
				return err
			}
			for j := range w[i].Entries {
				e := w[i].Entries[j]
				e.Ticket = w[i].Ticket.ID
				if err := x.saveEntry(key, &e); err != nil {
					return err
				}
			}
			if saved[i], err = stored[ticket.Ticket](doc); err != nil {
				return err
			}
		}
		if err := x.oneTicketEach(w); err != nil {
			return err
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return nil, err
	}
	return saved, nil
}

func checkWrites(w []ticket.Write) error {
	if len(w) > ticket.MaxWrites {
		return fmt.Errorf("save tickets: %d at once, at most %d are possible", len(w), ticket.MaxWrites)
	}
	for i := range w {
		if w[i].Ticket.Site != w[0].Ticket.Site {
			return fmt.Errorf("save tickets: %q is of another site than %q", w[i].Ticket.ID, w[0].Ticket.ID)
		}
		again := slices.ContainsFunc(w[:i], func(o ticket.Write) bool { return o.Ticket.ID == w[i].Ticket.ID })
		if again {
			return refuse("save", "ticket", w[i].Ticket.ID, storage.ErrConflict)
		}
	}
	return nil
}

// saveTicket writes one ticket and returns its key and doc.
func (x *session) saveTicket(t ticket.Ticket) (key int64, doc string, err error) {
	var version int64
	err = x.one("SELECT pk, version, number FROM {tickets} WHERE id = ?", []any{string(t.ID)},
		&key, &version, &t.Number)
	fresh := isNone(err)
	if err != nil && !fresh {
		return 0, "", err
	}
	if version != int64(t.Version) {
		return 0, "", refuse("save", "ticket", t.ID, storage.ErrConflict)
	}
	if fresh {
		if t.Number, err = x.nextNumber(t.Site); err != nil {
			return 0, "", err
		}
	}
	t.Version++
	if doc, err = encode(&t); err != nil {
		return 0, "", err
	}
	if key, err = x.writeTicket(key, &t, doc); err != nil {
		return 0, "", err
	}
	if !fresh {
		if _, err := x.exec("DELETE FROM {ticket_threads} WHERE ticket = ?", key); err != nil {
			return 0, "", err
		}
	}
	for _, thread := range distinct(t.Threads) {
		_, err := x.exec("INSERT INTO {ticket_threads} VALUES (?, ?)", string(thread), key)
		if err != nil {
			return 0, "", err
		}
	}
	return key, doc, nil
}

func (x *session) writeTicket(key int64, t *ticket.Ticket, doc string) (int64, error) {
	columns := []any{
		string(t.ID), string(t.Site), string(t.Inbox), t.Number, micros(t.Activity),
		flag(!t.DeletedAt.IsZero()), flag(t.Hidden()), flag(t.Imported), string(t.Status),
		orNull(t.Assignee), orNull(t.Customer), orNull(t.Company), tagText(t.Tags...),
		int64(t.Version), doc,
	}
	if key != 0 {
		_, err := x.exec("UPDATE {tickets} SET id = ?, site = ?, inbox = ?, number = ?, activity = ?, "+
			"trash = ?, hidden = ?, imported = ?, status = ?, assignee = ?, customer = ?, "+
			"company = ?, tags = ?, version = ?, doc = ? WHERE pk = ?", append(columns, key)...)
		return key, err
	}
	result, err := x.exec("INSERT INTO {tickets} (id, site, inbox, number, activity, trash, hidden, "+
		"imported, status, assignee, customer, company, tags, version, doc) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// tagText holds tags so that one can be found in it: each between two bytes no tag has.
func tagText(tags ...string) string {
	if len(tags) == 0 {
		return ""
	}
	return "\x1f" + strings.Join(tags, "\x1f") + "\x1f"
}

// nextNumber gives a site's next number. None is given twice, not even after a purge.
func (x *session) nextNumber(site inbox.SiteID) (n int64, err error) {
	_, err = x.exec("INSERT INTO {numbers} VALUES (?, 1) "+
		"ON CONFLICT (site) DO UPDATE SET last = {numbers}.last + 1", string(site))
	if err != nil {
		return 0, err
	}
	err = x.one("SELECT last FROM {numbers} WHERE site = ?", []any{string(site)}, &n)
	return n, err
}

// Ticket returns one ticket.
func (s *Store) Ticket(ctx context.Context, id ticket.ID) (t ticket.Ticket, err error) {
	err = s.read(ctx, op{"read", "ticket", string(id)}, func(x *session) error {
		var doc string
		if err := x.one("SELECT doc FROM {tickets} WHERE id = ?", []any{string(id)}, &doc); err != nil {
			return err
		}
		t, err = stored[ticket.Ticket](doc)
		return err
	})
	return t, err
}

// Mark returns how far the log of an inbox has been collected.
func (s *Store) Mark(ctx context.Context, id inbox.ID) (seq uint64, version storage.Version, err error) {
	err = s.read(ctx, op{"read", "mark", string(id)}, func(x *session) error {
		err := x.one("SELECT seq, version FROM {marks} WHERE inbox = ?", []any{string(id)}, &seq, &version)
		if isNone(err) {
			return nil
		}
		return err
	})
	return seq, version, err
}

// SaveMark moves the mark.
func (s *Store) SaveMark(
	ctx context.Context, id inbox.ID, seq uint64, expect storage.Version,
) (storage.Version, error) {
	err := s.write(ctx, op{"save", "mark", string(id)}, func(x *session) (err error) {
		var n int64
		if expect == 0 {
			n, err = x.affected("INSERT INTO {marks} VALUES (?, ?, 1) ON CONFLICT (inbox) DO NOTHING",
				string(id), int64(seq))
		} else {
			n, err = x.affected("UPDATE {marks} SET seq = ?, version = version + 1 "+
				"WHERE inbox = ? AND version = ?", int64(seq), string(id), int64(expect))
		}
		if err == nil && n == 0 {
			err = storage.ErrConflict
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return expect + 1, nil
}

// PurgeTickets forgets what there is of an inbox. Entries of purged tickets go with them, and so do
// the inbox's entries in tickets of other inboxes.
func (s *Store) PurgeTickets(ctx context.Context, id inbox.ID) error {
	return s.write(ctx, op{"purge", "tickets", string(id)}, func(x *session) error {
		for _, text := range []string{
			"DELETE FROM {entries} WHERE ticket IN (SELECT pk FROM {tickets} WHERE inbox = ?)",
			"DELETE FROM {entries} WHERE inbox = ?",
			"DELETE FROM {ticket_threads} WHERE ticket IN (SELECT pk FROM {tickets} WHERE inbox = ?)",
			"DELETE FROM {tickets} WHERE inbox = ?",
			"DELETE FROM {marks} WHERE inbox = ?",
		} {
			if _, err := x.exec(text, string(id)); err != nil {
				return err
			}
		}
		return nil
	})
}
