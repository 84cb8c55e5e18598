package sqlstore

import (
	"context"
	"iter"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

// Runs yields what every sync did, newest first.
func (s *Store) Runs(ctx context.Context, id inbox.ID, limit int) iter.Seq2[inbox.Run, error] {
	return list(ctx, limit, func() func(int) (page[inbox.Run], error) {
		var after *inbox.Run
		return func(n int) (p page[inbox.Run], err error) {
			err = s.read(ctx, op{"list", "runs", string(id)}, func(x *session) error {
				p, err = x.runsPage(id, after, n)
				return err
			})
			if len(p.items) > 0 {
				after = &p.items[len(p.items)-1]
			}
			return p, err
		}
	})
}

func (x *session) runsPage(id inbox.ID, after *inbox.Run, n int) (p page[inbox.Run], err error) {
	pk, err := x.inboxKey(id)
	if err != nil || pk == 0 {
		return page[inbox.Run]{done: true}, err
	}
	where := new(conditions)
	where.add("inbox = ?", pk)
	if after != nil {
		x.behind(where, "started", "id", "<", micros(after.Started), after.ID)
	}
	text := "SELECT doc FROM {runs}" + x.using("runs_started") + " WHERE " + where.text() +
		" ORDER BY started DESC, id DESC LIMIT ?"
	p.items, err = docs[inbox.Run](x, text, append(where.args, int64(n)))
	p.done = len(p.items) < n
	return p, err
}

// docs reads the doc column of every row.
func docs[T any](x *session, text string, args []any) (all []T, err error) {
	err = x.every(text, args, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		v, err := stored[T](doc)
		all = append(all, v)
		return err
	})
	return all, err
}

// Rejections counts what is kept out, by reason.
func (s *Store) Rejections(ctx context.Context, id inbox.ID) (map[filter.Reason]int, error) {
	counts := make(map[filter.Reason]int)
	err := s.read(ctx, op{"count", "rejections", string(id)}, func(x *session) error {
		pk, err := x.inboxKey(id)
		if err != nil || pk == 0 {
			return err
		}
		return x.every("SELECT reason, COUNT(*) FROM {items} WHERE inbox = ? AND state = ? GROUP BY reason",
			[]any{pk, int64(itemRejected)}, func(scan func(...any) error) error {
				var reason string
				var n int
				err := scan(&reason, &n)
				counts[filter.Reason(reason)] = n
				return err
			})
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}
