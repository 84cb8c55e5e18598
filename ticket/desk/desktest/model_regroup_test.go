package desktest_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/ticket"
)

// all is the outcome of a request that several things stand against.
func all(reasons ...outcome) outcome {
	reasons = slices.DeleteFunc(reasons, func(o outcome) bool { return o == done })
	slices.Sort(reasons)
	switch reasons = slices.Compact(reasons); len(reasons) {
	case 0:
		return done
	case 1:
		return reasons[0]
	}
	return fails
}

func unless(holds bool, otherwise outcome) outcome {
	if holds {
		return done
	}
	return otherwise
}

// mayLeave is c13: where a reader of the target cannot view the origin, an inbox admin of the origin or
// its creator alone may.
func (r *reference) mayLeave(u acl.UserID, from, to *refInbox) bool {
	for _, p := range modelPeople {
		if from != to && to.views(r, p) && !from.views(r, p) {
			return from.manages(r, u)
		}
	}
	return true
}

func (m *model) merge(who acl.UserID, t *refTicket, sources ...*refTicket) {
	var ids []ticket.ID
	want := m.ref.may(who, t, t.in.works(who))
	for _, s := range sources {
		ids = append(ids, s.id)
		want = all(want, m.ref.may(who, s, s.in.works(who)), unless(m.ref.mayLeave(who, s.in, t.in), refused),
			unless(s.hidden() == t.hidden() && (!t.hidden() || s.in == t.in), invalid))
	}
	m.say("%s merges %v into %s", who, ids, t.id)
	_, err := m.svc.Merge(m.t.Context(), m.actor(who), t.id, ids)
	m.expect(want, err)
	if want == done {
		for _, s := range sources {
			m.ref.merge(who, t, s)
		}
	}
}

// name notes that nothing of the ticket's own is there to show as its subject.
func (t *refTicket) name() {
	e := t.eldest()
	t.unnamed = t.unnamed || e == nil || e.merged != nil || !e.mail
}

func (r *reference) merge(by acl.UserID, t, s *refTicket) { // R-TKT-06
	t.name()
	s.wasHidden = s.hidden()
	var stay []*refEntry
	for _, e := range s.entries {
		if e.kind == ticket.EntryChanged {
			stay = append(stay, e)
			continue
		}
		if e.of = t; e.merged == nil {
			e.merged = s
		}
		if e.written() {
			e.box = t.in
		}
		t.entries = append(t.entries, e)
	}
	s.entries = stay
	for _, tag := range s.tags {
		if !slices.Contains(t.tags, tag) {
			t.tags = append(t.tags, tag)
		}
	}
	for _, f := range s.followers {
		if !slices.Contains(t.followers, f) && t.in.views(r, f) {
			t.followers = append(t.followers, f)
		}
	}
	for _, at := range [][2]*time.Time{{&t.heard, &s.heard}, {&t.decided, &s.decided}} {
		if at[1].After(*at[0]) {
			*at[0] = *at[1]
		}
	}
	t.divided, t.uncertain, t.redacted = t.divided || s.divided, t.uncertain || s.uncertain, t.redacted || s.redacted
	t.joinTasks(s)
	t.from, s.into, s.followers = append(t.from, s), t, nil
	r.add(t, refEntry{kind: ticket.EntryChanged, field: "merged", author: by, other: s})
	r.add(s, refEntry{kind: ticket.EntryChanged, field: "merged", author: by, other: t})
}

func (m *model) split(who acl.UserID, t *refTicket, later bool) {
	e := m.mailOf(t)
	if e == nil {
		return
	}
	var goes, stays []*refEntry
	for _, x := range t.entries {
		if x == e || later && x.after(e) && x.kind != ticket.EntryChanged {
			goes = append(goes, x)
		} else {
			stays = append(stays, x)
		}
	}
	mails, shown := (&refTicket{entries: stays}).mails()
	want := m.ref.may(who, t, t.in.works(who))
	if want == done {
		want = all(unless(m.ref.readable(who, e), notFound))
	}
	if want == done {
		want = all(unless(e.mail, invalid), unless(mails > 0 && (shown > 0 || t.hidden()), invalid))
	}
	m.say("%s splits %s of %s off, later %v", who, e.rfcID, t.id, later)
	part, err := m.svc.Split(m.t.Context(), m.actor(who), t.id, ticket.Split{Entry: m.entryID(e), Later: later})
	m.expect(want, err)
	if want == done {
		m.ref.split(who, t, part.ID, e, goes, stays, later)
	}
}

