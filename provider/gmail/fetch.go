package gmail

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

const (
	// rawBudget is how many raw bytes one batch hands over at most. What is beyond it is opened on
	// request, which costs the price of a get again.
	rawBudget = 32 << 20
	// lateAfter is how long to wait for a message that the history tells of and get does not know:
	// seen with mail people send to themselves.
	lateAfter = 4 * time.Second

	bareFields     = "id,threadId,labelIds,internalDate,sizeEstimate"
	metadataFields = bareFields + ",payload/headers"
)

// wanted is one message to get.
type wanted struct {
	id, thread string
	whole      bool // with its raw bytes
	late       bool // it may be too early
}

// byThread says whether its thread may be asked for instead.
func (w wanted) byThread() bool { return w.thread != "" && !w.whole }

// fetched is what came of it. Without a header the message is gone.
type fetched struct {
	header provider.Header
	there  bool
}

// fetch gets messages, in the order of want. As many calls are under way as the quota allows at
// most; the gate lets out fewer.
func (m *mailbox) fetch(ctx context.Context, want []wanted) ([]fetched, error) {
	got := make([]fetched, len(want))
	spare := new(atomic.Int64)
	spare.Store(rawBudget)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(m.p.o.Quota.MaxFlight, 1))
	threads := m.threadsOf(want)
	for i, w := range want {
		if len(threads[w.thread]) == 0 || !w.byThread() {
			g.Go(func() error {
				h, err := m.one(ctx, w, spare)
				return got[i].set(h, err)
			})
			continue
		}
		group := threads[w.thread]
		if i != group[0] {
			continue
		}
		g.Go(func() error { return m.thread(ctx, want, got, group) })
	}
	return got, g.Wait()
}

func (f *fetched) set(h provider.Header, err error) error {
	if errors.Is(err, provider.ErrGone) {
		return nil
	}
	f.header, f.there = h, err == nil
	return err
}

// threadsOf finds the threads of which so many headers are wanted that asking for the whole thread
// is cheaper. It returns the places of their messages in want.
func (m *mailbox) threadsOf(want []wanted) map[string][]int {
	threads := make(map[string][]int)
	for i, w := range want {
		if w.byThread() {
			threads[w.thread] = append(threads[w.thread], i)
		}
	}
	for id, places := range threads {
		if !m.p.o.Quota.Prices.byThread(len(places)) {
			delete(threads, id)
		}
	}
	return threads
}

// one gets one message, later once more where it may be too early.
func (m *mailbox) one(ctx context.Context, w wanted, spare *atomic.Int64) (provider.Header, error) {
	h, err := m.once(ctx, w, spare)
	if !errors.Is(err, provider.ErrGone) || !w.late {
		return h, err
	}
	if err := pause(ctx, lateAfter); err != nil {
		return provider.Header{}, err
	}
	return m.once(ctx, w, spare)
}

// once gets one message: whole where that is wanted, else its header, else at least where it lies and
// when it came. A single message that the service cannot hand over must not hold up all others. spare
// is what is left of the batch's raw bytes.
func (m *mailbox) once(ctx context.Context, w wanted, spare *atomic.Int64) (provider.Header, error) {
	if w.whole && spare.Load() > 0 {
		msg, raw, err := m.whole(ctx, gate.Bulk, w.id)
		if err == nil {
			h, err := rawHeader(msg, raw)
			if spare.Add(-int64(len(raw))) < 0 {
				h.Raw = nil
				spare.Add(int64(len(raw)))
			}
			return h, err
		}
		if ctx.Err() != nil || final(err) {
			return provider.Header{}, err
		}
	}
	h, err := m.fields(ctx, w.id)
	if err == nil || ctx.Err() != nil || final(err) {
		return h, err
	}
	return m.bare(ctx, w.id)
}

// final says whether an error is about more than this message, as a limit is, or is the answer.
func final(err error) bool {
	if r, ok := errors.AsType[*gate.Refusal](err); ok && r.Kind != gate.Busy {
		return true
	}
	return slices.ContainsFunc([]error{
		provider.ErrGone, provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig,
		provider.ErrInsufficientScope,
	}, func(known error) bool { return errors.Is(err, known) })
}

// fields gets the header of one message.
func (m *mailbox) fields(ctx context.Context, id string) (provider.Header, error) {
	msg, err := m.get(ctx, id, func(c *api.UsersMessagesGetCall) *api.UsersMessagesGetCall {
		return c.Format("metadata").MetadataHeaders(metadataHeaders...).Fields(metadataFields)
	})
	if err != nil {
		return provider.Header{}, err
	}
	return metadataHeader(msg)
}

// bare gets what Gmail knows of a message without reading it.
func (m *mailbox) bare(ctx context.Context, id string) (provider.Header, error) {
	msg, err := m.get(ctx, id, func(c *api.UsersMessagesGetCall) *api.UsersMessagesGetCall {
		return c.Format("minimal").Fields(bareFields)
	})
	if err != nil {
		return provider.Header{}, err
	}
	h := headerOf(msg)
	h.Unreadable = true
	return h, nil
}

// get makes a call for one message.
func (m *mailbox) get(
	ctx context.Context, id string, with func(*api.UsersMessagesGetCall) *api.UsersMessagesGetCall,
) (msg *api.Message, err error) {
	err = m.call(ctx, gate.Bulk, opGet, m.p.o.Quota.Prices.Get, func(ctx context.Context) (err error) {
		msg, err = with(m.api.Users.Messages.Get(me, id)).Context(ctx).Do()
		return unless(func() bool { return soundMessage(msg, id) }, err)
	})
	return msg, err
}

// thread gets the headers of messages of one thread. What the thread does not have is asked for by
// its own id: it is gone, it is too early, or it has been moved to another thread. So is everything
// when the thread cannot be had.
func (m *mailbox) thread(ctx context.Context, want []wanted, got []fetched, places []int) error {
	var t *api.Thread
	err := m.call(ctx, gate.Bulk, opThread, m.p.o.Quota.Prices.Threads, func(ctx context.Context) (err error) {
		t, err = m.api.Users.Threads.Get(me, want[places[0]].thread).Format("metadata").
			MetadataHeaders(metadataHeaders...).
			Fields(googleapi.Field("messages(" + metadataFields + ")")).Context(ctx).Do()
		return unless(func() bool { return soundThread(t) }, err)
	})
	if err != nil && (ctx.Err() != nil || final(err) && !errors.Is(err, provider.ErrGone)) {
		return err
	}
	here := make(map[string]*api.Message)
	if err == nil {
		for _, msg := range t.Messages {
			here[msg.Id] = msg
		}
	}
	for _, i := range places {
		var h provider.Header
		if msg := here[want[i].id]; msg != nil {
			h, err = metadataHeader(msg)
		} else {
			h, err = m.one(ctx, want[i], nil)
		}
		if err := got[i].set(h, err); err != nil {
			return err
		}
	}
	return nil
}
