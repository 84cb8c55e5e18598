package ticket

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// How long a purge waits for the copy of a mail that has left: until a sync that ended this long after it
// was sent has not brought it, and never longer than awaitCopy.
const (
	copyDelay = 10 * time.Minute
	awaitCopy = 7 * 24 * time.Hour
)

// sentIsBack answers ErrSending while the copy of a mail that left from a ticket, or may have left, is not
// back from the mailbox: purged before, it would come in as the first mail of a new ticket.
func (s *Service) sentIsBack(ctx context.Context, id ID) error {
	away, err := s.away(ctx, id)
	if err != nil || len(away) == 0 {
		return err
	}
	synced := make(map[inbox.ID]time.Time, len(away))
	for _, e := range away {
		if _, looked := synced[e.Inbox]; looked {
			continue
		}
		state, err := s.Archive.SyncState(ctx, e.Inbox)
		if err != nil {
			return err
		}
		// What that sync has brought is collected after it was asked how far it came.
		if _, err := s.Collect(ctx, e.Inbox); err != nil {
			return err
		}
		synced[e.Inbox] = state.LastSuccess
	}
	if away, err = s.away(ctx, id); err != nil {
		return err
	}
	for _, e := range away {
		left := e.Outgoing.SendingAt
		if synced[e.Inbox].Before(left.Add(copyDelay)) && s.now().Before(left.Add(awaitCopy)) {
			return ErrSending
		}
	}
	return nil
}

// away are the mails of a ticket that left, or may have left, and whose copies have not come back.
func (s *Service) away(ctx context.Context, id ID) (out []Entry, err error) {
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
		if err != nil {
			return nil, err
		}
		if e.Outgoing == nil || e.Outgoing.Marker == "" || e.Message != "" {
			continue // that of a mail that was erased is gone
		}
		switch e.Outgoing.State {
		case OutgoingSent, OutgoingUnknown:
			out = append(out, e)
		}
	}
	return out, nil
}
