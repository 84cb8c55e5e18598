package sqlstore

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// saveEvents puts events into the outbox. ErrExists when one of that ID waits already.
func (x *session) saveEvents(ev []inbox.Event) error {
	rows := make([][]any, len(ev))
	for i := range ev {
		doc, err := encode(&ev[i])
		if err != nil {
			return err
		}
		rows[i] = []any{ev[i].ID, int64(0), zeroMicros, "", doc}
	}
	return x.orExists("save", "event", idOfOne(ev), x.insert("events", "", rows, ""))
}

// idOfOne names the event of an error where there is only one.
func idOfOne(ev []inbox.Event) string {
	if len(ev) == 1 {
		return ev[0].ID
	}
	return ""
}

// SaveEvents adds events that no other write caused. ErrExists when one of that ID waits already, as
// with every write that brings events.
func (s *Store) SaveEvents(ctx context.Context, ev ...inbox.Event) error {
	return s.write(ctx, op{"save", "events", ""}, func(x *session) error { return x.saveEvents(ev) })
}

// DueEvents yields events due at now, oldest first by ID.
func (s *Store) DueEvents(ctx context.Context, now time.Time, limit int) iter.Seq2[inbox.Due, error] {
	return list(ctx, limit, func() func(int) (page[inbox.Due], error) {
		after := ""
		return func(n int) (p page[inbox.Due], err error) {
			err = s.read(ctx, op{"list", "events", ""}, func(x *session) error {
				p, err = x.eventsPage(now, after, n)
				return err
			})
			if len(p.items) > 0 {
				after = p.items[len(p.items)-1].ID
			}
			return p, err
		}
	})
}

const eventsText = "SELECT attempts, told, doc FROM {events} WHERE id > ? AND not_before <= ? " +
	"ORDER BY id LIMIT ?"

func (x *session) eventsPage(now time.Time, after string, n int) (p page[inbox.Due], err error) {
	err = x.every(eventsText, []any{after, micros(now), int64(n)}, func(scan func(...any) error) error {
		var due inbox.Due
		var told, doc string
		if err := scan(&due.Attempts, &told, &doc); err != nil {
			return err
		}
		if err := decode(doc, &due.Event); err != nil {
			return err
		}
		due.Done, err = decodeTold(told)
		p.items = append(p.items, due)
		return err
	})
	p.done = len(p.items) < n
	return p, err
}

func decodeTold(text string) ([]acl.UserID, error) {
	if text == "" {
		return nil, nil
	}
	return stored[[]acl.UserID](text)
}

// DoneEvent forgets a delivered event.
func (s *Store) DoneEvent(ctx context.Context, id string) error {
	return s.write(ctx, op{"delete", "event", id}, func(x *session) error {
		_, err := x.exec("DELETE FROM {events} WHERE id = ?", id)
		return err
	})
}

// RetryEvent hides an event until notBefore. The receivers in done join those noted before. An event
// that is gone was delivered by somebody else, and nothing is to be done.
func (s *Store) RetryEvent(
	ctx context.Context, id string, done []acl.UserID, notBefore time.Time,
) error {
	return s.write(ctx, op{"update", "event", id}, func(x *session) error {
		var told string
		err := x.one(x.locking("SELECT told FROM {events} WHERE id = ?"), []any{id}, &told)
		if isNone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		all, err := decodeTold(told)
		if err != nil {
			return err
		}
		for _, user := range done {
			if !slices.Contains(all, user) {
				all = append(all, user)
			}
		}
		if told, err = encode(all); err != nil {
			return err
		}
		_, err = x.exec("UPDATE {events} SET attempts = attempts + 1, told = ?, not_before = ? WHERE id = ?",
			told, micros(notBefore), id)
		return err
	})
}
