package providertest

import (
	"context"
	"errors"

	"github.com/workinbox/workinbox/provider"
)

func changesChecks() []Check {
	return []Check{
		{"Changes/ResumesAfterEveryBatch", nil, resumesAfterEveryBatch},
		{"Changes/NothingLostDuringWalk", nil, nothingLostDuringWalk},
		{"Changes/RemovedDuringWalk", can[Remover](), removedDuringWalk},
		{"Changes/BreakReleases", nil, breakReleases},
		{"Changes/CancelledContext", nil, cancelledContext},
		{"Changes/Concurrent", nil, concurrent},
		{"Changes/CursorExpired", can[Expirer](), cursorExpired},
	}
}

func resumesAfterEveryBatch(t T, h Harness) {
	ids := deliver(t, h, 60)
	w := provider.Walk{Since: base.AddDate(0, 0, -30)}
	whole := must(t, h.Open(t), "", w)
	whole.all(t, ids, "the walk in one go")
	if got := len(whole.put()); got != len(ids) {
		t.Errorf("the walk in one go: got %d messages, want %d", got, len(ids))
	}
	for n := 1; n <= len(whole.batches); n++ {
		first := read(t, h.Open(t), "", w, n)
		if first.err != nil {
			t.Fatalf("the first %d batches: got error %v, want none", n, first.err)
		}
		rest := must(t, h.Open(t), first.next(""), w)
		joined := told{batches: append(first.batches, rest.batches...)}
		joined.all(t, ids, "resumed in another process")
		again := 0
		for _, b := range rest.batches {
			for _, header := range b.Put {
				if _, had := first.put()[header.ID]; had && b.Walking {
					again++
				}
			}
		}
		if had := len(first.put()); had > 0 && again == had {
			t.Errorf("resumed after batch %d: the walk yielded all %d messages before it once more", n, had)
		}
	}
}

func nothingLostDuringWalk(t T, h Harness) {
	ids := deliver(t, h, 60)
	m := h.Open(t)
	w := provider.Walk{Since: base.AddDate(0, 0, -30)}
	var all told
	n := 0
	var cursor provider.Cursor
	for b, err := range m.Changes(t.Context(), "", w) {
		if err != nil {
			t.Fatalf("Changes: got error %v, want none", err)
		}
		all.batches = append(all.batches, b)
		if n++; n == 1 {
			ids = append(ids,
				h.Deliver(t, letter{id: "newest@elsewhere.example", received: base.Add(1e9)}.mail()),
				h.Deliver(t, letter{id: "older@elsewhere.example", received: base.AddDate(0, 0, -2)}.mail()))
			if r, ok := h.(Reader); ok {
				r.MarkRead(t, ids[0])
			}
		}
		cursor = b.Next
	}
	more := must(t, h.Open(t), cursor, w)
	all.batches = append(all.batches, more.batches...)
	all.all(t, ids, "arrived while the walk ran")
	if _, ok := h.(Reader); ok && all.put()[ids[0]].Unread {
		t.Errorf("message %q was read while the walk ran: got unread, want read", ids[0])
	}
}

func removedDuringWalk(t T, h Harness) {
	ids := deliver(t, h, 60)
	m := h.Open(t)
	var all told
	removed := ids[0]
	n := 0
	for b, err := range m.Changes(t.Context(), "", provider.Walk{}) {
		if err != nil {
			t.Fatalf("Changes: got error %v, want none", err)
		}
		all.batches = append(all.batches, b)
		if n++; n == 1 {
			h.(Remover).Remove(t, removed)
		}
	}
	more := must(t, m, all.next(""), provider.Walk{})
	all.batches = append(all.batches, more.batches...)
	if _, put := all.put()[removed]; put && !all.gone()[removed] {
		t.Errorf("message %q was put and then deleted while the walk ran: it is not among Removed",
			removed)
	}
	all.all(t, ids[1:], "another message was deleted while the walk ran")
}

func breakReleases(t T, h Harness) {
	ids := deliver(t, h, 20)
	m := h.Open(t)
	for range 3 {
		got := read(t, m, "", provider.Walk{}, 1)
		if got.err != nil || len(got.batches) != 1 {
			t.Fatalf("first batch after a loop was left: got %d batches and error %v, want 1 and none",
				len(got.batches), got.err)
		}
		for range m.Changes(t.Context(), "", provider.Walk{}) {
			if _, err := open(t, m, ids[0]); err != nil {
				t.Fatalf("Open inside the loop: got error %v, want none", err)
			}
			inner := read(t, m, "", provider.Walk{}, 1)
			if inner.err != nil {
				t.Fatalf("Changes inside the loop: got error %v, want none", inner.err)
			}
			break
		}
	}
	must(t, m, "", provider.Walk{}).all(t, ids, "after loops were left")
}

func cancelledContext(t T, h Harness) {
	ids := deliver(t, h, 20)
	m := h.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	n, last := 0, error(nil)
	for b, err := range m.Changes(ctx, "", provider.Walk{}) {
		if last != nil {
			t.Fatalf("Changes went on after its error")
		}
		last = err
		if n += len(b.Put); n > 0 {
			cancel()
		}
	}
	cancel()
	if last != nil && !errors.Is(last, context.Canceled) {
		t.Errorf("context cancelled inside the loop: got error %v, want context.Canceled", last)
	}
	pairs := 0
	for b, err := range m.Changes(ctx, "", provider.Walk{}) {
		if pairs++; !errors.Is(err, context.Canceled) || len(b.Put) > 0 {
			t.Errorf("Changes with a cancelled context: got %d messages and error %v, "+
				"want none and context.Canceled", len(b.Put), err)
		}
	}
	if pairs != 1 {
		t.Errorf("Changes with a cancelled context: got %d pairs, want 1", pairs)
	}
	if r, err := m.Open(ctx, ids[0]); !errors.Is(err, context.Canceled) {
		if err == nil {
			_ = r.Close()
		}
		t.Errorf("Open with a cancelled context: got error %v, want context.Canceled", err)
	}
}

func concurrent(t T, h Harness) {
	ids := deliver(t, h, 20)
	m := h.Open(t)
	done := make(chan error)
	for i := range 4 {
		go func() {
			var first error
			for _, err := range m.Changes(t.Context(), "", provider.Walk{}) {
				first = errors.Join(first, err)
			}
			r, err := m.Open(t.Context(), ids[i])
			if err == nil {
				err = r.Close()
			}
			done <- errors.Join(first, err)
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Errorf("four callers at once: got error %v, want none", err)
		}
	}
}

func cursorExpired(t T, h Harness) {
	ids := deliver(t, h, 5)
	m := h.Open(t)
	walk := read(t, m, "", provider.Walk{}, 1)
	live := must(t, m, "", provider.Walk{})
	h.(Expirer).ExpireCursors(t)
	for _, c := range []struct {
		name string
		from provider.Cursor
	}{{"of the walk's first batch", walk.next("")}, {"of the last batch", live.next("")}} {
		got := read(t, m, c.from, provider.Walk{}, 0)
		if !errors.Is(got.err, provider.ErrCursorExpired) || len(got.batches) > 0 {
			t.Errorf("cursor %s, expired: got %d batches and error %v, want ErrCursorExpired alone",
				c.name, len(got.batches), got.err)
		}
	}
	must(t, m, "", provider.Walk{}).all(t, ids, "a new walk after cursors expired")
}
