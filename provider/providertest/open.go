package providertest

import (
	"errors"
	"io"
	"strings"

	"github.com/workinbox/workinbox/provider"
)

func openChecks() []Check {
	return []Check{
		{"Open/RawAsDelivered", nil, rawAsDelivered},
		{"Open/Again", nil, openAgain},
		{"Open/Gone", can[Remover](), openGone},
		{"Open/SaysWhatTheOriginalSays", has[provider.Originals](), saysWhatTheOriginalSays},
		{"OpenMany/SameAsOpen", has[provider.BulkOpener](), openManySame},
		{"OpenMany/ErrorEnds", has[provider.BulkOpener](), openManyError},
	}
}

// bodies are what storage in files or in JSON may spoil.
var bodies = []struct{ name, body string }{
	{"lines that begin with From", "From here on.\r\n\r\nFrom me.\r\n>From you.\r\n>>From them.\r\n"},
	{"lines of one dot", "one\r\n.\r\n..\r\ntwo\r\n"},
	{"bytes above 127", "Gr\xfc\xdfe, \xe2\x82\xac \x00 null\r\n"},
	{"no line end at the end", "the end"},
	{"empty lines at the end", "the end\r\n\r\n\r\n"},
	{"a long line", strings.Repeat("long ", 2000) + "\r\n"},
	{"no body", ""},
	{"much", strings.Repeat("0123456789abcdef\r\n", 20_000)},
}

func rawAsDelivered(t T, h Harness) {
	sent := make([]Mail, len(bodies))
	ids := make([]provider.RemoteID, len(bodies))
	for i, b := range bodies {
		l := letter{id: string(rune('a'+i)) + "@body.example", body: b.body}
		if b.body == "" {
			l.body = "\r\n"
		}
		sent[i] = l.mail()
		ids[i] = h.Deliver(t, sent[i])
	}
	m := h.Open(t)
	must(t, m, "", provider.Walk{}).all(t, ids, "the walk")
	for i, b := range bodies {
		got, err := original(t, m, ids[i])
		// A file of messages cannot tell how many empty lines stood at the end of one.
		want := strings.TrimRight(unix(sent[i].Raw), "\n")
		if err != nil || strings.TrimRight(got, "\n") != want {
			t.Errorf("Open of a message with %s: got %d bytes and error %v, want the %d bytes delivered",
				b.name, len(got), err, len(want))
		}
	}
}

func openAgain(t T, h Harness) {
	ids := deliver(t, h, 2)
	m := h.Open(t)
	must(t, m, "", provider.Walk{})
	first, err := open(t, m, ids[0])
	if err != nil {
		t.Fatalf("Open: got error %v, want none", err)
	}
	for _, other := range []provider.Mailbox{m, h.Open(t)} {
		again, err := open(t, other, ids[0])
		if err != nil || again != first {
			t.Errorf("the second Open: got %d bytes and error %v, want the same %d bytes", len(again), err,
				len(first))
		}
	}
}

func openGone(t T, h Harness) {
	ids := deliver(t, h, 2)
	m := h.Open(t)
	must(t, m, "", provider.Walk{})
	h.(Remover).Remove(t, ids[0])
	if _, err := open(t, m, ids[0]); !errors.Is(err, provider.ErrGone) {
		t.Errorf("Open of a message that is gone: got error %v, want ErrGone", err)
	}
	if _, err := open(t, m, ids[1]); err != nil {
		t.Errorf("Open of a message that is there: got error %v, want none", err)
	}
}

func openManySame(t T, h Harness) {
	ids := deliver(t, h, 30)
	m := h.Open(t)
	want := make(map[provider.RemoteID]string)
	for _, id := range ids[:29] {
		raw, err := open(t, m, id)
		if err != nil {
			t.Fatalf("Open: got error %v, want none", err)
		}
		want[id] = raw
	}
	r, canRemove := h.(Remover)
	if canRemove {
		r.Remove(t, ids[29])
	} else {
		ids = ids[:29]
	}
	seen := make(map[provider.RemoteID]int)
	bulk, _ := provider.As[provider.BulkOpener](m)
	err := bulk.OpenMany(t.Context(), ids, func(id provider.RemoteID, r io.Reader, err error) error {
		seen[id]++
		if _, there := want[id]; !there {
			if !errors.Is(err, provider.ErrGone) {
				t.Errorf("OpenMany, a message that is gone: got error %v, want ErrGone", err)
			}
			return nil
		}
		if err != nil {
			t.Errorf("OpenMany, a message that is there: got error %v, want none", err)
			return nil
		}
		raw, err := io.ReadAll(r)
		if err != nil || unix(raw) != want[id] {
			t.Errorf("OpenMany: got %d bytes and error %v, want the %d bytes of Open", len(raw), err,
				len(want[id]))
		}
		return nil
	})
	if err != nil {
		t.Errorf("OpenMany: got error %v, want none", err)
	}
	for _, id := range ids {
		if seen[id] != 1 {
			t.Errorf("OpenMany: message %q was handed over %d times, want once", id, seen[id])
		}
	}
}

func openManyError(t T, h Harness) {
	ids := deliver(t, h, 5)
	bulk, _ := provider.As[provider.BulkOpener](h.Open(t))
	stop, n := errors.New("stop here"), 0
	err := bulk.OpenMany(t.Context(), ids, func(provider.RemoteID, io.Reader, error) error {
		n++
		return stop
	})
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("OpenMany whose first call answers an error: got %d calls and error %v, want 1 and it",
			n, err)
	}
}
