package ticket

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/storage"
)

// SearchQuery is what a person looks for.
type SearchQuery struct {
	Text string // words as ParseTerms reads them
	// Filter narrows as it does in Tickets. Its After and Limit do not matter.
	Filter Query
	// Levels lowers what may be read in an inbox (11.2); an inbox that is not named is read in full.
	Levels map[inbox.ID]Level
	// After is the Key of the last hit of the page before; nil begins.
	After *HitKey
	// Limit is how many hits there are at most; zero is all.
	Limit int
}

// Level is how much of the mail of an inbox may be read (11.2). The zero Level is all of it; an
// unknown one is metadata.
type Level string

// The levels.
const (
	LevelFull     Level = ""
	LevelSubject  Level = "subject"  // and metadata
	LevelMetadata Level = "metadata" // who wrote to whom and when
)

// readable returns the fields that may be looked at.
func (l Level) readable() Fields {
	switch l {
	case LevelFull:
		return AllFields
	case LevelSubject:
		return InSubject | InPeople
	}
	return InPeople
}

// Rank says how well an entry fits: where all the words are.
type Rank int

// The ranks, the best one last.
const (
	RankQuote   Rank = iota + 1 // some word stands only in what the mail quotes of others
	RankText                    // all in the mail's own text, its subject, people and files
	RankSubject                 // all in the subject
)

// fields are where the words of a rank may stand.
func (r Rank) fields() Fields {
	switch r {
	case RankSubject:
		return InSubject
	case RankText:
		return AllFields &^ InQuote
	}
	return AllFields
}

// Hit is a ticket that was found, by the entry of it that fits best, the newest of those that fit
// alike.
type Hit struct {
	Ticket   Ticket
	Entry    Entry
	Rank     Rank
	Snippets []Snippet
	key      HitKey
}

// HitKey is the place of a hit in the order of a search.
type HitKey struct {
	Rank  Rank
	Place int64 // of the Match
}

// Key returns the hit's place in the order of its search.
func (h *Hit) Key() *HitKey { return &h.key }

// Search yields the tickets in which an entry holds all the words, best rank first and within a rank
// newest entry first, each ticket once. It looks at what the actor may read as Entries and
// inbox.Service.View show it, at this moment: nothing else is found, nor kept out by a word with a
// minus. Blind copies are never looked at (R-MSG-04). At a lower level of an inbox only what may be
// read there is looked at and shown. A mail is found once Collect has taken it.
//
// Errors of the text are ErrNoWords and ErrLongSearch. The next page starts after the Key of the last
// hit; a ticket that was on a page before is not there again, unless mail has come in since.
func (s *Service) Search(ctx context.Context, actor acl.Actor, q SearchQuery) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		if err := s.search(ctx, actor, q, yield); err != nil {
			yield(Hit{}, err)
		}
	}
}

func (s *Service) search(ctx context.Context, actor acl.Actor, q SearchQuery, yield func(Hit, error) bool) error {
	terms, err := ParseTerms(q.Text)
	if err != nil {
		return err
	}
	filter, err := s.bounded(ctx, actor, q.Filter)
	if err != nil || len(filter.Inboxes) == 0 {
		return err
	}
	r := searcher{s: s, actor: actor, q: &q, terms: terms, seen: make(map[ID]bool), lost: s.lostAccess()}
	r.split(filter)
	left := q.Limit
	for rank := RankSubject; rank >= RankQuote; rank-- {
		if q.After != nil && rank > q.After.Rank {
			continue
		}
		for m, err := range r.ranked(ctx, rank) {
			if err != nil {
				return err
			}
			h, ok, err := r.hit(ctx, rank, m)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if !yield(h, nil) {
				return nil
			}
			if left--; left == 0 {
				return nil
			}
		}
	}
	return nil
}

// searcher is one search on its way.
type searcher struct {
	s     *Service
	actor acl.Actor
	q     *SearchQuery
	terms []Term
	// levels are the filters by what may be read in their inboxes.
	levels []leveled
	seen   map[ID]bool // tickets that were hits
	lost   *lost
}

type leveled struct {
	filter   Query
	readable Fields
}

// split parts the visible set by what may be read.
func (r *searcher) split(filter Query) {
	by := make(map[Fields][]inbox.ID)
	for _, id := range filter.Inboxes {
		f := r.q.Levels[id].readable()
		by[f] = append(by[f], id)
	}
	for _, l := range []Level{LevelFull, LevelSubject, LevelMetadata} {
		if ids := by[l.readable()]; len(ids) > 0 {
			part := filter
			part.Inboxes = ids
			r.levels = append(r.levels, leveled{part, l.readable()})
		}
	}
}

func (r *searcher) query(l *leveled, rank Rank) MatchQuery {
	return MatchQuery{Tickets: l.filter, Terms: r.terms, Fields: rank.fields(), Readable: l.readable}
}

// found is a match with the fields that may be read of it.
type found struct {
	Match
	readable Fields
}

// keep returns the text of a field that may be read, else nothing.
func (m *found) keep(field Fields, text string) string {
	if m.readable&field == 0 {
		return ""
	}
	return text
}

// searchPage is how many matches are looked at at once.
const searchPage = 50

