// Package notify has ready notifiers: a log, a fan-out, signed webhooks, a wrapper that strips content,
// and a recorder for tests. All are safe for concurrent use as far as what they are made of is.
package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/workinbox/workinbox/inbox"
)

// Func makes a Notifier of a function. Nil tells nobody.
type Func func(ctx context.Context, n inbox.Notice) error

// Notify calls the function.
func (f Func) Notify(ctx context.Context, n inbox.Notice) error {
	if f == nil {
		return nil
	}
	return f(ctx, n)
}

// Log writes each notice to l at Info: names and ids, never content. Nil discards.
func Log(l *slog.Logger) inbox.Notifier {
	if l == nil {
		l = slog.New(slog.DiscardHandler)
	}
	return Func(func(ctx context.Context, n inbox.Notice) error {
		l.InfoContext(ctx, "notice", "event", n.Event.Name, "id", n.Event.ID, "to", n.To.ID,
			"inbox", n.Event.Inbox, "ticket", n.Event.Ticket)
		return nil
	})
}

// All tells every one of ns, also when one fails; the errors come back joined. A retry tells all of
// them again. Nil ones are passed over.
func All(ns ...inbox.Notifier) inbox.Notifier {
	ns = slices.DeleteFunc(slices.Clone(ns), func(n inbox.Notifier) bool { return n == nil })
	return Func(func(ctx context.Context, n inbox.Notice) error {
		var errs []error
		for _, to := range ns {
			errs = append(errs, to.Notify(ctx, n))
		}
		return errors.Join(errs...)
	})
}

// Redacted passes notices on without content: ids and codes only (R-FEA-07). Nil tells nobody.
func Redacted(to inbox.Notifier) inbox.Notifier {
	if to == nil {
		return Func(nil)
	}
	return Func(func(ctx context.Context, n inbox.Notice) error {
		n.Content = nil
		return to.Notify(ctx, n)
	})
}

// Recorder keeps what it is told, for tests. The zero value is ready.
type Recorder struct {
	mu  sync.Mutex
	got []inbox.Notice
}

// Notify keeps the notice.
func (r *Recorder) Notify(_ context.Context, n inbox.Notice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, n)
	return nil
}

// Notices returns what was told so far, in order.
func (r *Recorder) Notices() []inbox.Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}
