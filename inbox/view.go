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
	c, err := s.Store.Content(ctx, id)
	if err != nil {
		return View{}, err
	}
	return View{Message: redactMessage(&in, actor, m), Content: c, HTML: htmlsafe.Clean(c.HTML, o),
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
		limit := q.Limit
		q.Limit = 0
		n := 0
		for m, err := range s.Store.Messages(ctx, q) {
			if err != nil {
				yield(Message{}, err)
				return
			}
			if m.CopyOf != "" || m.Removed || !Seeable(&in, actor, &m) {
				continue
			}
			if !yield(redactMessage(&in, actor, m), nil) {
				return
			}
			if n++; n == limit {
				return
			}
		}
	}
}

// Raw returns the original bytes of a mail (row 35). Where it has a Bcc field, only the creator sees
// it; others are told acl.ErrDenied.
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

// Part streams one attachment or inline part, decoded, by its Path. The caller closes it.
func (s *Service) Part(ctx context.Context, actor acl.Actor, id MessageID, path string) (rfc822.Part, io.ReadCloser, error) {
	_, m, err := s.message(ctx, actor, id, acl.ViewTickets)
	if err != nil {
		return rfc822.Part{}, nil, err
	}
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
		return Inbox{}, Message{}, &storage.Error{Op: "read", Entity: "message", ID: string(id), Err: storage.ErrNotFound}
	}
	return in, m, err
}

// Seeable says whether somebody who may view the inbox may see this mail of it.
func Seeable(in *Inbox, actor acl.Actor, m *Message) bool {
	if actor.User == in.Creator {
		return true
	}
	return !m.Hidden && !m.Private && !m.Removed
}

func redactMessage(in *Inbox, actor acl.Actor, m Message) Message {
	if actor.User != in.Creator {
		m.Bcc = nil
	}
	return m
}
