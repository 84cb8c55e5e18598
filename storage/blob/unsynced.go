package blob

import (
	"maps"
	"sync"

	"github.com/workinbox/workinbox/inbox"
)

// unsynced remembers the blobs that were put and are not yet known to be durable.
type unsynced struct {
	mu       sync.Mutex
	puts     uint64
	failures uint64                       // failed flushes
	blobs    map[inbox.ID]map[string]mark // by hash
}

// mark tells one put of a content from the next.
type mark struct {
	put     uint64
	suspect bool // a flush failed since: whether it is on the disk nobody knows
}

// begin is called before the first write of a put; what it returns goes to add.
func (u *unsynced) begin() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failures
}

// add remembers a put. A flush that failed since it began may have met its data, and no later flush
// would tell.
func (u *unsynced) add(id inbox.ID, hash string, begun uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.blobs == nil {
		u.blobs = map[inbox.ID]map[string]mark{}
	}
	if u.blobs[id] == nil {
		u.blobs[id] = map[string]mark{}
	}
	u.puts++
	u.blobs[id][hash] = mark{put: u.puts, suspect: u.failures != begun}
}

// batch returns a copy of what is unsynced in an inbox.
func (u *unsynced) batch(id inbox.ID) map[string]mark {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.blobs[id])
}

// synced forgets the puts of a batch and says whether all of them made it.
func (u *unsynced) synced(id inbox.ID, batch map[string]mark) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for hash, m := range batch {
		if u.blobs[id][hash] == m {
			u.remove(id, hash)
		}
	}
	for hash := range batch {
		if u.blobs[id][hash].suspect {
			return false
		}
	}
	return true
}

// suspect marks the puts of a batch after a failed sync.
func (u *unsynced) suspect(id inbox.ID, batch map[string]mark) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for hash, m := range batch {
		if u.blobs[id][hash] == m {
			u.blobs[id][hash] = mark{put: m.put, suspect: true}
		}
	}
}

// suspectAll marks everything after a failed flush.
func (u *unsynced) suspectAll() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failures++
	for _, blobs := range u.blobs {
		for hash, m := range blobs {
			blobs[hash] = mark{put: m.put, suspect: true}
		}
	}
}

// last returns the mark of a blob, zero when it has none.
func (u *unsynced) last(id inbox.ID, hash string) mark {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.blobs[id][hash]
}

// forget forgets a blob that was deleted, unless it was put again since it had that mark.
func (u *unsynced) forget(id inbox.ID, hash string, m mark) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.blobs[id][hash] == m {
		u.remove(id, hash)
	}
}

func (u *unsynced) remove(id inbox.ID, hash string) {
	delete(u.blobs[id], hash)
	if len(u.blobs[id]) == 0 {
		delete(u.blobs, id)
	}
}
