package desk_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket/desk"
)

// Two processes share an inbox. desk.Run does all of this by itself, given Config.Leases; a process
// that does not run, such as one that only takes webhooks, rings.
func ExampleLeases() {
	ctx := context.Background()
	var leases desk.Leases = memory.New() // or a store of package sqlstore
	task := desk.Task{Kind: desk.TaskStep, Inbox: "in-1"}
	check(leases.Enroll(ctx, task))

	claim := func(owner string, hold time.Duration) (l desk.Lease) {
		claimed, err := leases.Claim(ctx, desk.TaskStep, owner, 10, hold)
		check(err)
		for _, l = range claimed {
			fmt.Println(owner, "has", l.Inbox, "rung:", l.Rung, "taken over:", l.TakenOver)
		}
		return l
	}
	first := claim("one", -time.Second) // it ran out: the process died
	second := claim("two", time.Minute)
	claim("one", time.Minute) // nothing is due
	fmt.Println(errors.Is(leases.Release(ctx, first, 0, 0), storage.ErrConflict))

	check(leases.Ring(ctx, task))
	check(leases.Release(ctx, second, time.Hour, 0))
	claim("one", time.Minute)

	// Output:
	// one has in-1 rung: false taken over: false
	// two has in-1 rung: false taken over: true
	// true
	// one has in-1 rung: true taken over: false
}
