package sqlstore

import (
	"context"
	"iter"
	"math"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// The states of an item: a mail that is not stored. There is one item of a remote id at most.
const (
	itemRejected = 1
	itemQueued   = 2
	itemPoison   = 3
	itemGone     = 4
)

// changeItems does what an import says of mail that is not stored. The queue comes first, so that
// what is named elsewhere leaves it. It says whether the queue may have changed.
func (x *session) changeItems(pk int64, imp *inbox.Import) (changed bool, err error) {
	items := make([][]any, len(imp.Queue))
	for i := range imp.Queue {
		items[i] = queuedItem(pk, &imp.Queue[i])
	}
	if err := x.saveItems(items); err != nil {
		return false, err
	}
	remotes := make([]provider.RemoteID, len(imp.Put))
	for i := range imp.Put {
		remotes[i] = imp.Put[i].Message.Remote
	}
	dequeued, err := x.dropItems(pk, imp.Dequeue, " AND not_before IS NOT NULL")
	if err != nil {
		return false, err
	}
	stored, err := x.dropItems(pk, remotes, "")
	if err != nil {
		return false, err
	}
	changed = dequeued+stored > 0 || len(imp.Queue)+len(imp.Reject)+len(imp.Gone)+len(imp.Reopen) > 0
	items = make([][]any, 0, len(imp.Reject)+len(imp.Gone))
	for i := range imp.Reject {
		r := &imp.Reject[i]
		items = append(items, []any{pk, string(r.Remote), int64(itemRejected), string(r.Thread),
			micros(r.Received), string(r.Reason), flag(r.Client), int64(r.Rules), string(r.Folder),
			int64(r.Sent), flag(r.Unread), int64(0), nil, ""})
	}
	for _, g := range imp.Gone {
		items = append(items, []any{pk, string(g.Remote), int64(itemGone), string(g.Thread), int64(0), "",
			int64(0), int64(0), "", int64(0), int64(0), int64(0), nil, ""})
	}
	return changed, x.saveItems(items)
}

func queuedItem(pk int64, q *inbox.Queued) []any {
	state := int64(itemQueued)
	if q.Poison {
		state = itemPoison
	}
	return []any{pk, string(q.Remote), state, string(q.Thread), micros(q.Received), "", int64(0),
		int64(0), string(q.Folder), int64(q.Sent), flag(q.Unread), int64(q.Attempts),
		micros(q.NotBefore), string(q.Code)}
}

// saveItems adds items, or replaces those of the same remote id.
func (x *session) saveItems(items [][]any) error {
	items = lastOf(items, func(columns *[]any) any { return (*columns)[1] })
	return x.insert("items", "", items, " ON CONFLICT (inbox, remote) DO UPDATE SET "+
		"state = excluded.state, thread = excluded.thread, "+
		"received = excluded.received, reason = excluded.reason, client = excluded.client, "+
		"rules = excluded.rules, folder = excluded.folder, sent = excluded.sent, "+
		"unread = excluded.unread, attempts = excluded.attempts, "+
		"not_before = excluded.not_before, code = excluded.code")
}

func (x *session) dropItems(pk int64, remotes []provider.RemoteID, condition string) (dropped int64, err error) {
	err = inChunks(remotes, func(marks string, values []any) error {
		n, err := x.affected("DELETE FROM {items} WHERE inbox = ? AND remote IN "+marks+condition,
			append([]any{pk}, values...)...)
		dropped += n
		return err
	})
	return dropped, err
}

// reopen queues what was rejected in a thread and may be decided otherwise now that it is open.
func (x *session) reopen(pk int64, r inbox.Reopen) error {
	_, err := x.exec("UPDATE {items}"+x.using("items_thread")+" SET state = ?, reason = '', client = 0, rules = 0, attempts = 0, "+
		"not_before = received, code = ? WHERE inbox = ? AND thread = ? AND client = 1 AND state = ? "+
		"AND reason = ? AND received >= ?", int64(itemQueued), string(inbox.QueueThread), pk,
		string(r.Thread), int64(itemRejected), string(r.Reason), micros(r.Since))
	return err
}

// countQueue brings the lengths of the queue and the poison up to date.
func (x *session) countQueue(b *box) error {
	text := "SELECT COUNT(*) FROM {items}" + x.using("items_due") +
		" WHERE inbox = ? AND state = ? AND not_before IS NOT NULL"
	if err := x.one(text, []any{b.pk, int64(itemQueued)}, &b.queued); err != nil {
		return err
	}
	return x.one(text, []any{b.pk, int64(itemPoison)}, &b.poisoned)
}

const itemColumns = "remote, state, thread, received, reason, rules, folder, sent, unread, attempts, " +
	"not_before, code"

// scanItem reads the itemColumns.
func scanItem(scan func(...any) error) (remote provider.RemoteID, seen inbox.Seen, err error) {
	var q inbox.Queued
	var state, received, rules, sent, unread int64
	var thread, reason, folder string
	var notBefore nullMoment
	err = scan((*string)(&q.Remote), &state, &thread, &received, &reason, &rules, &folder, &sent,
		&unread, &q.Attempts, &notBefore, (*string)(&q.Code))
	if err != nil {
		return "", inbox.Seen{}, err
	}
	seen.Thread = provider.ThreadID(thread)
	switch state {
	case itemGone:
		seen.State = inbox.SeenGone
		return q.Remote, seen, nil
	case itemRejected:
		seen.State, seen.Received = inbox.SeenRejected, moment(received)
		seen.Reason, seen.Rules = filter.Reason(reason), uint64(rules)
		return q.Remote, seen, nil
	}
	seen.State, seen.Received = inbox.SeenQueued, moment(received)
	if q.Poison = state == itemPoison; q.Poison {
		seen.State = inbox.SeenPoison
	}
	q.Thread, q.Received, q.NotBefore = seen.Thread, seen.Received, notBefore.Time
	q.Folder, q.Sent, q.Unread = provider.Folder(folder), provider.Mark(sent), unread != 0
	seen.Queued = &q
	return q.Remote, seen, nil
}

// Seen says what is known of remote ids.
func (s *Store) Seen(
	ctx context.Context, id inbox.ID, remote []provider.RemoteID,
) (map[provider.RemoteID]inbox.Seen, error) {
	seen := make(map[provider.RemoteID]inbox.Seen, len(remote))
	// Of one moment: a commit may make a message of an item, and an item of an erased message.
	err := s.snapshot(ctx, op{"read", "seen", string(id)}, func(x *session) error {
		clear(seen)
		pk, err := x.inboxKey(id)
		if err != nil || pk == 0 {
			return err
		}
		err = inChunks(remote, func(marks string, values []any) error {
			return x.every("SELECT "+itemColumns+" FROM {items} WHERE inbox = ? AND remote IN "+marks,
				append([]any{pk}, values...), func(scan func(...any) error) error {
					r, known, err := scanItem(scan)
					seen[r] = known
					return err
				})
		})
		if err != nil {
			return err
		}
		return inChunks(remote, func(marks string, values []any) error {
			return x.every("SELECT remote, id, thread, received FROM {messages}"+
				x.using("messages_remote")+" WHERE inbox = ? AND remote IN "+marks,
				append([]any{pk}, values...), func(scan func(...any) error) error {
					var r, id, thread string
					var received int64
					err := scan(&r, &id, &thread, &received)
					seen[provider.RemoteID(r)] = inbox.Seen{
						State: inbox.SeenStored, Message: inbox.MessageID(id),
						Thread: provider.ThreadID(thread), Received: moment(received),
					}
					return err
				})
		})
	})
	if err != nil {
		return nil, err
	}
	return seen, nil
}

// Queue yields the retry queue. It yields what was there when it began, so that an item put back for
// later does not come again.
func (s *Store) Queue(ctx context.Context, q inbox.QueueQuery) iter.Seq2[inbox.Queued, error] {
	return list(ctx, q.Limit, func() func(int) (page[inbox.Queued], error) {
		return func(int) (p page[inbox.Queued], err error) {
			p.done = true
			err = s.read(ctx, op{"list", "queue", string(q.Inbox)}, func(x *session) error {
				p.items, err = x.queue(q)
				return err
			})
			return p, err
		}
	})
}

func (x *session) queue(q inbox.QueueQuery) (waiting []inbox.Queued, err error) {
	pk, err := x.inboxKey(q.Inbox)
	if err != nil || pk == 0 {
		return nil, err
	}
	state, due, limit := int64(itemQueued), int64(maxMicros), int64(math.MaxInt64)
	if q.Poison {
		state = itemPoison
	}
	if !q.Due.IsZero() {
		due = micros(q.Due)
	}
	if q.Limit > 0 {
		limit = int64(q.Limit)
	}
	text := "SELECT " + itemColumns + " FROM {items}" + x.using("items_due") + " WHERE inbox = ? " +
		"AND state = ? AND not_before IS NOT NULL AND not_before <= ? ORDER BY not_before, remote LIMIT ?"
	err = x.every(text, []any{pk, state, due, limit}, func(scan func(...any) error) error {
		_, seen, err := scanItem(scan)
		if err == nil {
			waiting = append(waiting, *seen.Queued)
		}
		return err
	})
	return waiting, err
}
