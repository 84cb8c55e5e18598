package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/inbox"
)

// purgeRows is how many messages are deleted at a time.
const purgeRows = 1000

// DeleteInbox forgets an inbox. From the first step on it is not there for anybody; its rows go
// after it in steps that let other writers in between. When it is cut short, the next DeleteInbox of
// any inbox takes the rest along.
func (s *Store) DeleteInbox(ctx context.Context, id inbox.ID) error {
	o := op{"delete", "inbox", string(id)}
	err := s.write(ctx, o, func(x *session) error {
		pk, err := x.inboxKey(id)
		if err != nil {
			return err
		}
		if err := x.forgetKnown(id); err != nil || pk == 0 {
			return err
		}
		for _, text := range []string{
			"INSERT INTO {purges} VALUES (?)",
			"DELETE FROM {inboxes} WHERE pk = ?",
			"DELETE FROM {syncs} WHERE inbox = ?",
		} {
			if _, err := x.exec(text, pk); err != nil {
				return err
			}
		}
		_, err = x.exec("DELETE FROM {readers} WHERE inbox = ?", string(id))
		return err
	})
	for done := false; err == nil && !done; {
		err = s.write(ctx, o, func(x *session) error {
			done, err = x.purgeSome()
			return err
		})
	}
	return err
}

// forgetKnown takes the inbox out of KnownFrom of the customers who have it there.
func (x *session) forgetKnown(id inbox.ID) error {
	type row struct{ site, customer, doc string }
	var rows []row
	err := x.every(x.locking("SELECT k.site, k.customer, c.doc FROM {known} k "+
		"JOIN {customers} c ON c.site = k.site AND c.id = k.customer WHERE k.inbox = ?"),
		[]any{string(id)}, func(scan func(...any) error) error {
			var r row
			err := scan(&r.site, &r.customer, &r.doc)
			rows = append(rows, r)
			return err
		})
	if err != nil {
		return err
	}
	for _, r := range rows {
		c, err := stored[inbox.Customer](r.doc)
		if err != nil {
			return err
		}
		c.KnownFrom = slices.DeleteFunc(c.KnownFrom, func(from inbox.ID) bool { return from == id })
		c.Version++
		if _, err := x.writeCustomer(&c); err != nil {
			return err
		}
	}
	_, err = x.exec("DELETE FROM {known} WHERE inbox = ?", string(id))
	return err
}

// purgeSome deletes rows of an inbox that is gone, and says when there is none left.
func (x *session) purgeSome() (done bool, err error) {
	var pk int64
	err = x.one("SELECT inbox FROM {purges} LIMIT 1", nil, &pk)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	from, to := seqKey(pk, 0), seqKey(pk+1, 0)
	deleted := int64(0)
	for _, table := range []string{"{contents}", "{messages}", "{changes}"} {
		// A statement with a LIMIT of its own is not the same in all databases.
		var last sql.NullInt64
		err := x.one("SELECT MAX(pk) FROM (SELECT pk FROM "+table+
			" WHERE pk > ? AND pk < ? ORDER BY pk LIMIT ?) AS part", []any{from, to, int64(purgeRows)}, &last)
		if err != nil {
			return false, err
		}
		if !last.Valid {
			continue
		}
		n, err := x.affected("DELETE FROM "+table+" WHERE pk > ? AND pk <= ?", from, last.Int64)
		if err != nil {
			return false, err
		}
		deleted += n
	}
	for _, t := range []struct{ table, column string }{
		{"{items}", "remote"}, {"{threads}", "thread"}, {"{runs}", "id"},
	} {
		var last sql.NullString
		err := x.one("SELECT MAX("+t.column+") FROM (SELECT "+t.column+" FROM "+t.table+x.dialect.byKey+
			" WHERE inbox = ? ORDER BY "+t.column+" LIMIT ?) AS part", []any{pk, int64(purgeRows)}, &last)
		if err != nil {
			return false, err
		}
		if !last.Valid {
			continue
		}
		n, err := x.affected("DELETE FROM "+t.table+" WHERE inbox = ? AND "+t.column+" <= ?", pk, last.String)
		if err != nil {
			return false, err
		}
		deleted += n
	}
	if deleted > 0 {
		return false, nil
	}
	_, err = x.exec("DELETE FROM {purges} WHERE inbox = ?", pk)
	return false, err
}
