package outlooktest

import (
	"slices"
	"time"
)

// begin fixes what a round of messages holds.
func (a *Account) begin(r *deltaRound, immutable bool) *deltaRound {
	out := &deltaRound{deltaQuery: r.deltaQuery}
	if r.from == 0 {
		out.upTo = a.version
		if r.typed("created") {
			out.records = r.snapshot()
		}
		if keep := a.s.c.Delta.FilterCap; !r.since.IsZero() && len(out.records) > keep {
			out.records = out.records[:keep]
		}
	} else {
		window := r.folder.window(r.from, a.s.now().Add(-a.s.c.Delta.Lag))
		out.upTo = r.from
		if len(window) > 0 {
			out.upTo = window[len(window)-1].version
		}
		out.records = a.coalesce(r.deltaQuery, window, immutable)
	}
	if every := a.s.c.Delta.DuplicateEvery; every > 0 {
		for i, n := 0, len(out.records); i < n; i++ {
			a.s.records++
			if a.s.records%every == 0 {
				out.records = append(out.records, out.records[i])
			}
		}
	}
	return out
}

// snapshot is everything in the folder that passes the filter, newest first.
func (q *deltaQuery) snapshot() []deltaRecord {
	var out []deltaRecord
	for _, m := range slices.Backward(q.folder.ordered) {
		if q.inside(m) {
			out = append(out, deltaRecord{m: m})
		}
	}
	return out
}

// window returns the changes after a position that are old enough to be seen.
func (f *folder) window(from uint64, until time.Time) []change {
	at, _ := slices.BinarySearchFunc(f.log, from+1, func(c change, v uint64) int {
		return int(int64(c.version) - int64(v))
	})
	end := at
	for end < len(f.log) && !f.log[end].at.After(until) {
		end++
	}
	return f.log[at:end]
}

// fate is what became of one id in a window.
type fate struct {
	first, last change
	left, added bool
	entered     bool // moved in
	updated     bool
}

// coalesce makes one record of all changes to one id.
func (a *Account) coalesce(q *deltaQuery, window []change, immutable bool) []deltaRecord {
	fates := make(map[string]*fate)
	var ids []string
	for _, c := range window {
		key := c.id
		if immutable {
			key = c.stable
		}
		f := fates[key]
		if f == nil {
			f = &fate{first: c}
			fates[key] = f
			ids = append(ids, key)
		}
		f.last = c
		f.left = f.left || c.kind.out()
		f.added = f.added || c.kind == changeAdded
		f.entered = f.entered || c.kind == changeMovedIn
		f.updated = f.updated || c.kind == changeUpdated
	}
	var out []deltaRecord
	for _, id := range ids {
		if r, ok := a.record(q, fates[id], immutable); ok {
			out = append(out, r)
		}
	}
	return out
}

func (a *Account) record(q *deltaQuery, f *fate, immutable bool) (deltaRecord, bool) {
	m := f.last.m
	r := deltaRecord{m: m, id: f.last.id, stable: f.last.stable}
	inside := q.inside(m)
	leaks := inside || !a.s.c.Delta.NoLeak
	returned := !f.last.kind.out() && f.left && !f.first.kind.in() && immutable &&
		!a.s.c.Delta.KeepReturns
	switch {
	case f.last.kind.out() || returned:
		r.kind, r.moved = recordRemoved, f.last.kind != changeRemoved
		return r, leaks && q.typed("deleted")
	case f.added:
		return r, inside && q.typed("created")
	case f.entered:
		lost := immutable && a.s.c.Delta.LoseMoves
		return r, inside && !lost && q.typed("created")
	case f.updated:
		return r, inside && q.typed("updated")
	}
	r.kind = recordPartial
	return r, leaks && q.typed("updated")
}

// deltaFolders is GET me/mailFolders/delta.
func deltaFolders(c *call) (any, *apiError) {
	if round, found, refusal := c.resume(); found || refusal != nil {
		if refusal != nil {
			return nil, refusal
		}
		if round.folder != nil {
			return nil, badRequest("Badly formed token.")
		}
		return c.round(round)
	}
	q := &deltaQuery{
		path: "/v1.0/me/mailFolders/delta", raw: c.r.URL.RawQuery,
		hidden: c.query.Get("includeHiddenFolders") == "true",
	}
	var refusal *apiError
	if q.sel, refusal = parseSelect(c.query, "mailFolder", folderFields); refusal != nil {
		return nil, refusal
	}
	return c.round(&deltaRound{deltaQuery: q, next: true})
}

// beginFolders fixes what a round of folders holds.
func (a *Account) beginFolders(r *deltaRound) *deltaRound {
	out := &deltaRound{deltaQuery: r.deltaQuery, upTo: max(a.version, 1)}
	if r.from == 0 {
		for _, f := range a.folderOrder {
			if f.parent != nil && (r.hidden || !f.hidden) {
				out.records = append(out.records, deltaRecord{f: f})
			}
		}
		return out
	}
	until := a.s.now().Add(-a.s.c.Delta.Lag)
	out.upTo = r.from
	last := make(map[*folder]folderChange)
	var order []*folder
	for _, c := range a.folderLog {
		if c.version <= r.from {
			continue
		}
		if c.at.After(until) {
			break
		}
		if _, ok := last[c.f]; !ok {
			order = append(order, c.f)
		}
		last[c.f] = c
		out.upTo = c.version
	}
	for _, f := range order {
		rec := deltaRecord{f: f}
		if last[f].removed || f.hidden && !r.hidden {
			rec.kind = recordRemoved
		}
		out.records = append(out.records, rec)
	}
	return out
}

func (c *call) folderRecord(o *object, r *deltaRound, rec deltaRecord) {
	o.text("@odata.type", "#microsoft.graph.mailFolder")
	if rec.kind == recordRemoved || c.a.folders[rec.f.id] == nil {
		o.text("id", rec.f.id)
		o.raw("@removed", []byte(`{"reason":"deleted"}`))
		return
	}
	rec.f.write(o, r.sel)
}
