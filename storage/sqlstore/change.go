package sqlstore

import (
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// changed is a stored message that an import changes.
type changed struct {
	key    int64
	thread string
	values changedValues
}

// changedValues are the columns a change may set.
type changedValues struct {
	flags           int64
	folder, company string
}

// changeMessages does the changes of an import, in their order, and writes their lines into the log.
func (x *session) changeMessages(b *box, imp *inbox.Import) error {
	if len(imp.Changed) == 0 {
		return nil
	}
	found, err := x.changedMessages(b.pk, imp.Changed)
	if err != nil {
		return err
	}
	lines := make([][]any, len(imp.Changed))
	for i, c := range imp.Changed {
		m := found[c.ID]
		if m == nil {
			return errNotFound("commit", "message", c.ID)
		}
		m.values.apply(c)
		b.seq++
		lines[i] = changeRow(b.pk, inbox.Change{
			Seq: uint64(b.seq), Kind: kindOf(c), At: imp.State.LastSync,
			Message: c.ID, Thread: provider.ThreadID(m.thread),
		})
	}
	// Most changes of a page are the same one: read, or put into another folder.
	same := make(map[changedValues][]int64)
	for _, m := range found {
		same[m.values] = append(same[m.values], m.key)
	}
	for v, keys := range same {
		err := keysInChunks(keys, func(marks string, keys []any) error {
			_, err := x.exec("UPDATE {messages} SET vis = ?, flags = ?, folder = ?, company = ? WHERE pk IN "+marks,
				append([]any{visOf(v.flags), v.flags, v.folder, v.company}, keys...)...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return x.insert("changes", "", lines, "")
}

func (x *session) changedMessages(pk int64, changes []inbox.MessageChange) (map[inbox.MessageID]*changed, error) {
	ids := make([]inbox.MessageID, len(changes))
	for i := range changes {
		ids[i] = changes[i].ID
	}
	found := make(map[inbox.MessageID]*changed, len(ids))
	err := inChunks(distinct(ids), func(marks string, values []any) error {
		text := "SELECT id, pk, thread, flags, folder, company FROM {messages}" + x.using("messages_id") +
			" WHERE id IN " + marks + " AND inbox = ?"
		return x.every(text, append(values, pk), func(scan func(...any) error) error {
			var id string
			var m changed
			err := scan(&id, &m.key, &m.thread, &m.values.flags, &m.values.folder, &m.values.company)
			found[inbox.MessageID(id)] = &m
			return err
		})
	})
	return found, err
}

func (v *changedValues) apply(c inbox.MessageChange) {
	for _, change := range []struct {
		to  *bool
		bit int64
	}{
		{c.Unread, flagUnread}, {c.Hidden, flagHidden}, {c.Removed, flagRemoved},
		{c.AssociationLost, flagLost},
	} {
		if change.to != nil {
			v.flags = v.flags&^change.bit | flag(*change.to)*change.bit
		}
	}
	if c.Folder != nil {
		v.folder = string(*c.Folder)
	}
	if c.Company != nil {
		v.company = string(*c.Company)
	}
}

// kindOf returns the most telling kind of a change.
func kindOf(c inbox.MessageChange) inbox.ChangeKind {
	switch {
	case c.Removed != nil && *c.Removed:
		return inbox.ChangeRemoved
	case c.Hidden != nil && *c.Hidden:
		return inbox.ChangeHidden
	case c.Hidden != nil:
		return inbox.ChangeShown
	case c.Company != nil:
		return inbox.ChangeClient
	}
	return inbox.ChangeChanged
}

// eraseMessage forgets a message and its text. Of its arrival the log keeps the line.
func (x *session) eraseMessage(b *box, id inbox.MessageID, imp *inbox.Import) error {
	var key int64
	var thread string
	err := x.one("SELECT pk, thread FROM {messages} WHERE id = ? AND inbox = ?",
		[]any{string(id), b.pk}, &key, &thread)
	if isNone(err) {
		err = errNotFound("commit", "message", id)
	}
	if err != nil {
		return err
	}
	for _, text := range []string{
		"INSERT INTO {changes} SELECT m.pk, 'arrived', m.stored, m.id, m.thread, '' FROM {messages} m WHERE m.pk = ?",
		"DELETE FROM {contents} WHERE pk = ?",
		"DELETE FROM {messages} WHERE pk = ?",
	} {
		if _, err := x.exec(text, key); err != nil {
			return err
		}
	}
	b.seq++
	return x.insert("changes", "", [][]any{changeRow(b.pk, inbox.Change{
		Seq: uint64(b.seq), Kind: inbox.ChangePurged, At: imp.State.LastSync,
		Message: id, Thread: provider.ThreadID(thread),
	})}, "")
}
