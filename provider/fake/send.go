package fake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/rawheader"
)

// MaxSend is Options.MaxSend.
func (m *mailbox) MaxSend() int64 { return m.a.s.o.MaxSend }

// Send puts the mail into the account as sent. Where the raw bytes do not carry the marker it
// answers an error and sends nothing, since such a mail could never be found again.
func (m *mailbox) Send(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	if err := m.call(ctx, OpSend, ""); err != nil {
		return provider.Sent{}, err
	}
	if out.Size > m.MaxSend() {
		return provider.Sent{}, fmt.Errorf("fake: send: the mail is larger than %d bytes", m.MaxSend())
	}
	raw, err := readAll(out)
	if err != nil {
		return provider.Sent{}, fmt.Errorf("fake: send: %w", err)
	}
	a := m.a
	msg := &message{raw: raw}
	header, _ := rawheader.Fill(&msg.Header, bytes.NewReader(raw))
	msg.marker = header.Get(provider.MarkerHeader)
	a.mu.Lock()
	switch {
	case a.readOnly:
		a.mu.Unlock()
		return provider.Sent{}, readOnlyError(OpSend)
	case msg.marker != out.Marker:
		a.mu.Unlock()
		return provider.Sent{}, fmt.Errorf("fake: send: the raw message does not carry the marker")
	case a.loseSend > 0:
		a.loseSend--
		a.mu.Unlock()
		return provider.Sent{}, fmt.Errorf("fake: send: connection reset: %w", provider.ErrAmbiguous)
	}
	msg.Sent, msg.Received, msg.Thread = provider.MarkSent, a.s.o.Now().UTC(), a.known(out.Thread)
	msg.hidden = a.findLate
	if a.s.o.RewriteMessageID {
		msg.rewrite(fmt.Sprintf("rewritten-%d@fake.invalid", a.next+1))
	}
	a.put(msg, header)
	sent := provider.Sent{ID: msg.ID, Thread: msg.Thread, MessageID: msg.MessageID}
	a.sends = append(a.sends, SentMail{Sent: sent, Marker: msg.marker, Raw: bytes.Clone(raw)})
	lost := a.loseAnswer > 0
	if lost {
		a.loseAnswer--
	}
	a.mu.Unlock()
	a.ring()
	if lost {
		return provider.Sent{}, fmt.Errorf("fake: send: timeout: %w", provider.ErrAmbiguous)
	}
	return sent, nil
}

// Find looks through what was sent.
func (m *mailbox) Find(
	ctx context.Context, marker string, thread provider.ThreadID, since time.Time,
) (provider.Sent, error) {
	if err := m.call(ctx, OpFind, ""); err != nil {
		return provider.Sent{}, err
	}
	a := m.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.readOnly {
		return provider.Sent{}, readOnlyError(OpFind)
	}
	for _, msg := range a.sorted {
		if msg.Sent != provider.MarkSent || msg.marker == "" || msg.marker != marker ||
			thread != "" && msg.Thread != thread || msg.Received.Before(since) {
			continue
		}
		if msg.hidden > 0 {
			msg.hidden--
			break
		}
		return provider.Sent{ID: msg.ID, Thread: msg.Thread, MessageID: msg.MessageID}, nil
	}
	return provider.Sent{}, fmt.Errorf("fake: find: %w", provider.ErrGone)
}

// known returns the thread when a message of it is there. A conversation the service does not know
// is no reason to refuse a mail; the mail finds its conversation by its header.
func (a *Account) known(thread provider.ThreadID) provider.ThreadID {
	for _, msg := range a.sorted {
		if msg.Thread == thread {
			return thread
		}
	}
	return ""
}

// rewrite replaces the Message-ID as the first field of the raw message.
func (m *message) rewrite(id string) {
	eol := "\n"
	if i := bytes.IndexByte(m.raw, '\n'); i > 0 && m.raw[i-1] == '\r' {
		eol = "\r\n"
	}
	kept := []byte("Message-ID: <" + id + ">" + eol)
	dropping, inHeader := false, true
	for line := range bytes.Lines(m.raw) {
		if inHeader {
			folded := line[0] == ' ' || line[0] == '\t'
			name, _, _ := bytes.Cut(line, []byte(":"))
			dropping = bytes.EqualFold(bytes.TrimSpace(name), []byte("Message-ID")) || folded && dropping
			inHeader = len(bytes.TrimRight(line, "\r\n")) > 0
		}
		if !inHeader || !dropping {
			kept = append(kept, line...)
		}
	}
	m.raw, m.MessageID = kept, id
}

func readAll(out provider.Outgoing) ([]byte, error) {
	r, err := out.Open()
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	if closed := r.Close(); err == nil {
		err = closed
	}
	return raw, err
}
