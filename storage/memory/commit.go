package memory

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Commit stores one step of an import; see inbox.Archive. A mail that a step rejects is there for the
// Reopen of the same step. To change or erase a message that is not there is an error matching
// storage.ErrNotFound. Lines about changed and erased messages bear the state's LastSync, because a
// change has no time of its own.
func (s *Store) Commit(
	ctx context.Context, imp inbox.Import, ev ...inbox.Event,
) (inbox.SyncState, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return inbox.SyncState{}, err
	}
	defer unlock()
	b := s.boxes[imp.State.Inbox]
	if err := s.checkImport(b, &imp); err != nil {
		return inbox.SyncState{}, err
	}
	if err := s.checkEvents(ev); err != nil {
		return inbox.SyncState{}, err
	}
	s.changeItems(b, &imp)
	for _, p := range imp.Put {
		s.putMessage(b, p)
	}
	for _, c := range imp.Changed {
		s.changeMessage(b, c, imp.State)
	}
	for _, id := range imp.Erase {
		s.eraseMessage(b, id, imp.State)
	}
	for _, r := range imp.Reopen {
		b.reopen(r)
	}
	for _, th := range imp.Threads {
		b.lower(th)
	}
	if imp.Run != nil {
		r := clone(*imp.Run)
		b.setRun(&r)
	}
	b.state = clone(imp.State)
	b.state.Version++
	s.addEvents(ev)
	return b.syncState(), nil
}

// checkImport refuses what cannot be stored as a whole.
func (s *Store) checkImport(b *box, imp *inbox.Import) error {
	id := imp.State.Inbox
	switch {
	case b == nil:
		return refuse("commit", "inbox", id, storage.ErrNotFound)
	case b.state.Version != imp.State.Version:
		return refuse("commit", "sync state", id, storage.ErrConflict)
	}
	remotes := make(map[provider.RemoteID]struct{}, len(imp.Put))
	ids := make(map[inbox.MessageID]struct{}, len(imp.Put))
	for i := range imp.Put {
		m := &imp.Put[i].Message
		remotes[m.Remote], ids[m.ID] = struct{}{}, struct{}{}
		_, known := b.remotes[m.Remote]
		_, taken := s.messages[m.ID]
		if known || taken || len(remotes) <= i || len(ids) <= i {
			return refuse("commit", "message", m.ID, storage.ErrExists)
		}
	}
	there := func(id inbox.MessageID) bool {
		m, stored := s.messages[id]
		_, put := ids[id]
		return put || stored && m.Inbox == b.inbox.ID
	}
	for _, c := range imp.Changed {
		if !there(c.ID) {
			return refuse("commit", "message", c.ID, storage.ErrNotFound)
		}
	}
	for _, id := range imp.Erase {
		if !there(id) {
			return refuse("commit", "message", id, storage.ErrNotFound)
		}
	}
	return nil
}

// changeItems does what an import says of mail that is not stored. The queue comes first, so that
// what is named elsewhere leaves it.
func (s *Store) changeItems(b *box, imp *inbox.Import) {
	for _, q := range imp.Queue {
		b.setItem(q.Remote, queued(q))
	}
	for _, remote := range imp.Dequeue {
		b.leave(remote)
	}
	for i := range imp.Put {
		b.setItem(imp.Put[i].Message.Remote, nil)
	}
	for _, r := range imp.Reject {
		b.setItem(r.Remote, &item{remote: r.Remote, rejected: &r, seen: inbox.Seen{
			State: inbox.SeenRejected, Thread: r.Thread, Received: utc(r.Received),
			Reason: r.Reason, Rules: r.Rules,
		}})
	}
	for _, g := range imp.Gone {
		b.setItem(g.Remote, &item{remote: g.Remote, seen: inbox.Seen{
			State: inbox.SeenGone, Thread: g.Thread,
		}})
	}
}

func queued(q inbox.Queued) *item {
	q = clone(q)
	it := &item{remote: q.Remote, seen: inbox.Seen{
		State: inbox.SeenQueued, Thread: q.Thread, Received: q.Received, Queued: &q,
	}}
	if q.Poison {
		it.seen.State = inbox.SeenPoison
	}
	return it
}

func (s *Store) putMessage(b *box, p inbox.Put) {
	c := clone(p.Content)
	c.Message = p.Message.ID
	m := &message{Message: clone(p.Message), content: &c}
	m.Inbox = b.inbox.ID
	m.Seq = b.append(inbox.Change{
		Kind: inbox.ChangeArrived, At: m.StoredAt, Message: m.ID, Thread: m.Thread,
	})
	s.messages[m.ID] = m
	b.setMessage(nil, m)
}

func (s *Store) changeMessage(b *box, c inbox.MessageChange, st inbox.SyncState) {
	old := s.messages[c.ID]
	m := *old
	set(&m.Unread, c.Unread)
	set(&m.Hidden, c.Hidden)
	set(&m.Removed, c.Removed)
	set(&m.AssociationLost, c.AssociationLost)
	set(&m.Folder, c.Folder)
	set(&m.Company, c.Company)
	s.messages[c.ID] = &m
	b.setMessage(old, &m)
	b.append(inbox.Change{Kind: kindOf(c), At: st.LastSync, Message: m.ID, Thread: m.Thread})
}

func (s *Store) eraseMessage(b *box, id inbox.MessageID, st inbox.SyncState) {
	m := s.messages[id]
	if m == nil {
		return // named twice
	}
	delete(s.messages, id)
	b.dropMessage(m)
	b.append(inbox.Change{Kind: inbox.ChangePurged, At: st.LastSync, Message: id, Thread: m.Thread})
}

func set[T any](field *T, v *T) {
	if v != nil {
		*field = *v
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

// reopen queues what was rejected in a thread and may be decided otherwise now that it is open.
func (b *box) reopen(r inbox.Reopen) {
	since := utc(r.Since)
	var again []*item
	for _, it := range b.rejected[r.Thread] {
		if it.rejected.Client && it.seen.Reason == r.Reason && !it.seen.Received.Before(since) {
			again = append(again, it)
		}
	}
	for _, it := range again {
		b.setItem(it.remote, queued(inbox.Queued{
			Remote: it.remote, Thread: it.seen.Thread, Received: it.seen.Received,
			Folder: it.rejected.Folder, Sent: it.rejected.Sent, Unread: it.rejected.Unread,
			NotBefore: it.seen.Received, Code: inbox.QueueThread,
		}))
	}
}

// lower keeps the earliest time a thread was opened; no time lowers nothing.
func (b *box) lower(th inbox.Thread) {
	th.Opened = utc(th.Opened)
	old, known := b.threads[th.ID]
	if known && !old.Opened.IsZero() && (th.Opened.IsZero() || th.Opened.After(old.Opened)) {
		return
	}
	b.threads[th.ID] = th
}
