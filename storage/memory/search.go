package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// searchRows hold what searches find entries by, and who has read which ticket.
type searchRows struct {
	texts map[ticket.EntryID]*text
	words map[string]map[*text][]spot // where each word is
	given int64                       // places given, which tells those of one second apart
	reads map[ticket.ID]map[acl.UserID]time.Time
}

// text is an entry that can be found.
type text struct {
	entry ticket.EntryID
	place int64
	files bool
	words []string
}

// spot is the place of a word in a text: the field, then the number of the word in it.
type spot uint32

const fieldBits = 24

func (p spot) field() ticket.Fields { return 1 << (p >> fieldBits) }

func newSearch() searchRows {
	return searchRows{
		texts: make(map[ticket.EntryID]*text), words: make(map[string]map[*text][]spot),
		reads: make(map[ticket.ID]map[acl.UserID]time.Time),
	}
}

// placeBits tell matches of one second apart.
const placeBits = 30

// setTexts makes the entries of a write findable by their texts.
func (d *deskRows) setTexts(w *ticket.Write) {
	for i := range w.Texts {
		t := &w.Texts[i]
		if slices.ContainsFunc(w.Entries, func(e ticket.Entry) bool { return e.ID == t.Entry }) {
			d.setText(t)
		}
	}
}

// setText takes what there was of an entry out of the search, and puts in t unless it is empty.
func (d *deskRows) setText(t *ticket.Text) {
	d.dropText(t.Entry)
	if t.Empty() {
		return
	}
	d.given++
	second := min(max(d.entry[t.Entry].At.Unix(), 0), 1<<32)
	x := &text{entry: t.Entry, place: second<<placeBits | d.given&(1<<placeBits-1), files: t.Files}
	d.texts[t.Entry] = x
	for field, words := range t.Words {
		for n, w := range words {
			in := d.words[w]
			if in == nil {
				in = make(map[*text][]spot)
				d.words[w] = in
			}
			if in[x] == nil {
				x.words = append(x.words, w)
			}
			in[x] = append(in[x], spot(field<<fieldBits|n))
		}
	}
}

func (d *deskRows) dropText(id ticket.EntryID) {
	x := d.texts[id]
	if x == nil {
		return
	}
	delete(d.texts, id)
	for _, w := range x.words {
		if delete(d.words[w], x); len(d.words[w]) == 0 {
			delete(d.words, w)
		}
	}
}

