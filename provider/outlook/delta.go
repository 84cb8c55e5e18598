package outlook

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

const (
	// restartMargin is how much before the last complete round a folder begins again whose link is of
	// no use any more.
	restartMargin = 24 * time.Hour
	// refreshAfter is how long links are kept of which nothing was read: the service forgets the
	// oldest ones first.
	refreshAfter = time.Hour
	// mostFiltered is how many messages a round with a filter tells of at most
	// (https://learn.microsoft.com/graph/delta-query-messages). One that tells of so many may have left
	// some out: the folder is read without a filter then.
	mostFiltered = 5000
	// fromTheFirst is the floor of a folder that is read without a filter.
	fromTheFirst = -1
)

// deltaAddress is where the delta query of a folder begins.
func (m *mailbox) deltaAddress(s *spot) string {
	q := url.Values{"$select": {messageFields}}
	if s.Floor > 0 {
		q.Set("$filter", "receivedDateTime ge "+instant(s.Floor))
	}
	return m.address(q, "mailFolders", s.ID, "messages", "delta")
}

// instant writes Unix seconds as OData has it.
func instant(t int64) string { return time.Unix(t, 0).UTC().Format(time.RFC3339) }

// delta reads one page of a delta query.
func (m *mailbox) delta(ctx context.Context, address string) (page[message], error) {
	p, err := get[page[message]](ctx, m, gate.Bulk, opDelta, address,
		"odata.maxpagesize="+strconv.Itoa(m.p.o.PageSize))
	if err == nil && p.Delta == "" && (p.Next == "" || p.Next == address) {
		err = noLink(opDelta)
	}
	return p, err
}

// reader reads what changed in all folders, from a place to now.
type reader struct {
	m    *mailbox
	at   place
	send func(provider.Batch) error
	told bool // the place has changed since the cursor it began with

	placer placer
}

// first is the first page of a folder's round.
type first struct {
	page page[message]
	err  error
}

// run yields a batch for every page on which something changed, and none when nothing did.
func (r *reader) run(ctx context.Context) error {
	began := time.Now()
	if err := r.folders(ctx); err != nil {
		return err
	}
	r.placer = placer{m: r.m, tree: &r.at.Tree}
	pages, err := r.firstPages(ctx)
	if err != nil {
		return err
	}
	if err := r.restart(pages); err != nil {
		return err
	}
	for i := range r.at.Tree.Spots {
		s := &r.at.Tree.Spots[i]
		if !s.Kind.followed() {
			continue
		}
		if err := r.folder(ctx, s, pages[i]); err != nil {
			return err
		}
	}
	if !r.told && began.Unix()-r.at.Round < int64(refreshAfter/time.Second) {
		return nil
	}
	r.at.Round = began.Unix()
	return r.send(provider.Batch{Next: r.at.cursor()})
}

// folders reads what became of the folders. A folder whose kind has changed is read again from the
// beginning of what is of interest: all of its mail has moved with it. So is a new one: what was told of
// mail that came into it before it was known may be true no more.
func (r *reader) folders(ctx context.Context) error {
	t := r.at.Tree.clone()
	changed, err := r.m.grow(ctx, &t)
	if err != nil {
		return err
	}
	for _, id := range changed {
		t.find(id).Link = ""
	}
	for i := range t.Spots {
		if s := &t.Spots[i]; s.Link == "" && (s.Floor == 0 || slices.Contains(changed, s.ID)) {
			s.Floor = r.at.Since
		}
	}
	r.at.Tree = t
	return nil
}

// firstPages reads the first page of every folder, several at a time. Most have nothing new.
func (r *reader) firstPages(ctx context.Context) ([]first, error) {
	pages := make([]first, len(r.at.Tree.Spots))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(r.m.p.o.Quota.InFlight)
	for i := range pages {
		s := &r.at.Tree.Spots[i]
		if !s.Kind.followed() {
			continue
		}
		g.Go(func() error {
			p, err := r.m.delta(inner, s.address(r.m))
			if err != nil && !lostState(err) && !errors.Is(err, provider.ErrGone) {
				return err
			}
			pages[i] = first{p, err}
			return nil
		})
	}
	return pages, g.Wait()
}

