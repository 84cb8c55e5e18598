package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket/desk"
)

var _ desk.Leases = (*Store)(nil)

// leaseWords is what the statements about leases say differently: the clock of the database in
// microseconds, the same for all of a statement so that an index can serve a comparison with it, and
// the end of a SELECT that locks what nobody else does, which sets the versions of Dialect MySQL.
var leaseWords = map[Dialect]struct{ now, skip string }{
	SQLite: {now: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"},
	Postgres: {
		now:  "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)",
		skip: " FOR UPDATE SKIP LOCKED",
	},
	MySQL: {
		// UNIX_TIMESTAMP(NOW(6)) would go by the time zone of the session, which has an hour twice.
		now:  "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
		skip: " FOR UPDATE SKIP LOCKED",
	},
}

// clocked fills in the database's clock for "now()".
func (x *session) clocked(text string) string {
	return strings.ReplaceAll(text, "now()", leaseWords[x.dialect.name].now)
}

// Enroll makes tasks known; see desk.Leases.
func (s *Store) Enroll(ctx context.Context, tasks ...desk.Task) error {
	o := op{"enroll", "tasks", ""}
	var missing []desk.Task
	err := s.read(ctx, o, func(x *session) (err error) {
		missing, err = x.unknown(tasks)
		return err
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return s.write(ctx, o, func(x *session) error {
		for _, t := range missing {
			if _, err := x.enroll(t, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// unknown returns the tasks that are not enrolled, each once, in one order for all callers.
func (x *session) unknown(tasks []desk.Task) (missing []desk.Task, err error) {
	for kind, inboxes := range byKind(tasks) {
		known := make(map[inbox.ID]bool, len(inboxes))
		err := inChunks(inboxes, func(marks string, values []any) error {
			return x.every("SELECT inbox FROM {leases} WHERE kind = ? AND inbox IN "+marks,
				append([]any{string(kind)}, values...), func(scan func(...any) error) error {
					var id inbox.ID
					err := scan(&id)
					known[id] = true
					return err
				})
		})
		if err != nil {
			return nil, err
		}
		for _, id := range inboxes {
			if !known[id] {
				missing = append(missing, desk.Task{Kind: kind, Inbox: id})
			}
		}
	}
	slices.SortFunc(missing, func(a, b desk.Task) int {
		return strings.Compare(string(a.Kind)+"/"+string(a.Inbox), string(b.Kind)+"/"+string(b.Inbox))
	})
	return missing, nil
}

// byKind returns the inboxes of the tasks of each kind, each once and sorted.
func byKind(tasks []desk.Task) map[desk.TaskKind][]inbox.ID {
	out := make(map[desk.TaskKind][]inbox.ID)
	for _, t := range tasks {
		out[t.Kind] = append(out[t.Kind], t.Inbox)
	}
	for kind, ids := range out {
		out[kind] = distinct(ids)
	}
	return out
}

// enroll adds a task, due at once, and says whether it is new. Tokens begin with the clock, so that
// they rise also when a task is forgotten and comes again.
func (x *session) enroll(t desk.Task, rung int64) (bool, error) {
	return x.create(x.clocked("INSERT INTO {leases} (kind, inbox, due, rest, rung, owner, token) "+
		"VALUES (?, ?, now(), now(), ?, '', now()) ON CONFLICT (kind, inbox) DO NOTHING"),
		string(t.Kind), string(t.Inbox), rung)
}

// Ring makes tasks due at once; see desk.Leases.
func (s *Store) Ring(ctx context.Context, tasks ...desk.Task) error {
	return s.write(ctx, op{"ring", "tasks", ""}, func(x *session) error {
		of := byKind(tasks)
		for _, kind := range slices.Sorted(maps.Keys(of)) { // all callers lock in one order
			for _, id := range of[kind] {
				if err := x.ring(desk.Task{Kind: kind, Inbox: id}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (x *session) ring(t desk.Task) error {
	if isNew, err := x.enroll(t, 1); err != nil || isNew {
		return err
	}
	_, err := x.exec(x.clocked("UPDATE {leases} SET rung = 1, due = CASE "+
		"WHEN owner <> '' OR due <= now() OR due <= rest THEN due "+
		"WHEN rest > now() THEN rest ELSE now() END WHERE kind = ? AND inbox = ?"),
		string(t.Kind), string(t.Inbox))
	return err
}

// Claim gives an owner what is due; see desk.Leases.
func (s *Store) Claim(
	ctx context.Context, kind desk.TaskKind, owner string, n int, hold time.Duration,
) (claimed []desk.Lease, err error) {
	o := op{"claim", "tasks", ""}
	if n <= 0 {
		return nil, ctx.Err()
	}
	// Most of the time nothing is due, and a look locks nothing.
	var due bool
	err = s.read(ctx, o, func(x *session) error {
		due, err = x.anyDue(kind)
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	err = s.write(ctx, o, func(x *session) error {
		claimed, err = x.claim(kind, owner, min(n, maxList), hold)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

func (x *session) due(columns string) string {
	return x.clocked("SELECT " + columns + " FROM {leases}" + x.using("leases_due") +
		" WHERE kind = ? AND due <= now() ORDER BY due, inbox LIMIT ?")
}

func (x *session) anyDue(kind desk.TaskKind) (bool, error) {
	var id string
	err := x.one(x.due("inbox"), []any{string(kind), int64(1)}, &id)
	if isNone(err) {
		return false, nil
	}
	return err == nil, err
}

func (x *session) claim(kind desk.TaskKind, owner string, n int, hold time.Duration) ([]desk.Lease, error) {
	var claimed []desk.Lease
	err := x.every(x.due("inbox, owner, token, rung")+leaseWords[x.dialect.name].skip,
		[]any{string(kind), int64(n)}, func(scan func(...any) error) error {
			l := desk.Lease{Task: desk.Task{Kind: kind}, Owner: owner}
			var before string
			err := scan(&l.Inbox, &before, &l.Token, &l.Rung)
			l.Token++
			l.TakenOver = before != ""
			claimed = append(claimed, l)
			return err
		})
	if err != nil || len(claimed) == 0 {
		return nil, err
	}
	marks, values := inList(inboxesOf(claimed))
	args := append([]any{hold.Microseconds(), owner, string(kind)}, values...)
	_, err = x.exec(x.clocked("UPDATE {leases} SET due = now() + ?, owner = ?, token = token + 1, rung = 0 "+
		"WHERE kind = ? AND inbox IN "+marks), args...)
	return claimed, err
}

func inboxesOf(all []desk.Lease) []inbox.ID {
	ids := make([]inbox.ID, len(all))
	for i := range all {
		ids[i] = all[i].Inbox
	}
	return ids
}

// Renew goes on holding leases; see desk.Leases.
func (s *Store) Renew(ctx context.Context, hold time.Duration, all ...desk.Lease) ([]desk.Lease, error) {
	var kept []desk.Lease
	kinds := make(map[desk.TaskKind][]desk.Lease)
	for _, l := range all {
		kinds[l.Kind] = append(kinds[l.Kind], l)
	}
	err := s.write(ctx, op{"renew", "leases", ""}, func(x *session) error {
		ours := make(map[desk.Lease]bool, len(all))
		for _, kind := range slices.Sorted(maps.Keys(kinds)) { // all callers lock in one order
			some := kinds[kind]
			slices.SortFunc(some, func(a, b desk.Lease) int { return strings.Compare(string(a.Inbox), string(b.Inbox)) })
			for chunk := range slices.Chunk(some, maxList) {
				if err := x.renew(kind, chunk, hold, ours); err != nil {
					return err
				}
			}
		}
		kept = slices.DeleteFunc(slices.Clone(all), func(l desk.Lease) bool { return !ours[l] })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

func (x *session) renew(kind desk.TaskKind, some []desk.Lease, hold time.Duration, ours map[desk.Lease]bool) error {
	held := make(map[string]bool, len(some))
	name := func(id inbox.ID, owner string, token uint64) string { return fmt.Sprint(token, "/", owner, "/", id) }
	marks, values := inList(inboxesOf(some))
	err := x.every(x.locking("SELECT inbox, owner, token FROM {leases} WHERE kind = ? AND inbox IN "+marks+
		" ORDER BY inbox"), append([]any{string(kind)}, values...), func(scan func(...any) error) error {
		var id inbox.ID
		var owner string
		var token uint64
		err := scan(&id, &owner, &token)
		held[name(id, owner, token)] = true
		return err
	})
	if err != nil {
		return err
	}
	var still []inbox.ID
	for _, l := range some {
		if held[name(l.Inbox, l.Owner, l.Token)] {
			ours[l] = true
			still = append(still, l.Inbox)
		}
	}
	if len(still) == 0 {
		return nil
	}
	marks, values = inList(still)
	_, err = x.exec(x.clocked("UPDATE {leases} SET due = now() + ? WHERE kind = ? AND inbox IN "+marks),
		append([]any{hold.Microseconds(), string(kind)}, values...)...)
	return err
}

const ourLease = " WHERE kind = ? AND inbox = ? AND owner = ? AND token = ?"

// Release gives a lease back; see desk.Leases.
func (s *Store) Release(ctx context.Context, l desk.Lease, next, rest time.Duration) error {
	return s.giveBack(ctx, "release", l, "UPDATE {leases} SET rest = now() + ?, "+
		"due = CASE WHEN rung = 1 THEN now() + ? ELSE now() + ? END, owner = ''"+ourLease,
		rest.Microseconds(), rest.Microseconds(), next.Microseconds())
}

// Retire forgets a task; see desk.Leases.
func (s *Store) Retire(ctx context.Context, l desk.Lease) error {
	return s.giveBack(ctx, "retire", l, "DELETE FROM {leases}"+ourLease)
}

func (s *Store) giveBack(ctx context.Context, verb string, l desk.Lease, text string, args ...any) error {
	return s.write(ctx, op{verb, "lease of inbox", string(l.Inbox)}, func(x *session) error {
		args := append(slices.Clone(args), string(l.Kind), string(l.Inbox), l.Owner, int64(l.Token))
		n, err := x.affected(x.clocked(text), args...)
		if err == nil && n == 0 {
			err = storage.ErrConflict
		}
		return err
	})
}
