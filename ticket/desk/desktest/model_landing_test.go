package desktest_test

import (
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/ticket"
)

// collect takes what was delivered to an inbox into tickets, and what changed of access.
func (r *reference) collect(in *refInbox) {
	for _, m := range in.mails {
		r.arrive(in, m)
	}
	in.mails = nil
	r.lower(in)
}

// refLanding is the ticket that takes a mail. merged is the one it was meant for, where another took that
// in; stays says that on the way there the mail was left behind (R-TKT-08).
type refLanding struct {
	*refTicket
	merged *refTicket
	stays  bool
}

// land follows merges (R-TKT-06). Nothing lands in the trash.
func land(t *refTicket, in *refInbox) refLanding {
	l := refLanding{refTicket: t, stays: t.leavesMail(in)}
	for l.into != nil {
		l = refLanding{l.into, t, l.stays || l.into.leavesMail(in)}
	}
	if l.deleted {
		return refLanding{}
	}
	return l
}

func (t *refTicket) leavesMail(in *refInbox) bool { return t.box == in && t.moved() && !t.takesMail }

// byThread is where mail of a thread lands: with the ticket opened last that takes it.
func (r *reference) byThread(in *refInbox, thread string) refLanding {
	for _, t := range slices.Backward(r.tickets) {
		if t.box != in || !slices.Contains(t.threads, thread) {
			continue
		}
		if l := land(t, in); l.refTicket != nil {
			return l
		}
	}
	return refLanding{}
}

// find is where a mail lands: by its thread, and where that is in several tickets or in none, by the mail
// it answers (R-MSG-07, R-TKT-07).
func (r *reference) find(in *refInbox, m *refMail) refLanding {
	l := r.byThread(in, m.thread)
	if l.refTicket != nil && !l.divided {
		return l
	}
	for _, t := range r.tickets {
		for _, e := range t.entries {
			if e.box != in || e.rfcID == "" || e.rfcID != m.refers {
				continue
			}
			to := land(t, in)
			if to.refTicket != nil && e.merged != nil {
				to.merged, to.stays = e.merged, to.stays || e.merged.leavesMail(in)
			}
			if to.refTicket != nil {
				return to
			}
		}
	}
	return l
}

// claim gives a ticket a thread that mail of it is in, but no part of a split one that another has.
func (r *reference) claim(t *refTicket, in *refInbox, thread string) {
	if t.box == in && !slices.Contains(t.threads, thread) && (!t.divided || r.byThread(in, thread).refTicket == nil) {
		t.threads = append(t.threads, thread)
	}
}

func (r *reference) arrive(in *refInbox, m refMail) {
	if e := m.entry; e != nil { // the copy of what was sent from here (R-IMP-13)
		r.back(e, &m)
		return
	}
	if m.strange && (in.narrow || m.barred) {
		return // the filter keeps it out
	}
	l := r.find(in, &m)
	if l.refTicket != nil && l.in != in && l.stays {
		left := l.refTicket
		l = refLanding{refTicket: r.open(in)}
		r.add(l.refTicket, refEntry{kind: ticket.EntryChanged, field: "linked", other: left})
		r.add(left, refEntry{kind: ticket.EntryChanged, field: "linked", other: l.refTicket})
	}
	if l.refTicket == nil {
		l.refTicket = r.open(in)
	}
	e := refEntry{kind: ticket.EntryReceived, box: in, merged: l.merged, rfcID: m.rfcID(), thread: m.thread, subject: m.word,
		at: m.at, got: m.at, words: []string{m.word}, mail: true, stray: m.strange, human: !m.own && !m.machine}
	if m.own {
		e.kind, e.author = ticket.EntrySent, in.creator // R-IMP-12
	}
	t := l.refTicket
	if first := t.eldest(); t.divided && first != nil && m.at.Before(first.got) {
		t.unnamed = true
	}
	r.add(t, e)
	r.claim(t, in, m.thread)
	t.uncertain = t.uncertain || m.strange
	r.judge(t, &m)
}

func (r *reference) open(in *refInbox) *refTicket {
	t := &refTicket{in: in, box: in, read: make(map[acl.UserID]time.Time)}
	r.tickets = append(r.tickets, t)
	return t
}

// judge lets the newest mail that has a say move the status (R-STA-08).
func (r *reference) judge(t *refTicket, m *refMail) {
	opened := t.status == ""
	if opened {
		t.status = ticket.Active
	}
	if m.machine {
		return
	}
	if !m.own {
		t.heard = r.now
	}
	if m.at.Before(t.decided) {
		return
	}
	t.decided = m.at
	switch {
	case m.own && opened:
		t.status = ticket.Waiting
	case m.own:
		r.setStatus(t, ticket.Waiting, "")
	case t.status != ticket.Spam:
		r.setStatus(t, ticket.Active, "")
	}
}
