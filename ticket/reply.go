package ticket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// Reply is an answer to the newest mail of a ticket that a person wrote.
type Reply struct {
	Text string // plain text; made from HTML when empty
	HTML string // optional; Text is then its plain twin
	// All answers everybody on the thread, not the sender alone. Where the mailbox got the mail as a
	// blind copy the answer still goes to the sender alone, unless Confirmed (R-MSG-04).
	All       bool
	Confirmed bool
	To        []rfc822.Address // instead of the computed ones, when not nil
	// Cc stands instead of the computed ones, when not nil. With All, whom it leaves out is off the
	// thread until they write again.
	Cc  []rfc822.Address
	Bcc []rfc822.Address

	Attachments []rfc822.Attachment
	Inline      []rfc822.Attachment // what HTML shows by cid:
	// NoQuote leaves out what is answered, as inbox.Settings.NoQuote does for every answer of the site.
	NoQuote bool
	// SendAt is when the mail leaves; zero and what is past is at once, after the site's undo window
	// (inbox.Settings.UndoSend). Until then Recall takes it back.
	SendAt time.Time
	// Status is the ticket's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	// ExpectedLast is the mail the person has seen last (Ticket.Latest as they read it, or the Entry of
	// their own answer since). Where another has come in since, or somebody else has answered, the reply
	// is refused with ErrStaleThread. Empty does not ask.
	ExpectedLast EntryID

	of *Draft // what it was written as, if it was
}

// Reply sends an answer through the inbox's own mailbox, from its address. The mail is kept and
// queued before it is sent, and Reply then tries to send it at once, where it is to leave at once.
//
// An error says that the reply was refused, and then nothing is left behind: ErrEmpty, ErrNobody,
// ErrTooManyRecipients, ErrMailTooLarge, ErrNothingToAnswer, ErrStaleThread, acl.ErrReplyQuota, an
// *OptionError for the status, besides the refusals of rights. Without one it is on its
// way: look at the entry's Outgoing.State. What is queued or sending is taken up by Dispatch; failed
// says in Outgoing.Error why; unknown asks a person (Resolve). It is never sent twice.
func (s *Service) Reply(ctx context.Context, actor acl.Actor, id ID, r Reply) (Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	in, err := s.allow(ctx, actor, &t, acl.Reply)
	if err != nil {
		return Entry{}, err
	}
	asked := r
	if blank(r.Text, r.HTML, len(r.Attachments)) {
		return Entry{}, fmt.Errorf("reply to ticket %q: %w", id, ErrEmpty)
	}
	if r.Status == "" {
		r.Status = Waiting
	}
	if err := s.checkStatus(ctx, t.Site, r.Status); err != nil {
		return Entry{}, err
	}
	if err := r.fresh(&t); err != nil {
		return Entry{}, err
	}
	if r.Text == "" {
		r.Text = rfc822.HTMLToText(r.HTML)
	}
	m, err := s.answered(ctx, &t)
	if err != nil {
		return Entry{}, err
	}
	box, err := s.replyInbox(ctx, actor, in, m.Inbox)
	if err != nil {
		return Entry{}, err
	}
	draft, err := s.compose(ctx, actor, &box, &t, &m, &r)
	if err != nil {
		return Entry{}, err
	}
	e, err := s.queue(ctx, actor, &t, draft, &m, &r, asked.words(&t, &draft))
	if err != nil {
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, s.sendNow(ctx, e)), nil
}

// replyInbox is the inbox whose mailbox an answer leaves from: that of the mail it answers, where the
// person must have read-and-reply too (R-TKT-08).
func (s *Service) replyInbox(ctx context.Context, actor acl.Actor, in inbox.Inbox, of inbox.ID) (inbox.Inbox, error) {
	if of == in.ID {
		return in, nil
	}
	box, err := s.Inboxes.Authorize(ctx, actor, of, acl.Reply, nil)
	if errors.Is(err, storage.ErrNotFound) {
		return inbox.Inbox{}, fmt.Errorf("the mail lies in a mailbox this person does not work with: %w", acl.ErrDenied)
	}
	return box, err
}

// blank says that nothing was written: an editor that is empty hands over tags without text.
func blank(text, page string, files int) bool {
	return files == 0 && strings.TrimSpace(text) == "" &&
		strings.TrimSpace(rfc822.HTMLToText(page)) == "" && !strings.Contains(strings.ToLower(page), "<img")
}

