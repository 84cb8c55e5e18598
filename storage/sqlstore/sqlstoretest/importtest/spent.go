//go:build unix

package importtest

import (
	"syscall"
	"time"
)

// Spent sums up what calls took: the time, and the processor time of this process. The zero value is
// nothing. It is not safe for concurrent use.
type Spent struct{ Wall, CPU time.Duration }

// Add calls f and adds what it took.
func (s *Spent) Add(f func()) {
	cpu, wall := processor(), time.Now()
	f()
	s.CPU += processor() - cpu
	s.Wall += time.Since(wall)
}

func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
