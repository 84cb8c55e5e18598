package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Retry sends a mail again that was not sent (state failed), for somebody who may reply; ErrNotFailed
// where it is in another state, or nothing of it is left. It is the same mail, under the rights of its
// author, and counts in their quota where they send it again (acl.ErrReplyQuota). As with Reply, no error
// says that it is on its way again: look at Outgoing.State.
func (s *Service) Retry(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	in, e, err := s.writtenMail(ctx, actor, id, entry, ErrNotFailed)
	if err != nil {
		return Entry{}, err
	}
	if e.Outgoing.State != OutgoingFailed || e.Outgoing.Blob == "" {
		return Entry{}, fmt.Errorf("entry %q: %w", entry, ErrNotFailed)
	}
	if err := s.mayStill(ctx, &e); err != nil {
		return Entry{}, err
	}
	unused := func() {}
	if actor.User == e.Author {
		if unused, err = s.countReply(ctx, actor, id); err != nil {
			return Entry{}, err
		}
	}
	now := s.now()
	err = s.advance(ctx, &e, OutgoingFailed, func(o *Outgoing) {
		o.State, o.NotBefore, o.Error, o.Attempts, o.HeldSince = OutgoingQueued, now, "", 0, time.Time{}
	})
	if err != nil {
		unused()
		if errors.Is(err, storage.ErrConflict) {
			err = fmt.Errorf("entry %q: %w", entry, ErrNotFailed)
		}
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, s.sendNow(ctx, e)), nil
}

// writtenMail loads a mail written here, for somebody who may reply on its ticket and from its mailbox.
// What else they see there is no such mail: other.
func (s *Service) writtenMail(ctx context.Context, actor acl.Actor, id ID, entry EntryID, other error) (
	inbox.Inbox, Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return inbox.Inbox{}, Entry{}, err
	}
	in, err := s.allow(ctx, actor, &t, acl.Reply)
	if err != nil {
		return inbox.Inbox{}, Entry{}, err
	}
	e, err := s.outgoing(ctx, actor, &in, id, entry, other)
	if err == nil {
		_, err = s.replyInbox(ctx, actor, in, e.Inbox)
	}
	return in, e, err
}

// outgoing loads a mail that was written here. What is no such mail, and the actor sees, is other; what they do
// not see is storage.ErrNotFound.
func (s *Service) outgoing(ctx context.Context, actor acl.Actor, in *inbox.Inbox, id ID, entry EntryID, other error) (Entry, error) {
	e, _, err := s.seenEntry(ctx, actor, in, id, entry)
	if err == nil && e.Outgoing == nil {
		err = fmt.Errorf("entry %q: %w", entry, other)
	}
	return e, err
}
