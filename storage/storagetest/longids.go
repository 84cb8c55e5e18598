package storagetest

import (
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// longText is what a mail may bring as its Message-ID: 9 kB that no compression makes short enough for
// an index, and an end that alone differs.
func longText(end string) string {
	var b strings.Builder
	for n := uint64(1); b.Len() < 9000; n = n*6364136223846793005 + 1442695040888963407 {
		b.WriteByte("abcdefghijklmnopqrstuvwxyz012345"[n>>59])
	}
	return b.String() + end
}

func checkLongMessageIDs(b *inboxes) {
	create(b, mailbox("in-1"))
	texts := []string{longText("1"), longText("2")}
	var imp inbox.Import
	for i, text := range texts {
		p := mail("in-1", []string{"m-1", "m-2"}[i], i)
		p.Message.RFCID, p.Message.Marker, p.Message.Subject = text, text, text
		p.Message.References = []string{text, texts[0]}
		imp.Put = append(imp.Put, p)
	}
	commit(b, "in-1", imp)
	for _, p := range imp.Put {
		want := p.Message
		got, err := b.s.Message(b.Context(), want.ID)
		ok(b, "message", err)
		want.Seq = got.Seq
		equal(b, "message with long texts", got, want)
		for _, q := range []inbox.MessageQuery{{RFCIDs: []string{want.RFCID, "short"}}, {Marker: want.Marker}} {
			equal(b, "messages by a text of 9 kB", listed(b, q), []inbox.MessageID{want.ID})
		}
	}
	for _, q := range []inbox.MessageQuery{{RFCIDs: []string{longText("3")}}, {Marker: longText("3")}} {
		equal(b, "messages by a long text that ends in another way", listed(b, q), []inbox.MessageID{})
	}
}

func checkLongEntryIDs(b *tickets) {
	t := open("t-1", "in-1", 1)
	var entries []ticket.Entry
	for i, end := range []string{"1", "2"} {
		text := longText(end)
		entries = append(entries, ticket.Entry{
			ID: ticket.EntryID("e-" + end), Ticket: t.ID, Inbox: "in-1", Kind: ticket.EntryReplied, At: at(i),
			RFCID: text, Outgoing: &ticket.Outgoing{State: ticket.OutgoingQueued, Marker: text, NotBefore: at(1)},
		})
	}
	save(b, ticket.Write{Ticket: t, Entries: entries})
	for _, e := range entries {
		for _, q := range []ticket.EntryQuery{{RFCIDs: []string{e.RFCID, "short"}}, {Marker: e.Outgoing.Marker}} {
			equal(b, "entries by a text of 9 kB", collect(b, "entries", b.s.Entries(b.Context(), q)), []ticket.Entry{e})
		}
	}
	for _, q := range []ticket.EntryQuery{{RFCIDs: []string{longText("3")}}, {Marker: longText("3")}} {
		if got := collect(b, "entries", b.s.Entries(b.Context(), q)); len(got) > 0 {
			b.Errorf("entries by a long text that ends in another way: got %d, want none", len(got))
		}
	}
}
