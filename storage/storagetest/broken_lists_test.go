package storagetest_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

var brokenValues = []broken[inbox.Store]{
	{"Times/MicrosecondsUTC", "milliseconds", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				at := &imp.Put[i].Message.Received
				*at = at.Truncate(time.Millisecond)
			}
		}}
	}},
	{"Times/MicrosecondsUTC", "zero is 1970", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, state: func(st *inbox.SyncState) {
			if st.Begun.IsZero() {
				st.Begun = time.Unix(0, 0).UTC()
			}
		}}
	}},
	{"Times/MicrosecondsUTC", "comes back in another zone", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, messagesOut: altered(func(m *inbox.Message) {
			m.Date = m.Date.In(time.FixedZone("here", 3600))
		})}
	}},
	{"Text/AnyUTF8", "trims", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				m := &imp.Put[i].Message
				m.Subject = strings.TrimSpace(m.Subject)
			}
		}}
	}},
	{"Text/AnyUTF8", "three bytes a character", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, saveCompany: func(c *inbox.Company) {
			c.Name = strings.Map(func(r rune) rune {
				if r > 0xffff {
					return '?'
				}
				return r
			}, c.Name)
		}}
	}},
	{"Text/BigContent", "one megabyte at most", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, commit: func(imp *inbox.Import) {
			for i := range imp.Put {
				c := &imp.Put[i].Content
				c.Text = c.Text[:min(len(c.Text), 1<<20)]
			}
		}}
	}},
	{"IDs/CaseSensitive", "trailing space", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, message: func(id inbox.MessageID) inbox.MessageID {
			return inbox.MessageID(strings.TrimSpace(string(id)))
		}}
	}},
	{"IDs/CaseSensitive", "remote ids are folded", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, seen: func(known map[provider.RemoteID]inbox.Seen) {
			for r, seen := range maps.Clone(known) {
				folded, _ := s.Seen(background, "AAkA", []provider.RemoteID{
					provider.RemoteID(strings.ToLower(string(r))),
				})
				for _, seen = range folded {
					known[r] = seen
				}
			}
		}}
	}},
	{"Values/AreCopies", "hands out its own", func(s *memory.Store) inbox.Store {
		own := map[inbox.MessageID]inbox.Content{}
		return &bent{Store: s, content: func(
			id inbox.MessageID, c inbox.Content, err error,
		) (inbox.Content, error) {
			if _, has := own[id]; !has {
				own[id] = c
			}
			return own[id], err
		}}
	}},
	{"Values/AreCopies", "keeps what it is given", func(s *memory.Store) inbox.Store {
		var given *inbox.BackfillState
		return &bent{Store: s,
			commit: func(imp *inbox.Import) { given = imp.State.Backfill },
			state: func(st *inbox.SyncState) {
				if given != nil {
					st.Backfill = given
				}
			}}
	}},
}

// oneConnection is a store whose lists hold the only connection while they yield.
type oneConnection struct {
	*memory.Store
	free    chan struct{}
	release bool // also when the caller breaks out
}

func single(s *memory.Store, connections int, release bool) *oneConnection {
	c := &oneConnection{s, make(chan struct{}, connections), release}
	for range connections {
		c.free <- struct{}{}
	}
	return c
}

func (c *oneConnection) take(ctx context.Context) error {
	select {
	case <-c.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func held[V any](ctx context.Context, c *oneConnection, seq iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		if err := c.take(ctx); err != nil {
			yield(none, err)
			return
		}
		for v, err := range seq {
			if !yield(v, err) {
				if c.release {
					c.free <- struct{}{}
				}
				return
			}
		}
		c.free <- struct{}{}
	}
}

func (c *oneConnection) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	return held(ctx, c, c.Store.Inboxes(ctx, q))
}

func (c *oneConnection) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	return held(ctx, c, c.Store.Tickets(ctx, q))
}

func (c *oneConnection) Blobs(ctx context.Context, id inbox.ID) iter.Seq2[inbox.BlobInfo, error] {
	return held(ctx, c, c.Store.Blobs(ctx, id))
}

func (c *oneConnection) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	if err := c.take(ctx); err != nil {
		return inbox.Inbox{}, err
	}
	defer func() { c.free <- struct{}{} }()
	return c.Store.UpdateInbox(ctx, in, log, ev...)
}

func (c *oneConnection) SaveTickets(
	ctx context.Context, w []ticket.Write, ev ...inbox.Event,
) ([]ticket.Ticket, error) {
	if err := c.take(ctx); err != nil {
		return nil, err
	}
	defer func() { c.free <- struct{}{} }()
	return c.Store.SaveTickets(ctx, w, ev...)
}

func (c *oneConnection) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	if err := c.take(ctx); err != nil {
		return err
	}
	defer func() { c.free <- struct{}{} }()
	return c.Store.DeleteBlob(ctx, key)
}

