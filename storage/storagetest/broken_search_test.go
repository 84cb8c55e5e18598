package storagetest_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// bentSearch is a right store of which one thing about searches and counts is changed.
type bentSearch struct {
	*memory.Store
	texts   func(w *ticket.Write)
	save    func(w []ticket.Write) ([]ticket.Ticket, error)
	matches func(q *ticket.MatchQuery)
	found   func(iter.Seq2[ticket.Match, error]) iter.Seq2[ticket.Match, error]
	query   func(q *ticket.Query)
	count   func(q *ticket.Query, reader *acl.UserID)
	counts  func(list []ticket.Count) []ticket.Count
	reading func(id *ticket.ID, reader *acl.UserID)
	read    func(until *time.Time)
	purge   func(id inbox.ID) error
}

func (b *bentSearch) SaveTickets(
	ctx context.Context, w []ticket.Write, ev ...inbox.Event,
) ([]ticket.Ticket, error) {
	w = slices.Clone(w)
	for i := range w {
		w[i].Texts = slices.Clone(w[i].Texts)
		call(b.texts, &w[i])
	}
	if b.save != nil {
		return b.save(w)
	}
	return b.Store.SaveTickets(ctx, w, ev...)
}

func (b *bentSearch) Matches(ctx context.Context, q ticket.MatchQuery) iter.Seq2[ticket.Match, error] {
	q.Terms = slices.Clone(q.Terms)
	call(b.matches, &q)
	return through(b.found, b.Store.Matches(ctx, q))
}

func (b *bentSearch) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	call(b.query, &q)
	return b.Store.Tickets(ctx, q)
}

func (b *bentSearch) CountTickets(ctx context.Context, q ticket.Query, reader acl.UserID) ([]ticket.Count, error) {
	if b.count != nil {
		b.count(&q, &reader)
	}
	list, err := b.Store.CountTickets(ctx, q, reader)
	if b.counts != nil {
		list = b.counts(list)
	}
	return list, err
}

func (b *bentSearch) Reading(ctx context.Context, id ticket.ID, reader acl.UserID) (time.Time, error) {
	if b.reading != nil {
		b.reading(&id, &reader)
	}
	return b.Store.Reading(ctx, id, reader)
}

func (b *bentSearch) SaveReading(ctx context.Context, id ticket.ID, reader acl.UserID, until time.Time) error {
	call(b.read, &until)
	return b.Store.SaveReading(ctx, id, reader, until)
}

func (b *bentSearch) PurgeTickets(ctx context.Context, id inbox.ID) error {
	if b.purge != nil {
		return b.purge(id)
	}
	return b.Store.PurgeTickets(ctx, id)
}

func (d *deaf) Matches(ctx context.Context, q ticket.MatchQuery) iter.Seq2[ticket.Match, error] {
	return unheard(ctx, d, func(ctx context.Context) iter.Seq2[ticket.Match, error] { return d.Store.Matches(ctx, q) })
}

func (c *oneConnection) Matches(ctx context.Context, q ticket.MatchQuery) iter.Seq2[ticket.Match, error] {
	return held(ctx, c, c.Store.Matches(ctx, q))
}

// eachWord changes the words of the texts that are saved.
func eachWord(change func(words []string) []string) func(w *ticket.Write) {
	return func(w *ticket.Write) {
		for i := range w.Texts {
			for f, words := range w.Texts[i].Words {
				w.Texts[i].Words[f] = change(slices.Clone(words))
			}
		}
	}
}

// apart asks for the words of a row without the row.
func apart(q *ticket.MatchQuery) {
	var terms []ticket.Term
	for _, t := range q.Terms {
		for _, w := range t.Words {
			one := t
			one.Words = []string{w}
			terms = append(terms, one)
		}
	}
	q.Terms = terms
}

func bendMatches(bend func(q *ticket.MatchQuery)) func(s *memory.Store) ticket.Store {
	return func(s *memory.Store) ticket.Store { return &bentSearch{Store: s, matches: bend} }
}

func bendTexts(bend func(w *ticket.Write)) func(s *memory.Store) ticket.Store {
	return func(s *memory.Store) ticket.Store { return &bentSearch{Store: s, texts: bend} }
}

func bendQuery(bend func(q *ticket.Query)) func(s *memory.Store) ticket.Store {
	return func(s *memory.Store) ticket.Store { return &bentSearch{Store: s, query: bend} }
}

// bare keeps of a query who may see what.
func bare(q *ticket.Query) {
	*q = ticket.Query{Site: q.Site, Inboxes: q.Inboxes, HiddenIn: q.HiddenIn, AllHidden: q.AllHidden, Limit: q.Limit}
}

