package inbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
)

// pagesAhead is how many pages may be under way at once: one being stored while the next is
// fetched. It is also what a crash can cost, and what two workers forced onto one inbox can: whoever
// commits second loses what it has under way. That is one page for a worker that has stored none so
// far (proven), which is the usual loser, since it lists a page the other has already. It is two when
// the other one loses: when the newcomer read the state right after a commit, fetched the same page as
// fast, and committed it first. To waste only one then, every worker would have to fetch no page
// before the last is stored, which makes all imports slower for the sake of what leases rule out.
const pagesAhead = 2

// read runs one stream through. Three steps go on at once: one goroutine lists, one decides and
// starts the opening, and this one stores page after page in order. moved takes over a batch's
// cursor when its page is complete.
func (y *syncer) read(whole context.Context, from provider.Cursor, walk provider.Walk, rules pageRules,
	moved func(*provider.Batch)) error {
	ctx, cancel := context.WithCancel(whole)
	defer cancel()
	st := &stream{
		batches: make(chan provider.Batch), pages: make(chan *page, pagesAhead),
		listed: make(chan struct{}, pagesAhead+1), opened: make(chan struct{}, pagesAhead),
		proven: make(chan struct{}),
	}
	var listErr, decideErr, err error
	var work sync.WaitGroup
	work.Go(func() {
		defer close(st.batches)
		listErr = y.list(ctx, st, from, walk)
	})
	work.Go(func() {
		defer close(st.pages)
		if decideErr = y.decideAll(ctx, st, rules, &work); decideErr != nil {
			cancel()
		}
	})
	prove := sync.OnceFunc(func() { close(st.proven) })
	for p := range st.pages {
		if err == nil {
			if err = y.settle(ctx, p, moved); err != nil {
				cancel()
			} else {
				prove()
			}
		}
		<-st.opened
		<-st.listed
	}
	cancel()
	work.Wait()
	// The first error cancels the other steps, and theirs tell nothing.
	errs := []error{err, decideErr, listErr}
	if i := slices.IndexFunc(errs, func(e error) bool { return e != nil && !errors.Is(e, context.Canceled) }); i >= 0 {
		return errs[i]
	}
	return cmp.Or(errs...)
}

// stream is what the steps of read hand each other. listed and opened bound how far the first two
// may be ahead of the store: a crash costs the bodies of pagesAhead pages and no more.
type stream struct {
	batches chan provider.Batch
	pages   chan *page
	listed  chan struct{}
	opened  chan struct{}
	// proven is closed when the first page is stored. Nothing is listed behind that page before: of
	// two workers on one inbox the slower then knows of the other, and has asked for one page in vain.
	proven chan struct{}
}

// list reads batches. It may be one ahead of the opening, but not where batches bring the bodies
// along, nor where headers are paid for by themselves (Strict): what a crash repeats stays two pages.
func (y *syncer) list(ctx context.Context, st *stream, from provider.Cursor, walk provider.Walk) error {
	take := func() error {
		select {
		case st.listed <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := take(); err != nil {
		return err
	}
	notAhead := sync.OnceValue(take) // keeps one place for good
	if y.s.Strict {
		if err := notAhead(); err != nil {
			return err
		}
	}
	for b, err := range y.box.Changes(ctx, from, walk) {
		if err != nil {
			return err
		}
		select {
		case st.batches <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		if slices.ContainsFunc(b.Put, func(h provider.Header) bool { return h.Raw != nil }) {
			if err := notAhead(); err != nil {
				return err
			}
		}
		if err := take(); err != nil {
			return err
		}
		select {
		case <-st.proven:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// settled waits until every page but the one being made is stored.
func (st *stream) settled(ctx context.Context) error {
	for n := 1; n < pagesAhead; n++ {
		select {
		case st.opened <- struct{}{}:
			defer func() { <-st.opened }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// decideAll turns batches into pages and starts the opening of what may enter. A mail that is listed
// again while it is under way waits until it is stored, so that what became different of it counts.
// After the first walk every batch is decided by the clients as they are then: a walk may take hours.
func (y *syncer) decideAll(ctx context.Context, st *stream, rules pageRules, work *sync.WaitGroup) error {
	open := y.opener(ctx, work)
	for b := range st.batches {
		select {
		case st.opened <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		news, err := y.newClients(ctx, &b)
		if err != nil {
			return err
		}
		if news || y.known.meets(&b) {
			if err := st.settled(ctx); err != nil {
				return err
			}
		}
		if news && !rules.again {
			if err := y.meetClients(ctx); err != nil {
				return err
			}
			rules.filter = y.filter
		}
		p, err := y.decide(ctx, b, rules)
		if err != nil {
			return err
		}
		st.pages <- p
		open(p.items)
	}
	return nil
}

// newClients says whether a batch comes after a change of the site's clients, of which live changes
// want to know, or is the first with mail to decide by a directory that was not read in full.
func (y *syncer) newClients(ctx context.Context, b *provider.Batch) (bool, error) {
	if y.loose && len(b.Put) > 0 {
		y.loose = false
		return true, nil
	}
	if b.Walking {
		return false, nil
	}
	_, version, err := y.s.Store.Snapshot(ctx, y.in.Site, y.snap.version)
	return version != y.snap.version, err
}

// meetClients takes over the site's clients as they are now. Nothing else of the sync may go on.
func (y *syncer) meetClients(ctx context.Context) (err error) {
	if y.snap, err = y.s.snapshot(ctx, y.in.Site); err != nil {
		return err
	}
	clear(y.met)
	y.filter, err = y.s.compile(&y.in, y.snap, filter.Config{Floor: y.in.Floor()})
	return err
}
