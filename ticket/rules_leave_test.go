package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// border is carl's inbox with a ticket, and tina's with one, where the team of carl's replies too.
type border struct {
	*world
	offer ticket.Ticket
	there inbox.Inbox
	far   ticket.Ticket // in there
}

func newBorder(t *testing.T) *border {
	t.Helper()
	w := newWorld(t, fake.Options{}, func(s *inbox.Settings) { s.AgentsMayDelete = true })
	for _, user := range []acl.UserID{"ivan", "tina"} {
		w.host.AddPerson(person(user, acl.Agent))
	}
	b := &border{world: w}
	first := w.account
	w.account = w.mail.Account("tina@firm.example")
	var grants []acl.Grant
	for _, user := range []acl.UserID{"carl", "ivan", "rita", "rob", "ina", "olga"} {
		grants = append(grants, acl.Grant{User: user, Access: acl.ReadAndReply})
	}
	w.connect("tina", false, grants...)
	b.far = w.ask("Tom <tom@third.org>", "far", "Message-ID: <far@third.org>")
	b.there = w.in
	w.account = first
	w.open(false)
	b.share("carl", w.in.ID, acl.Grant{User: "ivan", Access: acl.ReadAndReply, InboxAdmin: true})
	b.offer = w.ask("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>")
	return b
}

func (b *border) share(by acl.UserID, in inbox.ID, grants ...acl.Grant) {
	b.t.Helper()
	_, err := b.inboxes.Share(b.t.Context(), b.actor(by), in, grants...)
	require.NoError(b.t, err)
}

// A ticket leaves an inbox, by a move or a merge, with read-and-reply on both sides; and where somebody
// who reads the target could not read it before, by the creator or an inbox admin of where it was.
func TestWhoLetsATicketOutOfItsInbox(t *testing.T) { // c7, c13, rows 13 and 14, R-TKT-06, R-TKT-08, 8.3 (0)
	t.Parallel()
	known := func(b *border) { b.share("carl", b.in.ID, acl.Grant{User: "tina", Access: acl.ReadOnly}) }
	team := func(b *border) {
		stored, err := b.store.Inbox(b.t.Context(), b.there.ID)
		require.NoError(b.t, err)
		stored.Kind = acl.Team
		_, err = b.store.UpdateInbox(b.t.Context(), stored, nil)
		require.NoError(b.t, err)
	}
	in := func(id func(b *border) ticket.ID, change func(t *ticket.Ticket, now time.Time)) func(b *border) {
		return func(b *border) {
			now := b.stored(id(b))
			change(&now, b.clock())
			_, err := b.store.SaveTickets(b.t.Context(), []ticket.Write{{Ticket: now}})
			require.NoError(b.t, err)
		}
	}
	offer := func(b *border) ticket.ID { return b.offer.ID }
	far := func(b *border) ticket.ID { return b.far.ID }
	archived := func(t *ticket.Ticket, now time.Time) { t.Status, t.ArchivedAt = ticket.Closed, now }
	deleted := func(t *ticket.Ticket, now time.Time) { t.DeletedAt = now }
	locks := func(by acl.UserID, in func(b *border) inbox.ID, id func(b *border) ticket.ID) func(b *border) {
		return func(b *border) {
			_, err := b.inboxes.Edit(b.t.Context(), b.actor(by), in(b), inbox.Edit{Settings: &inbox.InboxSettings{OnClosed: inbox.LockNow}})
			require.NoError(b.t, err)
			b.setStatus(id(b), ticket.Closed)
		}
	}
	here := func(b *border) inbox.ID { return b.in.ID }
	there := func(b *border) inbox.ID { return b.there.ID }
	reads := func(user acl.UserID) func(b *border) {
		return func(b *border) { b.share("tina", b.there.ID, acl.Grant{User: user, Access: acl.ReadOnly}) }
	}
	leaves := func(user acl.UserID) func(b *border) {
		return func(b *border) {
			_, err := b.inboxes.Unshare(b.t.Context(), b.actor("tina"), b.there.ID, user)
			require.NoError(b.t, err)
		}
	}
	both := func(fs ...func(b *border)) func(b *border) {
		return func(b *border) {
			for _, f := range fs {
				f(b)
			}
		}
	}
	no := acl.ErrDenied
	for _, row := range []struct {
		name        string
		user        acl.UserID
		given       func(b *border)
		move, merge error
	}{
		{"c13 more readers: the creator", "carl", nil, nil, nil},
		{"c13 more readers: an inbox admin who replies", "ivan", nil, nil, nil},
		{"c13 more readers: read-and-reply alone", "rita", nil, no, no},
		{"more readers: an inbox admin who reads", "ina", nil, no, no},
		{"more readers: read only", "rob", nil, no, no},
		{"c5 more readers: the site owner", "olga", nil, no, no},
		{"c5 more readers: the site owner who may reply", "olga", func(b *border) {
			b.share("carl", b.in.ID, acl.Grant{User: "olga", Access: acl.ReadAndReply})
		}, nil, nil},
		{"more readers: who knows the target alone", "tina", nil, storage.ErrNotFound, storage.ErrNotFound},
		{"nobody new: read-and-reply", "rita", known, nil, nil},
		{"nobody new: read only", "rob", known, no, no},
		{"nobody new: an inbox admin who reads", "ina", known, no, no},
		{"8.3 (0) into a team inbox: read-and-reply", "rita", both(known, team), no, no},
		{"8.3 (0) into a team inbox: the creator", "carl", both(known, team), nil, nil},
		{"c7 who reads the target alone", "carl", reads("carl"), no, no},
		{"c7 an inbox admin who reads the target alone", "ivan", both(known, reads("ivan")), no, no},
		{"c7 who does not know the target", "carl", leaves("carl"), storage.ErrNotFound, storage.ErrNotFound},
		{"c7 locked here", "carl", locks("carl", here, offer), no, no},
		{"c7 archived here", "carl", in(offer, archived), no, no},
		{"c7 in the trash here", "carl", in(offer, deleted), no, no},
		{"c7 locked there", "carl", locks("tina", there, far), nil, no},
		{"c7 archived there", "carl", in(far, archived), nil, no},
		{"c7 in the trash there", "carl", in(far, deleted), nil, no},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for what, c := range map[string]struct {
				want error
				do   func(b *border) error
			}{
				"move": {row.move, func(b *border) error {
					_, err := b.svc.Move(t.Context(), b.actor(row.user), b.offer.ID, ticket.Move{To: b.there.ID})
					return err
				}},
				"merge": {row.merge, func(b *border) error {
					_, err := b.svc.Merge(t.Context(), b.actor(row.user), b.far.ID, []ticket.ID{b.offer.ID})
					return err
				}},
			} {
				b := newBorder(t)
				if row.given != nil {
					row.given(b)
				}
				before := b.tickets()
				err := c.do(b)
				require.ErrorIs(t, err, c.want, what)
				if c.want != nil {
					require.Equal(t, before, b.tickets(), "changed by the refused %s", what)
					continue
				}
				now := b.stored(b.offer.ID)
				if what == "move" {
					require.Equal(t, b.there.ID, now.Inbox)
				} else {
					require.Equal(t, b.far.ID, now.MergedInto)
				}
			}
		})
	}
}

