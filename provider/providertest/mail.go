package providertest

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// The people of the checks. Their addresses are what no error may tell.
const (
	stranger = "sam.private@elsewhere.example"
	client   = "carla@client.example"
	subject  = "Confidential salary"
)

// base is the time around which everything is delivered.
var base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// letter is a message in the making.
type letter struct {
	from, to, cc string
	id           string // Message-ID without angles
	refs         []string
	fields       string // further lines
	body         string
	received     time.Time
}

// mail builds the raw message. What is not said gets a value of its own.
func (l letter) mail() Mail {
	if l.from == "" {
		l.from = stranger
	}
	if l.to == "" {
		l.to = "owner@own.example"
	}
	if l.body == "" {
		l.body = "Hello.\r\n"
	}
	if l.received.IsZero() {
		l.received = base
	}
	var b strings.Builder
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\n", l.from, l.to)
	if l.cc != "" {
		fmt.Fprintf(&b, "Cc: %s\r\n", l.cc)
	}
	if len(l.refs) > 0 {
		fmt.Fprintf(&b, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", l.refs[len(l.refs)-1],
			strings.Join(l.refs, ">\r\n <"))
	}
	fmt.Fprintf(&b, "Subject: %s\r\nDate: %s\r\nMessage-ID: <%s>\r\n%sMIME-Version: 1.0\r\n",
		subject, l.received.Format(time.RFC1123Z), l.id, l.fields)
	if !strings.Contains(strings.ToLower(l.fields), "content-type:") {
		b.WriteString("Content-Type: text/plain; charset=utf-8\r\n")
	}
	b.WriteString("\r\n" + l.body)
	return Mail{Raw: []byte(b.String()), Received: l.received}
}

// deliver makes n messages arrive, an hour between them, the last one at base. It returns their ids,
// newest first.
func deliver(t T, h Harness, n int) []provider.RemoteID {
	t.Helper()
	ids := make([]provider.RemoteID, n)
	for i := n - 1; i >= 0; i-- {
		ids[i] = h.Deliver(t, letter{id: fmt.Sprintf("mail-%d@elsewhere.example", i),
			received: base.Add(-time.Duration(i) * time.Hour)}.mail())
		if ids[i] == "" {
			t.Fatalf("harness: Deliver returned an empty id")
		}
	}
	return ids
}

// told is what a stream yielded.
type told struct {
	batches []provider.Batch
	err     error
}

// read reads a stream up to its end, or up to n batches where n is not 0.
func read(t T, m provider.Mailbox, from provider.Cursor, w provider.Walk, n int) told {
	t.Helper()
	var all told
	for b, err := range m.Changes(t.Context(), from, w) {
		if all.err != nil {
			t.Fatalf("Changes went on after it yielded an error")
		}
		if err != nil {
			all.err = err
			continue
		}
		all.batches = append(all.batches, b)
		if len(all.batches) == n {
			break
		}
	}
	return all
}

// must is read of a stream that has no reason to fail.
func must(t T, m provider.Mailbox, from provider.Cursor, w provider.Walk) told {
	t.Helper()
	all := read(t, m, from, w, 0)
	if all.err != nil {
		t.Fatalf("Changes from cursor of %d bytes: got error %v, want none", len(from), all.err)
	}
	return all
}

// next is the cursor behind everything; before, where nothing was yielded.
func (a told) next(before provider.Cursor) provider.Cursor {
	if len(a.batches) == 0 {
		return before
	}
	return a.batches[len(a.batches)-1].Next
}

// put returns the last header of every message that was put.
func (a told) put() map[provider.RemoteID]provider.Header {
	last := make(map[provider.RemoteID]provider.Header)
	for _, b := range a.batches {
		for _, h := range b.Put {
			last[h.ID] = h
		}
	}
	return last
}

// gone returns the ids that were removed.
func (a told) gone() map[provider.RemoteID]bool {
	gone := make(map[provider.RemoteID]bool)
	for _, b := range a.batches {
		for _, id := range b.Removed {
			gone[id] = true
		}
	}
	return gone
}

// all says that every id was put.
func (a told) all(t T, ids []provider.RemoteID, when string) {
	t.Helper()
	have := a.put()
	for i, id := range ids {
		if _, ok := have[id]; !ok {
			t.Errorf("%s: message %d of %d (id %q) was not yielded", when, i+1, len(ids), id)
		}
	}
}

// open reads a raw message, with LF line ends.
func open(t T, m provider.Mailbox, id provider.RemoteID) (string, error) {
	t.Helper()
	r, err := m.Open(t.Context(), id)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(r)
	if closed := r.Close(); err == nil {
		err = closed
	}
	return unix(raw), err
}

func unix(raw []byte) string { return strings.ReplaceAll(string(raw), "\r\n", "\n") }
