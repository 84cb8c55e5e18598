package ticket

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// dispatchers is how many inboxes Dispatch serves at the same time.
const dispatchers = 8

// Dispatch sends what is queued and due, and looks for mail whose answer was lost; limit bounds how
// much, zero is all. Inboxes do not wait for each other: each gets a part of the limit at most, one that
// another call of this Service is at is passed over, and where a mail service does not take a mail now,
// what else waits for that mailbox is left for the next call. An error on one mail holds up no other: all
// of them are returned joined. It returns how many mails it took up. It is the engine's own; desk.Run
// calls it. Several may run at once.
func (s *Service) Dispatch(ctx context.Context, limit int) (int, error) {
	due, err := s.due(ctx, limit)
	if err != nil {
		return 0, err
	}
	var (
		jobs  sync.WaitGroup
		slots = make(chan struct{}, dispatchers)
		mu    sync.Mutex
		taken int
		errs  []error
	)
	for id, entries := range due {
		slots <- struct{}{}
		jobs.Go(func() {
			defer func() { <-slots }()
			if _, busy := s.serving.LoadOrStore(id, true); busy {
				return
			}
			defer s.serving.Delete(id)
			for _, e := range entries {
				answers, err := s.takeUp(ctx, e)
				if errors.Is(err, storage.ErrConflict) {
					continue // somebody else has it
				}
				mu.Lock()
				taken++
				errs = append(errs, err)
				mu.Unlock()
				if !answers {
					return
				}
			}
		})
	}
	jobs.Wait()
	if ctx.Err() != nil {
		return taken, ctx.Err()
	}
	return taken, errors.Join(errs...)
}

// due lists what may go now, by inbox and oldest first. Since much may be due at one moment, it keeps no
// more of an entry than dispatch asks for.
func (s *Service) due(ctx context.Context, limit int) (map[inbox.ID][]Entry, error) {
	n, each := 0, (limit+dispatchers-1)/dispatchers
	due := make(map[inbox.ID][]Entry)
	q := EntryQuery{Outgoing: []OutgoingState{OutgoingQueued, OutgoingSending}, Due: s.now()}
	for e, err := range s.Store.Entries(ctx, q) {
		if err != nil {
			return nil, err
		}
		if _, busy := s.serving.Load(e.Inbox); busy || limit > 0 && len(due[e.Inbox]) == each {
			continue
		}
		due[e.Inbox] = append(due[e.Inbox],
			Entry{ID: e.ID, Ticket: e.Ticket, Inbox: e.Inbox, Author: e.Author, Outgoing: e.Outgoing})
		if n++; n == limit {
			break
		}
	}
	return due, nil
}

// takeUp takes up one mail. It says whether the mail service takes mail of the inbox.
func (s *Service) takeUp(ctx context.Context, e Entry) (answers bool, err error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if e.Outgoing.State == OutgoingSending {
		_, err = s.reconcile(ctx, e)
		return true, err
	}
	if err = s.mayStill(ctx, &e); errors.Is(err, acl.ErrDenied) {
		_, err = s.fail(ctx, e, OutgoingFailed, err)
		return true, err
	}
	if err != nil {
		return true, err
	}
	out, err := s.send(ctx, e)
	o := out.Outgoing
	tried := o.Try != e.Outgoing.Try
	return !tried || o.State != OutgoingSending && (o.State != OutgoingQueued || o.Error != ""), err
}

// mayStill refuses with acl.ErrDenied a mail that waited, by somebody who may not answer from the
// mailbox any more: whoever lost access must leave nothing that speaks for its owner later.
func (s *Service) mayStill(ctx context.Context, e *Entry) error {
	in, err := s.engineInbox(ctx, e.Inbox)
	if err != nil {
		return err
	}
	author, err := s.Inboxes.Actor(ctx, in.Site, e.Author)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("author of entry %q: %w", e.ID, acl.ErrDenied)
	}
	if err != nil {
		return err
	}
	return acl.Check(author, in.ACL(), acl.BeAssignee, nil).Err()
}
