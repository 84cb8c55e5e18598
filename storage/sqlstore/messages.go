package sqlstore

import (
	"context"
	"iter"

	"github.com/workinbox/workinbox/inbox"
)

// Messages yields messages newest first.
func (s *Store) Messages(ctx context.Context, q inbox.MessageQuery) iter.Seq2[inbox.Message, error] {
	o := op{"list", "messages", string(q.Inbox)}
	if len(q.Remotes) > 0 || len(q.RFCIDs) > 0 || q.Marker != "" {
		return list(ctx, q.Limit, listed(
			func() (found []place, err error) {
				err = s.read(ctx, o, func(x *session) error {
					found, err = x.messagePlaces(q)
					return err
				})
				return found, err
			},
			func(keys []int64) (rows map[int64]inbox.Message, err error) {
				err = s.read(ctx, o, func(x *session) error {
					rows, err = x.messagesByKey(keys)
					return err
				})
				return rows, err
			}))
	}
	return list(ctx, q.Limit, func() func(int) (page[inbox.Message], error) {
		after := q.After
		return func(n int) (p page[inbox.Message], err error) {
			err = s.read(ctx, o, func(x *session) error {
				p, err = x.messagesPage(q, after, n)
				return err
			})
			if len(p.items) > 0 {
				after = p.items[len(p.items)-1].Key()
			}
			return p, err
		}
	})
}

func (x *session) messagesPage(
	q inbox.MessageQuery, after *inbox.MessageKey, n int,
) (p page[inbox.Message], err error) {
	pk, err := x.inboxKey(q.Inbox)
	if err != nil || pk == 0 {
		return page[inbox.Message]{done: true}, err
	}
	where := x.messagesWhere(pk, q, after)
	index := "messages_list"
	switch {
	case q.Thread != "":
		index = "messages_thread"
	case q.Customer != "":
		index = "messages_customer"
	}
	text := "SELECT " + messageColumns + x.fromMessages(index) + where.text() +
		" ORDER BY m.received DESC, m.id DESC LIMIT ?"
	p.items = make([]inbox.Message, 0, n)
	err = x.every(text, append(where.args, int64(n)), func(scan func(...any) error) error {
		_, m, err := scanMessage(scan)
		p.items = append(p.items, m)
		return err
	})
	p.done = len(p.items) < n
	return p, err
}

// messagesWhere returns the conditions of a query but those picked out by value.
func (s *Store) messagesWhere(pk int64, q inbox.MessageQuery, after *inbox.MessageKey) *conditions {
	where := new(conditions)
	where.add("m.inbox = ?", pk)
	if q.Thread != "" {
		where.add("m.thread = ?", string(q.Thread))
	}
	if q.Customer != "" {
		where.add("m.customer = ?", string(q.Customer))
	}
	if !q.Hidden {
		where.add("m.vis = 0")
	}
	if after != nil {
		s.behind(where, "m.received", "m.id", "<", micros(after.Received), string(after.ID))
	}
	return where
}

// messagePlaces finds the messages with one of these values, in list order.
func (x *session) messagePlaces(q inbox.MessageQuery) ([]place, error) {
	pk, err := x.inboxKey(q.Inbox)
	if err != nil || pk == 0 {
		return nil, err
	}
	index := "messages_rfcid"
	switch {
	case q.Marker != "":
		index = "messages_marker"
	case len(q.Remotes) > 0:
		index = "messages_remote"
	}
	first := "SELECT m.pk, m.received, m.id FROM {messages} m" + x.using(index) + " WHERE "
	var found []place
	pick := func(where *conditions) error {
		more, err := x.places(first+where.text(), where.args)
		found = append(found, more...)
		return err
	}
	where := x.messagesWhere(pk, q, q.After)
	if q.Marker != "" {
		where.add("m.marker = ?", q.Marker)
	}
	err = where.and("m.remote", plainTexts(q.Remotes), func(c *conditions) error {
		return c.and("m.rfcid", q.RFCIDs, pick)
	})
	if err != nil {
		return nil, err
	}
	return inOrder(found, true), nil
}

func (x *session) messagesByKey(keys []int64) (map[int64]inbox.Message, error) {
	rows := make(map[int64]inbox.Message, len(keys))
	marks, args := inKeys(keys)
	err := x.every("SELECT "+messageColumns+x.fromMessages("")+"m.pk IN "+marks, args,
		func(scan func(...any) error) error {
			key, m, err := scanMessage(scan)
			rows[key] = m
			return err
		})
	return rows, err
}
