package sqlstore

import (
	"hash/fnv"

	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// stripes is how many rows the table of that name has.
const stripes = 256

// lockMessages makes writes of the same message wait for each other where many write at once: no
// index can say that a message is in one entry, since most entries have none, and two writes that put it into
// two would not see each other. A row stands for many messages, and the rows are taken in order.
func (x *session) lockMessages(w []ticket.Write) error {
	messages := messagesOf(w)
	if !x.dialect.locksRows || len(messages) == 0 {
		return nil
	}
	taken := make(map[int64]bool)
	rows := make([]int64, 0, len(messages))
	for _, id := range messages {
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(id))
		if row := int64(sum.Sum32() % stripes); !taken[row] {
			taken[row] = true
			rows = append(rows, row)
		}
	}
	return keysInChunks(rows, func(marks string, rows []any) error {
		return x.every(x.locking("SELECT id FROM {stripes} WHERE id IN "+marks+" ORDER BY id"), rows,
			func(scan func(...any) error) error {
				var id int64
				return scan(&id)
			})
	})
}

// messagesOf returns the messages the entries of a write are of.
func messagesOf(w []ticket.Write) []string {
	var messages []string
	for i := range w {
		for j := range w[i].Entries {
			if id := w[i].Entries[j].Message; id != "" {
				messages = append(messages, string(id))
			}
		}
	}
	return distinct(messages)
}

// oneEntryEach refuses a write that leaves a message in two entries.
func (x *session) oneEntryEach(w []ticket.Write) error {
	return inChunks(messagesOf(w), func(marks string, values []any) error {
		var id string
		err := x.one("SELECT message FROM {entries} WHERE message IN "+marks+
			" GROUP BY message HAVING COUNT(*) > 1 LIMIT 1", values, &id)
		switch {
		case isNone(err):
			return nil
		case err != nil:
			return err
		}
		return refuse("save", "entry of message", id, storage.ErrExists)
	})
}