// ranked yields the matches of a rank, newest first, whose tickets were not among the hits before.
func (r *searcher) ranked(ctx context.Context, rank Rank) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		var page []found
		flush := func() (more bool) {
			fresh, err := r.fresh(ctx, page)
			page = page[:0]
			if err != nil {
				yield(found{}, err)
				return false
			}
			for _, m := range fresh {
				if !r.seen[m.Ticket] && !yield(m, nil) {
					return false
				}
			}
			return true
		}
		for m, err := range r.merged(ctx, rank) {
			if err != nil {
				yield(found{}, err)
				return
			}
			if r.seen[m.Ticket] {
				continue
			}
			if page = append(page, m); len(page) == searchPage && !flush() {
				return
			}
		}
		flush()
	}
}

// merged yields the matches of all levels, newest first.
func (r *searcher) merged(ctx context.Context, rank Rank) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		type stream struct {
			next     func() (Match, error, bool)
			head     Match
			readable Fields
		}
		var streams []*stream
		for i := range r.levels {
			q := r.query(&r.levels[i], rank)
			if r.q.After != nil && r.q.After.Rank == rank {
				q.After = r.q.After.Place
			}
			if q.Impossible() {
				continue
			}
			next, stop := iter.Pull2(r.matches(ctx, q))
			defer stop()
			m, err, more := next()
			if err != nil {
				yield(found{}, err)
				return
			}
			if more {
				streams = append(streams, &stream{next, m, r.levels[i].readable})
			}
		}
		for len(streams) > 0 {
			newest := slices.MaxFunc(streams, func(a, b *stream) int { return cmp.Compare(a.head.Place, b.head.Place) })
			if !yield(found{newest.head, newest.readable}, nil) {
				return
			}
			m, err, more := newest.next()
			if err != nil {
				yield(found{}, err)
				return
			}
			if newest.head = m; !more {
				streams = slices.DeleteFunc(streams, func(s *stream) bool { return s == newest })
			}
		}
	}
}

// matches yields what the store finds, few at first where few are wanted: most searches need no more.
func (r *searcher) matches(ctx context.Context, q MatchQuery) iter.Seq2[Match, error] {
	if r.q.Limit == 0 || r.q.Limit > searchPage {
		return r.s.Store.Matches(ctx, q)
	}
	return func(yield func(Match, error) bool) {
		n := 0
		first := q
		first.Limit = searchPage
		for m, err := range r.s.Store.Matches(ctx, first) {
			if n, q.After = n+1, m.Place; !yield(m, err) || err != nil {
				return
			}
		}
		if n < searchPage {
			return
		}
		for m, err := range r.s.Store.Matches(ctx, q) {
			if !yield(m, err) {
				return
			}
		}
	}
}

// fresh leaves out the matches of tickets that were hits of a page before: those that have a match up
// to its last one.
func (r *searcher) fresh(ctx context.Context, page []found) ([]found, error) {
	if r.q.After == nil || len(page) == 0 {
		return page, nil
	}
	var only []ID
	for _, m := range page {
		if !slices.Contains(only, m.Ticket) {
			only = append(only, m.Ticket)
		}
	}
	before := make(map[ID]bool)
	for rank := RankSubject; rank >= r.q.After.Rank; rank-- {
		for i := range r.levels {
			q := r.query(&r.levels[i], rank)
			if q.Only = only; q.Impossible() {
				continue
			}
			for m, err := range r.s.Store.Matches(ctx, q) {
				if err != nil {
					return nil, err
				}
				if rank == r.q.After.Rank && m.Place < r.q.After.Place {
					break
				}
				before[m.Ticket] = true
			}
		}
	}
	return slices.DeleteFunc(page, func(m found) bool { return before[m.Ticket] }), nil
}

// hit loads what a match is of, as the actor may see it. It is not there when the ticket or the entry
// went meanwhile.
func (r *searcher) hit(ctx context.Context, rank Rank, m found) (Hit, bool, error) {
	gone := func(err error) (Hit, bool, error) {
		if errors.Is(err, storage.ErrNotFound) {
			err = nil
		}
		return Hit{}, false, err
	}
	t, in, err := r.s.visibleTicket(ctx, r.actor, m.Ticket)
	if err != nil {
		return gone(err)
	}
	e, err := r.s.storedEntry(ctx, m.Ticket, m.Entry)
	if err != nil {
		return gone(err)
	}
	e, seen, err := r.s.reader(r.actor, &in).show(ctx, e)
	if err != nil || !seen {
		return Hit{}, false, err
	}
	if err := r.lost.takeOff(ctx, &t); err != nil {
		return Hit{}, false, err
	}
	if t, err = r.s.unlinkTicket(ctx, r.actor, t); err != nil {
		return Hit{}, false, err
	}
	parts, err := r.parts(ctx, &e)
	if err != nil {
		return gone(err)
	}
	r.seen[t.ID] = true
	e.Text, t.Subject = m.keep(InText, e.Text), m.keep(InSubject, t.Subject)
	if o := e.Outgoing; o != nil {
		o.Subject = m.keep(InSubject, o.Subject)
		if m.readable&InFiles == 0 {
			o.Files = nil
		}
	}
	return Hit{Ticket: t, Entry: e, Rank: rank, Snippets: snippets(&parts, r.terms, m.readable),
		key: HitKey{rank, m.Place}}, true, nil
}

// parts are the fields of an entry as the actor may read them.
func (r *searcher) parts(ctx context.Context, e *Entry) (fieldTexts, error) {
	if e.Message == "" {
		return writtenParts(e), nil
	}
	v, err := r.s.Inboxes.Shown(ctx, r.actor, e.Message, htmlsafe.Options{})
	if err != nil {
		return fieldTexts{}, err
	}
	return partsOf(&v.Message, &v.Content), nil
}
