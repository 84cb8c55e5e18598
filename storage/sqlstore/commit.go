package sqlstore

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// SyncState returns the importer's state. Its Inbox is set even when nothing is stored.
func (s *Store) SyncState(ctx context.Context, id inbox.ID) (st inbox.SyncState, err error) {
	err = s.read(ctx, op{"read", "sync state", string(id)}, func(x *session) error {
		b, err := x.box(id)
		if err != nil {
			return err
		}
		st, err = b.state(id)
		return err
	})
	return st, err
}

// box is what a commit needs to know of its inbox.
type box struct {
	pk               int64 // 0: there is no such inbox
	version, seq     int64
	queued, poisoned int64
	doc              string
}

func (x *session) box(id inbox.ID) (b box, err error) {
	err = x.one(x.locking("SELECT s.inbox, s.version, s.seq, s.queued, s.poisoned, s.doc "+
		"FROM {inboxes} i JOIN {syncs} s ON s.inbox = i.pk WHERE i.id = ?"), []any{string(id)},
		&b.pk, &b.version, &b.seq, &b.queued, &b.poisoned, &b.doc)
	if isNone(err) {
		return box{}, nil
	}
	return b, err
}

func (b *box) state(id inbox.ID) (st inbox.SyncState, err error) {
	if b.pk != 0 {
		if st, err = stored[inbox.SyncState](b.doc); err != nil {
			return inbox.SyncState{}, err
		}
	}
	st.Inbox, st.Version = id, storage.Version(b.version)
	st.Seq, st.Queued, st.Poisoned = uint64(b.seq), int(b.queued), int(b.poisoned)
	return st, nil
}

// Commit stores one step of an import. A mail that a step rejects is there for the Reopen of the
// same step. To change or erase a message that is not there is an error matching
// storage.ErrNotFound. Lines about changed and erased messages bear the state's LastSync, because a
// change has no time of its own.
func (s *Store) Commit(
	ctx context.Context, imp inbox.Import, ev ...inbox.Event,
) (inbox.SyncState, error) {
	id := imp.State.Inbox
	rows, err := encodeImport(&imp)
	if err != nil {
		return inbox.SyncState{}, refuse("commit", "inbox", id, err)
	}
	var b box
	err = s.write(ctx, op{"commit", "inbox", string(id)}, func(x *session) (err error) {
		if b, err = x.box(id); err != nil {
			return err
		}
		switch {
		case b.pk == 0:
			return storage.ErrNotFound
		case b.version != int64(imp.State.Version):
			return refuse("commit", "sync state", id, storage.ErrConflict)
		}
		if err := x.commit(&b, &imp, rows); err != nil {
			return err
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return inbox.SyncState{}, err
	}
	return b.state(id)
}

// importRows are the values of an import as they are stored, made before the write begins.
type importRows struct {
	puts       []putRow
	state, run string
}

func encodeImport(imp *inbox.Import) (rows importRows, err error) {
	rows.puts = make([]putRow, len(imp.Put))
	for i := range imp.Put {
		if rows.puts[i], err = encodePut(&imp.Put[i]); err != nil {
			return importRows{}, err
		}
	}
	if imp.Run != nil {
		if rows.run, err = encode(imp.Run); err != nil {
			return importRows{}, err
		}
	}
	rows.state, err = encode(imp.State)
	return rows, err
}

func (x *session) commit(b *box, imp *inbox.Import, rows importRows) error {
	queue, err := x.changeItems(b.pk, imp)
	if err != nil {
		return err
	}
	if err := x.saveMessages(b, rows.puts); err != nil {
		return err
	}
	if err := x.changeMessages(b, imp); err != nil {
		return err
	}
	for _, id := range imp.Erase {
		if err := x.eraseMessage(b, id, imp); err != nil {
			return err
		}
	}
	for _, r := range imp.Reopen {
		if err := x.reopen(b.pk, r); err != nil {
			return err
		}
	}
	if err := x.lowerThreads(b.pk, imp.Threads); err != nil {
		return err
	}
	if imp.Run != nil {
		_, err := x.exec("INSERT INTO {runs} VALUES (?, ?, ?, ?) ON CONFLICT (inbox, id) DO UPDATE "+
			"SET started = excluded.started, doc = excluded.doc",
			b.pk, imp.Run.ID, micros(imp.Run.Started), rows.run)
		if err != nil {
			return err
		}
	}
	if queue {
		if err := x.countQueue(b); err != nil {
			return err
		}
	}
	b.version++
	b.doc = rows.state
	_, err = x.exec("UPDATE {syncs} SET version = ?, seq = ?, queued = ?, poisoned = ?, doc = ? "+
		"WHERE inbox = ?", b.version, b.seq, b.queued, b.poisoned, b.doc, b.pk)
	return err
}

// lowerThreads keeps the earliest time a thread was opened; no time lowers nothing.
func (x *session) lowerThreads(pk int64, threads []inbox.Thread) error {
	at := make(map[inbox.ThreadID]int, len(threads))
	rows := make([][]any, 0, len(threads))
	for _, th := range threads {
		var opened any
		if !th.Opened.IsZero() {
			opened = micros(th.Opened)
		}
		i, again := at[th.ID]
		if !again {
			at[th.ID] = len(rows)
			rows = append(rows, []any{pk, string(th.ID), opened})
			continue
		}
		if before, _ := rows[i][2].(int64); opened != nil && (rows[i][2] == nil || opened.(int64) < before) {
			rows[i][2] = opened
		}
	}
	return x.insert("threads", "", rows, " ON CONFLICT (inbox, thread) DO UPDATE "+
		"SET opened = CASE WHEN {threads}.opened IS NULL OR excluded.opened < {threads}.opened "+
		"THEN excluded.opened ELSE {threads}.opened END")
}

// Threads returns what is known of conversations.
func (s *Store) Threads(
	ctx context.Context, id inbox.ID, threads []inbox.ThreadID,
) (map[inbox.ThreadID]inbox.Thread, error) {
	known := make(map[inbox.ThreadID]inbox.Thread, len(threads))
	err := s.read(ctx, op{"read", "threads", string(id)}, func(x *session) error {
		pk, err := x.inboxKey(id)
		if err != nil || pk == 0 {
			return err
		}
		return inChunks(threads, func(marks string, values []any) error {
			return x.every("SELECT thread, opened FROM {threads} WHERE inbox = ? AND thread IN "+marks,
				append([]any{pk}, values...), func(scan func(...any) error) error {
					var thread string
					var opened nullMoment
					if err := scan(&thread, &opened); err != nil {
						return err
					}
					id := provider.ThreadID(thread)
					known[id] = inbox.Thread{ID: id, Opened: opened.Time}
					return nil
				})
		})
	})
	return known, err
}
