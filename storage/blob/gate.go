package blob

import (
	"os"
	"sync"
)

// gate keeps the last look and the removal of Sweep apart from the renames of puts, so that a blob
// put again at that moment is not removed: many puts at once, or one sweep, in all processes that
// share the directory.
type gate struct {
	rw   sync.RWMutex
	mu   sync.Mutex
	in   int // puts inside
	file *os.File
}

// enter lets a put in. Its leave must follow.
func (g *gate) enter() error {
	g.rw.RLock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.in == 0 {
		if err := lockShared(g.file); err != nil {
			g.rw.RUnlock()
			return err
		}
	}
	g.in++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	g.in--
	if g.in == 0 {
		unlock(g.file)
	}
	g.mu.Unlock()
	g.rw.RUnlock()
}

// alone runs f while no put is inside.
func (g *gate) alone(f func() error) error {
	g.rw.Lock()
	defer g.rw.Unlock()
	if err := lockAlone(g.file); err != nil {
		return err
	}
	defer unlock(g.file)
	return f()
}
