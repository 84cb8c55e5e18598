package gmailtest

import (
	"context"
	"net"
	"sync"
	"time"
)

// PushQueue is a pull subscription of Pub/Sub: notifications wait in it until they are fetched. What
// is fetched and not acknowledged within 10 seconds is handed out again. It is safe for concurrent
// use.
type PushQueue struct {
	mu     sync.Mutex
	waits  []*waiting
	closed bool
	news   chan struct{} // closed and replaced when there is something new
}

type waiting struct {
	data []byte
	from time.Time // not handed out before
}

const ackDeadline = 10 * time.Second

// PullPushes subscribes a queue, which gets what is published from now on. All calls return the same
// queue.
func (s *Server) PullPushes() *PushQueue {
	p := &s.pushes
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue == nil {
		p.queue = &PushQueue{news: make(chan struct{}), closed: p.stopped}
	}
	return p.queue
}

func (q *PushQueue) add(data []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waits = append(q.waits, &waiting{data: data})
	q.wake()
}

func (q *PushQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake()
}

func (q *PushQueue) wake() {
	close(q.news)
	q.news = make(chan struct{})
}

// Len is how many notifications are not acknowledged yet.
func (q *PushQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waits)
}

// Pull waits for a notification and returns what Gmail published: JSON with emailAddress and
// historyId. The caller calls ack when it has taken care of it. When the server closes the error is
// net.ErrClosed.
func (q *PushQueue) Pull(ctx context.Context) (data []byte, ack func(), err error) {
	for {
		w, news, wait, err := q.next()
		if err != nil {
			return nil, nil, err
		}
		if w != nil {
			return w.data, func() { q.ack(w) }, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-news:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
}

// next returns the oldest that may be handed out, or how long to wait for one.
func (q *PushQueue) next() (w *waiting, news <-chan struct{}, wait time.Duration, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, 0, net.ErrClosed
	}
	now := time.Now()
	wait = time.Hour
	for _, w := range q.waits {
		if !now.Before(w.from) {
			w.from = now.Add(ackDeadline)
			return w, nil, 0, nil
		}
		wait = min(wait, w.from.Sub(now))
	}
	return nil, q.news, wait, nil
}

func (q *PushQueue) ack(w *waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.waits {
		if q.waits[i] == w {
			q.waits = append(q.waits[:i], q.waits[i+1:]...)
			return
		}
	}
}