var brokenSearches = []broken[ticket.Store]{
	{"Search/Terms", "one term is enough", bendMatches(func(q *ticket.MatchQuery) {
		q.Terms = q.Terms[:min(1, len(q.Terms))]
	})},
	{"Search/Terms", "words need not stand in a row", bendMatches(apart)},
	{"Search/Terms", "prefixes are words", bendMatches(func(q *ticket.MatchQuery) {
		for i := range q.Terms {
			q.Terms[i].Prefix = false
		}
	})},
	{"Search/Terms", "words are prefixes", bendMatches(func(q *ticket.MatchQuery) {
		for i := range q.Terms {
			q.Terms[i].Prefix = true
		}
	})},
	{"Search/Terms", "not is passed over", bendMatches(func(q *ticket.MatchQuery) {
		q.Terms = slices.DeleteFunc(q.Terms, func(t ticket.Term) bool { return t.Not })
	})},
	{"Search/Terms", "rows go over fields", bendTexts(func(w *ticket.Write) {
		for i := range w.Texts {
			t := &w.Texts[i]
			t.Words[3] = slices.Concat(t.Words[3], t.Words[4])
		}
	})},
	{"Search/Fields", "looks everywhere", bendMatches(func(q *ticket.MatchQuery) { q.Fields = 0 })},
	{"Search/Fields", "reads everything", bendMatches(func(q *ticket.MatchQuery) { q.Readable = 0 })},
	{"Search/Fields", "the term's own fields are passed over", bendMatches(func(q *ticket.MatchQuery) {
		for i := range q.Terms {
			q.Terms[i].In = 0
		}
	})},
	{"Search/Fields", "people and files are one", bendMatches(func(q *ticket.MatchQuery) {
		if q.Readable&(ticket.InPeople|ticket.InFiles) != 0 {
			q.Readable |= ticket.InPeople | ticket.InFiles
		}
	})},
	{"Search/AnyWord", "leaves out short words", bendTexts(eachWord(func(words []string) []string {
		return slices.DeleteFunc(words, func(w string) bool { return len(w) < 3 })
	}))},
	{"Search/AnyWord", "leaves out stop words", bendTexts(eachWord(func(words []string) []string {
		return slices.DeleteFunc(words, func(w string) bool { return w == "the" || w == "of" })
	}))},
	{"Search/AnyWord", "cuts words", bendTexts(eachWord(func(words []string) []string {
		for i, w := range words {
			words[i] = w[:min(len(w), 40)]
		}
		return words
	}))},
	{"Search/AnyWord", "knows ASCII alone", bendTexts(eachWord(func(words []string) []string {
		return slices.DeleteFunc(words, func(w string) bool { return w[0] >= 0x80 })
	}))},
	{"Search/AgainstReference", "words need not stand in a row", bendMatches(apart)},
	{"Search/NewestFirst", "oldest first", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, found: resorted(func(a, b ticket.Match) int { return int(a.Place - b.Place) })}
	}},
	{"Search/NewestFirst", "begins anew", bendMatches(func(q *ticket.MatchQuery) { q.After = 0 })},
	{"Search/NewestFirst", "one of each second", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, matches: func(q *ticket.MatchQuery) {
			q.After = q.After >> 30 << 30
		}}
	}},
	{"Search/VisibleSet", "shows what is hidden", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.AllHidden = true })},
	{"Search/VisibleSet", "hides it from its creator", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.HiddenIn = nil })},
	{"Search/VisibleSet", "every inbox", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.Inboxes = nil })},
	{"Search/VisibleSet", "every ticket", bendMatches(func(q *ticket.MatchQuery) { q.Only = nil })},
	{"Search/VisibleSet", "every site", bendMatches(func(q *ticket.MatchQuery) { q.Tickets.Site = "" })},
	{"Search/TicketFilters", "passed over", bendMatches(func(q *ticket.MatchQuery) { bare(&q.Tickets) })},
	{"Search/TextReplaced", "keeps the old words", func(s *memory.Store) ticket.Store {
		var had []string
		return &bentSearch{Store: s, texts: eachWord(func(words []string) []string {
			if len(words) == 0 {
				return nil
			}
			had = append(had, words...)
			return had
		})}
	}},
	{"Search/TextReplaced", "never takes out", bendTexts(func(w *ticket.Write) {
		w.Texts = slices.DeleteFunc(w.Texts, func(t ticket.Text) bool { return t.Empty() })
	})},
	{"Search/TextKept", "only with its text", bendTexts(func(w *ticket.Write) {
		for _, e := range w.Entries {
			if len(w.Texts) == 0 {
				w.Texts = append(w.Texts, ticket.Text{Entry: e.ID})
			}
		}
	})},
	{"Search/TextKept", "as hidden as it was", bendTexts(func(w *ticket.Write) {
		for i := range w.Entries {
			w.Entries[i].Hidden = false
		}
	})},
	{"Search/AllOrNothing", "one by one", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, save: func(w []ticket.Write) ([]ticket.Ticket, error) { return each(s)(w, nil) }}
	}},
	{"Search/PurgeLeavesNothing", "leaves all", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, purge: func(inbox.ID) error { return nil }}
	}},
	{"Search/PurgeLeavesNothing", "forgets of others", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, purge: func(inbox.ID) error {
			for _, id := range []inbox.ID{"in-1", "in-2"} {
				if err := s.PurgeTickets(background, id); err != nil {
					return err
				}
			}
			return nil
		}}
	}},
	{"Search/LongText", "keeps a thousand words", bendTexts(eachWord(func(words []string) []string {
		return words[:min(len(words), 1000)]
	}))},
	{"Search/LongQuestion", "looks at eight words of a row", bendMatches(func(q *ticket.MatchQuery) {
		for i := range q.Terms {
			words := &q.Terms[i].Words
			*words = (*words)[:min(len(*words), 8)]
		}
	})},
	{"Search/WriteWhileReading", "one connection", func(s *memory.Store) ticket.Store { return single(s, 1, true) }},
	{"Search/CancelledContext", "does not hear", func(s *memory.Store) ticket.Store { return &deaf{s, false} }},
	{"Search/BreakReleases", "keeps a connection", func(s *memory.Store) ticket.Store { return single(s, 8, false) }},
}

