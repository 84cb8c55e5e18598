package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// View is one mail as one person may see it.
type View struct {
	Message Message
	Content Content // HTML as it came: never show it; HTML below is safe
	HTML    htmlsafe.HTML
	Body    rfc822.Body // the text, parted into new, signature and quoted
}

// View returns one mail as the actor may see it, or storage.ErrNotFound. This is the one place where
// it is decided what a person may see of a message; everything that shows mail goes through it or
// through Seeable. Hidden and private mail is the creator's alone, and so is Bcc (R-CHG-07, 11.6,
// R-MSG-04).
func (s *Service) View(ctx context.Context, actor acl.Actor, id MessageID, o htmlsafe.Options) (View, error) {
	in, m, err := s.message(ctx, actor, id, acl.ViewTickets)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, actor, &in, m, o)
}

func (s *Service) view(ctx context.Context, actor acl.Actor, in *Inbox, m Message, o htmlsafe.Options) (View, error) {
	c, err := s.Store.Content(ctx, m.ID)
	if err != nil {
		return View{}, err
	}
	return View{Message: redactMessage(in, actor, m), Content: c, HTML: htmlsafe.Clean(c.HTML, o),
		Body: rfc822.SplitText(c.Text)}, nil
}

// Messages yields the mail of one inbox the actor may see, newest first. Copies are left out.
func (s *Service) Messages(ctx context.Context, actor acl.Actor, q MessageQuery) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		in, err := s.Authorize(ctx, actor, q.Inbox, acl.ViewTickets, nil)
		if err != nil {
			yield(Message{}, err)
			return
		}
		q.Hidden = in.Creator == actor.User
		limit, n := q.Limit, 0
		q.Limit = 0
		var page []Message
		size := 1
		if len(s.withholders()) > 0 {
			size = messagesPage
			if limit > 0 {
				size = min(limit, size)
			}
		}
		show := func() bool {
			kept, err := s.withheld(ctx, page)
			if err != nil {
				yield(Message{}, err)
				return false
			}
			for _, m := range page {
				if kept[m.ID] {
					continue
				}
				if n++; !yield(redactMessage(&in, actor, m), nil) || n == limit {
					return false
				}
			}
			page = page[:0]
			return true
		}
		for m, err := range s.Store.Messages(ctx, q) {
			if err != nil {
				yield(Message{}, err)
				return
			}
			if m.CopyOf != "" || m.Removed || !Seeable(&in, actor, &m) {
				continue
			}
			if page = append(page, m); len(page) == size && !show() {
				return
			}
		}
		show()
	}
}

// messagesPage is for how many mails at a time Messages asks whether one is withheld.
const messagesPage = 50

// Raw returns the original bytes of a mail (row 35). Where it has a Bcc field, only the creator sees
// it; others are told acl.ErrDenied. No Config.Scanner looks into it.
func (s *Service) Raw(ctx context.Context, actor acl.Actor, id MessageID) (io.ReadCloser, error) {
	in, m, err := s.message(ctx, actor, id, acl.ViewRaw)
	if err != nil {
		return nil, err
	}
	if actor.User != in.Creator {
		blind, err := s.hasBlindCopies(ctx, &m)
		if err != nil {
			return nil, err
		}
		if blind {
			return nil, fmt.Errorf("raw message %q has blind copies: %w", id, acl.ErrDenied)
		}
	}
	return s.Blobs.OpenBlob(ctx, m.Blob)
}

// hasBlindCopies looks at the raw header too: what could not be read as addresses is there in full.
func (s *Service) hasBlindCopies(ctx context.Context, m *Message) (bool, error) {
	if len(m.Bcc) > 0 {
		return true, nil
	}
	raw, err := s.Blobs.OpenBlob(ctx, m.Blob)
	if err != nil {
		return false, err
	}
	h, err := rfc822.ReadHeader(raw, s.Limits)
	if e := raw.Close(); err == nil {
		err = e
	}
	return h.Get("Bcc") != "" || h.Get("Resent-Bcc") != "", err
}

// Part streams one attachment or inline part, decoded, by its Path. The caller closes it. Where there
// is a Config.Scanner it has read the part first: ErrUnsafeFile when it refuses.
func (s *Service) Part(ctx context.Context, actor acl.Actor, id MessageID, path string) (rfc822.Part, io.ReadCloser, error) {
	_, m, err := s.message(ctx, actor, id, acl.ViewTickets)
	if err != nil {
		return rfc822.Part{}, nil, err
	}
	return s.part(ctx, &m, path)
}

func (s *Service) part(ctx context.Context, m *Message, path string) (rfc822.Part, io.ReadCloser, error) {
	if s.Scanner != nil {
		if err := s.scan(ctx, m, path); err != nil {
			return rfc822.Part{}, nil, err
		}
	}
	return s.openPart(ctx, m, path)
}

func (s *Service) openPart(ctx context.Context, m *Message, path string) (rfc822.Part, io.ReadCloser, error) {
	raw, err := s.Blobs.OpenBlob(ctx, m.Blob)
	if err != nil {
		return rfc822.Part{}, nil, err
	}
	part, r, err := rfc822.OpenPart(raw, path, s.Limits)
	if err != nil {
		_ = raw.Close()
		return rfc822.Part{}, nil, err
	}
	return part, struct {
		io.Reader
		io.Closer
	}{r, raw}, nil
}

// message loads a mail, whole, with its inbox, for somebody who may do the action with it and see it.
func (s *Service) message(ctx context.Context, actor acl.Actor, id MessageID, action acl.Action) (Inbox, Message, error) {
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return Inbox{}, Message{}, err
	}
	in, err := s.Authorize(ctx, actor, m.Inbox, action, nil)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !Seeable(&in, actor, &m) {
		return Inbox{}, Message{}, notFoundMessage(id)
	}
	if err != nil {
		return Inbox{}, Message{}, err
	}
	kept, err := s.withheld(ctx, []Message{m})
	if err == nil && kept[id] {
		err = notFoundMessage(id)
	}
	return in, m, err
}

func notFoundMessage(id MessageID) error {
	return &storage.Error{Op: "read", Entity: "message", ID: string(id), Err: storage.ErrNotFound}
}

// Seeable says whether somebody who may view the inbox may see a mail. Of mail that is hidden,
// private or removed that is the creator of the mail's own inbox, so of such mail of another inbox it
// is nobody.
func Seeable(in *Inbox, actor acl.Actor, m *Message) bool {
	if actor.User == in.Creator && m.Inbox == in.ID {
		return true
	}
	return !m.creatorsAlone()
}

// creatorsAlone says that a mail is for nobody but the creator of its inbox.
func (m *Message) creatorsAlone() bool { return m.Hidden || m.Private || m.Removed }

func redactMessage(in *Inbox, actor acl.Actor, m Message) Message {
	if actor.User != in.Creator || m.Inbox != in.ID {
		m.Bcc = nil
	}
	return m
}