// What the rules of the target would keep out is moved there all the same.
func TestTheRulesOfTheTargetAreNotAsked(t *testing.T) { // R-TKT-08
	t.Parallel()
	b := newBorder(t)
	_, err := b.inboxes.CreateCompany(t.Context(), b.actor("olga"), inbox.CompanyEdit{Name: "Third", Domains: []string{"third.org"}})
	require.NoError(t, err)
	_, err = b.inboxes.SetRules(t.Context(), b.actor("tina"), b.there.ID, filter.Rules{Mode: filter.ClientAssociated})
	require.NoError(t, err)
	require.Equal(t, []string{"far"}, b.listed("tina", ticket.Query{}))
	_, err = b.svc.Move(t.Context(), b.actor("carl"), b.offer.ID, ticket.Move{To: b.there.ID})
	require.NoError(t, err)
	require.Equal(t, []string{"offer", "far"}, b.listed("tina", ticket.Query{}), "acme.com is no client")
	_, err = b.svc.Collect(t.Context(), b.there.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"offer"}, b.subjects("tina", b.offer.ID))
}

func TestWhoWasOnEitherThreadIsAnsweredAfterAMerge(t *testing.T) { // R-TKT-06: Cc union
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "Cc: tom@third.org, eve@third.org")
	again := w.ask("Ann <ann@acme.com>", "offer again", "Cc: eve@third.org, bob@third.org")
	w.merge("rita", offer.ID, again.ID)
	w.advance(time.Minute)
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "to all of you", All: true})
	require.NoError(t, err)
	require.Equal(t, "ann@acme.com", bare(w.lastSent().Envelope.To))
	require.Equal(t, "tom@third.org eve@third.org bob@third.org", bare(w.lastSent().Envelope.Cc))
}
