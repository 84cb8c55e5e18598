package riverdesk_test

import (
	"context"
	"net/http"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/workinbox/workinbox/ticket/desk"
	riverdesk "github.com/workinbox/workinbox/ticket/desk/river"
)

// A process that works, until it is told to stop, and takes webhooks.
func ExampleNew() {
	serve := func(d *desk.Desk, pool *pgxpool.Pool, push func(ring func(context.Context, string) error) http.Handler) error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := riverdesk.Migrate(ctx, pool, "river"); err != nil {
			return err
		}
		queue, err := riverdesk.New(d, pool, riverdesk.Config{River: &river.Config{Schema: "river"}})
		if err != nil {
			return err
		}
		http.Handle("/push/gmail", push(queue.Ringer("gmail")))
		if err := queue.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		<-ctx.Done()
		return queue.StopAndCancel(context.WithoutCancel(ctx)) // what is cut short goes on elsewhere
	}
	_ = serve
}
