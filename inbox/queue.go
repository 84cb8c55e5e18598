package inbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// retry takes what is due from the queue until nothing new is.
func (y *syncer) retry(ctx context.Context) error {
	for {
		items, err := y.due(ctx)
		if err != nil || len(items) == 0 {
			return err
		}
		if err := y.loadThreads(ctx, items); err != nil {
			return err
		}
		var opening sync.WaitGroup
		started := make(chan struct{})
		go func() {
			defer close(started)
			y.opener(ctx, &opening)(items)
		}()
		err = y.settle(ctx, &page{items: items}, func(*provider.Batch) {})
		<-started
		opening.Wait()
		if err != nil {
			return err
		}
	}
}

// due takes up to 100 items that this sync has not tried. Reports come last, when every walk is done
// and nothing else waits: the mail they are about may still come.
func (y *syncer) due(ctx context.Context) ([]*item, error) {
	if y.state.Queued == 0 {
		return nil, nil
	}
	var items, reports []*item
	others := false
	for q, err := range y.s.Store.Queue(ctx, QueueQuery{Inbox: y.in.ID}) {
		if err != nil {
			return nil, err
		}
		others = others || q.Code != QueueReport
		if q.NotBefore.After(y.s.now()) || y.tried[q.Remote] {
			continue
		}
		it, err := y.again(q)
		if err != nil {
			return nil, err
		}
		if q.Code == QueueReport {
			reports = append(reports, it)
		} else {
			items = append(items, it)
		}
		if len(items) == retryPage {
			break
		}
	}
	walking := y.state.Walking || y.state.Backfill != nil && y.filling == nil
	if !others && !walking {
		items = reports[:min(len(reports), retryPage)]
	}
	for _, it := range items {
		y.tried[it.header.ID] = true
	}
	return items, nil
}

// retryPage is how many items of the queue are tried at once.
const retryPage = 100

// again makes an item of what the queue kept. What a backfill sent to wait is decided as the backfill
// would (R-FLT-10); mail below the floor is always of one.
func (y *syncer) again(q Queued) (*item, error) {
	rules, last := pageRules{filter: y.filter, code: q.Code}, q.Code == QueueReport
	switch b := y.state.Backfill; {
	case y.filling != nil && !q.Received.Before(b.Since) && !q.Received.After(b.Until):
		q.Code, rules = QueueBackfill, pageRules{filter: y.filling, code: QueueBackfill}
	case q.Code == QueueBackfill, q.Received.Before(y.in.Floor()) && !y.state.Backfilled.IsZero():
		f, err := y.wideFilter(y.state.Backfilled)
		if err != nil {
			return nil, err
		}
		rules.filter = f
	}
	return &item{
		header: provider.Header{ID: q.Remote, Thread: q.Thread, Received: q.Received,
			Folder: q.Folder, Sent: q.Sent, Unread: q.Unread},
		rules: rules, queued: &q, last: last, done: make(chan struct{}),
	}, nil
}

func (it *item) wait(code QueueCode, until time.Time) Queued {
	h := &it.header
	q := Queued{Remote: h.ID, Thread: h.Thread, Received: h.Received, Folder: h.Folder, Sent: h.Sent,
		Unread: h.Unread, Code: code, NotBefore: until}
	if it.queued != nil {
		q.Attempts = it.queued.Attempts
	}
	return q
}

// requeue keeps a mail that could not be read for later, or gives it up as poison: it blocks nothing
// and is never lost.
func (y *syncer) requeue(ctx context.Context, st *step, it *item) {
	code := it.rules.code
	if it.queued != nil && it.queued.Code != "" {
		code = it.queued.Code
	}
	q := it.wait(code, time.Time{})
	q.Attempts++
	q.NotBefore = y.s.now().Add(backoff(q.Attempts, it.err))
	y.s.Logger.WarnContext(ctx, "mail could not be read", "inbox", y.in.ID, "remote", q.Remote,
		"attempts", q.Attempts, "err", it.err)
	if q.Attempts < y.s.Attempts {
		st.delta.Queued++
		st.imp.Queue = append(st.imp.Queue, q)
		return
	}
	q.Poison = true
	st.delta.Poisoned++
	st.imp.Queue = append(st.imp.Queue, q)
	st.ev = append(st.ev, y.s.event(Event{Name: EventMessagePoisoned,
		Facts: map[string]string{"remote": string(q.Remote)}}, &y.in, ""))
}

// backoff is how long to wait after the n-th failure: a minute, doubled each time, at most six
// hours; longer where the service says so.
func backoff(n int, err error) time.Duration {
	wait := min(time.Minute<<min(n-1, 10), 6*time.Hour)
	var retry *provider.RetryError
	if errors.As(err, &retry) {
		wait = max(wait, retry.After)
	}
	return wait
}