// fresh refuses a reply by somebody who has not seen the newest mail.
func (r *Reply) fresh(t *Ticket) error {
	if r.ExpectedLast != "" && r.ExpectedLast != t.Latest {
		return fmt.Errorf("reply to ticket %q: %w", t.ID, ErrStaleThread)
	}
	return nil
}

// queue appends the entry that will carry the reply out.
func (s *Service) queue(ctx context.Context, actor acl.Actor, t *Ticket, d rfc822.Draft,
	m *inbox.Message, r *Reply, w *words) (Entry, error) {
	l := letter{author: actor, ticket: t.ID, inbox: m.Inbox, draft: d, thread: m.Thread, at: r.SendAt, status: r.Status,
		all: r.All, of: r.of, words: w}
	return s.post(ctx, &l, func(o *Outgoing) (Entry, error) {
		var out Entry
		_, err := s.update(ctx, actor, t.ID, acl.Reply, func(t *Ticket) ([]Entry, []inbox.Event, error) {
			if err := r.fresh(t); err != nil {
				return nil, nil, err
			}
			if err := s.unsent(ctx, l.of); err != nil {
				return nil, nil, err
			}
			out = s.newEntry(t, EntryReplied, actor.User)
			l.write(&out, o, r.Text)
			t.touch(out.At)
			t.Latest = out.ID
			return []Entry{out}, nil, nil
		})
		return out, err
	})
}

// letter is a mail that is written and not kept yet.
type letter struct {
	entry  EntryID // that it will be
	author acl.Actor
	ticket ID
	inbox  inbox.ID
	draft  rfc822.Draft
	thread inbox.ThreadID
	at     time.Time // when it leaves, at the earliest
	status Status    // of its ticket once it is sent
	all    bool      // it answers everybody
	of     *Draft    // what it was written as, if it was
	words  *words    // what it was written as, where it was no draft
	pixel  string    // the secret of its image, if it has one
}

// clean makes the mail fit for every store. Addresses are left as they are: rfc822.Build refuses what is
// none.
func (l *letter) clean() {
	d := &l.draft
	d.Subject, d.Text, d.HTML = validText(d.Subject), validText(d.Text), validText(d.HTML)
	for _, list := range []*[]rfc822.Address{&d.To, &d.Cc, &d.Bcc} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Name = validText((*list)[i].Name)
		}
	}
}

// write puts the mail into its entry. text is what was written, without what is quoted.
func (l *letter) write(e *Entry, o *Outgoing, text string) {
	e.RFCID, e.Outbound, e.Class = l.draft.MessageID, true, rfc822.ClassHuman
	e.Text, e.To, e.Cc, e.Bcc = validText(text), l.draft.To, l.draft.Cc, l.draft.Bcc
	e.ID, e.Inbox, e.Outgoing = l.entry, l.inbox, o
	l.of.name(e)
}

// files are the names of what is attached, as who gets the mail will see them.
func (l *letter) files() (names []string) {
	for i := range l.draft.Attachments {
		name := l.draft.Attachments[i].Name
		if name != "" {
			name = fileName(name)
		}
		names = append(names, name)
	}
	return names
}

