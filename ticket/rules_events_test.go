package ticket_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// Each thing done to a ticket is told by the name webhooks know, with who did it and to which ticket, and
// without a word of what it is about: who is told reads that, or does not.
func TestWhatIsDoneIsToldByItsName(t *testing.T) { // RULES 10, R-FEA-07
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "Subject: secret subject", "Cc: secret@third.org")
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: true, AgentsMayDelete: true})
	w.choices()
	first, in := w.account, w.in
	w.account = w.mail.Account("two@firm.example")
	w.connect("carl", false, acl.Grant{User: "rita", Access: acl.ReadAndReply, InboxAdmin: true})
	there := w.in
	w.account, w.in = first, in
	_, err := w.inboxes.Share(t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: "rita", Access: acl.ReadAndReply, InboxAdmin: true})
	require.NoError(t, err)
	again := w.ask("Ann <ann@acme.com>", "secret again")
	ctx, rita := t.Context(), w.actor("rita")
	var note ticket.Entry
	edit := func(e ticket.Edit) func() error {
		return func() error { return second(w.svc.Edit(ctx, rita, offer.ID, e)) }
	}
	told := w.told()
	for _, row := range []struct {
		names []inbox.EventName
		by    acl.UserID
		do    func() error
	}{
		{[]inbox.EventName{"ticket.created"}, "", func() error {
			w.ask("Tom <secret@third.org>", "secret new")
			return nil
		}},
		{[]inbox.EventName{"ticket.customer.reply"}, "", func() error {
			w.deliver("Ann <ann@acme.com>", "secret more", "References: <ask@acme.com>")
			w.pull()
			return nil
		}},
		{[]inbox.EventName{"ticket.agent.reply", "ticket.status"}, "rita", func() error {
			return second(w.svc.Reply(ctx, rita, offer.ID, ticket.Reply{Text: "secret answer", Bcc: addresses("secret")}))
		}},
		{[]inbox.EventName{"ticket.note"}, "rita", func() (err error) {
			note, err = w.svc.Note(ctx, rita, offer.ID, "secret note")
			return err
		}},
		{[]inbox.EventName{"thread.edited"}, "rita", func() error {
			return second(w.svc.EditNote(ctx, rita, offer.ID, note.ID, "secret change"))
		}},
		{[]inbox.EventName{"thread.deleted"}, "rita", func() error { return second(w.svc.DeleteNote(ctx, rita, offer.ID, note.ID)) }},
		{[]inbox.EventName{"ticket.assigned"}, "rita", edit(ticket.Edit{Assignee: new(acl.UserID("carl"))})},
		{[]inbox.EventName{"ticket.unassigned"}, "rita", edit(ticket.Edit{Assignee: new(acl.UserID(""))})},
		{[]inbox.EventName{"ticket.status"}, "rita", edit(ticket.Edit{Status: new(ticket.OnHold)})},
		{[]inbox.EventName{"ticket.priority"}, "rita", edit(ticket.Edit{Priority: new("high")})},
		{[]inbox.EventName{"ticket.tag.added"}, "rita", edit(ticket.Edit{AddTags: []string{"red"}})},
		{[]inbox.EventName{"ticket.tag.removed"}, "rita", edit(ticket.Edit{RemoveTags: []string{"red"}})},
		{[]inbox.EventName{"ticket.edited"}, "rita", edit(ticket.Edit{Fields: map[string][]string{"contract": {"secret A-1"}}})},
		{[]inbox.EventName{"ticket.merged"}, "rita", func() error {
			return second(w.svc.Merge(ctx, rita, offer.ID, []ticket.ID{again.ID}))
		}},
		{[]inbox.EventName{"ticket.moved", "ticket.moved"}, "rita", func() error { // to those of each inbox
			return second(w.svc.Move(ctx, rita, offer.ID, ticket.Move{To: there.ID}))
		}},
		{[]inbox.EventName{"ticket.deleted"}, "rita", func() error { return second(w.svc.Delete(ctx, rita, offer.ID)) }},
	} {
		w.advance(time.Minute)
		require.NoError(t, row.do(), "%v", row.names)
		var names []inbox.EventName
		for _, ev := range w.told()[len(told):] {
			names = append(names, ev.Name)
			if row.by != "" {
				require.Equal(t, row.by, ev.Actor, "eventCreatorId of %s", ev.Name)
				require.Equal(t, string(offer.ID), ev.Ticket, "%s", ev.Name)
			}
			text, err := json.Marshal(ev)
			require.NoError(t, err)
			for _, word := range []string{"secret", "@", "ann", "A-1"} {
				require.NotContains(t, string(text), word, "%s", ev.Name)
			}
		}
		require.Equal(t, fmt.Sprint(row.names), fmt.Sprint(names))
		told = w.told()
	}
}

// told is what waits in the outbox, but for what is about an inbox.
func (w *world) told() (out []inbox.Event) {
	w.t.Helper()
	for e, err := range w.store.DueEvents(w.t.Context(), w.clock(), 0) {
		require.NoError(w.t, err)
		if !strings.HasPrefix(string(e.Name), "inbox.") {
			out = append(out, e.Event)
		}
	}
	return out
}
