package desktest_test

import (
	"errors"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// How mail leaves, and what may go wrong with that (PROVIDERS 8.3).

// mishap is what happens to the next mail that leaves from an inbox.
type mishap string

const (
	noMishap mishap = ""
	turned   mishap = "is refused for good"
	busy     mishap = "is not taken now"
	stopped  mishap = "does not leave, and nobody knows"
	unheard  mishap = "leaves, and nobody knows"
)

// trouble is what goes wrong in an inbox.
type trouble struct {
	mishap mishap        // of the next mail that leaves
	wait   time.Duration // until a mail that was not taken is tried again
	blind  int           // looks for mail that see nothing
}

// leaving is how far a mail from here came.
type leaving struct {
	asked    string    // the thread it was written into; one that opens a ticket was into none
	opens    bool      // a ticket
	left     time.Time // when it was tried last
	attempts int
	away     bool // the last one, whatever is known of it
	looks    int
}

// looksAfter is when a mail nobody knows of is looked for, each time after the moment before.
var looksAfter = []time.Duration{5 * time.Second, 25 * time.Second, 90 * time.Second, 8*time.Minute - 5*time.Second}

// copyDelay is how long after it left a mail may be missing in what was synced (ErrSending of Purge).
const copyDelay = 10 * time.Minute

// mailing sends mail, or sees to mail that did not leave.
func (m *model) mailing(who acl.UserID, t *refTicket, in *refInbox) {
	switch m.rand.IntN(16) {
	case 0, 1:
		if len(m.ref.tickets) < modelTickets {
			m.start(who, in)
		}
	case 2:
		m.letStart(who, in)
	case 3, 4, 5, 6, 7:
		m.upset(in)
	case 8, 9, 10, 11:
		m.mend(who, t)
	default:
		m.reply(m.worker(t.in), t)
	}
}

// upset makes something go wrong with the next mail from an inbox, and with some of the looks for mail.
func (m *model) upset(in *refInbox) {
	if in.mishap != noMishap {
		return
	}
	in.mishap = pick(m, []mishap{turned, turned, turned, busy, stopped, stopped, unheard, unheard})
	account := m.accounts[in.id]
	looks := 0
	switch in.mishap {
	case turned:
		account.FailOnce(fake.OpSend, "", errors.New("no such mailbox"))
	case busy:
		m.delayed++
		in.wait = 70*time.Second + time.Duration(m.delayed)*time.Millisecond // each at a moment of its own
		account.FailOnce(fake.OpSend, "", &provider.RetryError{After: in.wait, Err: errors.New("too many requests")})
	case stopped:
		account.FailSendBefore()
	case unheard:
		account.LoseAnswerOfSend()
		looks = pick(m, []int{0, 1, 3, 4, 4, 4})
	}
	for range looks {
		account.FailOnce(fake.OpFind, "", errors.New("the search does not answer"))
	}
	in.blind += looks
	m.say("the next mail from %s %s, and %d looks see nothing", in.id, in.mishap, looks)
}

// goOut is one attempt to send a mail.
func (m *model) goOut(e *refEntry) {
	in := e.box
	happens := in.mishap
	in.mishap = noMishap
	e.attempts++
	switch happens {
	case turned:
		e.state = ticket.OutgoingFailed
		return
	case busy:
		e.state, e.due = ticket.OutgoingQueued, m.ref.now.Add(max(time.Minute<<(e.attempts-1), in.wait))
		return
	}
	e.state, e.left, e.looks, e.due, e.thread = ticket.OutgoingSending, m.ref.now, 0, m.ref.now.Add(looksAfter[0]), e.asked
	if e.away = happens != stopped; e.away {
		sends := m.accounts[in.id].Sends()
		last := sends[len(sends)-1]
		require.Equal(m.t, e.rfcID, last.MessageID, "the mail that left, %s", m.after())
		e.thread = string(last.Thread)
		in.mails = append(in.mails, refMail{entry: e, thread: e.thread, at: m.ref.now})
	}
	if happens == noMishap {
		m.ref.sent(e, e.thread)
	}
}

// lookFor looks for a mail nobody knows of. After the last look a person is asked.
func (m *model) lookFor(e *refEntry) {
	e.looks++
	seen := e.away
	if e.box.blind > 0 {
		e.box.blind--
		seen = false
	}
	switch {
	case seen:
		m.ref.sent(e, e.thread)
	case e.looks == len(looksAfter):
		e.state = ticket.OutgoingUnknown
	default:
		e.due = m.ref.now.Add(looksAfter[e.looks])
	}
}

// sent notes that a mail has left (R-STA-03). Without a thread nobody knows which one it is in.
func (r *reference) sent(e *refEntry, thread string) {
	t := e.of
	e.state = ticket.OutgoingSent
	t.touch(r.now)
	if !t.heard.After(e.at) {
		r.setStatus(t, e.status, e.author)
	}
	if thread != "" && (!t.divided || thread != e.asked) { // a part of a divided ticket draws no thread to it
		r.claim(t, e.box, thread)
	}
}

// back is the copy of a mail that was sent from here (R-IMP-13). It ends any doubt whether it left.
func (r *reference) back(e *refEntry, m *refMail) {
	if e.mail {
		return // a second copy: it was sent again
	}
	if e.state != ticket.OutgoingSent {
		r.sent(e, m.thread)
	}
	e.mail, e.got, e.thread = true, m.at, m.thread
	e.of.touch(m.at)
	r.claim(e.of, e.box, e.thread)
}

// waiting is the mail that is to leave next, or to be looked for, up to a moment.
func (r *reference) waiting(until time.Time) (next *refEntry) {
	for _, t := range r.tickets {
		for _, e := range t.entries {
			waits := e.state == ticket.OutgoingQueued || e.state == ticket.OutgoingSending
			if waits && !e.due.After(until) && (next == nil || e.due.Before(next.due)) {
				next = e
			}
		}
	}
	return next
}

// pass lets time pass. What is due meanwhile is done at its moment, one mail after the other.
func (m *model) pass(d time.Duration) {
	until := m.clock().Add(d)
	for {
		e := m.ref.waiting(until)
		if e == nil {
			break
		}
		m.advance(e.due.Sub(m.clock()))
		m.ref.now = m.clock()
		m.say("dispatch %s, which is %s", e.id, e.state)
		n, err := m.svc.Dispatch(m.t.Context(), 0)
		require.NoError(m.t, err)
		require.Equal(m.t, 1, n, "mails %s", m.after())
		switch {
		case e.state == ticket.OutgoingSending:
			m.lookFor(e)
		case !e.box.works(e.author):
			e.state = ticket.OutgoingFailed // who lost access leaves nothing that speaks for its owner
		default:
			m.goOut(e)
		}
	}
	m.advance(until.Sub(m.clock()))
	m.ref.now = m.clock()
}

// start begins a ticket with a mail (row 10).
func (m *model) start(who acl.UserID, in *refInbox) {
	if m.rand.IntN(2) == 0 {
		who = in.creator
	}
	assignee := pick(m, []acl.UserID{"", "", m.worker(in), pick(m, modelPeople)})
	e := refEntry{kind: ticket.EntryReplied, author: who, words: []string{m.word(), m.word()}, state: ticket.OutgoingQueued,
		status: pick(m, []ticket.Status{ticket.Waiting, ticket.Solved, ticket.Active}), at: m.ref.now, got: m.ref.now}
	e.subject, e.opens = e.words[1], true
	s := ticket.Start{To: []rfc822.Address{{Address: "ann@acme.com"}}, Subject: e.subject, Text: e.words[0], Status: e.status, Assignee: assignee}
	if m.rand.IntN(3) == 0 {
		m.delayed++
		e.due = m.ref.now.Add(20*time.Minute + time.Duration(m.delayed)*time.Millisecond)
		s.SendAt = e.due
	}
	m.say("%s starts a ticket in %s, assigned to %q, then %s, at %s: %v", who, in.id, assignee, e.status, s.SendAt.Format("15:04"), e.words)
	got, out, err := m.svc.Start(m.t.Context(), m.actor(who), in.id, s)
	want := done
	switch {
	case !in.views(m.ref, who):
		want = notFound
	case !in.starts(who):
		want = refused
	case assignee != "" && !in.works(assignee):
		want = invalid
	}
	m.expect(want, err)
	if want != done {
		return
	}
	t := m.ref.open(in)
	t.id, t.status, t.assignee = got.ID, ticket.Active, assignee
	e.id, e.rfcID = out.ID, out.RFCID
	mail := m.ref.add(t, e)
	if e.due.IsZero() {
		m.goOut(mail)
	}
	m.at = t
}

// letStart lets those an inbox is shared with start tickets, or not any more (c14, row 22).
func (m *model) letStart(who acl.UserID, in *refInbox) {
	stored, err := m.store.Inbox(m.t.Context(), in.id)
	require.NoError(m.t, err)
	settings := stored.Settings
	settings.GranteesMayStart = !in.shared
	m.say("%s lets others start tickets in %s: %v", who, in.id, settings.GranteesMayStart)
	_, err = m.inboxes.Edit(m.t.Context(), m.actor(who), in.id, inbox.Edit{Settings: &settings})
	want := unless(in.manages(m.ref, who), refused)
	if !in.views(m.ref, who) {
		want = notFound
	}
	m.expect(want, err)
	if want == done {
		in.shared = settings.GranteesMayStart
	}
}

// troubled picks a mail that was not sent, or that nobody knows of, or now and then any other.
func (m *model) troubled(t *refTicket) *refEntry {
	var found []*refEntry
	for _, of := range m.ref.tickets {
		for _, e := range of.entries {
			switch {
			case e.state == "" || e.rfcID == "":
			case e.state == ticket.OutgoingFailed || e.state == ticket.OutgoingUnknown:
				found = append(found, e, e, e)
			case of == t:
				found = append(found, e)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return pick(m, found)
}

// mend sends a mail again that failed, or decides on one nobody knows of.
func (m *model) mend(who acl.UserID, t *refTicket) {
	e := m.troubled(t)
	if e == nil {
		return
	}
	if t = e.of; m.rand.IntN(3) > 0 {
		who = m.worker(t.in)
	}
	if m.rand.IntN(6) == 0 { // nobody cares any more
		m.at = t
		m.trash(t.in.creator, t)
		return
	}
	want := m.ref.may(who, t, t.in.works(who) && e.box.works(who)) // row 8, R-TKT-08
	if e.state == ticket.OutgoingFailed || e.state != ticket.OutgoingUnknown && m.rand.IntN(2) == 0 {
		m.retry(who, e, want)
	} else {
		m.resolve(who, e, want)
	}
}

func (m *model) retry(who acl.UserID, e *refEntry, want outcome) {
	m.say("%s sends %s of %s again, which is %s", who, e.id, e.of.id, e.state)
	_, err := m.svc.Retry(m.t.Context(), m.actor(who), e.of.id, e.id)
	if want == done {
		want = unless(e.state == ticket.OutgoingFailed, invalid)
	}
	if want == done {
		want = unless(e.box.works(e.author), refused)
	}
	m.expect(want, err)
	if want == done {
		e.attempts = 0
		m.goOut(e)
	}
}

func (m *model) resolve(who acl.UserID, e *refEntry, want outcome) {
	as := pick(m, []ticket.Resolution{ticket.ResolutionSent, ticket.ResolutionSendAgain, ticket.ResolutionSendAgain, "perhaps"})
	m.say("%s resolves %s of %s as %s, which is %s", who, e.id, e.of.id, as, e.state)
	_, err := m.svc.Resolve(m.t.Context(), m.actor(who), e.of.id, e.id, as)
	if want == done {
		want = unless(e.state == ticket.OutgoingUnknown && as != "perhaps", invalid)
	}
	if want == done && as == ticket.ResolutionSendAgain {
		want = unless(e.box.works(e.author), refused)
	}
	m.expect(want, err)
	switch {
	case want != done:
	case as == ticket.ResolutionSent:
		m.ref.sent(e, "")
	default:
		e.attempts = 0
		m.goOut(e)
	}
}

// underway says that a mail is just being sent, or left, or may have left, and is not back from its mailbox.
func (e *refEntry) underway() (sending, missing bool) {
	missing = !e.mail && e.rfcID != "" && slices.Contains([]ticket.OutgoingState{ticket.OutgoingSent, ticket.OutgoingUnknown}, e.state)
	return e.state == ticket.OutgoingSending, missing
}
