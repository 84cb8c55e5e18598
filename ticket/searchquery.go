package ticket

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Finder is the part of a Store that searches, counts, and knows who has read what.
type Finder interface {
	// Matches yields the entries that hold what is asked for, newest first, that is by Place,
	// descending. What SaveTickets has saved is found at once, and what it took out is not; what
	// PurgeTickets took is gone.
	Matches(ctx context.Context, q MatchQuery) iter.Seq2[Match, error]
	// CountTickets counts the tickets a query selects, by what a Count says of them. It is of one
	// moment. After and Limit of the query do not matter, and neither does the order of the counts.
	CountTickets(ctx context.Context, q Query, reader acl.UserID) ([]Count, error)
	// Reading returns up to when a person has read a ticket; the zero time for not at all.
	Reading(ctx context.Context, id ID, reader acl.UserID) (time.Time, error)
	// SaveReading sets it, forward or back; the zero time forgets it. One before the zero time is kept
	// like any: with it a ticket is unread that no client was heard on. ErrNotFound when there is no such
	// ticket.
	SaveReading(ctx context.Context, id ID, reader acl.UserID, until time.Time) error
}

// MatchQuery selects entries by their words.
type MatchQuery struct {
	// Tickets selects the tickets whose entries are looked at, wherever their mail lies. HiddenIn and
	// AllHidden hold as much for hidden entries as for hidden tickets; where the mail of one lies in
	// another inbox than its ticket, only AllHidden does. After and Limit of it do not
	// matter.
	Tickets Query
	// Only keeps the entries of these tickets, of a few.
	Only []ID
	// Terms must all be true of the entry; at least one of them is without Not. A field without words
	// holds nothing.
	Terms []Term
	// Fields are where the terms that are to be found may stand; zero is all.
	Fields Fields
	// Readable are the fields that may be looked at in the first place, for the others too; zero is
	// all.
	Readable Fields
	// After is the Place of the last match of the page before; zero begins.
	After int64
	Limit int
}

// Look returns the fields a term may stand in.
func (q *MatchQuery) Look(t *Term) Fields {
	f := t.In.or(AllFields) & q.Readable.or(AllFields)
	if !t.Not {
		f &= q.Fields.or(AllFields)
	}
	return f
}

// Impossible says that nothing can match: a term may stand nowhere, or is to be found and left out at
// once, or there is none to be found.
func (q *MatchQuery) Impossible() bool {
	found := false
	for i := range q.Terms {
		t := &q.Terms[i]
		if !t.Not && (q.Look(t) == 0 || slices.ContainsFunc(q.Terms, func(not Term) bool { return q.excludes(&not, t) })) {
			return true
		}
		found = found || !t.Not
	}
	return !found || q.Tickets.Inboxes != nil && len(q.Tickets.Inboxes) == 0
}

// excludes says that a term with Not leaves out all that has the other one.
func (q *MatchQuery) excludes(not, t *Term) bool {
	return not.Not && slices.Equal(not.Words, t.Words) && (not.Prefix || !t.Prefix) && q.Look(t)&^q.Look(not) == 0
}

// Match is an entry that was found.
type Match struct {
	Entry  EntryID
	Ticket ID
	// Place is where the match stands in the list; a newer one has a higher one, never below 1. Those
	// of one second are in an order of the store's own, which does not change unless the Text is
	// saved anew.
	Place int64
}

// Count is how many tickets are alike in inbox, status and assignee, and how many of them are unread.
type Count struct {
	Inbox    inbox.ID
	Status   Status
	Assignee acl.UserID // empty: nobody
	Tickets  int
	Unread   int
}

// Selects says whether the query selects a ticket, as far as the ticket alone tells: not by
// WithFiles and Unread, After and Limit.
func (q *Query) Selects(t *Ticket) bool {
	switch {
	case q.Site != "" && t.Site != q.Site,
		q.Inboxes != nil && !slices.Contains(q.Inboxes, t.Inbox),
		t.Hidden() && !q.AllHidden && (t.Moved() || !slices.Contains(q.HiddenIn, t.Inbox)),
		t.MergedInto == "" && q.Deleted == t.DeletedAt.IsZero(),
		t.MergedInto == "" && q.Deleted && !t.PurgeBegan.IsZero() && !q.AllHidden,
		t.MergedInto != "" && !q.Merged,
		q.Mailbox != "" && t.Mailbox() != q.Mailbox,
		q.Resting != "" && !q.rests(t):
		return false
	}
	sharesThread := func(th inbox.ThreadID) bool { return slices.Contains(t.Threads, th) }
	return (len(q.Threads) == 0 || slices.ContainsFunc(q.Threads, sharesThread)) &&
		among(q.Statuses, t.Status) &&
		(q.Assignee == "" || t.Assignee == q.Assignee) &&
		(q.NotAssignee == "" || t.Assignee != "" && t.Assignee != q.NotAssignee) &&
		(!q.Unassigned || t.Assignee == "") &&
		among(q.Customers, t.Customer) && among(q.Companies, t.Company) &&
		(q.Number == 0 || t.Number == q.Number) &&
		(q.Imported == nil || t.Imported == *q.Imported) &&
		among(q.Priorities, t.Priority) && among(q.Types, t.Type) && among(q.Sources, t.Source) &&
		within(t.CreatedAt, q.CreatedFrom, q.CreatedTo) &&
		within(t.Activity, q.UpdatedFrom, q.UpdatedTo) && q.selectsTags(t.Tags)
}

// rests says whether the ticket lies as the query wants, for long enough.
func (q *Query) rests(t *Ticket) bool {
	rest, since := t.Resting()
	return rest == q.Resting && !since.After(q.RestedBy)
}

func (q *Query) selectsTags(tags []string) bool {
	has := func(tag string) bool { return slices.Contains(tags, tag) }
	lacks := func(tag string) bool { return !has(tag) }
	return (!q.Untagged || len(tags) == 0) &&
		(len(q.AnyTag) == 0 || slices.ContainsFunc(q.AnyTag, has)) &&
		!slices.ContainsFunc(q.AllTags, lacks) && !slices.ContainsFunc(q.WithoutTags, has)
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// within says whether a time lies in [from, to), the zero time being no bound.
func within(at, from, to time.Time) bool {
	return !at.Before(from) && (to.IsZero() || at.Before(to))
}
