package inbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// pageRules says how the mail of one stream is decided.
type pageRules struct {
	filter *filter.Filter
	code   QueueCode // under which what cannot be read waits
	again  bool      // decide rejected mail anew: a backfill
}

// page is one batch on its way into the store.
type page struct {
	batch   provider.Batch
	items   []*item // to open, in the order of the batch
	unread  []*item // nothing of their headers is known: to be opened later
	known   int
	reject  []Rejected
	changed []MessageChange
}

// item is one mail on its way into the store.
type item struct {
	header  provider.Header
	facts   filter.Facts
	thread  filter.Thread
	verdict filter.Verdict
	rules   pageRules
	opens   bool    // it is the oldest client's mail of its thread so far
	queued  *Queued // it came from the retry queue; its header is not known before it is opened
	last    bool    // a report of a mail not seen is decided now, not kept waiting

	done chan struct{} // closed when out or err is set
	out  *opened
	err  error
}

// overlay is what one sync has decided and not stored yet. The reader of the stream and the writer
// of the store share it.
type overlay struct {
	mu     sync.Mutex
	opened map[ThreadID]time.Time
	flight map[provider.RemoteID]bool
}

func newOverlay() *overlay {
	return &overlay{opened: make(map[ThreadID]time.Time), flight: make(map[provider.RemoteID]bool)}
}

// enter notes a mail under way.
func (o *overlay) enter(id provider.RemoteID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flight[id] = true
}

// meets says whether a mail of the batch is under way.
func (o *overlay) meets(b *provider.Batch) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(b.Put, func(h provider.Header) bool { return o.flight[h.ID] }) ||
		slices.ContainsFunc(b.Removed, func(id provider.RemoteID) bool { return o.flight[id] })
}

func (o *overlay) leave(id provider.RemoteID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.flight, id)
}

// open notes the time a thread is opened by a client's mail; false says that it is no news.
func (o *overlay) open(t ThreadID, at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if have, ok := o.opened[t]; ok && !at.Before(have) {
		return false
	}
	o.opened[t] = at
	return true
}

func (o *overlay) thread(t ThreadID) filter.Thread {
	o.mu.Lock()
	defer o.mu.Unlock()
	return filter.Thread{Opened: o.opened[t]}
}

// errNoHeader says why a mail waits that was listed without its header.
var errNoHeader = errors.New("the service did not hand over its header")

// decide judges a batch by its headers.
func (y *syncer) decide(ctx context.Context, b provider.Batch, rules pageRules) (*page, error) {
	p := &page{batch: b}
	fresh, stored, err := y.sortOut(ctx, b.Put, rules)
	if err != nil {
		return nil, err
	}
	p.known = len(b.Put) - len(fresh)
	if p.changed, err = y.changedMail(ctx, stored, b.Removed); err != nil {
		return nil, err
	}
	fresh = slices.DeleteFunc(fresh, func(it *item) bool {
		if it.header.Unreadable {
			it.err = errNoHeader
			p.unread = append(p.unread, it)
		}
		return it.header.Unreadable
	})
	if err := y.loadThreads(ctx, fresh); err != nil {
		return nil, err
	}
	for _, it := range fresh {
		y.judge(it)
	}
	// Mail judged before its thread was opened, by a mail further down the page, is judged again.
	for _, it := range fresh {
		if reopens(it.verdict) {
			y.judge(it)
		}
	}
	for _, it := range fresh {
		if it.verdict.Accept || it.verdict.NeedsReport {
			it.done = make(chan struct{})
			p.items = append(p.items, it)
			continue
		}
		p.reject = append(p.reject, it.rejected())
	}
	return p, nil
}

func (y *syncer) judge(it *item) {
	it.thread = y.known.thread(it.header.Thread)
	it.verdict = it.rules.filter.Decide(&it.facts, it.thread)
	it.opens = it.verdict.Opens && y.known.open(it.header.Thread, it.header.Received)
}

// reopens says whether a thread opened later could let the mail in.
func reopens(v filter.Verdict) bool {
	return !v.Accept && (v.Reason == filter.NotClientAssociated || v.Reason == filter.Automated)
}

// rejected is all that is kept of a mail the filter does not let in. An auto-reply counts as one
// with a client: a known thread lets it in too (row 10).
func (it *item) rejected() Rejected {
	return Rejected{
		Remote: it.header.ID, Thread: it.header.Thread, Received: it.header.Received,
		Reason: it.verdict.Reason, Rules: it.verdict.Version,
		Client: it.verdict.ClientPresent || it.facts.Class == filter.AutoReply,
		Folder: it.header.Folder, Sent: it.header.Sent, Unread: it.header.Unread,
	}
}

