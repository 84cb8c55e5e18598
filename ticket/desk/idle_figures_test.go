//go:build unix

package desk_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket/desk"
)

// TestIdleFigures logs what an idle inbox costs a process in an hour in which nothing comes in:
//
//	WORKINBOX_BENCH_INBOXES=10000 go test -run TestIdleFigures -v -timeout 30m ./ticket/desk
//
// The hour is one of a bubble's, the processor time is real, and the store and the mail service are in
// memory and in the same process: their share is in the figures, a database's and a network's is not.
func TestIdleFigures(t *testing.T) {
	inboxes, err := strconv.Atoi(os.Getenv("WORKINBOX_BENCH_INBOXES"))
	if err != nil {
		t.Skip("measures only where WORKINBOX_BENCH_INBOXES says how many inboxes")
	}
	for _, row := range []struct {
		name  string
		share bool
	}{{"alone", false}, {"shared by leases", true}} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(c *desk.Config) {
				if row.share {
					c.Leases = c.Store.(desk.Leases)
				}
			}, func(t *testing.T, w *world) {
				w.stop()
				var accounts []*fake.Account
				for i := range inboxes {
					account, _ := w.open(fmt.Sprintf("me-%05d@firm.example", i), mute)
					accounts = append(accounts, account)
				}
				calls := func() (n int) {
					for _, a := range accounts {
						n += a.TotalCalls() - a.Calls()[fake.OpWait] // which never reaches a service
					}
					return n
				}
				empty := held()
				w.run()
				after(15 * time.Minute)
				asked, spent := calls(), processor()
				after(time.Hour)
				spent = processor() - spent
				asked = calls() - asked
				each := func(n int) float64 { return float64(n) / float64(inboxes) }
				t.Logf("%d inboxes: %.1f kB of memory, %.2f calls and %v of processor time an hour each",
					inboxes, each(held()-empty)/1000, each(asked), (spent / time.Duration(inboxes)).Round(time.Microsecond))
				require.InDelta(t, 12, each(asked), 1, "calls of an inbox in an hour")
			})
		})
	}
}

// held is the memory of what is in use, and of stacks.
func held() int {
	runtime.GC()
	runtime.GC() // what pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
