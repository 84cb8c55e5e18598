package memory

import (
	"context"
	"iter"
	"slices"
	"sort"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// SyncState returns the importer's state; see inbox.Archive. Its Inbox is set even when nothing is
// stored, so that it can be the base of the first Commit.
func (s *Store) SyncState(ctx context.Context, id inbox.ID) (inbox.SyncState, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return inbox.SyncState{}, err
	}
	defer unlock()
	if b := s.boxes[id]; b != nil {
		return b.syncState(), nil
	}
	return inbox.SyncState{Inbox: id}, nil
}

// Seen says what is known of remote ids; see inbox.Archive.
func (s *Store) Seen(
	ctx context.Context, id inbox.ID, remote []provider.RemoteID,
) (map[provider.RemoteID]inbox.Seen, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	seen := make(map[provider.RemoteID]inbox.Seen, len(remote))
	b := s.boxes[id]
	if b == nil {
		return seen, nil
	}
	for _, r := range remote {
		if m := b.remotes[r]; m != nil {
			seen[r] = inbox.Seen{
				State: inbox.SeenStored, Message: m.ID, Thread: m.Thread, Received: m.Received,
			}
		} else if it := b.items[r]; it != nil {
			known := it.seen
			known.Queued = clone(known.Queued)
			seen[r] = known
		}
	}
	return seen, nil
}

// Threads returns what is known of conversations; see inbox.Archive.
func (s *Store) Threads(
	ctx context.Context, id inbox.ID, threads []inbox.ThreadID,
) (map[inbox.ThreadID]inbox.Thread, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	known := make(map[inbox.ThreadID]inbox.Thread, len(threads))
	b := s.boxes[id]
	if b == nil {
		return known, nil
	}
	for _, id := range threads {
		if th, ok := b.threads[id]; ok {
			known[id] = th
		}
	}
	return known, nil
}

// Log yields changes in import order; see inbox.Archive.
func (s *Store) Log(ctx context.Context, id inbox.ID, after uint64) iter.Seq2[inbox.Change, error] {
	// The log only grows, so a part of it once taken never changes.
	return func(yield func(inbox.Change, error) bool) {
		for _, c := range s.logBehind(id, after) {
			if ctx.Err() != nil {
				break
			}
			if !yield(c, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(inbox.Change{}, err)
		}
	}
}

func (s *Store) logBehind(id inbox.ID, after uint64) []inbox.Change {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.boxes[id]
	if b == nil {
		return nil
	}
	return b.log[sort.Search(len(b.log), func(i int) bool { return b.log[i].Seq > after }):]
}

// Messages yields messages newest first; see inbox.Archive.
func (s *Store) Messages(
	ctx context.Context, q inbox.MessageQuery,
) iter.Seq2[inbox.Message, error] {
	l := list[message]{
		from: func() *sorted[message] {
			if b := s.boxes[q.Inbox]; b != nil {
				return b.candidates(&q)
			}
			return nil
		},
		keep:  func(m *message) bool { return keeps(&q, m) },
		limit: q.Limit,
	}
	if q.After != nil {
		l.after = &message{Message: inbox.Message{ID: q.After.ID, Received: utc(q.After.Received)}}
	}
	return func(yield func(inbox.Message, error) bool) {
		for m, err := range l.yield(ctx, s) {
			if !yield(clone(m.Message), err) {
				return
			}
		}
	}
}

// candidates returns the shortest list that holds all a query asks for.
func (b *box) candidates(q *inbox.MessageQuery) *sorted[message] {
	switch {
	case len(q.Remotes) > 0:
		found := &sorted[message]{compare: newestFirst}
		for _, r := range q.Remotes {
			if m := b.remotes[r]; m != nil {
				found.put(m)
			}
		}
		return found
	case q.Marker != "":
		return b.messages.of(key{by: byMarker, value: q.Marker})
	case len(q.RFCIDs) > 0:
		keys := make([]key, len(q.RFCIDs))
		for i, id := range q.RFCIDs {
			keys[i] = key{by: byRFCID, value: id}
		}
		return b.messages.of(keys...)
	case q.Thread != "":
		return b.messages.of(key{by: byThread, value: string(q.Thread)})
	case q.Customer != "":
		return b.messages.of(key{by: byCustomer, value: string(q.Customer)})
	}
	return b.messages.of(key{})
}

func keeps(q *inbox.MessageQuery, m *message) bool {
	return (q.Thread == "" || m.Thread == q.Thread) &&
		(q.Marker == "" || m.Marker == q.Marker) &&
		(q.Customer == "" || m.Customer == q.Customer) &&
		(len(q.RFCIDs) == 0 || slices.Contains(q.RFCIDs, m.RFCID)) &&
		(q.Hidden || !m.Hidden && !m.Removed && !m.Private && m.CopyOf == "")
}

// Message returns one message; see inbox.Archive.
func (s *Store) Message(ctx context.Context, id inbox.MessageID) (inbox.Message, error) {
	m, err := s.message(ctx, "message", id)
	if err != nil {
		return inbox.Message{}, err
	}
	return clone(m.Message), nil
}

// Content returns the text of a message; see inbox.Archive.
func (s *Store) Content(ctx context.Context, id inbox.MessageID) (inbox.Content, error) {
	m, err := s.message(ctx, "content", id)
	if err != nil {
		return inbox.Content{}, err
	}
	return clone(*m.content), nil
}

func (s *Store) message(ctx context.Context, what string, id inbox.MessageID) (*message, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	m := s.messages[id]
	if m == nil {
		return nil, refuse("read", what, id, storage.ErrNotFound)
	}
	return m, nil
}

// Tally counts the messages and threads of an inbox; see inbox.Archive.
func (s *Store) Tally(ctx context.Context, id inbox.ID) (inbox.Tally, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return inbox.Tally{}, err
	}
	defer unlock()
	if b := s.boxes[id]; b != nil {
		return b.tally(), nil
	}
	return inbox.Tally{}, nil
}
