package ticket_test

import (
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

// scene is what one deed is done with: a ticket of its own in a world that all deeds of a stage share.
type scene struct {
	*world
	p        *player
	actor    acl.Actor
	id       ticket.ID
	mail     ticket.EntryID // the first mail
	own      ticket.EntryID // a note of the player's
	note     ticket.EntryID // a note of mara's
	sent     ticket.EntryID // a mail of mara's
	beside   ticket.ID      // another ticket of the inbox
	here     inbox.ID
	there    inbox.ID // another inbox, where whoever may see this one replies
	task     ticket.TaskID
	customer inbox.CustomerID
}

// picture is a client's mail with a picture in it.
func picture(subject string) []byte {
	return []byte(strings.Join([]string{"From: Ann <ann@acme.com>", "To: me@firm.example", "Subject: " + subject,
		"Message-ID: <" + subject + "@acme.com>", "MIME-Version: 1.0", "Content-Type: multipart/related; boundary=cut", "",
		"--cut", "Content-Type: text/html", "", `<p>word <img src="cid:pic"></p>`,
		"--cut", "Content-Type: image/png", "Content-ID: <pic>", "Content-Disposition: inline; filename=a.png", "", "x", "--cut--", ""}, "\r\n"))
}

// newStage is a world with a player, under circumstances, and a scene for each deed.
func newStage(t *testing.T, p *player, c *circumstances) []*scene {
	t.Helper()
	w := newWorld(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: c.edit, AgentsMayDelete: c.remove,
		OwnerImplicitAccess: map[bool]acl.Access{true: acl.ReadAndReply}[c.ownerReplies]})
	for _, user := range []acl.UserID{"ivan", "mara", p.user} {
		who := person(user, acl.Agent)
		if user == p.user {
			who.Role, who.PartTime = p.role, c.spent
		}
		w.host.AddPerson(who)
	}
	mara := acl.Grant{User: "mara", Access: acl.ReadAndReply}
	grants := []acl.Grant{mara, {User: "rita", Access: acl.ReadAndReply}, {User: "rob", Access: acl.ReadOnly},
		{User: "ina", Access: acl.ReadOnly, InboxAdmin: true}, {User: "ivan", Access: acl.ReadAndReply, InboxAdmin: true}}
	elsewhere := []acl.Grant{mara}
	if len(p.columns) > 0 && p.user != "carl" && !(p.name == "OWN") {
		elsewhere = append(elsewhere, acl.Grant{User: p.user, Access: acl.ReadAndReply})
	}
	if p.grant.Access != acl.NoAccess {
		g := p.grant
		g.User = p.user
		grants = append(grants, g)
	}
	first := w.account
	w.account = w.mail.Account("two@firm.example")
	w.connect("carl", false, elsewhere...)
	there := w.in.ID
	w.account = first
	w.connect("carl", false, grants...)
	w.choices()

	w.advance(time.Minute)
	for i := range deeds {
		w.account.Deliver(picture(fmt.Sprint("T", i)), fake.Delivery{})
	}
	w.pull()
	by := make(map[string]ticket.Ticket)
	for _, t := range w.tickets() {
		by[t.Subject] = t
	}
	other := w.other()
	scenes := make([]*scene, len(deeds))
	for i := range deeds {
		id := by[fmt.Sprint("T", i)].ID
		s := &scene{world: w, p: p, actor: w.actor(p.user), id: id, mail: by[fmt.Sprint("T", i)].Latest, here: w.in.ID, there: there,
			customer: other, own: ticket.EntryID("own-" + id), note: ticket.EntryID("note-" + id)}
		s.put(ticket.Entry{ID: s.own, Ticket: id, Inbox: s.here, Kind: ticket.EntryNoted, At: w.clock(), Author: p.user, Text: "own"},
			ticket.Entry{ID: s.note, Ticket: id, Inbox: s.here, Kind: ticket.EntryNoted, At: w.clock(), Author: "mara", Text: "hers"})
		if deeds[i].prepare != nil {
			deeds[i].prepare(s)
		}
		scenes[i] = s
	}
	w.under(c, scenes)
	return scenes
}

// under brings about the circumstances once the scenes are set.
func (w *world) under(c *circumstances, scenes []*scene) {
	w.t.Helper()
	settings := &inbox.InboxSettings{GranteesMayStart: c.start}
	if c.locked {
		settings.OnClosed = inbox.LockNow
	}
	_, err := w.inboxes.Edit(w.t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: settings})
	require.NoError(w.t, err)
	for _, s := range scenes {
		now := s.stored(s.id)
		switch {
		case c.deleted:
			now.DeletedAt = w.clock()
		case c.archived:
			now.Status, now.ArchivedAt = ticket.Closed, w.clock()
		case c.locked:
			now.Status = ticket.Closed
		default:
			continue
		}
		_, err := w.store.SaveTickets(w.t.Context(), []ticket.Write{{Ticket: now}})
		require.NoError(w.t, err)
	}
	if c.spent {
		a := ticket.Allowance{Site: site, User: scenes[0].p.user}
		for i := range 10 {
			a.Uses = append(a.Uses, ticket.Use{Ticket: ticket.ID(fmt.Sprint("gone-", i)), At: w.clock()})
		}
		_, err := w.store.SaveAllowance(w.t.Context(), a)
		require.NoError(w.t, err)
	}
	if c.paused {
		_, err := w.inboxes.Pause(w.t.Context(), w.actor("carl"), w.in.ID)
		require.NoError(w.t, err)
	}
}

// put writes entries of the scene's ticket past the service.
func (s *scene) put(entries ...ticket.Entry) {
	s.t.Helper()
	_, err := s.store.SaveTickets(s.t.Context(), []ticket.Write{{Ticket: s.stored(s.id), Entries: entries}})
	require.NoError(s.t, err)
}

// waits lets mara write a mail that is to leave later, and puts it into a state on its way.
func (s *scene) waits(state ticket.OutgoingState) {
	s.t.Helper()
	e, err := s.svc.Reply(s.t.Context(), s.world.actor("mara"), s.id, ticket.Reply{Text: "hers", SendAt: s.clock().Add(time.Hour)})
	require.NoError(s.t, err)
	e.Outgoing.State = state
	s.put(e)
	s.sent = e.ID
}

// begun is a draft of the player's.
func (s *scene) begun(kind ticket.EntryKind) {
	s.t.Helper()
	_, err := s.store.SaveDraft(s.t.Context(), ticket.Draft{Site: site, Ticket: s.id, Author: s.p.user, Entry: ticket.EntryID("draft-" + s.id),
		Kind: kind, Text: "begun", To: addresses("tom"), SavedAt: s.clock()}, "")
	require.NoError(s.t, err)
}

// draft is what the player's draft is known by.
func (s *scene) draft() ticket.EntryID { return s.draftOf(s.p.user, s.id) }

// witness is what a refused deed must leave as it was.
func (s *scene) witness() string {
	s.t.Helper()
	return fmt.Sprintf("%+v %v %d mails sent", s.stored(s.id), s.lines(s.id), len(s.account.Sends()))
}
