package sqlstore

import (
	"context"
	"fmt"
	"iter"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// A key of a message or of a log line is the number of its inbox, then its Seq in the lower bits:
// room for 68 thousand million lines in each of 134 million inboxes. So the rows of an inbox lie
// together, in import order, and need no index of their own for that.
const seqBits = 36

func seqKey(pk int64, seq uint64) int64 { return pk<<seqBits | int64(seq) }

func seqOf(key int64) uint64 { return uint64(key) & (1<<seqBits - 1) }

// appendLog adds lines to the log of the inbox pk.
func (x *session) appendLog(pk int64, log []inbox.Change) error {
	if len(log) == 0 {
		return nil
	}
	var seq int64
	if err := x.one(x.locking("SELECT seq FROM {syncs} WHERE inbox = ?"), []any{pk}, &seq); err != nil {
		return err
	}
	lines := make([][]any, len(log))
	for i, c := range log {
		seq++
		c.Seq = uint64(seq)
		lines[i] = changeRow(pk, c)
	}
	if err := x.insert("changes", "", lines, ""); err != nil {
		return err
	}
	_, err := x.exec("UPDATE {syncs} SET seq = ? WHERE inbox = ?", seq, pk)
	return err
}

func changeRow(pk int64, c inbox.Change) []any {
	return []any{seqKey(pk, c.Seq), string(c.Kind), micros(c.At), string(c.Message), string(c.Thread), string(c.User)}
}

// The two tables of the log, which are both in the order of the key.
const (
	arrivals = `SELECT m.pk, 'arrived' AS kind, m.stored AS made, m.id AS message, m.thread, '' AS person
	FROM {messages} m WHERE m.pk > ? AND m.pk < ?`
	otherChanges = `SELECT c.pk, c.kind, c.made, c.message, c.thread, c.person
	FROM {changes} c WHERE c.pk > ? AND c.pk < ?`
)

// cutArm cuts a part of a merged list to the page: some databases would read it to its end.
const cutArm = "SELECT * FROM (%s ORDER BY pk LIMIT ?) AS arm"

// logQuery merges them.
func (s *Store) logQuery(from, to int64, n int) (string, []any) {
	arm := s.dialect.arm
	text := fmt.Sprintf(arm, arrivals) + " UNION ALL " + fmt.Sprintf(arm, otherChanges) + " ORDER BY 1 LIMIT ?"
	if arm == cutArm {
		return text, []any{from, to, int64(n), from, to, int64(n), int64(n)}
	}
	return text, []any{from, to, from, to, int64(n)}
}

// Log yields changes in import order.
func (s *Store) Log(ctx context.Context, id inbox.ID, after uint64) iter.Seq2[inbox.Change, error] {
	return list(ctx, 0, func() func(int) (page[inbox.Change], error) {
		after := after
		return func(n int) (p page[inbox.Change], err error) {
			err = s.read(ctx, op{"list", "log", string(id)}, func(x *session) error {
				p, err = x.logPage(id, after, n)
				return err
			})
			if len(p.items) > 0 {
				after = p.items[len(p.items)-1].Seq
			}
			return p, err
		}
	})
}

func (x *session) logPage(id inbox.ID, after uint64, n int) (p page[inbox.Change], err error) {
	pk, err := x.inboxKey(id)
	if err != nil || pk == 0 || after >= 1<<seqBits {
		return page[inbox.Change]{done: true}, err
	}
	text, args := x.logQuery(seqKey(pk, after), seqKey(pk+1, 0), n)
	err = x.every(text, args, func(scan func(...any) error) error {
		var key, made int64
		var kind, message, thread, person string
		if err := scan(&key, &kind, &made, &message, &thread, &person); err != nil {
			return err
		}
		c := inbox.Change{Seq: seqOf(key), Kind: inbox.ChangeKind(kind), At: moment(made)}
		c.Message, c.Thread = inbox.MessageID(message), provider.ThreadID(thread)
		c.User = acl.UserID(person)
		p.items = append(p.items, c)
		return nil
	})
	p.done = len(p.items) < n
	return p, err
}
