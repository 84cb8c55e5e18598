package desktest_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func (m *model) note(who acl.UserID, t *refTicket) {
	text := m.word()
	m.say("%s notes %s on %s", who, text, t.id)
	n, err := m.svc.Note(m.t.Context(), m.actor(who), t.id, text)
	want := m.ref.may(who, t, true) // row 5: whoever views
	m.expect(want, err)
	if want == done {
		m.ref.add(t, refEntry{id: n.ID, kind: ticket.EntryNoted, author: who, words: []string{text}})
	}
}

// reply answers at once or later. What a stranger wrote is not answered: the answer would be hidden too.
func (m *model) reply(who acl.UserID, t *refTicket) {
	to := t.answered()
	if t.uncertain || t.into == nil && to == nil {
		return
	}
	e := refEntry{kind: ticket.EntryReplied, author: who, words: []string{m.word()}, state: ticket.OutgoingQueued,
		status: pick(m, []ticket.Status{ticket.Waiting, ticket.Solved, ticket.Active}), at: m.ref.now}
	r := ticket.Reply{Text: e.words[0], Status: e.status, NoQuote: true}
	if m.rand.IntN(2) == 0 { // each at a moment of its own
		m.delayed++
		e.due = m.ref.now.Add(20*time.Minute + time.Duration(m.delayed)*time.Millisecond)
		r.SendAt = e.due
	}
	right := t.in.works(who)
	if to != nil {
		e.box, e.thread, e.asked = to.box, to.thread, to.thread
		e.subject = "Re: " + strings.TrimPrefix(to.subject, "Re: ")
		e.words = append(e.words, e.subject[strings.LastIndex(e.subject, " ")+1:])
		right = right && to.box.works(who) // R-TKT-08
	}
	m.say("%s replies %s to %s, then %s, at %s", who, r.Text, t.id, e.status, r.SendAt.Format("15:04"))
	out, err := m.svc.Reply(m.t.Context(), m.actor(who), t.id, r)
	want := m.ref.may(who, t, right)
	m.expect(want, err)
	if want != done {
		return
	}
	e.id, e.rfcID = out.ID, out.RFCID
	stored := m.ref.add(t, e)
	if e.due.IsZero() {
		m.goOut(stored)
	}
}

// recall takes back one of the ticket's own mails, whether it waits or not.
func (m *model) recall(who acl.UserID, t *refTicket) {
	for _, e := range slices.Backward(t.entries) {
		if e.state == "" {
			continue
		}
		m.say("%s recalls %s of %s", who, e.id, t.id)
		_, err := m.svc.Recall(m.t.Context(), m.actor(who), t.id, e.id)
		want := done
		switch {
		case !m.ref.knows(who, t):
			want = notFound
		case !m.ref.sees(who, t) || !t.in.works(who):
			want = refused
		case e.state != ticket.OutgoingQueued:
			want = invalid
		}
		m.expect(want, err)
		if want == done {
			e.state = ticket.OutgoingRecalled
		}
		return
	}
}

// edit changes an option or two; all of it or nothing.
func (m *model) edit(who acl.UserID, t *refTicket, other acl.UserID) {
	var e ticket.Edit
	fits := true
	if m.rand.IntN(2) == 0 {
		e.Status = new(pick(m, []ticket.Status{ticket.Active, ticket.Waiting, ticket.OnHold, ticket.Solved, ticket.Closed, ticket.Spam, "made-up"}))
		fits = fits && (*e.Status != "made-up")
	}
	if m.rand.IntN(2) == 0 {
		to := pick(m, []acl.UserID{other, other, ""})
		e.Assignee = &to
		fits = fits && (to == "" || to == t.assignee || t.in.works(to)) // row 12
	}
	if m.rand.IntN(3) == 0 {
		e.Priority = new(pick(m, []string{"high", "low", ""}))
	}
	if m.rand.IntN(3) == 0 {
		e.AddTags = []string{pick(m, []string{"vip", "bug"})}
	}
	if m.rand.IntN(3) == 0 {
		e.RemoveTags = []string{pick(m, []string{"vip", "bug"})}
	}
	m.say("%s edits %s: %s", who, t.id, editText(&e))
	_, err := m.svc.Edit(m.t.Context(), m.actor(who), t.id, e)
	want := m.ref.may(who, t, t.in.works(who))
	if want == done && !fits {
		want = invalid
	}
	m.expect(want, err)
	if want == done {
		m.ref.edit(who, t, &e)
	}
}

func (r *reference) edit(who acl.UserID, t *refTicket, e *ticket.Edit) {
	changed := func(field string) {
		r.add(t, refEntry{kind: ticket.EntryChanged, field: field, author: who})
	}
	if e.Status != nil {
		r.setStatus(t, *e.Status, who)
	}
	if e.Assignee != nil && *e.Assignee != t.assignee {
		t.assignee = *e.Assignee
		changed("assignee")
	}
	if e.Priority != nil && *e.Priority != t.priority {
		t.priority = *e.Priority
		changed("priority")
	}
	for _, tag := range e.RemoveTags {
		if i := slices.Index(t.tags, tag); i >= 0 && !slices.Contains(e.AddTags, tag) {
			t.tags = slices.Delete(t.tags, i, i+1)
			changed("tag")
		}
	}
	for _, tag := range e.AddTags {
		if !slices.Contains(t.tags, tag) {
			t.tags = append(t.tags, tag)
			changed("tag")
		}
	}
}