// sortOut parts what has to be decided from what is known already, and of that what is stored.
func (y *syncer) sortOut(ctx context.Context, hs []provider.Header, rules pageRules) (fresh []*item, stored []*provider.Header, err error) {
	ids := make([]provider.RemoteID, len(hs))
	for i := range hs {
		ids[i] = hs[i].ID
	}
	if len(ids) == 0 {
		return nil, nil, nil
	}
	seen, err := y.s.Store.Seen(ctx, y.in.ID, ids)
	if err != nil {
		return nil, nil, err
	}
	here := make(map[provider.RemoteID]*item)
	for i := range hs {
		h := &hs[i]
		have := seen[h.ID]
		if settled(have, rules.again) {
			if have.State == SeenStored {
				stored = append(stored, h)
			}
			continue
		}
		it := here[h.ID] // of a mail that is listed twice the later counts
		if it == nil {
			it = &item{rules: rules}
			here[h.ID] = it
			fresh = append(fresh, it)
			y.known.enter(h.ID)
		}
		it.header = *h
		if h.Thread == "" { // a source that broke its promise: no two strangers share a thread
			it.header.Thread = ThreadID(h.ID)
		}
		it.facts, _ = factsOf(h)
	}
	return fresh, stored, nil
}

// settled says whether what is known of a mail stands. Rejected stays rejected until a rule change
// decides anew, but for mail in a skipped folder or outside the window: those can move in. Purged mail
// never does.
func settled(have Seen, again bool) bool {
	switch have.State {
	case SeenStored, SeenQueued, SeenPoison:
		return true
	case SeenRejected:
		return have.Reason == ReasonPurged ||
			!again && have.Reason != filter.SkippedFolder && have.Reason != filter.OutsideWindow
	}
	return false
}

// loadThreads brings what the store knows of the items' threads into the overlay.
func (y *syncer) loadThreads(ctx context.Context, items []*item) error {
	var ask []ThreadID
	asked := make(map[ThreadID]bool, len(items))
	for _, it := range items {
		if !asked[it.header.Thread] {
			asked[it.header.Thread] = true
			ask = append(ask, it.header.Thread)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	threads, err := y.s.Store.Threads(ctx, y.in.ID, ask)
	if err != nil {
		return err
	}
	for id, t := range threads {
		if !t.Opened.IsZero() {
			y.known.open(id, t.Opened)
		}
	}
	return nil
}

// changedMail finds what became different of stored mail: read, moved, deleted.
func (y *syncer) changedMail(ctx context.Context, stored []*provider.Header, removed []provider.RemoteID) ([]MessageChange, error) {
	if len(stored)+len(removed) == 0 {
		return nil, nil
	}
	ids := append([]provider.RemoteID(nil), removed...)
	now := make(map[provider.RemoteID]*provider.Header, len(stored))
	for _, h := range stored {
		ids = append(ids, h.ID)
		now[h.ID] = h
	}
	var out []MessageChange
	for m, err := range y.s.Store.Messages(ctx, MessageQuery{Inbox: y.in.ID, Remotes: ids, Hidden: true}) {
		if err != nil {
			return nil, err
		}
		c := MessageChange{ID: m.ID}
		gone := true
		if h := now[m.Remote]; h != nil {
			if h.Unread != m.Unread {
				c.Unread = &h.Unread
			}
			if h.Folder != m.Folder {
				c.Folder = &h.Folder
			}
			gone = h.Folder == provider.FolderTrash || h.Folder == provider.FolderSpam
		}
		if y.in.Settings.MirrorDeletes && gone != m.Removed {
			c.Removed = &gone
		}
		if c != (MessageChange{ID: m.ID}) {
			out = append(out, c)
		}
	}
	return out, nil
}

// opener returns the function that starts the opening of items, InFlight at a time; it blocks while
// all are busy. Where the mailbox opens many at once, it asks in groups.
func (y *syncer) opener(ctx context.Context, wg *sync.WaitGroup) func([]*item) {
	busy := make(chan struct{}, y.s.InFlight)
	start := func(run func()) {
		busy <- struct{}{}
		wg.Go(func() {
			defer func() { <-busy }()
			run()
		})
	}
	bulk, many := provider.As[provider.BulkOpener](y.box)
	return func(items []*item) {
		if many {
			for group := range slices.Chunk(items, 20) {
				start(func() { y.openMany(ctx, bulk, group) })
			}
			return
		}
		for _, it := range items {
			start(func() { y.openOne(ctx, it) })
		}
	}
}

// fill completes the header of a queued mail from its raw bytes.
func (it *item) fill(h rfc822.Header) {
	e := h.Envelope()
	p := &it.header
	p.From, p.Sender, p.ReplyTo, p.To, p.Cc, p.Bcc = e.From, e.Sender, e.ReplyTo, e.To, e.Cc, e.Bcc
	p.MessageID = e.MessageID
	for _, name := range provider.ClassFields() {
		for _, v := range h.Values(name) {
			p.Fields = append(p.Fields, provider.Field{Name: name, Value: v})
		}
	}
	it.facts, _ = factsOf(p)
}