// fromTheFirstMoment keeps readings in a column that ends at the zero time.
func fromTheFirstMoment(s *memory.Store) ticket.Store {
	return &bentSearch{Store: s, read: func(until *time.Time) {
		if until.Before(time.Time{}) {
			*until = time.Time{}
		}
	}}
}

var brokenCounts = []broken[ticket.Store]{
	{"Tickets/Filters", "passed over", bendQuery(bare)},
	{"Tickets/Filters", "tags are found in tags", bendQuery(func(q *ticket.Query) {
		if slices.Contains(q.AnyTag, "red") {
			q.AnyTag = append(slices.Clone(q.AnyTag), "redder")
		}
	})},
	{"Tickets/Filters", "includes the end", bendQuery(func(q *ticket.Query) {
		if !q.UpdatedTo.IsZero() {
			q.UpdatedTo = q.UpdatedTo.Add(time.Microsecond)
		}
	})},
	{"Tickets/WithFiles", "passed over", bendQuery(func(q *ticket.Query) { q.WithFiles = false })},
	{"Tickets/WithFiles", "of hidden mail", bendQuery(func(q *ticket.Query) { q.AllHidden = true })},
	{"Tickets/Unread", "passed over", bendQuery(func(q *ticket.Query) { q.Unread = "" })},
	{"Tickets/Unread", "people in any case", bendQuery(func(q *ticket.Query) {
		q.Unread = acl.UserID(strings.ToLower(string(q.Unread)))
	})},
	{"Counts/ByInboxStatusAssignee", "a page alone", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, counts: func(list []ticket.Count) []ticket.Count { return list[:min(2, len(list))] }}
	}},
	{"Counts/ByInboxStatusAssignee", "what is hidden too", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(q *ticket.Query, _ *acl.UserID) { q.AllHidden = true }}
	}},
	{"Counts/AsListed", "of every customer", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(q *ticket.Query, _ *acl.UserID) { q.Customers = nil }}
	}},
	{"Counts/Unread", "of one person for all", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, count: func(_ *ticket.Query, reader *acl.UserID) { *reader = "ann" }}
	}},
	{"Tickets/Unread", "nothing before the first moment", fromTheFirstMoment},
	{"Counts/Unread", "nothing before the first moment", fromTheFirstMoment},
	{"Readings/RoundTrip", "nothing before the first moment", fromTheFirstMoment},
	{"Readings/RoundTrip", "people in any case", func(s *memory.Store) ticket.Store {
		return &bentSearch{Store: s, reading: func(_ *ticket.ID, reader *acl.UserID) {
			*reader = acl.UserID(strings.ToLower(string(*reader)))
		}}
	}},
	{"Readings/RoundTrip", "forward alone", func(s *memory.Store) ticket.Store {
		var most time.Time
		return &bentSearch{Store: s, read: func(until *time.Time) {
			if most.After(*until) {
				*until = most
			}
			most = *until
		}}
	}},
}
