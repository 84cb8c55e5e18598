package memory

import (
	"cmp"
	"maps"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// box is what hangs on one inbox: the importer's state, messages, items, runs and the log.
type box struct {
	inbox    *inbox.Inbox
	state    inbox.SyncState // without the counts, which are taken from below
	seq      uint64
	log      []inbox.Change // by Seq
	messages *index[message]
	remotes  map[provider.RemoteID]*message
	shown    map[inbox.ThreadID]int // messages that are neither hidden nor removed
	threads  map[inbox.ThreadID]inbox.Thread
	items    map[provider.RemoteID]*item
	rejected map[inbox.ThreadID]map[provider.RemoteID]*item
	reasons  map[filter.Reason]int
	queue    *sorted[item]
	poison   *sorted[item]
	runs     *sorted[inbox.Run]
	runByID  map[string]*inbox.Run
}

// message is a stored mail with its text. A change replaces it.
type message struct {
	inbox.Message
	content *inbox.Content
}

// item is what became of a mail that is not stored.
type item struct {
	remote   provider.RemoteID
	seen     inbox.Seen
	rejected *inbox.Rejected // of a rejected one
}

func newBox(in *inbox.Inbox) *box {
	return &box{
		inbox:    in,
		state:    inbox.SyncState{Inbox: in.ID},
		messages: newIndex(newestFirst, messageKeys),
		remotes:  make(map[provider.RemoteID]*message),
		shown:    make(map[inbox.ThreadID]int),
		threads:  make(map[inbox.ThreadID]inbox.Thread),
		items:    make(map[provider.RemoteID]*item),
		rejected: make(map[inbox.ThreadID]map[provider.RemoteID]*item),
		reasons:  make(map[filter.Reason]int),
		queue:    &sorted[item]{compare: soonestFirst},
		poison:   &sorted[item]{compare: soonestFirst},
		runs:     &sorted[inbox.Run]{compare: latestFirst},
		runByID:  make(map[string]*inbox.Run),
	}
}

func newestFirst(a, b *message) int {
	return cmp.Or(b.Received.Compare(a.Received), cmp.Compare(b.ID, a.ID))
}

func soonestFirst(a, b *item) int {
	return cmp.Or(
		a.seen.Queued.NotBefore.Compare(b.seen.Queued.NotBefore),
		cmp.Compare(a.remote, b.remote),
	)
}

func latestFirst(a, b *inbox.Run) int {
	return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID))
}

func messageKeys(m *message) []key {
	keys := []key{{by: byThread, value: string(m.Thread)}}
	if m.RFCID != "" {
		keys = append(keys, key{by: byRFCID, value: m.RFCID})
	}
	if m.Marker != "" {
		keys = append(keys, key{by: byMarker, value: m.Marker})
	}
	if m.Customer != "" {
		keys = append(keys, key{by: byCustomer, value: string(m.Customer)})
	}
	return keys
}

// append adds a line to the log and returns its number.
func (b *box) append(c inbox.Change) uint64 {
	b.seq++
	c = clone(c)
	c.Seq = b.seq
	b.log = append(b.log, c)
	return b.seq
}

// syncState returns the state with the store's own counts.
func (b *box) syncState() inbox.SyncState {
	st := clone(b.state)
	st.Seq, st.Queued, st.Poisoned = b.seq, b.queue.len(), b.poison.len()
	return st
}

// setMessage puts a message in place of an older one of the same ID, or of none.
func (b *box) setMessage(old, m *message) {
	if old != nil {
		b.count(old, -1)
	}
	b.count(m, 1)
	b.remotes[m.Remote] = m
	b.messages.replace(old, m)
}

func (b *box) dropMessage(m *message) {
	b.count(m, -1)
	delete(b.remotes, m.Remote)
	b.messages.replace(m, nil)
}

func (b *box) count(m *message, n int) {
	if m.Hidden || m.Removed {
		return
	}
	if b.shown[m.Thread] += n; b.shown[m.Thread] == 0 {
		delete(b.shown, m.Thread)
	}
}

func (b *box) tally() inbox.Tally {
	t := inbox.Tally{Threads: len(b.shown)}
	for n := range maps.Values(b.shown) {
		t.Messages += n
	}
	return t
}

// setItem puts an item, or with nil none, in place of what is there of the remote id.
func (b *box) setItem(remote provider.RemoteID, it *item) {
	if old := b.items[remote]; old != nil {
		delete(b.items, remote)
		b.unlist(old)
	}
	if it == nil {
		return
	}
	b.items[remote] = it
	switch it.seen.State {
	case inbox.SeenQueued:
		b.queue.put(it)
	case inbox.SeenPoison:
		b.poison.put(it)
	case inbox.SeenRejected:
		b.reasons[it.seen.Reason]++
		in := b.rejected[it.seen.Thread]
		if in == nil {
			in = make(map[provider.RemoteID]*item)
			b.rejected[it.seen.Thread] = in
		}
		in[remote] = it
	}
}

func (b *box) unlist(it *item) {
	switch it.seen.State {
	case inbox.SeenQueued:
		b.queue.remove(it)
	case inbox.SeenPoison:
		b.poison.remove(it)
	case inbox.SeenRejected:
		if b.reasons[it.seen.Reason]--; b.reasons[it.seen.Reason] == 0 {
			delete(b.reasons, it.seen.Reason)
		}
		in := b.rejected[it.seen.Thread]
		if delete(in, it.remote); len(in) == 0 {
			delete(b.rejected, it.seen.Thread)
		}
	}
}

// leave takes a remote id out of the retry queue and its poison.
func (b *box) leave(remote provider.RemoteID) {
	if it := b.items[remote]; it != nil && it.seen.Queued != nil {
		b.setItem(remote, nil)
	}
}

// setRun puts a run in place of an older one with its ID.
func (b *box) setRun(r *inbox.Run) {
	if old := b.runByID[r.ID]; old != nil {
		b.runs.remove(old)
	}
	b.runByID[r.ID] = r
	b.runs.put(r)
}
