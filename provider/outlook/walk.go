package outlook

import (
	"context"
	"net/http"
	"slices"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
)

// walker is one first walk, or what is left of one: the list of all messages of the window, newest
// first. Its place is a time of receipt, so that it goes on wherever it was left.
type walker struct {
	m  *mailbox
	w  provider.Walk
	at place // behind the last message that was dealt with

	list   *lister
	plan   planner
	ahead  []*slice // newest first
	placer placer
	put    []provider.Header
	send   func(provider.Batch) error
}

// run yields the rest of the walk and returns the place behind it, from which changes are read.
func (k *walker) run(ctx context.Context, send func(provider.Batch) error) (place, error) {
	k.list = newLister(ctx, k.m, k.m.p.o.Raw == RawBuilt && k.w.Bodies == provider.BodiesWith)
	defer k.list.close()
	k.send = send
	k.placer = placer{m: k.m, tree: &k.at.Tree}
	left := window(k.w).below(k.at.Before)
	if !left.empty() {
		if err := k.all(ctx, left); err != nil {
			return place{}, err
		}
	}
	k.at = k.at.live()
	return k.at, k.flush(k.at)
}

// spareSlices are read ahead beside those in flight: the slice whose turn it is may take longer than
// those behind it, whose places must not stay empty meanwhile.
const spareSlices = 2

// all lists a span: the first page, which says how much there is, and then the rest in slices that
// are read at once.
func (k *walker) all(ctx context.Context, left span) error {
	p, full, err := k.list.page(left, "", true)
	if failure.Status(err) == http.StatusBadRequest {
		// How much there is only saves time: without it the list is read from end to end.
		k.m.p.o.Logger.WarnContext(ctx, "a walk without the number of messages", "err", err)
		p, full, err = k.list.page(left, "", false)
	}
	if err != nil {
		return err
	}
	if err := k.take(ctx, p.Value); err != nil {
		return err
	}
	if p.Next == "" && !full {
		return nil
	}
	k.plan = newPlanner(left.below(endOf(p.Value)), p, k.list.target())
	for {
		for len(k.ahead) < k.m.p.o.Quota.InFlight+spareSlices {
			s, more := k.plan.next(k.list.target(), len(k.ahead))
			if !more {
				break
			}
			k.ahead = append(k.ahead, k.list.read(s))
		}
		if len(k.ahead) == 0 {
			return nil
		}
		n := 0
		for some := range k.ahead[0].pages {
			n += len(some)
			if err := k.take(ctx, some); err != nil {
				return err
			}
		}
		if err := k.ahead[0].err; err != nil {
			return err
		}
		k.plan.had(k.list.target(), n)
		k.ahead = k.ahead[1:]
	}
}

// take deals with messages in their order and yields those that are mail.
func (k *walker) take(ctx context.Context, some []message) error {
	for i := range some {
		x := &some[i]
		if !k.pass(x) {
			continue
		}
		kind, err := k.placer.kind(ctx, x.Folder)
		if err != nil {
			return err
		}
		if kind.folder() != provider.FolderMail || x.Draft {
			continue
		}
		k.put = append(k.put, x.header(kind))
		if len(k.put) == k.m.p.o.PageSize {
			if err := k.flush(k.at); err != nil {
				return err
			}
		}
	}
	if len(k.put) == 0 {
		return nil
	}
	return k.flush(k.at)
}

// pass moves the place behind a message. It is false where the message was dealt with before.
func (k *walker) pass(x *message) bool {
	at, id := x.Received.Unix(), markOf(x.ID)
	if k.at.Before == 0 || at+1 < k.at.Before {
		k.at.Before, k.at.Seen = at+1, nil
	}
	if at+1 == k.at.Before {
		if slices.Contains(k.at.Seen, id) {
			return false
		}
		// The places of batches that are out must not change.
		k.at.Seen = append(slices.Clip(k.at.Seen), id)
	}
	return true
}

// flush yields what has been put together. next is the place behind it.
func (k *walker) flush(next place) error {
	b := provider.Batch{Put: k.put, Walking: true, Next: next.cursor()}
	k.put = nil
	return k.send(b)
}
