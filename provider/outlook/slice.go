package outlook

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// smallest is how few messages a page is asked for at least where larger ones take too long.
const smallest = 10

// slice is a span of the list that is read by a goroutine of its own, page by page, ahead of whoever
// takes the pages.
type slice struct {
	pages chan []message // closed behind the last page
	err   error          // may be read when pages is closed
}

// lister reads spans of the list, several at a time, newest first.
//
// A span is read from its end: the next page begins at the second of the last message and leaves out
// what was had already. Graph's own next links count messages from the beginning, so that a deletion
// meanwhile would hide one; they are followed only within a second that fills a page, and behind
// pages that are empty.
type lister struct {
	m      *mailbox
	bodies bool         // messages are listed with their bodies
	top    atomic.Int64 // messages a page
	ctx    context.Context
	stop   context.CancelFunc
	tasks  sync.WaitGroup
}

// newLister makes a lister whose goroutines end with ctx, or with close.
func newLister(ctx context.Context, m *mailbox, bodies bool) *lister {
	l := &lister{m: m, bodies: bodies}
	l.ctx, l.stop = context.WithCancel(ctx)
	l.top.Store(int64(m.p.o.PageSize))
	return l
}

// close ends all reading and waits for it.
func (l *lister) close() {
	l.stop()
	l.tasks.Wait()
}

// target is how many messages are put into a span, so that most fit into one page.
func (l *lister) target() int64 { return l.top.Load() }

// read begins to read a span.
func (l *lister) read(s span) *slice {
	out := &slice{pages: make(chan []message, 1)}
	l.tasks.Go(func() {
		defer close(out.pages)
		out.err = l.fill(s, out.pages)
	})
	return out
}

// fill reads a span to its end.
func (l *lister) fill(left span, pages chan<- []message) error {
	link := ""
	had := make(map[string]bool) // of the second that was read last
	for {
		p, full, err := l.page(left, link, false)
		if err != nil {
			return err
		}
		if fresh := withoutHad(p.Value, had); len(fresh) > 0 {
			select {
			case pages <- fresh:
			case <-l.ctx.Done():
				return l.ctx.Err()
			}
		}
		to := endOf(p.Value)
		switch {
		case p.Next == "" && !full:
			return nil
		case to != 0 && (left.to == 0 || to < left.to):
			clear(had)
			left.to, link = to, ""
		case p.Next != "" && p.Next != link:
			link = p.Next
		default:
			return nil // nothing to go on from
		}
		for i := range p.Value {
			if p.Value[i].Received.Unix() == left.to-1 {
				had[p.Value[i].ID] = true
			}
		}
	}
}

// endOf is the second behind which a page ends, exclusive; zero where there is nothing on it.
func endOf(all []message) int64 {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Received.Unix() + 1
}

// page reads one page of what is left of a span. full says that the page is as long as it may be.
func (l *lister) page(left span, link string, count bool) (p page[message], full bool, err error) {
	for {
		top := l.top.Load()
		address, ask := link, top
		if link == "" {
			switch {
			case !count:
				ask = top + top/4
			case l.bodies:
				// Nothing else goes on before the first page has told how much there is.
				ask = max(top/4, 1)
			}
			fields := messageFields
			if l.bodies {
				fields = wholeProperties
			}
			address = l.m.listAddress(left, fields, int(ask), count)
		}
		p, err = l.m.list(l.ctx, address, l.bodies, link == "" && top > smallest)
		if !errors.Is(err, errTooSlow) {
			return p, int64(len(p.Value)) >= ask, err
		}
		l.top.CompareAndSwap(top, max(top/2, smallest))
	}
}

// withoutHad leaves out what was on the page before.
func withoutHad(all []message, had map[string]bool) []message {
	fresh := all[:0:0]
	for i := range all {
		if !had[all[i].ID] {
			fresh = append(fresh, all[i])
		}
	}
	return fresh
}
