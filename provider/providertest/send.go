package providertest

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/workinbox/workinbox/provider"
)

func sendChecks() []Check {
	finds := both(has[provider.Sender](), has[provider.Finder]())
	return []Check{
		{"Send/New", has[provider.Sender](), sendNew},
		{"Send/InThread", has[provider.Sender](), sendInThread},
		{"Send/MarkerFound", finds, markerFound},
		{"Send/MarkerNotFound", has[provider.Finder](), markerNotFound},
		{"Send/AmbiguousIsFound", both(finds, can[AnswerLoser]()), ambiguousIsFound},
	}
}

// outgoing is a mail to send with a marker.
func outgoing(marker string, l letter, thread provider.ThreadID) provider.Outgoing {
	l.from, l.to, l.received = "owner@own.example", client, base
	l.fields += provider.MarkerHeader + ": " + marker + "\r\n"
	raw := l.mail().Raw
	return provider.Outgoing{Size: int64(len(raw)), Thread: thread, Marker: marker,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
}

func sendNew(t T, h Harness) {
	deliver(t, h, 2)
	m := h.Open(t)
	cursor := must(t, m, "", provider.Walk{}).next("")
	s, _ := provider.As[provider.Sender](m)
	sent, err := s.Send(t.Context(), outgoing("mark-new", letter{id: "new@own.example",
		body: "Dear Carla.\r\n"}, ""))
	if err != nil {
		t.Fatalf("Send: got error %v, want none", err)
	}
	header, ok := onlySent(t, must(t, m, cursor, provider.Walk{}))
	if !ok {
		return
	}
	if sent.ID != "" && header.ID != sent.ID || sent.Thread != "" && header.Thread != sent.Thread {
		t.Errorf("a sent mail: listed as %q in thread %q, Send said %q in %q", header.ID, header.Thread,
			sent.ID, sent.Thread)
	}
	if sent.MessageID != "" && header.MessageID != sent.MessageID {
		t.Errorf("a sent mail: listed with another Message-ID than Send said")
	}
	raw, err := open(t, m, header.ID)
	if err != nil || !strings.Contains(raw, provider.MarkerHeader+": mark-new\n") ||
		!strings.Contains(raw, "Dear Carla.\n") {
		t.Errorf("a sent mail: got %d raw bytes and error %v, want them with marker and text",
			len(raw), err)
	}
}

// onlySent finds the one mail that is marked as sent.
func onlySent(t T, all told) (provider.Header, bool) {
	t.Helper()
	var sent []provider.Header
	for _, header := range all.put() {
		if header.Sent == provider.MarkSent && header.Folder == provider.FolderMail {
			sent = append(sent, header)
		}
	}
	if len(sent) != 1 {
		t.Errorf("after one send: got %d messages with MarkSent, want 1", len(sent))
		return provider.Header{}, false
	}
	return sent[0], true
}

func sendInThread(t T, h Harness) {
	id := h.Deliver(t, letter{id: "ask@client.example", from: client}.mail())
	m := h.Open(t)
	first := must(t, m, "", provider.Walk{})
	thread := first.put()[id].Thread
	s, _ := provider.As[provider.Sender](m)
	reply := letter{id: "reply@own.example", refs: []string{"ask@client.example"}}
	sent, err := s.Send(t.Context(), outgoing("mark-thread", reply, thread))
	if err != nil {
		t.Fatalf("Send into a thread: got error %v, want none", err)
	}
	if sent.Thread != "" && sent.Thread != thread {
		t.Errorf("Send into thread %q: got thread %q", thread, sent.Thread)
	}
	if header, ok := onlySent(t, must(t, m, first.next(""), provider.Walk{})); ok &&
		header.Thread != thread {
		t.Errorf("Send into thread %q: the mail is listed in thread %q", thread, header.Thread)
	}
}

func markerFound(t T, h Harness) {
	deliver(t, h, 2)
	m := h.Open(t)
	s, _ := provider.As[provider.Sender](m)
	f, _ := provider.As[provider.Finder](m)
	since := base.AddDate(-10, 0, 0)
	sent, err := s.Send(t.Context(), outgoing("mark-found", letter{id: "found@own.example"}, ""))
	if err != nil {
		t.Fatalf("Send: got error %v, want none", err)
	}
	for name, thread := range map[string]provider.ThreadID{"anywhere": "", "in its thread": sent.Thread} {
		got, err := f.Find(t.Context(), "mark-found", thread, since)
		if err != nil || got.ID == "" || sent.ID != "" && got.ID != sent.ID {
			t.Errorf("Find of what was sent, %s: got %q and error %v, want %q", name, got.ID, err,
				sent.ID)
		}
	}
}

func markerNotFound(t T, h Harness) {
	deliver(t, h, 2)
	h.Deliver(t, letter{id: "forged@elsewhere.example",
		fields: provider.MarkerHeader + ": mark-other\r\n"}.mail())
	m := h.Open(t)
	f, _ := provider.As[provider.Finder](m)
	got, err := f.Find(t.Context(), "mark-never", "", base.AddDate(0, 0, -1))
	if !errors.Is(err, provider.ErrGone) {
		t.Errorf("Find of a marker that was never sent: got %q and error %v, want ErrGone", got.ID, err)
	}
}

func ambiguousIsFound(t T, h Harness) {
	id := h.Deliver(t, letter{id: "ask@client.example", from: client}.mail())
	m := h.Open(t)
	first := must(t, m, "", provider.Walk{})
	thread := first.put()[id].Thread
	s, _ := provider.As[provider.Sender](m)
	f, _ := provider.As[provider.Finder](m)
	since := base.AddDate(-10, 0, 0)
	h.(AnswerLoser).LoseAnswerOfSend(t)
	reply := letter{id: "lost@own.example", refs: []string{"ask@client.example"}}
	_, err := s.Send(t.Context(), outgoing("mark-lost", reply, thread))
	if !errors.Is(err, provider.ErrAmbiguous) {
		t.Errorf("Send whose answer is lost: got error %v, want ErrAmbiguous", err)
	}
	found, err := f.Find(t.Context(), "mark-lost", thread, since)
	if err != nil {
		t.Errorf("Find of a mail whose answer was lost: got error %v, want the mail", err)
		return
	}
	header, ok := onlySent(t, must(t, m, first.next(""), provider.Walk{}))
	if ok && header.ID != found.ID {
		t.Errorf("Find of a mail whose answer was lost: got %q, the mail is listed as %q", found.ID,
			header.ID)
	}
}