// address is where a folder is read on.
func (s *spot) address(m *mailbox) string {
	if s.Link != "" {
		return s.Link
	}
	return m.deltaAddress(s)
}

// restart sets back the folders whose links are of no use any more. Where that is true of all, it is
// of the cursor.
func (r *reader) restart(pages []first) error {
	lost, alive := 0, 0
	var last error
	for i, p := range pages {
		s := &r.at.Tree.Spots[i]
		switch {
		case !s.Kind.followed() || s.Link == "":
		case p.err == nil:
			alive++
		case lostState(p.err):
			lost, last = lost+1, p.err
			s.Link, s.Floor = "", time.Unix(r.at.Round, 0).Add(-restartMargin).Unix()
		}
	}
	if lost > 0 && alive == 0 {
		return expired(last)
	}
	return nil
}

// folder reads the rest of a folder's round and yields it.
func (r *reader) folder(ctx context.Context, s *spot, f first) error {
	p, err := f.page, f.err
	if lostState(err) {
		p, err = r.m.delta(ctx, s.address(r.m))
		r.told = true
	}
	for {
		if errors.Is(err, provider.ErrGone) {
			// Deleted meanwhile, with its mail: the next round does not have it any more.
			return nil
		}
		if err != nil {
			return err
		}
		next := p.Next
		if next == "" {
			next = p.Delta
		}
		if err := r.page(ctx, s, p.Value, next, p.Next == ""); err != nil {
			return err
		}
		if p.Next == "" {
			return nil
		}
		p, err = r.m.delta(ctx, p.Next)
		if lostState(err) {
			// The next round begins this folder again.
			return &provider.RetryError{Err: err}
		}
	}
}

// page yields what one page of a folder comes to. next is the link behind it, last that the round ends.
func (r *reader) page(ctx context.Context, s *spot, records []message, next string, last bool) error {
	var b provider.Batch
	var ask []string
	kind := s.Kind
	for i := range records {
		x := &records[i]
		switch {
		case x.ID == "":
		case x.Removed != nil || x.partial():
			// Moves look like deletions, and of a change only the changed property is told.
			if !slices.Contains(ask, x.ID) {
				ask = append(ask, x.ID)
			}
		case kind == kindDraft:
		default:
			at, err := r.placer.kind(ctx, x.Folder)
			if err != nil {
				return err
			}
			put(&b, x.header(at))
		}
	}
	got, err := r.m.verify(ctx, ask)
	if err != nil {
		return err
	}
	for i, x := range got {
		switch {
		case x == nil:
			b.Removed = append(b.Removed, provider.RemoteID(ask[i]))
		case kind == kindDraft && x.Draft: // written on, or thrown away
		default:
			at, err := r.placer.kind(ctx, x.Folder)
			if err != nil {
				return err
			}
			put(&b, x.header(at))
		}
	}
	r.told = r.told || s.Link == ""
	s.count(len(records))
	s.Link, s.Floor = next, 0
	if last && s.Told > mostFiltered {
		r.m.p.o.Logger.WarnContext(ctx, "outlook: a folder has more new mail than a filter tells of: all of it is read")
		s.Link, s.Floor, r.told = "", fromTheFirst, true
	}
	if last {
		s.Told = 0
	}
	if len(b.Put) == 0 && len(b.Removed) == 0 {
		return nil
	}
	b.Next = r.at.cursor()
	r.told = true
	return r.send(b)
}

// count counts records of a round that began with a filter.
func (s *spot) count(records int) {
	switch {
	case s.Link == "" && s.Floor > 0:
		s.Told = 1 + records
	case s.Link == "":
		s.Told = 0
	case s.Told > 0:
		s.Told += records
	}
}

// put adds a message, once.
func put(b *provider.Batch, h provider.Header) {
	for i := range b.Put {
		if b.Put[i].ID == h.ID {
			b.Put[i] = h
			return
		}
	}
	b.Put = append(b.Put, h)
}
