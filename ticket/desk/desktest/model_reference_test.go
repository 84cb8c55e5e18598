package desktest_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// refInbox is an inbox as RULES 8.1 sees it.
type refInbox struct {
	id      inbox.ID
	creator acl.UserID
	grants  map[acl.UserID]acl.Grant
	narrow  bool // mode client_associated: mail of strangers is hidden
	mails   []refMail
	touched []acl.UserID // whose access changed since the last collect
	shared  bool         // who works on it may start tickets (c14)
	synced  time.Time
	trouble
}

// refMail is a mail that was delivered and not collected.
type refMail struct {
	entry   *refEntry // of the copy of one that was sent
	thread  string    // of its own, also where it is a copy
	refers  string    // to the Message-ID of another
	word    string
	at      time.Time
	own     bool // from the creator's mail program
	machine bool
	strange bool // of nobody's client
	barred  bool // came in while strangers were kept out (R-CHG-06)
}

func (m *refMail) rfcID() string { return m.word + "@mail.example" }

type refTicket struct {
	id        ticket.ID
	in        *refInbox
	box       *refInbox // whose mailbox its threads are of
	takesMail bool      // what follows a move (R-TKT-08)
	threads   []string
	divided   bool // was split, or came of that
	into      *refTicket
	from      []*refTicket // merged in
	wasHidden bool         // as it was merged
	unnamed   bool         // after merges and splits: whose subject it shows is not modelled
	status    ticket.Status
	assignee  acl.UserID
	followers []acl.UserID
	priority  string
	tags      []string
	tasks     []*refTask
	deleted   bool
	gone      bool // purged
	entries   []*refEntry
	activity  time.Time
	uncertain bool // had hidden mail: when it last was active is not modelled
	redacted  bool // some of its mail: its subject, and when it last was active, are not modelled
	heard     time.Time
	decided   time.Time // received time of the newest mail that had a say in the status
	read      map[acl.UserID]time.Time
}

type refEntry struct {
	id      ticket.EntryID
	number  int
	of      *refTicket
	box     *refInbox // where the mail lies
	kind    ticket.EntryKind
	field   string
	author  acl.UserID
	state   ticket.OutgoingState
	other   *refTicket // the one a line tells of
	merged  *refTicket // where it was before a merge
	rfcID   string
	thread  string
	subject string
	words   []string
	at      time.Time
	got     time.Time // when the mail was received
	due     time.Time
	leaving // of one from here
	status  ticket.Status
	mail    bool   // there is a stored mail behind it
	mark    string // of a line that was edited, deleted or redacted
	pinned  bool
	stray   bool // of nobody's client
	human   bool // mail of a client that was no machine's
}

// written says that it was written here about the mail, and so goes where the ticket goes.
func (e *refEntry) written() bool {
	return e.kind == ticket.EntryNoted || e.kind == ticket.EntryChanged || e.kind == ticket.EntryForwarded && e.state == ""
}

// reference is the site as the rules say it should be.
type reference struct {
	now        time.Time
	inboxes    []*refInbox
	tickets    []*refTicket
	tasks      []*refTask
	roles      map[acl.UserID]acl.Role
	mayDelete  bool // R-ROL-06
	mayEdit    bool // notes
	keepStatus bool // where tasks are done
	written    int  // entries
}

// Rows 3, 10, 11, 20 and 24 of 8.1.

func (in *refInbox) views(r *reference, u acl.UserID) bool {
	return r.roles[u] == acl.Owner || in.creator == u || in.grants[u].Access != acl.NoAccess
}

func (in *refInbox) works(u acl.UserID) bool {
	return in.creator == u || in.grants[u].Access == acl.ReadAndReply
}

func (in *refInbox) starts(u acl.UserID) bool { // row 10
	return in.creator == u || in.works(u) && in.shared
}

func (in *refInbox) manages(r *reference, u acl.UserID) bool {
	return r.roles[u] == acl.Owner || in.creator == u || in.grants[u].InboxAdmin
}

func (r *reference) deletes(in *refInbox, u acl.UserID) bool { // row 7b with c2
	return in.works(u) && (r.mayDelete || r.roles[u] != acl.Agent)
}

func (e *refEntry) hidden() bool { return e.box.narrow && e.stray && e.mail }