// post keeps the raw mail and lets save write the entry that carries it out. What is kept is gone
// again where the entry surely was not saved.
func (s *Service) post(ctx context.Context, l *letter, save func(o *Outgoing) (Entry, error)) (Entry, error) {
	l.clean()
	onceEach(&l.draft)
	if err := s.checkRecipients(&l.draft); err != nil {
		return Entry{}, err
	}
	site, err := s.settings(ctx, inbox.SiteID(l.author.Site))
	if err != nil {
		return Entry{}, err
	}
	leaves := s.leaves(l, &site)
	unused, err := s.countReply(ctx, l.author, l.ticket)
	if err != nil {
		return Entry{}, err
	}
	if leaves.After(s.now()) {
		unkept, err := s.keepWords(ctx, l)
		if err != nil {
			unused()
			return Entry{}, err
		}
		uncount := unused
		unused = func() { uncount(); unkept() }
	}
	marker := newMarker()
	if l.entry = EntryID(s.NewID()); l.of != nil {
		l.entry = l.of.Entry
	}
	s.addPixel(l, &site)
	host := ""
	if dom, ok := filter.AddressDomain(l.draft.From.Address); ok {
		host = dom.String()
	}
	l.draft.MessageID = rfc822.NewMessageID([]byte(marker), host)
	l.draft.Headers = append(l.draft.Headers, rfc822.HeaderField{Name: provider.MarkerHeader, Value: marker})
	blob, err := s.keep(ctx, l.inbox, l.draft)
	if err != nil {
		unused()
		return Entry{}, err
	}
	if most := s.Inboxes.MaxSend(ctx, l.inbox); most > 0 && blob.Size > most {
		s.forget(ctx, blob.Key)
		unused()
		return Entry{}, fmt.Errorf("the mail has %d bytes, its mailbox sends at most %d: %w", blob.Size, most, ErrMailTooLarge)
	}
	out, err := save(&Outgoing{State: OutgoingQueued, Marker: marker, Thread: l.thread, Blob: blob.Key,
		Size: blob.Size, Subject: l.draft.Subject, Files: l.files(), NotBefore: leaves, Status: l.status, All: l.all,
		Pixel: l.pixel})
	if err == nil {
		s.keepUse(ctx, l.author, &out)
		return out, nil
	}
	// A store may lose its answer as a mail service may: what it kept must not lose its mail.
	if kept := s.known(ctx, l.inbox, marker); kept == nil {
		s.forget(ctx, blob.Key)
		unused()
	} else if kept.ID != "" {
		s.keepUse(ctx, l.author, kept)
		return *kept, nil
	}
	return Entry{}, err
}

// leaves is when a mail leaves at the earliest: when its author wants, and not within the site's undo
// window (R-MSG-09).
func (s *Service) leaves(l *letter, site *inbox.Settings) time.Time {
	at := s.now().Add(max(site.UndoSend, 0))
	if l.at.After(at) {
		at = l.at.UTC().Truncate(time.Microsecond)
	}
	return at
}

// onceEach keeps of a person who is named twice the first place.
func onceEach(d *rfc822.Draft) {
	named := make(map[string]bool)
	for _, list := range []*[]rfc822.Address{&d.To, &d.Cc, &d.Bcc} {
		kept := make([]rfc822.Address, 0, len(*list))
		for _, a := range *list {
			if key := rfc822.AddressKey(a.Address); key == "" || !named[key] {
				named[key] = true
				kept = append(kept, a)
			}
		}
		*list = slices.Clip(kept)
	}
}

// checkRecipients refuses a mail to nobody and one to too many (R-MSG-05).
func (s *Service) checkRecipients(d *rfc822.Draft) error {
	n := len(d.To) + len(d.Cc) + len(d.Bcc)
	if n == 0 {
		return ErrNobody
	}
	if most := s.MaxRecipients; most > 0 && n > most {
		return fmt.Errorf("%d recipients, at most %d are allowed: %w", n, most, ErrTooManyRecipients)
	}
	return nil
}

// keep builds the raw mail into the blobs.
func (s *Service) keep(ctx context.Context, id inbox.ID, d rfc822.Draft) (inbox.BlobInfo, error) {
	r, w := io.Pipe()
	built := make(chan error, 1)
	go func() {
		err := rfc822.Build(w, d)
		_ = w.CloseWithError(err)
		built <- err
	}()
	blob, err := s.put(ctx, id, r)
	_ = r.Close()
	if bad := <-built; bad != nil && err != nil && !errors.Is(bad, io.ErrClosedPipe) {
		return inbox.BlobInfo{}, bad // what is wrong with the mail says more than that it was not kept
	}
	return blob, err
}

// sendNow tries to send what was queued. What goes wrong here is no refusal: the mail stays where it
// is and Dispatch takes it up, or has it already.
func (s *Service) sendNow(ctx context.Context, e Entry) Entry {
	if e.Outgoing.State != OutgoingQueued || e.Outgoing.NotBefore.After(s.now()) {
		return e
	}
	out, err := s.send(ctx, e)
	if err == nil {
		return out
	}
	s.Logger.InfoContext(ctx, "mail waits for dispatch", "inbox", e.Inbox, "entry", e.ID, "err", err)
	if now, err := s.current(context.WithoutCancel(ctx), e); err == nil {
		return now
	}
	return e
}

// newMarker is 128 random bits.
func newMarker() string {
	var random [16]byte
	_, _ = rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
