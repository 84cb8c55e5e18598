package desk_test

import (
	"context"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket/desk"
)

// A host with a queue of its own does what Run does: a job for each inbox that is watched, which puts
// itself in again for its next turn, and one for each chore.
func ExampleDesk_Look() {
	ctx := context.Background()
	store, host := memory.New(), memory.NewHost()
	d, err := desk.New(desk.Config{Store: store, Vault: store, Blobs: store, People: host, Sites: host,
		Providers: []provider.Provider{fake.New(fake.Options{})}})
	check(err)

	type job struct {
		name    string
		urgency desk.Urgency
		work    func() (next time.Duration, err error)
	}
	var queue []job
	for in, err := range d.Watched(ctx) { // every d.Poll, for inboxes that have no job
		check(err)
		queue = append(queue, job{string(in.ID), desk.UrgencyOf(&in), func() (time.Duration, error) {
			turn, err := d.Look(ctx, in.ID, desk.ByTimer) // ByRing: a webhook has rung
			return turn.Next, err
		}})
	}
	for _, c := range d.Chores() {
		queue = append(queue, job{c.Name, c.Urgency, func() (time.Duration, error) { return c.Every, c.Do(ctx) }})
	}
	for _, j := range queue {
		next, err := j.work()
		fmt.Println(j.name, "of urgency", j.urgency, "is due again in", next, err)
	}
	turn, err := d.Look(ctx, inbox.ID("deleted"), desk.ByTimer)
	fmt.Println("to leave:", turn.Leave, err)

	// Output:
	// dispatch of urgency 1 is due again in 2s <nil>
	// deliver of urgency 1 is due again in 2s <nil>
	// housekeeping of urgency 3 is due again in 1h0m0s <nil>
	// to leave: true <nil>
}
