package ticket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// Mail returns a mail of a ticket as the actor may see it, made safe to show, wherever it lies: in a
// ticket that was moved or merged also mail of an inbox the actor does not know. ErrNotMail for what is
// no mail, or not back from the mailbox it was sent from; storage.ErrNotFound for what they may not see.
func (s *Service) Mail(ctx context.Context, actor acl.Actor, id ID, entry EntryID, o htmlsafe.Options) (inbox.View, error) {
	e, err := s.mailEntry(ctx, actor, id, entry)
	if err != nil {
		return inbox.View{}, err
	}
	return s.Inboxes.Shown(ctx, actor, e.Message, s.unwatched(o))
}

// Line is an entry of a ticket with the mail it is of, as the actor may see both.
type Line struct {
	Entry Entry
	Mail  *inbox.View // nil for what is no mail, not back from the mailbox it was sent from, or gone
}

// ThreadQuery says which part of a history Thread yields, and how it shows HTML.
type ThreadQuery struct {
	// After is the Key of the last entry of the page before; nil begins.
	After *EntryKey
	// Limit bounds the lines that are read, those the actor may not see included; zero is all.
	Limit int
	HTML  htmlsafe.Options
}

// Thread yields the history of a ticket with its mail, made safe to show, oldest first: what Entries and
// Mail yield, with fewer reads.
func (s *Service) Thread(ctx context.Context, actor acl.Actor, id ID, q ThreadQuery) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		t, in, err := s.visibleTicket(ctx, actor, id)
		if err != nil {
			yield(Line{}, err)
			return
		}
		var lines []Entry
		for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id, After: q.After, Limit: q.Limit}) {
			if err != nil {
				yield(Line{}, err)
				return
			}
			lines = append(lines, e)
		}
		show, r, html := s.Inboxes.Showing(actor), s.reader(actor, &in), s.unwatched(q.HTML)
		if q.After == nil && q.Limit == 0 && len(lines) > fewLines { // the whole of it
			for _, th := range t.Threads {
				if err := show.Read(ctx, t.Mailbox(), th); err != nil {
					yield(Line{}, err)
					return
				}
			}
		}
		for _, e := range lines {
			e, seen, err := r.show(ctx, e)
			if err == nil && !seen {
				continue
			}
			l := Line{Entry: e}
			if err == nil && e.Message != "" {
				l.Mail, err = mailOf(ctx, show, &e, html)
			}
			if err != nil {
				yield(Line{}, err)
				return
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

// fewLines is of how many lines each mail is read by itself.
const fewLines = 20

// mailOf reads the mail of an entry; none where it is hidden or erased since.
func mailOf(ctx context.Context, show *inbox.Showing, e *Entry, o htmlsafe.Options) (*inbox.View, error) {
	v, err := show.Mail(ctx, e.Message, o)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// File is a part of a mail that is no text: an attachment, or with Part.Inline what its HTML shows by
// content id (R-MSG-11). Part.Name is safe as the name of a file. Nothing of it is ever executed.
type File struct {
	Entry EntryID
	At    time.Time // of the mail
	Part  rfc822.Part
}

// Files lists the files of all mail of a ticket the actor may see, oldest mail first.
func (s *Service) Files(ctx context.Context, actor acl.Actor, id ID) ([]File, error) {
	var out []File
	show := s.Inboxes.Showing(actor)
	for e, err := range s.Entries(ctx, actor, id) {
		if err != nil {
			return nil, err
		}
		if e.Message == "" {
			continue
		}
		c, err := s.Archive.Content(ctx, e.Message)
		if err == nil && len(c.Parts) > 0 {
			_, err = show.Message(ctx, e.Message)
		}
		if errors.Is(err, storage.ErrNotFound) {
			continue // erased since
		}
		if err != nil {
			return nil, err
		}
		for _, p := range c.Parts {
			out = append(out, File{Entry: e.ID, At: e.At, Part: p})
		}
	}
	return out, nil
}

// OpenFile streams a file of a mail, decoded, by its Part.Path. The caller closes it. Where the host has
// a scanner (inbox.Config.Scanner), the file has passed it before the first byte, else it is
// inbox.ErrUnsafeFile. ErrNotMail where the entry is no mail, storage.ErrNotFound where the actor may not
// see it or it has no such file.
func (s *Service) OpenFile(ctx context.Context, actor acl.Actor, id ID, entry EntryID, path string) (
	rfc822.Part, io.ReadCloser, error) {
	e, err := s.mailEntry(ctx, actor, id, entry)
	if err != nil {
		return rfc822.Part{}, nil, err
	}
	return s.Inboxes.ShownPart(ctx, actor, e.Message, path)
}

// OpenInline is OpenFile by content id, without angles, as the address that htmlsafe.Options.InlineURL
// gives is asked for. The errors are those of OpenFile.
func (s *Service) OpenInline(ctx context.Context, actor acl.Actor, id ID, entry EntryID, contentID string) (
	rfc822.Part, io.ReadCloser, error) {
	v, err := s.Mail(ctx, actor, id, entry, htmlsafe.Options{})
	if err != nil {
		return rfc822.Part{}, nil, err
	}
	for _, p := range v.Content.Parts {
		if p.ContentID != "" && p.ContentID == contentID {
			return s.Inboxes.ShownPart(ctx, actor, v.Message.ID, p.Path)
		}
	}
	return rfc822.Part{}, nil, &storage.Error{Op: "read", Entity: "part", ID: contentID, Err: storage.ErrNotFound}
}

// mailEntry reads an entry of a stored mail that the actor may see.
func (s *Service) mailEntry(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	_, in, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return Entry{}, err
	}
	_, e, err := s.seenEntry(ctx, actor, &in, id, entry)
	if err == nil && e.Message == "" {
		err = fmt.Errorf("entry %q: %w", entry, ErrNotMail)
	}
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}