// deaf is a store whose lists do not hear that their context has ended, or tell it as the plain end
// of the list.
type deaf struct {
	*memory.Store
	quiet bool
}

func unheard[V any](
	ctx context.Context, d *deaf, seq func(context.Context) iter.Seq2[V, error],
) iter.Seq2[V, error] {
	if !d.quiet {
		return seq(context.WithoutCancel(ctx))
	}
	return func(yield func(V, error) bool) {
		for v, err := range seq(ctx) {
			if err != nil || !yield(v, nil) {
				return
			}
		}
	}
}

func (d *deaf) Messages(ctx context.Context, q inbox.MessageQuery) iter.Seq2[inbox.Message, error] {
	return unheard(ctx, d, func(ctx context.Context) iter.Seq2[inbox.Message, error] {
		return d.Store.Messages(ctx, q)
	})
}

func (d *deaf) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	return unheard(ctx, d, func(ctx context.Context) iter.Seq2[ticket.Entry, error] {
		return d.Store.Entries(ctx, q)
	})
}

func (d *deaf) Blobs(ctx context.Context, id inbox.ID) iter.Seq2[inbox.BlobInfo, error] {
	return unheard(ctx, d, func(ctx context.Context) iter.Seq2[inbox.BlobInfo, error] {
		return d.Store.Blobs(ctx, id)
	})
}

// short yields the first page of a list and forgets the others.
func short[V any](seq iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		n := 0
		for v, err := range seq {
			if n++; n > 256 || !yield(v, err) {
				return
			}
		}
	}
}

var brokenLists = []broken[inbox.Store]{
	{"Lists/LongOnes", "one page", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, queueOut: short[inbox.Queued]}
	}},
	{"Lists/CancelledContext", "does not hear", func(s *memory.Store) inbox.Store {
		return &deaf{s, false}
	}},
	{"Lists/CancelledContext", "no error", func(s *memory.Store) inbox.Store {
		return &deaf{s, true}
	}},
	{"Lists/BreakReleases", "keeps a connection", func(s *memory.Store) inbox.Store {
		return single(s, 8, false)
	}},
	{"Inboxes/WriteWhileReading", "one connection", func(s *memory.Store) inbox.Store {
		return single(s, 1, true)
	}},
	{"Inboxes/WriteWhileReading", "no value behind a write", func(s *memory.Store) inbox.Store {
		writes := 0
		return &bent{Store: s,
			update: func(*inbox.Inbox, *[]inbox.Change) { writes++ },
			inboxesOut: func(seq iter.Seq2[inbox.Inbox, error]) iter.Seq2[inbox.Inbox, error] {
				return func(yield func(inbox.Inbox, error) bool) {
					before := writes
					for in, err := range seq {
						if writes > before || !yield(in, err) {
							return
						}
					}
				}
			}}
	}},
}

var brokenRaces = []broken[inbox.Store]{
	{"Concurrency/ConflictExactlyOneWins", "last write wins", func(s *memory.Store) inbox.Store {
		return &overwriting{Store: s}
	}},
	{"Concurrency/AddressExactlyOneWins", "all win", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, updated: accepts(s)}
	}},
	{"Concurrency/EnsureMakesOne", "looks, then makes", func(s *memory.Store) inbox.Store {
		return &bentClients{Store: s, ensure: func(from *inbox.ID, who []inbox.Known) {
			who[0].Address = fmt.Sprint(*from, who[0].Address)
		}}
	}},
	{"Concurrency/ReadersSeeWholeCommits", "half a commit", func(s *memory.Store) inbox.Store {
		return &halves{Store: s, seen: make(chan struct{})}
	}},
}

// overwriting stores an inbox on whatever is there.
type overwriting struct {
	*memory.Store
	mu sync.Mutex
}

func (o *overwriting) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	stored, err := o.Store.Inbox(ctx, in.ID)
	if err != nil {
		return inbox.Inbox{}, err
	}
	in.Version = stored.Version
	return o.Store.UpdateInbox(ctx, in, log, ev...)
}

// halves shows half of its first commit to a reader before it goes on.
type halves struct {
	*memory.Store
	mu   sync.Mutex
	half int
	seen chan struct{}
	once sync.Once
}

func (h *halves) Commit(
	ctx context.Context, imp inbox.Import, ev ...inbox.Event,
) (inbox.SyncState, error) {
	if imp.State.Version == storage.Version(0) {
		h.set(1)
		<-h.seen
		h.set(0)
	}
	return h.Store.Commit(ctx, imp, ev...)
}

func (h *halves) set(half int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.half = half
}

func (h *halves) Tally(ctx context.Context, id inbox.ID) (inbox.Tally, error) {
	t, err := h.Store.Tally(ctx, id)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.half > 0 {
		t.Messages += h.half
		h.once.Do(func() { close(h.seen) })
	}
	return t, err
}