// readable says that a reader of the ticket may read the line: hidden mail is for the creator of the
// inbox it lies in, and a link for who may see its other side.
func (r *reference) readable(u acl.UserID, e *refEntry) bool {
	return (!e.hidden() || e.box.creator == u) && (e.field != "linked" || r.sees(u, e.other))
}

func (t *refTicket) mails() (all, shown int) {
	for _, e := range t.entries {
		if e.mail {
			all++
			if !e.hidden() {
				shown++
			}
		}
	}
	return all, shown
}

// hidden says that all mail of the ticket is hidden (R-CHG-07).
func (t *refTicket) hidden() bool {
	all, shown := t.mails()
	return all > 0 && shown == 0 || t.wasHidden
}

func (t *refTicket) moved() bool { return t.in != t.box }

// knows says whether the person may know of the ticket; sees that they may look at it.
func (r *reference) knows(u acl.UserID, t *refTicket) bool {
	return !t.gone && t.in.views(r, u) && (!t.hidden() || t.box.creator == u)
}

func (r *reference) sees(u acl.UserID, t *refTicket) bool {
	return r.knows(u, t) && (!t.deleted || t.in.manages(r, u))
}

// outcome is what a request comes to: done, notFound for whoever may not know, or refused.
type outcome string

const (
	done     outcome = "done"
	notFound outcome = "not found"
	refused  outcome = "refused"
	invalid  outcome = "invalid" // allowed, and cannot be
	fails    outcome = "fails"   // for one of several reasons
)

// may is the outcome of an action on a live ticket that needs the right.
func (r *reference) may(u acl.UserID, t *refTicket, right bool) outcome {
	switch {
	case !r.knows(u, t):
		return notFound
	case t.into != nil && !right:
		return fails
	case t.into != nil:
		return invalid
	case t.deleted || !right:
		return refused
	}
	return done
}

func (r *reference) add(t *refTicket, e refEntry) *refEntry {
	if e.at.IsZero() {
		e.at = r.now
	}
	if e.of = t; e.box == nil {
		e.box = t.in
	}
	r.written++
	e.number = r.written
	t.entries = append(t.entries, &e)
	if e.field != "follower" && e.field != "linked" { // nobody works on it for that
		t.touch(e.at)
	}
	return &e
}

func (t *refTicket) touch(at time.Time) {
	if at.After(t.activity) {
		t.activity = at
	}
}

func (r *reference) setStatus(t *refTicket, to ticket.Status, by acl.UserID) {
	if t.status != to {
		t.status = to
		r.add(t, refEntry{kind: ticket.EntryChanged, field: "status", author: by})
	}
}

// assigned is who a reader sees as the assignee (R-INB-11), and following whom as followers.
func (t *refTicket) assigned() acl.UserID {
	if t.in.works(t.assignee) {
		return t.assignee
	}
	return ""
}

func (r *reference) following(t *refTicket) []acl.UserID {
	out := []acl.UserID{}
	for _, f := range t.followers {
		if t.in.views(r, f) {
			out = append(out, f)
		}
	}
	return out
}

func (t *refTicket) unread(u acl.UserID) bool { return t.heard.After(t.read[u]) }

// lower takes people off the tickets of an inbox they lost access to (R-INB-11, R-TKT-04).
func (r *reference) lower(in *refInbox) {
	for _, u := range in.touched {
		for _, t := range r.tickets {
			if t.in == in && t.into == nil {
				r.takeOff(t, u, "")
			}
		}
	}
	in.touched = nil
}

func (r *reference) takeOff(t *refTicket, u, by acl.UserID) {
	if t.assignee == u && u != "" && !t.in.works(u) {
		t.assignee = ""
		r.add(t, refEntry{kind: ticket.EntryChanged, field: "assignee", author: by})
	}
	if i := slices.Index(t.followers, u); i >= 0 && !t.in.views(r, u) {
		t.followers = slices.Delete(t.followers, i, i+1)
		r.add(t, refEntry{kind: ticket.EntryChanged, field: "follower", author: by})
	}
}

