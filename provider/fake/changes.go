package fake

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// place is what a cursor stands for.
type place struct {
	epoch   int
	walking bool
	log     int // changes before this one are told, or were there when the walk began
	// The last message the walk has listed; zero at its beginning.
	received int64
	id       provider.RemoteID
	started  bool
}

func (p place) cursor() provider.Cursor {
	if !p.walking {
		return provider.Cursor(fmt.Sprintf("live %d %d", p.epoch, p.log))
	}
	return provider.Cursor(fmt.Sprintf("walk %d %d %d %q", p.epoch, p.log, p.received, string(p.id)))
}

func parseCursor(c provider.Cursor) (place, bool) {
	var p place
	if _, err := fmt.Sscanf(string(c), "live %d %d", &p.epoch, &p.log); err == nil {
		return p, true
	}
	var id string
	_, err := fmt.Sscanf(string(c), "walk %d %d %d %q", &p.epoch, &p.log, &p.received, &id)
	p.walking, p.started, p.id = true, true, provider.RemoteID(id)
	return p, err == nil
}

// Changes lists the walk a page at a time, each page as the account is at that moment, and then the
// log from where it stood when the walk began.
func (m *mailbox) Changes(
	ctx context.Context, from provider.Cursor, w provider.Walk,
) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		at, begun := place{walking: true}, from != ""
		if begun {
			p, ok := parseCursor(from)
			if !ok {
				yield(provider.Batch{}, fmt.Errorf("fake: changes: %w", provider.ErrCursorExpired))
				return
			}
			at = p
		}
		for {
			if err := m.call(ctx, OpChanges, ""); err != nil {
				yield(provider.Batch{}, err)
				return
			}
			b, next, more, err := m.step(at, begun, w)
			if err != nil {
				yield(provider.Batch{}, fmt.Errorf("fake: changes: %w", err))
				return
			}
			if !more {
				return
			}
			if !yield(b, nil) {
				return
			}
			at, begun = next, true
		}
	}
}

// step makes the batch at a place. Without more there is none: the stream has caught up.
func (m *mailbox) step(at place, begun bool, w provider.Walk) (
	b provider.Batch, next place, more bool, err error,
) {
	wanted := m.a.s.wanted(w)
	a := m.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if !begun {
		at.epoch, at.log = a.epoch, len(a.log)
	}
	if at.epoch != a.epoch || at.log > len(a.log) {
		return b, at, false, provider.ErrCursorExpired
	}
	next = at
	switch {
	case at.walking:
		b.Put, next = a.page(at, wanted, a.s.o.PageSize)
		b.Walking = true
	case w.Only, at.log == len(a.log):
		m.told(at.log)
		return b, at, false, nil
	default:
		b.Put, b.Removed, next.log = a.news(at.log, a.s.o.PageSize)
	}
	if w.Bodies == provider.BodiesWith && a.s.o.RawWithHeaders {
		for i, h := range b.Put {
			b.Put[i].Raw = bytes.Clone(a.messages[h.ID].raw)
			a.opened(h.ID)
		}
	}
	b.Next = next.cursor()
	if !next.walking {
		m.told(next.log)
	}
	return b, next, true, nil
}

// told remembers up to where the log has been told, for Wait.
func (m *mailbox) told(log int) {
	m.mu.Lock()
	m.seen = max(m.seen, log)
	m.mu.Unlock()
}

// page lists messages of the walk behind a place. The last page leads on to the log.
func (a *Account) page(at place, wanted func(*message) bool, size int) ([]provider.Header, place) {
	i := 0
	if at.started {
		last := &message{Header: provider.Header{ID: at.id, Received: time.Unix(0, at.received)}}
		var there bool
		if i, there = slices.BinarySearchFunc(a.sorted, last, newestFirst); there {
			i++
		}
	}
	var put []provider.Header
	for ; i < len(a.sorted) && len(put) < size; i++ {
		if wanted(a.sorted[i]) {
			put = append(put, a.sorted[i].Header)
		}
	}
	for i < len(a.sorted) && !wanted(a.sorted[i]) {
		i++
	}
	if i == len(a.sorted) {
		return put, place{epoch: at.epoch, log: at.log}
	}
	last := put[len(put)-1]
	at.started, at.received, at.id = true, last.Received.UnixNano(), last.ID
	return put, at
}

// news lists what the log has from a place on: each message once, as it is now.
func (a *Account) news(from, size int) (put []provider.Header, removed []provider.RemoteID, to int) {
	to = min(from+size, len(a.log))
	told := make(map[provider.RemoteID]bool, to-from)
	for _, id := range a.log[from:to] {
		if told[id] {
			continue
		}
		told[id] = true
		if msg := a.messages[id]; msg.removed {
			removed = append(removed, id)
		} else {
			put = append(put, msg.Header)
		}
	}
	return put, removed, to
}
