package ticket

import (
	"context"
	"errors"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// reconcileAfter is when a mail whose answer was lost is looked for: after the attempt, and each time
// after the look before. After the last look a person is asked (PROVIDERS 8.3). Nothing is counted from
// the attempt on, since the clock that told its time may be another: whoever looks has waited for longer
// than sendFor after the first look, and that was after the mark.
var reconcileAfter = [...]time.Duration{5 * time.Second, 25 * time.Second, 90 * time.Second, 8*time.Minute - 5*time.Second}

// clockSkew is by how much the clock of who sends may differ from that of the mail service.
const clockSkew = 25 * time.Hour

// reconcile asks the mailbox whether a mail whose answer was lost was sent. It never sends.
func (s *Service) reconcile(ctx context.Context, e Entry) (Entry, error) {
	sent, err := s.findSent(ctx, e)
	if err == nil {
		return s.sent(ctx, e, sent)
	}
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	looks := e.Outgoing.Looks + 1
	if looks >= len(reconcileAfter) {
		return s.fail(ctx, e, OutgoingUnknown, err)
	}
	again := s.now().Add(reconcileAfter[looks])
	return e, s.advance(ctx, &e, OutgoingSending, func(o *Outgoing) { o.NotBefore, o.Looks = again, looks })
}

// findSent looks in the thread the mail was sent into, and when it is not there in all that was sent
// since: a service that does not know a thread starts another.
func (s *Service) findSent(ctx context.Context, e Entry) (provider.Sent, error) {
	o := e.Outgoing
	since := o.SendingAt.Add(-clockSkew)
	sent, err := s.Inboxes.FindSent(ctx, e.Inbox, o.Marker, o.Thread, since)
	if o.Thread != "" && errors.Is(err, provider.ErrGone) {
		return s.Inboxes.FindSent(ctx, e.Inbox, o.Marker, "", since)
	}
	return sent, err
}
