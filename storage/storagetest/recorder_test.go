package storagetest_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/workinbox/workinbox/storage/storagetest"
)

// recorder is a storagetest.T that notes what a check says instead of failing.
type recorder struct {
	ctx   context.Context
	mu    sync.Mutex
	notes []string
}

func (r *recorder) Helper() {}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// watch runs a check on a goroutine of its own, which Fatalf may end, and returns what it noted.
func watch(t *testing.T, check func(t storagetest.T)) string {
	t.Helper()
	r := &recorder{ctx: t.Context()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	return strings.Join(r.notes, "\n")
}