// veil hides the mail of strangers in an inbox, or shows it again (R-CHG-03, R-CHG-07). What is hidden
// makes no ticket unread.
func (r *reference) veil(in *refInbox, narrow bool) {
	in.narrow = narrow
	for i := range in.mails {
		in.mails[i].barred = in.mails[i].barred || narrow
	}
	for _, t := range r.tickets {
		var heard time.Time
		if !narrow || t.hidden() || !slices.ContainsFunc(t.entries, func(e *refEntry) bool { return e.stray && e.box == in }) {
			continue
		}
		for _, e := range t.entries {
			if e.human && !e.hidden() && e.mark != "redacted" && e.got.After(heard) {
				heard = e.got
			}
		}
		if t.heard.After(heard) {
			t.heard = heard
		}
	}
}

// after says that an entry stands after another one.
func (e *refEntry) after(other *refEntry) bool {
	return e.at.After(other.at) || e.at.Equal(other.at) && e.number > other.number
}

// answered is the newest mail of the ticket that a person wrote.
func (t *refTicket) answered() (newest *refEntry) {
	for _, e := range t.entries {
		if e.mail && e.mark != "redacted" && (e.human || e.kind != ticket.EntryReceived) && (newest == nil || e.after(newest)) {
			newest = e
		}
	}
	return newest
}

// eldest is the mail whose subject the ticket shows: the oldest one that is shown, or of all where none
// is, and of the ticket's own mail where it has any.
func (t *refTicket) eldest() (oldest *refEntry) {
	for _, e := range t.entries {
		if !e.mail && !e.opens || e.hidden() && (!t.hidden() || e.box != t.box) {
			continue
		}
		own := e.merged == nil
		if oldest == nil || own && oldest.merged != nil || own == (oldest.merged == nil) && e.got.Before(oldest.got) {
			oldest = e
		}
	}
	return oldest
}

// list is what the person's list shows, newest activity first where that is certain.
func (r *reference) list(u acl.UserID, trash bool) (out []*refTicket) {
	for _, t := range r.tickets {
		if t.deleted == trash && t.into == nil && r.sees(u, t) && !(t.hidden() && t.moved()) {
			out = append(out, t)
		}
	}
	return out
}

// history is what the person reads on a ticket, in no order.
func (r *reference) history(u acl.UserID, t *refTicket) []string {
	out := []string{}
	for _, e := range t.entries {
		if r.readable(u, e) {
			out = append(out, r.line(u, e))
		}
	}
	slices.Sort(out)
	return out
}

// finds are the tickets a word is found in. Hidden mail is found in its own inbox alone.
func (r *reference) finds(u acl.UserID, word string) []ticket.ID {
	out := []ticket.ID{}
	for _, t := range r.list(u, false) {
		for _, e := range t.entries {
			if slices.Contains(e.words, word) && r.readable(u, e) && (!e.hidden() || e.box == t.in) {
				out = append(out, t.id)
				break
			}
		}
	}
	slices.Sort(out)
	return out
}

// describe is a ticket as a reader sees it, as text.
func (r *reference) describe(u acl.UserID, t *refTicket) string {
	tags, origin, from := slices.Sorted(slices.Values(t.tags)), inbox.ID(""), []ticket.ID{}
	if t.moved() && t.box.views(r, u) {
		origin = t.box.id
	}
	for _, s := range t.from {
		if r.sees(u, s) {
			from = append(from, s.id)
		}
	}
	all, shown := t.mails()
	return fmt.Sprintf("%s in %s of %q and %v: %s, assignee %q, followers %v, priority %q, tags %s, deleted %v, unread %v, mails %d, shown %d, tasks %s",
		t.id, t.in.id, origin, from, t.status, t.assigned(), r.following(t), t.priority, strings.Join(tags, "+"), t.deleted,
		t.unread(u), all, shown, describeTasks(t.linkedTasks()))
}

// line is a line of a history as a reader of it sees it, as text.
func (r *reference) line(u acl.UserID, e *refEntry) string {
	var in inbox.ID
	if e.box.views(r, u) {
		in = e.box.id
	}
	seen := func(t *refTicket) ticket.ID {
		if t == nil || !r.sees(u, t) {
			return ""
		}
		return t.id
	}
	return lineText(e.kind, e.field, e.state, e.author, in, seen(e.other), seen(e.merged), e.mark, e.pinned)
}

func lineText(kind ticket.EntryKind, field string, state ticket.OutgoingState, author acl.UserID, in inbox.ID, other, merged ticket.ID,
	mark string, pinned bool) string {
	return fmt.Sprintf("%s %s %s by %q in %q, of %q, from %q, %s, pinned %v", kind, field, state, author, in, other, merged, mark, pinned)
}
