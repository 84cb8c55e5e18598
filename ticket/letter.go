package ticket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

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
	marker := s.stamp(l, &site)
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
	kept, unknown := s.saved(ctx, l.inbox, marker)
	switch {
	case unknown != nil:
		return Entry{}, err
	case kept != nil:
		s.keepUse(ctx, l.author, kept)
		return *kept, nil
	}
	s.forget(ctx, blob.Key)
	unused()
	return Entry{}, err
}

// stamp gives the mail all that it is known by later: its entry, its Message-ID, the image of its HTML, and
// the marker, which it returns.
func (s *Service) stamp(l *letter, site *inbox.Settings) (marker string) {
	if l.entry = EntryID(s.NewID()); l.of != nil {
		l.entry = l.of.Entry
	}
	s.addPixel(l, site)
	marker = newMarker()
	host := ""
	if domain, ok := filter.AddressDomain(l.draft.From.Address); ok {
		host = domain.String()
	}
	l.draft.MessageID = rfc822.NewMessageID([]byte(marker), host)
	l.draft.Headers = append(l.draft.Headers, rfc822.HeaderField{Name: provider.MarkerHeader, Value: marker})
	return marker
}

// saved finds the entry of a marker after a write that answered with an error. Neither an entry nor an
// error says that the write surely did not happen.
func (s *Service) saved(ctx context.Context, id inbox.ID, marker string) (*Entry, error) {
	for e, err := range s.Store.Entries(context.WithoutCancel(ctx), EntryQuery{Inbox: id, Marker: marker}) {
		return &e, err
	}
	return nil, nil
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

// newMarker is 128 random bits.
func newMarker() string {
	var random [16]byte
	_, _ = rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
