package ticket

import (
	"context"
	"errors"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// reconcileAt is when a mail whose answer was lost is looked for, counted from the attempt. After the
// last look a person is asked (PROVIDERS 8.3).
var reconcileAt = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// reconcile asks the mailbox whether a mail whose answer was lost was sent. It never sends.
func (s *Service) reconcile(ctx context.Context, e Entry) (Entry, error) {
	sent, err := s.findSent(ctx, e)
	if err == nil {
		return s.sent(ctx, e, sent)
	}
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	began := e.Outgoing.SendingAt
	waited := s.now().Sub(began)
	for _, at := range reconcileAt {
		if waited < at {
			return e, s.move(ctx, &e, OutgoingSending, func(o *Outgoing) { o.NotBefore = began.Add(at) })
		}
	}
	return s.fail(ctx, e, OutgoingUnknown, err)
}

// findSent looks in the thread the mail was sent into, and when it is not there in all that was sent
// since: a service that does not know a thread starts another.
func (s *Service) findSent(ctx context.Context, e Entry) (provider.Sent, error) {
	o := e.Outgoing
	since := o.SendingAt.Add(-time.Minute)
	sent, err := s.Inboxes.FindSent(ctx, e.Inbox, o.Marker, o.Thread, since)
	if o.Thread != "" && errors.Is(err, provider.ErrGone) {
		return s.Inboxes.FindSent(ctx, e.Inbox, o.Marker, "", since)
	}
	return sent, err
}
