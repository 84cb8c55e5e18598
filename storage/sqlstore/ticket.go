package sqlstore

import (
	"context"
	"fmt"
	"maps"
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
		if err := x.lockMessages(w); err != nil {
			return err
		}
		old, err := x.storedTickets(w)
		if err != nil {
			return err
		}
		keys := make([]int64, len(w))
		var threads [][]any
		var entries []entryRow
		for i := range w {
			key, doc, err := x.saveTicket(w[i].Ticket, old[w[i].Ticket.ID])
			if err != nil {
				return err
			}
			keys[i] = key
			for _, thread := range distinct(w[i].Ticket.Threads) {
				threads = append(threads, []any{string(thread), key})
			}
			for j := range w[i].Entries {
				e := w[i].Entries[j]
				e.Ticket = w[i].Ticket.ID
				row, err := encodeEntry(key, &e)
				if err != nil {
					return err
				}
				entries = append(entries, row)
			}
			if saved[i], err = stored[ticket.Ticket](doc); err != nil {
				return err
			}
		}
		if err := x.insert("ticket_threads", "", threads, ""); err != nil {
			return err
		}
		if err := x.saveEntries(entries); err != nil {
			return err
		}
		if err := x.oneEntryEach(w); err != nil {
			return err
		}
		if err := x.saveTexts(w, keys); err != nil {
			return err
		}
		for i := range saved {
			if was := old[saved[i].ID]; was.key != 0 && was.inbox != string(saved[i].Inbox) {
				if err := x.moveTexts(keys[i], &saved[i]); err != nil {
					return err
				}
			}
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

// storedTicket is what a write needs to know of a ticket that is there.
type storedTicket struct {
	key, version, number int64
	inbox                string
}

// storedTickets finds the tickets of a write that are there, and locks them.
func (x *session) storedTickets(w []ticket.Write) (map[ticket.ID]storedTicket, error) {
	ids := make([]ticket.ID, len(w))
	for i := range w {
		ids[i] = w[i].Ticket.ID
	}
	old := make(map[ticket.ID]storedTicket, len(w))
	err := inChunks(distinct(ids), func(marks string, values []any) error {
		text := x.locking("SELECT id, pk, version, number, inbox FROM {tickets}" + x.using("tickets_id") +
			" WHERE id IN " + marks + " ORDER BY id")
		return x.every(text, values, func(scan func(...any) error) error {
			var id string
			var t storedTicket
			err := scan(&id, &t.key, &t.version, &t.number, &t.inbox)
			old[ticket.ID(id)] = t
			return err
		})
	})
	return old, err
}

// saveTicket writes one ticket without its threads, and returns its key and doc.
func (x *session) saveTicket(t ticket.Ticket, old storedTicket) (key int64, doc string, err error) {
	if old.version != int64(t.Version) {
		return 0, "", refuse("save", "ticket", t.ID, storage.ErrConflict)
	}
	fresh := old.key == 0
	if t.Number = old.number; fresh {
		if t.Number, err = x.nextNumber(t.Site); err != nil {
			return 0, "", err
		}
	}
	t.Version++
	if doc, err = encode(&t); err != nil {
		return 0, "", err
	}
	if key, err = x.writeTicket(old.key, &t, doc); err != nil || fresh {
		return key, doc, err
	}
	_, err = x.exec("DELETE FROM {ticket_threads} WHERE ticket = ?", key)
	return key, doc, err
}

func (x *session) writeTicket(key int64, t *ticket.Ticket, doc string) (int64, error) {
	rest, since := t.Resting()
	var rested any
	if rest != "" {
		rested = micros(since)
	}
	columns := []any{
		string(t.ID), string(t.Site), string(t.Inbox), t.Number, micros(t.Activity),
		whereabouts(t), hiding(t), flag(t.Imported), string(t.Status),
		orNull(t.Assignee), orNull(t.Customer), orNull(t.Company), tagText(t.Tags...),
		int64(t.Version), doc, micros(t.CreatedAt), micros(t.HeardAt), t.Priority, t.Type, t.Source,
		orNull(rest), rested,
	}
	if key != 0 {
		_, err := x.exec("UPDATE {tickets} SET id = ?, site = ?, inbox = ?, number = ?, activity = ?, "+
			"trash = ?, hidden = ?, imported = ?, status = ?, assignee = ?, customer = ?, "+
			"company = ?, tags = ?, version = ?, doc = ?, created = ?, heard = ?, "+
			"priority = ?, type = ?, source = ?, rest = ?, rested = ? WHERE pk = ?", append(columns, key)...)
		return key, err
	}
	key, err := x.insertKey("INSERT INTO {tickets} (id, site, inbox, number, activity, trash, hidden, "+
		"imported, status, assignee, customer, company, tags, version, doc, created, heard, priority, type, "+
		"source, rest, rested) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns...)
	// Somebody else has just made a ticket of this ID.
	if err != nil && x.dialect.judge(err) == faultTaken {
		err = refuse("save", "ticket", t.ID, storage.ErrConflict)
	}
	return key, err
}

// Where a ticket is: the values of the column trash.
const (
	isLive   = 0
	isTrash  = 1
	isMerged = 2 // in another ticket
	isPurged = 3 // in the trash, and begun to be forgotten
)

func whereabouts(t *ticket.Ticket) int64 {
	switch {
	case t.MergedInto != "":
		return isMerged
	case !t.DeletedAt.IsZero() && !t.PurgeBegan.IsZero():
		return isPurged
	case !t.DeletedAt.IsZero():
		return isTrash
	}
	return isLive
}

// hiding is 1 for a hidden ticket, which the creator of its inbox may see, and 2 for one that nobody is
// shown.
func hiding(t *ticket.Ticket) int64 {
	if t.Hidden() && t.Moved() {
		return 2
	}
	return flag(t.Hidden())
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
		var stored bool
		if expect == 0 {
			stored, err = x.create("INSERT INTO {marks} VALUES (?, ?, 1) ON CONFLICT (inbox) DO NOTHING",
				string(id), int64(seq))
		} else {
			var n int64
			n, err = x.affected("UPDATE {marks} SET seq = ?, version = version + 1 "+
				"WHERE inbox = ? AND version = ?", int64(seq), string(id), int64(expect))
			stored = n > 0
		}
		if err == nil && !stored {
			err = storage.ErrConflict
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return expect + 1, nil
}

// PurgeTicket forgets one ticket.
func (s *Store) PurgeTicket(ctx context.Context, id ticket.ID, expect storage.Version) error {
	return s.write(ctx, op{"purge", "ticket", string(id)}, func(x *session) error {
		var key, version int64
		err := x.one(x.locking("SELECT pk, version FROM {tickets}"+x.using("tickets_id")+" WHERE id = ?"),
			[]any{string(id)}, &key, &version)
		switch {
		case isNone(err):
			return nil
		case err != nil:
			return err
		case version != int64(expect):
			return storage.ErrConflict
		}
		return x.purgeTickets("", map[ticket.ID]int64{id: key})
	})
}

// PurgeTickets forgets what there is of an inbox. Entries of purged tickets go with them, and so do
// the inbox's entries in tickets of other inboxes.
func (s *Store) PurgeTickets(ctx context.Context, id inbox.ID) error {
	return s.write(ctx, op{"purge", "tickets", string(id)}, func(x *session) error {
		tickets := make(map[ticket.ID]int64)
		err := x.every(x.locking("SELECT id, pk FROM {tickets}"+x.using(byInbox)+" WHERE inbox = ?"), []any{string(id)},
			func(scan func(...any) error) error {
				var of string
				var key int64
				err := scan(&of, &key)
				tickets[ticket.ID(of)] = key
				return err
			})
		if err != nil {
			return err
		}
		if err := x.purgeTickets(id, tickets); err != nil {
			return err
		}
		_, err = x.exec("DELETE FROM {marks} WHERE inbox = ?", string(id))
		return err
	})
}

// purgeTickets deletes tickets, which are locked, with what is theirs, and the entries of an inbox
// where one is named. It locks rows in the order SaveTickets does, entries before what they are found
// by, so that of the two one waits for the other, never each for the other.
func (x *session) purgeTickets(id inbox.ID, tickets map[ticket.ID]int64) error {
	ids, keys := slices.Sorted(maps.Keys(tickets)), slices.Sorted(maps.Values(tickets))
	of := func(text string) error {
		return keysInChunks(keys, func(marks string, keys []any) error {
			_, err := x.exec(text+marks, keys...)
			return err
		})
	}
	if err := of("DELETE FROM {ticket_threads} WHERE ticket IN "); err != nil {
		return err
	}
	if err := x.lockEntries(id, keys); err != nil {
		return err
	}
	if err := x.purgeTexts(id, keys); err != nil {
		return err
	}
	if err := of("DELETE FROM {entries} WHERE ticket IN "); err != nil {
		return err
	}
	if id != "" {
		if _, err := x.exec("DELETE FROM {entries} WHERE inbox = ?", string(id)); err != nil {
			return err
		}
	}
	err := inChunks(plainTexts(ids), func(marks string, ids []any) error {
		_, err := x.exec("DELETE FROM {drafts} WHERE ticket IN "+marks, ids...)
		return err
	})
	if err != nil {
		return err
	}
	for _, text := range []string{"DELETE FROM {reads} WHERE ticket IN ", "DELETE FROM {tickets} WHERE pk IN "} {
		if err := of(text); err != nil {
			return err
		}
	}
	return nil
}

// lockEntries locks the entries of tickets, and those of an inbox where one is named.
func (x *session) lockEntries(id inbox.ID, tickets []int64) error {
	if !x.dialect.locksRows {
		return nil
	}
	pass := func(scan func(...any) error) error {
		var key int64
		return scan(&key)
	}
	err := keysInChunks(tickets, func(marks string, tickets []any) error {
		return x.every(x.locking("SELECT pk FROM {entries}"+x.using("entries_ticket")+" WHERE ticket IN "+marks), tickets, pass)
	})
	if err != nil || id == "" {
		return err
	}
	return x.every(x.locking("SELECT pk FROM {entries}"+x.using("entries_inbox")+" WHERE inbox = ?"), []any{string(id)}, pass)
}
