package sqlstore

import (
	"context"
	"iter"

	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Draft returns the draft of an entry.
func (s *Store) Draft(ctx context.Context, entry ticket.EntryID) (d ticket.Draft, err error) {
	err = s.read(ctx, op{"read", "draft", string(entry)}, func(x *session) error {
		var doc string
		if err := x.one("SELECT doc FROM {drafts} WHERE entry = ?", []any{string(entry)}, &doc); err != nil {
			return err
		}
		d, err = stored[ticket.Draft](doc)
		return err
	})
	return d, err
}

// Drafts yields drafts by ticket, author and entry. One person has few, and so has one ticket, so they are
// read at once.
func (s *Store) Drafts(ctx context.Context, q ticket.DraftQuery) iter.Seq2[ticket.Draft, error] {
	return list(ctx, 0, func() func(int) (page[ticket.Draft], error) {
		return func(int) (p page[ticket.Draft], err error) {
			p.done = true
			err = s.read(ctx, op{"list", "drafts", string(q.Ticket)}, func(x *session) error {
				where := new(conditions)
				for _, c := range []struct{ column, value string }{
					{"site", string(q.Site)}, {"ticket", string(q.Ticket)}, {"person", string(q.Author)},
				} {
					if c.value != "" {
						where.add(c.column+" = ?", c.value)
					}
				}
				text := "SELECT doc FROM {drafts}"
				if len(where.args) > 0 {
					text += " WHERE " + where.text()
				}
				p.items, err = docs[ticket.Draft](x, text+" ORDER BY ticket, person, entry", where.args)
				return err
			})
			return p, err
		}
	})
}

// SaveDraft creates or replaces a draft.
func (s *Store) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	expect := d.Version
	d.Version++
	doc, err := encode(&d)
	if err != nil {
		return ticket.Draft{}, err
	}
	err = s.write(ctx, op{"save", "draft", string(d.Entry)}, func(x *session) error {
		if err := x.takesDrafts(d.Ticket); err != nil {
			return err
		}
		row := []any{string(d.Entry), string(d.Ticket), string(d.Author), string(d.Site), int64(d.Version), doc}
		text := "INSERT INTO {drafts} VALUES (?, ?, ?, ?, ?, ?)"
		if expect > 0 {
			text = "UPDATE {drafts} SET entry = ?, ticket = ?, person = ?, site = ?, version = ?, doc = ? " +
				"WHERE entry = ? AND version = ?"
			row = append(row, string(was), int64(expect))
		}
		n, err := x.affected(text, row...)
		if err == nil && n == 0 || err != nil && x.dialect.judge(err) == faultTaken {
			return storage.ErrConflict
		}
		return err
	})
	if err != nil {
		return ticket.Draft{}, err
	}
	return stored[ticket.Draft](doc)
}

// takesDrafts locks a ticket, so that a purge of it forgets what is saved now, and refuses one that is
// gone or going.
func (x *session) takesDrafts(id ticket.ID) error {
	var doc string
	err := x.one(x.locking("SELECT doc FROM {tickets}"+x.using("tickets_id")+" WHERE id = ?"), []any{string(id)}, &doc)
	if isNone(err) {
		return storage.ErrNotFound
	}
	if err != nil {
		return err
	}
	t, err := stored[ticket.Ticket](doc)
	if err == nil && !t.PurgeBegan.IsZero() {
		err = storage.ErrNotFound
	}
	return err
}

// DeleteDraft forgets a draft.
func (s *Store) DeleteDraft(ctx context.Context, entry ticket.EntryID, expect storage.Version) error {
	return s.write(ctx, op{"delete", "draft", string(entry)}, func(x *session) error {
		var version int64
		err := x.one(x.locking("SELECT version FROM {drafts} WHERE entry = ?"), []any{string(entry)}, &version)
		switch {
		case isNone(err):
			return nil
		case err != nil:
			return err
		case version != int64(expect):
			return storage.ErrConflict
		}
		_, err = x.exec("DELETE FROM {drafts} WHERE entry = ?", string(entry))
		return err
	})
}
