package desktest_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// What is done to lines that are there, and to whole tickets for good.

// noteOf picks a note that was not deleted.
func (m *model) noteOf(t *refTicket) *refEntry {
	notes := slices.DeleteFunc(slices.Clone(t.entries), func(e *refEntry) bool {
		return e.kind != ticket.EntryNoted || e.mark == "deleted"
	})
	if len(notes) == 0 {
		return nil
	}
	return pick(m, notes)
}

// rewrite edits a note (row 6) or deletes it (rows 7a and 7b).
func (m *model) rewrite(who acl.UserID, t *refTicket) {
	e := m.noteOf(t)
	if e == nil {
		return
	}
	var err error
	own, works := e.author == who, t.in.works(who)
	c1 := m.ref.mayEdit || m.ref.roles[who] != acl.Agent
	var words []string
	var right bool
	mark := "deleted"
	if m.rand.IntN(3) > 0 {
		words, mark = []string{m.word()}, "edited"
		right = c1 && (works || own)
		m.say("%s edits note %s of %s: %s", who, e.id, t.id, words[0])
		_, err = m.svc.EditNote(m.t.Context(), m.actor(who), t.id, e.id, words[0])
	} else {
		right = m.ref.deletes(t.in, who)
		if own {
			right = works || c1
		}
		m.say("%s deletes note %s of %s", who, e.id, t.id)
		_, err = m.svc.DeleteNote(m.t.Context(), m.actor(who), t.id, e.id)
	}
	want := m.ref.may(who, t, right)
	m.expect(want, err)
	if want == done {
		e.words, e.mark = words, mark
	}
}

func (m *model) pin(who acl.UserID, t *refTicket) { // R-MSG-01
	e := m.noteOf(t)
	if e == nil || m.rand.IntN(2) == 0 {
		e = m.mailOf(t)
	}
	if e == nil {
		return
	}
	id := e.id
	if e.rfcID != "" {
		id = m.entryID(e)
	}
	want := m.ref.may(who, t, t.in.works(who))
	if want == done && (!m.ref.readable(who, e) || !e.pinned && e.mark == "redacted") {
		want = notFound
	}
	m.say("%s turns the pin of %s on %s", who, id, t.id)
	set := m.svc.Pin
	if e.pinned {
		set = m.svc.Unpin
	}
	_, err := set(m.t.Context(), m.actor(who), t.id, id)
	m.expect(want, err)
	if want == done {
		e.pinned = !e.pinned
	}
}

// redact takes the content out of a mail (row 6). One of a stranger is left alone: it may be hidden later,
// and whether what is left of it then shows is not modelled.
func (m *model) redact(who acl.UserID, t *refTicket) {
	e := m.mailOf(t)
	if e == nil || e.stray {
		return
	}
	m.collectInbox(e.box)
	if e.of != t || !slices.Contains(m.ref.tickets, t) {
		return
	}
	manages := func(in *refInbox) bool { return in.manages(m.ref, who) }
	want := m.ref.may(who, t, manages(t.in))
	switch {
	case want != done:
	case !e.mail:
		want = invalid
	case !manages(e.box):
		want = refused
	}
	m.say("%s redacts %s of %s", who, e.rfcID, t.id)
	_, err := m.svc.Redact(m.t.Context(), m.actor(who), t.id, m.entryID(e))
	m.expect(want, err)
	if want == done {
		e.words, e.rfcID, e.mark, t.redacted = nil, "", "redacted", true // nothing answers it any more
	}
}

// purge ends a ticket of the trash, with those that were merged into it (R-TKT-05).
func (m *model) purge(who acl.UserID, t *refTicket) {
	if !t.deleted {
		return
	}
	right := func(in *refInbox) bool { return in.manages(m.ref, who) && m.ref.deletes(in, who) }
	want, under, away := unless(right(t.in), refused), false, []*refInbox{}
	for _, e := range t.entries {
		if e.rfcID != "" {
			want = all(want, unless(right(e.box), refused))
			sending, missing := e.underway()
			under = under || sending || missing && e.box.synced.Before(e.left.Add(copyDelay))
			if missing {
				away = append(away, e.box)
			}
		}
	}
	if !m.ref.knows(who, t) {
		want = notFound
	}
	if want == done {
		for _, in := range away {
			m.ref.lower(in) // it is collected, to see whether the mail is back
		}
		want = unless(!under, invalid)
	}
	m.say("%s purges %s", who, t.id)
	err := m.svc.Purge(m.t.Context(), m.actor(who), t.id)
	m.expect(want, err)
	if want == done {
		m.ref.purge(t)
		m.at = nil
		_, err := m.store.Ticket(m.t.Context(), t.id)
		require.Error(m.t, err, m.after())
	}
}

func (r *reference) purge(t *refTicket) {
	for _, s := range t.from {
		if s.into == t {
			r.purge(s)
		}
	}
	for _, k := range t.tasks {
		k.forget(t)
	}
	t.gone = true
	r.tickets = slices.DeleteFunc(r.tickets, func(x *refTicket) bool { return x == t })
}

// promote makes an agent a site admin, or the other way round: what they may do with a grant changes at
// once (c1, c2).
func (m *model) promote(who acl.UserID) {
	if m.ref.roles[who] == acl.Owner {
		return
	}
	role := acl.Admin
	if m.ref.roles[who] == role {
		role = acl.Agent
	}
	m.say("%s becomes %s", who, role)
	m.ref.roles[who] = role
	m.host.AddPerson(modelPerson(who, role))
}

func modelPerson(who acl.UserID, role acl.Role) inbox.Person {
	return inbox.Person{ID: who, Site: site, Role: role, State: acl.Active, Name: string(who),
		Addresses: []string{string(who) + "@firm.example"}}
}