func editText(e *ticket.Edit) (text string) {
	if e.Status != nil {
		text += "status " + string(*e.Status) + " "
	}
	if e.Assignee != nil {
		text += "assignee " + string(*e.Assignee) + " "
	}
	if e.Priority != nil {
		text += "priority " + *e.Priority + " "
	}
	for _, tag := range e.AddTags {
		text += "+" + tag + " "
	}
	for _, tag := range e.RemoveTags {
		text += "-" + tag + " "
	}
	return text
}

func (m *model) follow(who acl.UserID, t *refTicket, user acl.UserID) {
	m.say("%s lets %s follow %s", who, user, t.id)
	_, err := m.svc.Follow(m.t.Context(), m.actor(who), t.id, user)
	want := m.ref.may(who, t, who == user || t.in.works(who)) // rows 15 and 16
	follows := slices.Contains(t.followers, user)
	if want == done && !follows && !m.ref.knows(user, t) { // c8
		want = invalid
	}
	m.expect(want, err)
	if want == done && !follows {
		t.followers = append(t.followers, user)
		m.ref.add(t, refEntry{kind: ticket.EntryChanged, field: "follower", author: who})
	}
}

func (m *model) unfollow(who acl.UserID, t *refTicket, user acl.UserID) {
	if !slices.Contains(t.followers, user) && !m.ref.knows(user, t) {
		return // whether that is refused or nothing, no rule says
	}
	m.say("%s takes %s off %s", who, user, t.id)
	_, err := m.svc.Unfollow(m.t.Context(), m.actor(who), t.id, user)
	want := m.ref.may(who, t, who == user || t.in.works(who))
	m.expect(want, err)
	if i := slices.Index(t.followers, user); want == done && i >= 0 {
		t.followers = slices.Delete(t.followers, i, i+1)
		m.ref.add(t, refEntry{kind: ticket.EntryChanged, field: "follower", author: who})
	}
}

// trash deletes a ticket, or takes it out of the trash.
func (m *model) trash(who acl.UserID, t *refTicket) {
	var err error
	want := m.ref.may(who, t, m.ref.deletes(t.in, who))
	if t.deleted {
		m.say("%s restores %s", who, t.id)
		_, err = m.svc.Restore(m.t.Context(), m.actor(who), t.id)
		want = done
		switch {
		case !m.ref.knows(who, t):
			want = notFound
		case !t.in.manages(m.ref, who): // row 21
			want = refused
		}
	} else {
		m.say("%s deletes %s", who, t.id)
		_, err = m.svc.Delete(m.t.Context(), m.actor(who), t.id)
	}
	m.expect(want, err)
	if want == done {
		if t.deleted = !t.deleted; t.deleted { // what waits is taken back
			for _, e := range t.entries {
				if e.state == ticket.OutgoingQueued {
					e.state = ticket.OutgoingRecalled
				}
			}
		}
		m.ref.add(t, refEntry{kind: ticket.EntryChanged, field: "deleted", author: who})
	}
}

// forward passes a ticket on to a client, from an inbox of one's own or another.
func (m *model) forward(who acl.UserID, t *refTicket, to *refInbox) {
	assignee := pick(m, append([]acl.UserID{"", ""}, modelPeople...))
	e := refEntry{kind: ticket.EntryForwarded, author: who, words: []string{m.word(), m.word()},
		state: ticket.OutgoingQueued, status: ticket.Waiting, at: m.ref.now}
	m.say("%s forwards %s to %s, assigned to %q: %v", who, t.id, to.id, assignee, e.words)
	child, out, err := m.svc.Forward(m.t.Context(), m.actor(who), t.id, ticket.Forward{Inbox: to.id, Assignee: assignee,
		Subject: e.words[1], Text: e.words[0], NoHistory: true, NoFiles: true, To: []rfc822.Address{{Address: "law@acme.com"}}})
	want := m.ref.may(who, t, t.in.works(who))
	switch {
	case want != done:
	case !to.views(m.ref, who):
		want = notFound
	case !to.works(who):
		want = refused
	case assignee != "" && !to.works(assignee):
		want = invalid
	}
	m.expect(want, err)
	if want != done {
		return
	}
	opened := m.ref.open(to)
	opened.id, opened.status, opened.assignee = child.ID, ticket.Active, assignee
	e.id, e.rfcID, e.subject, e.other, e.got, e.opens = out.ID, out.RFCID, "Fwd: "+e.words[1], t, m.ref.now, true
	mail := m.ref.add(opened, e)
	m.ref.add(t, refEntry{kind: ticket.EntryForwarded, author: who, other: opened})
	m.goOut(mail)
}

func (m *model) reading(who acl.UserID, t *refTicket) {
	var err error
	until := time.Time{}
	if m.rand.IntN(3) == 0 {
		m.say("%s marks %s unread", who, t.id)
		until = time.Time{}.Add(-time.Microsecond) // unread even where no client was heard
		_, err = m.svc.MarkUnread(m.t.Context(), m.actor(who), t.id)
	} else {
		m.say("%s reads %s", who, t.id)
		until = t.heard
		_, err = m.svc.MarkRead(m.t.Context(), m.actor(who), t.id, t.heard)
	}
	if !m.ref.sees(who, t) {
		require.Error(m.t, err)
		m.expect(refused, err)
		return
	}
	m.expect(done, err)
	if until.Before(time.Time{}) || until.After(t.read[who]) { // what was read stays read
		t.read[who] = until
	}
}
