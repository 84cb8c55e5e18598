package sqlstore

import (
	"context"
	"iter"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// CreateInbox stores a new inbox. The account of another live inbox is refused as in UpdateInbox.
func (s *Store) CreateInbox(ctx context.Context, in inbox.Inbox, ev ...inbox.Event) (inbox.Inbox, error) {
	in.Version = 1
	doc, err := encode(in)
	if err != nil {
		return inbox.Inbox{}, refuse("create", "inbox", in.ID, err)
	}
	err = s.write(ctx, op{"create", "inbox", string(in.ID)}, func(x *session) error {
		account := accountOf(&in)
		pk, err := x.insertKey("INSERT INTO {inboxes} (id, site, team, state, provider, account, address, "+
			"version, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			string(in.ID), string(in.Site), flag(in.Kind == acl.Team), string(in.State),
			orNull(account.provider), orNull(account.id), orNull(account.address), int64(1), doc)
		if err != nil {
			return x.orExists("create", "inbox", string(in.ID), err)
		}
		if _, err := x.exec("INSERT INTO {syncs} VALUES (?, 0, 0, 0, 0, ?)", pk, "{}"); err != nil {
			return err
		}
		if err := x.saveReaders(&in); err != nil {
			return err
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return inbox.Inbox{}, err
	}
	return stored[inbox.Inbox](doc)
}

// orExists turns the error of a unique index into ErrExists.
func (x *session) orExists(verb, entity, id string, err error) error {
	if err != nil && x.dialect.judge(err) == faultTaken {
		return refuse(verb, entity, id, storage.ErrExists)
	}
	return err
}

// account is what an inbox may collide by. It is empty for one that collides with nothing.
type account struct{ provider, id, address string }

func accountOf(in *inbox.Inbox) account {
	if in.State == inbox.StateDeleted {
		return account{}
	}
	a := account{id: in.Account.ID, address: addressKey(in.Account.Address)}
	if a.id != "" {
		a.provider = string(in.Provider)
	}
	return a
}

// Inbox returns one inbox.
func (s *Store) Inbox(ctx context.Context, id inbox.ID) (in inbox.Inbox, err error) {
	err = s.read(ctx, op{"read", "inbox", string(id)}, func(x *session) error {
		var doc string
		if err := x.one("SELECT doc FROM {inboxes} WHERE id = ?", []any{string(id)}, &doc); err != nil {
			return err
		}
		in, err = stored[inbox.Inbox](doc)
		return err
	})
	return in, err
}

// UpdateInbox replaces an inbox and appends to its log.
func (s *Store) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	based := in.Version
	in.Version++
	doc, err := encode(in)
	if err != nil {
		return inbox.Inbox{}, refuse("update", "inbox", in.ID, err)
	}
	err = s.write(ctx, op{"update", "inbox", string(in.ID)}, func(x *session) error {
		var pk, version int64
		err := x.one(x.locking("SELECT pk, version FROM {inboxes} WHERE id = ?"), []any{string(in.ID)}, &pk, &version)
		if err != nil {
			return err
		}
		if version != int64(based) {
			return storage.ErrConflict
		}
		account := accountOf(&in)
		_, err = x.exec("UPDATE {inboxes} SET site = ?, team = ?, state = ?, provider = ?, account = ?, "+
			"address = ?, version = ?, doc = ? WHERE pk = ?",
			string(in.Site), flag(in.Kind == acl.Team), string(in.State), orNull(account.provider),
			orNull(account.id), orNull(account.address), int64(in.Version), doc, pk)
		if err != nil {
			return x.orExists("update", "inbox", string(in.ID), err)
		}
		if err := x.saveReaders(&in); err != nil {
			return err
		}
		if err := x.appendLog(pk, log); err != nil {
			return err
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return inbox.Inbox{}, err
	}
	return stored[inbox.Inbox](doc)
}

// saveReaders notes who may see the inbox by name: a superset of acl.Scope.Includes, which decides.
func (x *session) saveReaders(in *inbox.Inbox) error {
	if _, err := x.exec("DELETE FROM {readers} WHERE inbox = ?", string(in.ID)); err != nil {
		return err
	}
	people := make([]acl.UserID, 0, len(in.Grants)+1)
	if in.Creator != "" {
		people = append(people, in.Creator)
	}
	for _, g := range in.Grants {
		people = append(people, g.User)
	}
	people = distinct(people)
	rows := make([][]any, len(people))
	for i, person := range people {
		rows[i] = []any{string(in.Site), string(person), string(in.ID)}
	}
	return x.insert("readers", "", rows, "")
}

// Inboxes yields inboxes by ID.
func (s *Store) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	return list(ctx, q.Limit, func() func(int) (page[inbox.Inbox], error) {
		after := q.After
		return func(n int) (p page[inbox.Inbox], err error) {
			if q.Scope != nil && (q.Scope.None || q.Site != "" && string(q.Site) != q.Scope.Site) {
				return page[inbox.Inbox]{done: true}, nil
			}
			// A page that filters here reads full pages, whatever the limit.
			if q.Scope != nil {
				n = pageSize
			}
			text, args := s.inboxesQuery(q, after)
			err = s.read(ctx, op{"list", "inboxes", ""}, func(x *session) error {
				p, after, err = x.inboxesPage(q, text, append(args, int64(n)), n)
				return err
			})
			return p, err
		}
	})
}

func (x *session) inboxesPage(
	q inbox.Query, text string, args []any, n int,
) (p page[inbox.Inbox], last inbox.ID, err error) {
	rows := 0
	err = x.every(text, args, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		in, err := stored[inbox.Inbox](doc)
		if err != nil {
			return err
		}
		rows++
		last = in.ID
		if q.Scope == nil || q.Scope.Includes(in.ACL()) {
			p.items = append(p.items, in)
		}
		return nil
	})
	p.done = rows < n
	return p, last, err
}

// inboxesQuery returns one page's statement without its last argument, the number of rows.
func (s *Store) inboxesQuery(q inbox.Query, after inbox.ID) (string, []any) {
	var b strings.Builder
	var args []any
	site, place := string(q.Site), s.dialect.placeOf(string(after))
	if q.Scope != nil {
		site = q.Scope.Site
	}
	byName := q.Scope != nil && !q.Scope.All && !q.Scope.AllTeam
	order := "i.id"
	b.WriteString("SELECT i.doc FROM ")
	switch {
	case byName:
		// The readers lead: their key has the order, and a person sees few of a site's inboxes.
		b.WriteString("{readers} r CROSS JOIN {inboxes} i WHERE i.id = r.inbox " +
			"AND r.site = ? AND r.person = ? AND r.inbox > ?")
		args = append(args, site, string(q.Scope.User), place)
		order = "r.inbox"
	case site != "" || q.Scope != nil:
		b.WriteString("{inboxes} i WHERE i.site = ? AND i.id > ?")
		args = append(args, site, place)
	default:
		b.WriteString("{inboxes} i" + s.dialect.byID + " WHERE i.id > ?")
		args = append(args, place)
	}
	if q.Scope != nil && q.Scope.AllTeam && !q.Scope.All {
		b.WriteString(" AND (i.team = 1 OR EXISTS (SELECT 1 FROM {readers} r WHERE r.site = ? " +
			"AND r.person = ? AND r.inbox = i.id))")
		args = append(args, site, string(q.Scope.User))
	}
	if states := distinct(q.States); len(states) > 0 {
		marks, values := inList(states)
		b.WriteString(" AND i.state IN " + marks)
		args = append(args, values...)
	}
	b.WriteString(" ORDER BY " + order + " LIMIT ?")
	return b.String(), args
}
