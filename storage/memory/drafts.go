package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Draft returns the draft of an entry; see ticket.Drafts.
func (s *Store) Draft(ctx context.Context, entry ticket.EntryID) (ticket.Draft, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return ticket.Draft{}, err
	}
	defer unlock()
	d, ok := s.desk.drafts[entry]
	if !ok {
		return ticket.Draft{}, refuse("read", "draft", entry, storage.ErrNotFound)
	}
	return clone(d), nil
}

// Drafts yields drafts, those that are there when it begins; see ticket.Drafts.
func (s *Store) Drafts(ctx context.Context, q ticket.DraftQuery) iter.Seq2[ticket.Draft, error] {
	return func(yield func(ticket.Draft, error) bool) {
		unlock, err := s.read(ctx)
		if err != nil {
			yield(ticket.Draft{}, err)
			return
		}
		var found []ticket.Draft
		for d := range maps.Values(s.desk.drafts) {
			if (q.Site == "" || d.Site == q.Site) && (q.Ticket == "" || d.Ticket == q.Ticket) &&
				(q.Author == "" || d.Author == q.Author) {
				found = append(found, clone(d))
			}
		}
		unlock()
		slices.SortFunc(found, func(a, b ticket.Draft) int {
			return cmp.Or(cmp.Compare(a.Ticket, b.Ticket), cmp.Compare(a.Author, b.Author), cmp.Compare(a.Entry, b.Entry))
		})
		for _, d := range found {
			if err := ctx.Err(); err != nil {
				yield(ticket.Draft{}, err)
				return
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// SaveDraft creates or replaces a draft; see ticket.Drafts.
func (s *Store) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return ticket.Draft{}, err
	}
	defer unlock()
	if t := s.desk.ticket[d.Ticket]; t == nil || !t.PurgeBegan.IsZero() {
		return ticket.Draft{}, refuse("save", "draft", d.Entry, storage.ErrNotFound)
	}
	if d.Version == 0 {
		was = d.Entry
	}
	_, taken := s.desk.drafts[d.Entry]
	if s.desk.drafts[was].Version != d.Version || taken && was != d.Entry {
		return ticket.Draft{}, refuse("save", "draft", d.Entry, storage.ErrConflict)
	}
	delete(s.desk.drafts, was)
	d = clone(d)
	d.Version++
	s.desk.drafts[d.Entry] = d
	return clone(d), nil
}

// DeleteDraft forgets a draft; see ticket.Drafts.
func (s *Store) DeleteDraft(ctx context.Context, entry ticket.EntryID, expect storage.Version) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if d, ok := s.desk.drafts[entry]; ok && d.Version != expect {
		return refuse("delete", "draft", entry, storage.ErrConflict)
	}
	delete(s.desk.drafts, entry)
	return nil
}

func (d *deskRows) dropDrafts(id ticket.ID) {
	maps.DeleteFunc(d.drafts, func(_ ticket.EntryID, draft ticket.Draft) bool { return draft.Ticket == id })
}
