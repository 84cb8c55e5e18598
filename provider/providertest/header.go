package providertest

import (
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

func headerChecks() []Check {
	return []Check{
		{"Header/Facts", nil, facts},
		{"Header/Placed", can[Placer](), placed},
		{"Header/ThreadNeverEmpty", nil, threadNeverEmpty},
		{"Header/Threads", nil, threads},
		{"Header/RawIsWhatOpenGives", nil, rawIsWhatOpenGives},
	}
}

func facts(t T, h Harness) {
	received := base.Add(-90 * time.Minute)
	id := h.Deliver(t, letter{
		from: `"Dunn, Clara" <clara@client.example>`, received: received,
		to: "One <one@own.example>, two@own.example", cc: "=?utf-8?q?J=C3=B6rg?= <joerg@third.example>",
		id: "Facts.CASE+1@client.example",
		fields: "Reply-To: team@client.example\r\nList-Id: <list.client.example>\r\n" +
			"Auto-Submitted: auto-generated\r\n",
	}.mail())
	got, ok := must(t, h.Open(t), "", provider.Walk{}).put()[id]
	if !ok {
		t.Fatalf("the message was not yielded")
	}
	if !got.Received.Equal(received) || got.Received.Location() != time.UTC {
		t.Errorf("Received: got %v in %v, want %v in UTC", got.Received, got.Received.Location(),
			received)
	}
	for _, a := range []struct {
		name      string
		got, want []mail.Address
	}{
		{"From", got.From, []mail.Address{{Name: "Dunn, Clara", Address: "clara@client.example"}}},
		{"ReplyTo", got.ReplyTo, []mail.Address{{Address: "team@client.example"}}},
		{"To", got.To, []mail.Address{{Name: "One", Address: "one@own.example"},
			{Address: "two@own.example"}}},
		{"Cc", got.Cc, []mail.Address{{Name: "Jörg", Address: "joerg@third.example"}}},
	} {
		if !slices.EqualFunc(a.got, a.want, sameAddress) {
			t.Errorf("%s: got %v, want %v", a.name, a.got, a.want)
		}
	}
	if got.MessageID != "Facts.CASE+1@client.example" {
		t.Errorf("MessageID: got %q, want it as sent, without angles", got.MessageID)
	}
	for name, value := range map[string]string{"List-Id": "<list.client.example>",
		"Auto-Submitted": "auto-generated"} {
		if !slices.Contains(got.Fields, provider.Field{Name: name, Value: value}) {
			t.Errorf("Fields: got %v, want %s: %s among them", got.Fields, name, value)
		}
	}
	if got.Sent == provider.MarkSent {
		t.Errorf("Sent: got MarkSent for a message that arrived")
	}
	if got.Folder != provider.FolderMail {
		t.Errorf("Folder: got %q, want FolderMail", got.Folder)
	}
}

// sameAddress takes the absence of a name for what it is where a service repeats the address.
func sameAddress(got, want mail.Address) bool {
	return got.Address == want.Address &&
		(got.Name == want.Name || want.Name == "" && got.Name == want.Address)
}

func placed(t T, h Harness) {
	cases := []struct {
		name         string
		folder       provider.Folder
		unread, sent bool
	}{
		{"unread mail", provider.FolderMail, true, false},
		{"read mail", provider.FolderMail, false, false},
		{"sent mail", provider.FolderMail, false, true},
		{"a draft", provider.FolderDraft, false, false},
		{"spam", provider.FolderSpam, true, false},
		{"trash", provider.FolderTrash, false, false},
	}
	ids := make([]provider.RemoteID, len(cases))
	for i, c := range cases {
		ids[i] = h.(Placer).DeliverTo(t, letter{id: string(rune('a'+i)) + "@placed.example"}.mail(),
			c.folder, c.unread, c.sent)
	}
	all := must(t, h.Open(t), "", provider.Walk{}).put()
	for i, c := range cases {
		got, ok := all[ids[i]]
		if !ok {
			if c.folder == provider.FolderMail {
				t.Errorf("%s: not yielded", c.name)
			}
			continue // a service may leave out folders the filter skips
		}
		if got.Folder != c.folder || got.Unread != c.unread || (got.Sent == provider.MarkSent) != c.sent {
			t.Errorf("%s: got folder %q, unread %v, mark %v", c.name, got.Folder, got.Unread, got.Sent)
		}
	}
}

func threadNeverEmpty(t T, h Harness) {
	deliver(t, h, 10)
	h.Deliver(t, Mail{Raw: []byte("From: x@bare.example\r\n\r\nno id, no date\r\n"), Received: base})
	m := h.Open(t)
	all := must(t, m, "", provider.Walk{})
	if got := len(all.put()); got != 11 {
		t.Errorf("got %d messages, want 11", got)
	}
	h.Deliver(t, Mail{Raw: []byte("From: x@bare.example\r\n\r\nlive\r\n"), Received: base.Add(time.Hour)})
	live := must(t, m, all.next(""), provider.Walk{})
	for _, b := range append(all.batches, live.batches...) {
		for _, header := range b.Put {
			if header.ID == "" || header.Thread == "" {
				t.Errorf("message with id %q: got thread %q, want both not empty", header.ID, header.Thread)
			}
		}
	}
}

func threads(t T, h Harness) {
	send := func(id string, hours int, refs ...string) provider.RemoteID {
		return h.Deliver(t, letter{id: id, refs: refs,
			received: base.Add(time.Duration(hours) * time.Hour)}.mail())
	}
	root := send("root@thread.example", 0)
	alone := send("alone@thread.example", 1)
	answer := send("answer@thread.example", 2, "root@thread.example")
	last := send("last@thread.example", 3, "root@thread.example", "answer@thread.example")
	m := h.Open(t)
	all := must(t, m, "", provider.Walk{})
	live := send("live@thread.example", 4, "root@thread.example")
	more := must(t, m, all.next(""), provider.Walk{})
	thread := func(id provider.RemoteID) provider.ThreadID {
		if header, ok := more.put()[id]; ok {
			return header.Thread
		}
		return all.put()[id].Thread
	}
	for name, id := range map[string]provider.RemoteID{"an answer": answer, "an answer to it": last,
		"an answer that came after the walk": live} {
		if thread(id) != thread(root) {
			t.Errorf("%s: got another thread than the first message's", name)
		}
	}
	if thread(alone) == thread(root) {
		t.Errorf("a message of its own with the same subject: got the thread of another")
	}
}

func rawIsWhatOpenGives(t T, h Harness) {
	deliver(t, h, 10)
	m := h.Open(t)
	for id, header := range must(t, m, "", provider.Walk{Bodies: provider.BodiesNever}).put() {
		if header.Raw != nil {
			t.Errorf("BodiesNever, message %q: got %d raw bytes, want nil", id, len(header.Raw))
		}
	}
	for id, header := range must(t, m, "", provider.Walk{Bodies: provider.BodiesWith}).put() {
		if header.Raw == nil {
			continue
		}
		raw, err := open(t, m, id)
		if err != nil || strings.TrimRight(unix(header.Raw), "\n") != strings.TrimRight(raw, "\n") {
			t.Errorf("BodiesWith, message %q: got %d raw bytes, Open gave %d and error %v, want the same",
				id, len(header.Raw), len(raw), err)
		}
	}
}
