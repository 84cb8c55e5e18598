package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// meter is what the library counts into. The import's own counters are the progress.
type meter struct {
	mu   sync.Mutex
	done int
	show func(done int) // nil: nobody looks
}

// Count adds up the mail that was dealt with.
func (m *meter) Count(name string, n int, _ ...string) {
	if name != "inbox.stored" && name != "inbox.rejected" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done += n; m.show != nil && n > 0 {
		m.show(m.done)
	}
}

// Time is not looked at.
func (m *meter) Time(string, time.Duration, ...string) {}

// progress shows how far the import has come: one line that is written over on a terminal, else a
// line for every tenth.
type progress struct {
	out      io.Writer
	terminal bool
	meter    *meter
	total    int
	tenth    int
}

func (h *host) startProgress(ctx context.Context, id inbox.ID, out io.Writer) (*progress, error) {
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil {
		return nil, err
	}
	before, err := h.desk.Inboxes.Progress(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	p := &progress{out: out, terminal: isTerminal(out), meter: h.meter, total: before.Total}
	h.meter.mu.Lock()
	defer h.meter.mu.Unlock()
	h.meter.done, h.meter.show = before.Listed, p.show
	return p, nil
}

// show is called by the meter, one call at a time.
func (p *progress) show(done int) {
	total := max(p.total, done)
	if p.terminal {
		const width = 30
		full := done * width / total
		fmt.Fprintf(p.out, "\r[%s%s] %d of %d", strings.Repeat("#", full), strings.Repeat(".", width-full),
			done, total)
		return
	}
	if tenth := done * 10 / total; tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.out, "imported %d of %d\n", done, total)
	}
}

// end lets the next line begin on a line of its own.
func (p *progress) end() {
	p.meter.mu.Lock()
	defer p.meter.mu.Unlock()
	p.meter.show = nil
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}

// isTerminal says whether somebody is likely to watch.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
