package ticket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// The writes of tickets and marks go through these, which make sure of one whose outcome was not known
// (storage.ErrAmbiguous). Catalogs and allowances do so beside their rules; a reading may be saved twice.

func (s *Service) saveTickets(ctx context.Context, w []Write, ev ...inbox.Event) ([]Ticket, error) {
	if err := s.veil(ctx, w, ev); err != nil {
		return nil, err
	}
	return storage.Settle(ctx,
		func() ([]Ticket, error) { return s.Store.SaveTickets(ctx, w, ev...) },
		func() ([]Ticket, bool, error) {
			out := make([]Ticket, len(w))
			for i := range w {
				t, ok, err := s.stands(ctx, &w[i])
				if err != nil || !ok {
					return nil, false, err
				}
				out[i] = t
			}
			return out, true, nil
		})
}

// stands says whether a write is stored: by its entries, most of which are new and of ids that nobody
// else gives, so that it is known again also when others have written since.
func (s *Service) stands(ctx context.Context, w *Write) (Ticket, bool, error) {
	t, err := s.Store.Ticket(ctx, w.Ticket.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return Ticket{}, false, nil
	}
	if err != nil || t.Version <= w.Ticket.Version {
		return Ticket{}, false, err
	}
	if len(w.Entries) == 0 {
		want := w.Ticket
		want.Version, want.Number = w.Ticket.Version+1, t.Number
		return t, same(want, t), nil
	}
	// Lines of changed options are never rewritten; an entry that was moved, or is on its way out, may
	// have become another since.
	lines := slices.ContainsFunc(w.Entries, func(e Entry) bool { return e.Kind == EntryChanged })
	left := make(map[EntryID]*Entry, len(w.Entries))
	for i := range w.Entries {
		if !lines || w.Entries[i].Kind == EntryChanged {
			left[w.Entries[i].ID] = &w.Entries[i]
		}
	}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return Ticket{}, false, err
		}
		if ours := left[e.ID]; ours != nil {
			want := *ours
			want.Ticket = t.ID
			if !same(want, e) {
				return Ticket{}, false, nil
			}
			delete(left, e.ID)
		}
	}
	return t, len(left) == 0, nil
}

func (s *Service) saveMark(
	ctx context.Context, id inbox.ID, seq uint64, expect storage.Version,
) (storage.Version, error) {
	return storage.Settle(ctx,
		func() (storage.Version, error) { return s.Store.SaveMark(ctx, id, seq, expect) },
		func() (storage.Version, bool, error) {
			stored, version, err := s.Store.Mark(ctx, id)
			return version, stored == seq && version == expect+1, err
		})
}

// same says whether two values are one as stores keep them.
func same(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}