// Matches yields the entries that hold what is asked for; see ticket.Finder. They are found when the
// list begins.
func (s *Store) Matches(ctx context.Context, q ticket.MatchQuery) iter.Seq2[ticket.Match, error] {
	return func(yield func(ticket.Match, error) bool) {
		unlock, err := s.read(ctx)
		if err != nil {
			yield(ticket.Match{}, err)
			return
		}
		found := s.desk.matches(&q)
		unlock()
		if q.Limit > 0 {
			found = found[:min(q.Limit, len(found))]
		}
		for _, m := range found {
			if err := ctx.Err(); err != nil {
				yield(ticket.Match{}, err)
				return
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

func (d *deskRows) matches(q *ticket.MatchQuery) (found []ticket.Match) {
	if q.Impossible() {
		return nil
	}
	var terms []matcher
	var shortest map[*text][]spot
	for i := range q.Terms {
		m := d.matcher(q, &q.Terms[i])
		terms = append(terms, m)
		if !q.Terms[i].Not && (shortest == nil || len(m.last) < len(shortest)) {
			shortest = m.last
		}
	}
	for x := range shortest {
		if q.After > 0 && x.place >= q.After || !d.readable(q, x) {
			continue
		}
		all := true
		for i := range terms {
			all = all && terms[i].in(x) != terms[i].Not
		}
		if all {
			found = append(found, ticket.Match{Entry: x.entry, Ticket: d.entry[x.entry].Ticket, Place: x.place})
		}
	}
	slices.SortFunc(found, func(a, b ticket.Match) int { return cmp.Compare(b.Place, a.Place) })
	return found
}

// readable says whether a query looks at an entry.
func (d *deskRows) readable(q *ticket.MatchQuery, x *text) bool {
	e, f := d.entry[x.entry], &q.Tickets
	t := d.ticket[e.Ticket]
	return (len(q.Only) == 0 || slices.Contains(q.Only, e.Ticket)) &&
		seesHidden(f, e, t) && d.selects(f, t)
}

func seesHidden(q *ticket.Query, e *ticket.Entry, t *ticket.Ticket) bool {
	return !e.Hidden || q.AllHidden || e.Inbox == t.Inbox && slices.Contains(q.HiddenIn, t.Inbox)
}

// matcher is a term on its way through the texts: where its first words are, and its last one.
type matcher struct {
	*ticket.Term
	look  ticket.Fields
	first []map[*text][]spot
	last  map[*text][]spot
}

func (d *deskRows) matcher(q *ticket.MatchQuery, t *ticket.Term) matcher {
	m := matcher{Term: t, look: q.Look(t)}
	end := len(t.Words) - 1
	for _, w := range t.Words[:end] {
		m.first = append(m.first, d.words[w])
	}
	m.last = d.words[t.Words[end]]
	if t.Prefix {
		m.last = make(map[*text][]spot)
		for w, in := range d.words {
			if strings.HasPrefix(w, t.Words[end]) {
				for x, spots := range in {
					m.last[x] = append(m.last[x], spots...)
				}
			}
		}
	}
	if m.last == nil {
		m.last = make(map[*text][]spot)
	}
	return m
}

// in says whether the words stand in a row in a field of the text that is looked at.
func (m *matcher) in(x *text) bool {
	for _, p := range m.last[x] {
		row := p.field()&m.look != 0
		for i := len(m.first) - 1; row && i >= 0; i-- {
			back := spot(len(m.first) - i)
			row = p&(1<<fieldBits-1) >= back && slices.Contains(m.first[i][x], p-back)
		}
		if row {
			return true
		}
	}
	return false
}

// selects says whether a query selects a ticket.
func (d *deskRows) selects(q *ticket.Query, t *ticket.Ticket) bool {
	return q.Selects(t) && (!q.WithFiles || d.hasFiles(q, t)) &&
		(q.Unread == "" || d.unread(t, q.Unread))
}

func (d *deskRows) hasFiles(q *ticket.Query, t *ticket.Ticket) bool {
	for e := range d.entries.of(key{by: byTicket, value: string(t.ID)}).all() {
		if x := d.texts[e.ID]; x != nil && x.files && seesHidden(q, e, t) {
			return true
		}
	}
	return false
}

func (d *deskRows) unread(t *ticket.Ticket, user acl.UserID) bool {
	return t.HeardAt.After(d.reads[t.ID][user])
}

// CountTickets counts tickets; see ticket.Finder.
func (s *Store) CountTickets(ctx context.Context, q ticket.Query, reader acl.UserID) ([]ticket.Count, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	sums := make(map[ticket.Count]*ticket.Count)
	var out []ticket.Count
	for t := range s.desk.tickets.of(ticketLists(&q)...).all() {
		if !s.desk.selects(&q, t) {
			continue
		}
		alike := ticket.Count{Inbox: t.Inbox, Status: t.Status, Assignee: t.Assignee}
		sum := sums[alike]
		if sum == nil {
			sum = &ticket.Count{Inbox: t.Inbox, Status: t.Status, Assignee: t.Assignee}
			sums[alike] = sum
		}
		if sum.Tickets++; s.desk.unread(t, reader) {
			sum.Unread++
		}
	}
	for _, sum := range sums {
		out = append(out, *sum)
	}
	return out, nil
}

// Reading returns up to when a person has read a ticket; see ticket.Finder.
func (s *Store) Reading(ctx context.Context, id ticket.ID, reader acl.UserID) (time.Time, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer unlock()
	return s.desk.reads[id][reader], nil
}

// SaveReading sets up to when a person has read a ticket; see ticket.Finder.
func (s *Store) SaveReading(ctx context.Context, id ticket.ID, reader acl.UserID, until time.Time) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.desk.ticket[id] == nil {
		return refuse("save reading of", "ticket", id, storage.ErrNotFound)
	}
	read := s.desk.reads[id]
	if read == nil {
		read = make(map[acl.UserID]time.Time)
		s.desk.reads[id] = read
	}
	if read[reader] = utc(until); until.IsZero() {
		delete(read, reader)
	}
	return nil
}