func (r *reference) split(by acl.UserID, t *refTicket, id ticket.ID, first *refEntry, goes, stays []*refEntry, later bool) { // R-TKT-07
	part := r.open(t.in)
	part.id, part.status, part.box, part.divided, part.uncertain = id, ticket.Active, first.box, true, t.uncertain
	part.redacted = t.redacted
	part.takesMail = part.moved() && (t.takesMail || !t.moved())
	part.heard, part.entries = t.heard, goes
	for _, e := range goes {
		e.of = part
		if e.mail && e.got.After(part.decided) {
			part.decided = e.got
		}
		if later && part.box == t.box && e.mail && slices.Contains(t.threads, e.thread) && !slices.Contains(part.threads, e.thread) {
			part.threads = append(part.threads, e.thread)
		}
	}
	t.divided, t.entries = true, stays
	for _, half := range []*refTicket{t, part} {
		half.name()
	}
	r.add(t, refEntry{kind: ticket.EntryChanged, field: "split", author: by, other: part})
	r.add(part, refEntry{kind: ticket.EntryChanged, field: "split", author: by, other: t})
}

func (m *model) move(who acl.UserID, t *refTicket, to *refInbox, follows bool) {
	want := all(m.ref.may(who, t, t.in.works(who)), unless(!t.hidden(), invalid), unless(t.in != to, invalid),
		unless(m.ref.mayLeave(who, t.in, to), refused), unless(!follows || t.box.creator == who, refused))
	switch {
	case !m.ref.knows(who, t):
		want = notFound
	case !to.views(m.ref, who):
		want = all(want, notFound)
	case !to.works(who):
		want = all(want, refused)
	}
	m.say("%s moves %s to %s, what follows too %v", who, t.id, to.id, follows)
	_, err := m.svc.Move(m.t.Context(), m.actor(who), t.id, ticket.Move{To: to.id, TakesMail: follows})
	m.expect(want, err)
	if want == done {
		m.ref.move(who, t, to, follows)
	}
}

func (r *reference) move(by acl.UserID, t *refTicket, to *refInbox, follows bool) { // R-TKT-08
	t.in, t.takesMail = to, follows && t.box != to
	r.add(t, refEntry{kind: ticket.EntryChanged, field: "inbox", author: by})
	for _, u := range append(slices.Clone(t.followers), t.assignee) {
		r.takeOff(t, u, by)
	}
	for _, e := range t.entries {
		if e.written() {
			e.box = to
		}
	}
}

// mailOf picks a mail of a ticket, one that waits to be sent or came in.
func (m *model) mailOf(t *refTicket) *refEntry {
	var mails []*refEntry
	for _, e := range t.entries {
		if e.rfcID != "" {
			mails = append(mails, e)
		}
	}
	if len(mails) == 0 {
		return nil
	}
	return pick(m, mails)
}

// entryID is the id of a mail's entry.
func (m *model) entryID(e *refEntry) ticket.EntryID {
	return m.entryOf(e).ID
}

func (m *model) entryOf(e *refEntry) (found ticket.Entry) {
	for stored, err := range m.store.Entries(m.t.Context(), ticket.EntryQuery{Inbox: e.box.id, RFCIDs: []string{e.rfcID}}) {
		require.NoError(m.t, err)
		require.Empty(m.t, found.ID, "%s is in two entries, %s", e.rfcID, m.after())
		found = stored
	}
	require.NotEmpty(m.t, found.ID, "%s is in no entry, %s", e.rfcID, m.after())
	return found
}
