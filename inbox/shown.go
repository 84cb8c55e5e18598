package inbox

import (
	"context"
	"errors"
	"io"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// Shown is View for package ticket, which has decided that the actor may see the ticket the mail is
// in: that may be one of another inbox (R-TKT-06, R-TKT-08), so access to the mail's own inbox is not
// asked for. What is hidden, private or removed is for the creator of the mail's own inbox alone, and
// so is Bcc (R-CHG-07, R-MSG-04); mail of another site or of an inbox in the trash is
// storage.ErrNotFound. A host calls View or package ticket, never this.
func (s *Service) Shown(ctx context.Context, actor acl.Actor, id MessageID, o htmlsafe.Options) (View, error) {
	return s.Showing(actor).Mail(ctx, id, o)
}

// Showing is Shown for the mails of one ticket, read at one time: it keeps what they share. It is for
// one goroutine.
type Showing struct {
	s       *Service
	actor   acl.Actor
	inboxes map[ID]*Inbox
	mails   map[MessageID]Message
}

// Showing begins to show mails to somebody, for package ticket.
func (s *Service) Showing(actor acl.Actor) *Showing {
	return &Showing{s: s, actor: actor, inboxes: make(map[ID]*Inbox), mails: make(map[MessageID]Message)}
}

// Read reads the mails of a conversation at once. Mail does without it, one read for each.
func (w *Showing) Read(ctx context.Context, in ID, thread ThreadID) error {
	for m, err := range w.s.Store.Messages(ctx, MessageQuery{Inbox: in, Thread: thread, Hidden: true}) {
		if err != nil {
			return err
		}
		w.mails[m.ID] = m
	}
	return nil
}

// Message is Mail without its text.
func (w *Showing) Message(ctx context.Context, id MessageID) (Message, error) {
	in, m, err := w.shown(ctx, id)
	if err != nil {
		return Message{}, err
	}
	return redactMessage(in, w.actor, m), nil
}

// Mail is Shown.
func (w *Showing) Mail(ctx context.Context, id MessageID, o htmlsafe.Options) (View, error) {
	in, m, err := w.shown(ctx, id)
	if err != nil {
		return View{}, err
	}
	return w.s.view(ctx, w.actor, in, m, o)
}

// shown loads a mail with its own inbox for somebody who may see the ticket it is in.
func (w *Showing) shown(ctx context.Context, id MessageID) (*Inbox, Message, error) {
	m, ok := w.mails[id]
	if !ok {
		var err error
		if m, err = w.s.Store.Message(ctx, id); err != nil {
			return nil, Message{}, err
		}
	}
	own, ok := w.inboxes[m.Inbox]
	if !ok {
		in, err := w.s.Store.Inbox(ctx, m.Inbox)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, Message{}, err
		}
		if err == nil {
			own = &in
		}
		w.inboxes[m.Inbox] = own
	}
	if own == nil || !shows(own, w.actor, &m) {
		return nil, Message{}, notFoundMessage(id)
	}
	return own, m, nil
}

// ShownPart is Part for package ticket, under what Shown says. A host calls Part or package ticket,
// never this.
func (s *Service) ShownPart(ctx context.Context, actor acl.Actor, id MessageID, path string) (rfc822.Part, io.ReadCloser, error) {
	_, m, err := s.Showing(actor).shown(ctx, id)
	if err != nil {
		return rfc822.Part{}, nil, err
	}
	return s.part(ctx, &m, path)
}

// shows says whether a mail in a ticket may be shown to somebody who may see the ticket. The inbox is
// the mail's own.
func shows(own *Inbox, actor acl.Actor, m *Message) bool {
	return actor.State == acl.Active && actor.Site == string(own.Site) && own.State != StateDeleted &&
		Seeable(own, actor, m)
}
