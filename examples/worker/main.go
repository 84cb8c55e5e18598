// Command worker shows what several processes on one PostgreSQL promise: it connects mailboxes of a
// test server that behaves like Gmail, lets workers import and follow them, kills workers at random
// while mail comes in, starts others, and then holds every inbox against its mailbox.
//
//	go run ./examples/worker
//	go run ./examples/worker -scale
//
// PostgreSQL is the one -postgres or WORKINBOX_TEST_POSTGRES names, else the usual one of this machine.
// Everything is made in a schema of its own, which goes in the end. The exit code is 1 when a promise
// is broken, and 2 when there is nothing to show it on.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// defaultPostgres is where the database is when nobody says.
const defaultPostgres = "postgres://postgres@127.0.0.1:5432/test?sslmode=disable"

// options are what the flags say.
type options struct {
	postgres string
	workers  int
	inboxes  int
	mails    int
	kills    int
	seed     uint64
	scale    bool
	latency  time.Duration
	patience time.Duration
}

func main() {
	if text, ok := os.LookupEnv(jobEnv); ok {
		if err := work(text, os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case errors.Is(err, errNoDatabase):
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	f := flag.NewFlagSet("worker", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.postgres, "postgres", cmp.Or(os.Getenv("WORKINBOX_TEST_POSTGRES"), defaultPostgres), "URL of the database")
	f.IntVar(&o.workers, "workers", 4, "processes that work at the same time")
	f.IntVar(&o.inboxes, "inboxes", 200, "mailboxes")
	f.IntVar(&o.mails, "mails", 20, "mails in each before the import")
	f.IntVar(&o.kills, "kills", 8, "processes to kill")
	f.Uint64Var(&o.seed, "seed", 1, "of what is random")
	f.BoolVar(&o.scale, "scale", false, "kill nobody; measure imports by 1 worker to -workers of them")
	f.DurationVar(&o.latency, "latency", 20*time.Millisecond, "what each answer of the mail service takes")
	f.DurationVar(&o.patience, "patience", 10*time.Minute, "how long the workers may take to catch up")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.workers < 1 || o.inboxes < 1 || o.mails < 0 || o.kills < 0 {
		return errors.New("-workers and -inboxes must be 1 or more, -mails and -kills 0 or more")
	}
	if o.scale {
		return scale(ctx, o, out)
	}
	return survive(ctx, o, out)
}

// survive kills workers and checks that nothing is the worse for it.
func survive(ctx context.Context, o options, out io.Writer) error {
	f, err := newFleet(ctx, o)
	if err != nil {
		return err
	}
	defer f.close()
	fmt.Fprintf(out, "%d mailboxes with %d mails each, %d workers on PostgreSQL, seed %d\n\n",
		o.inboxes, o.mails, o.workers, o.seed)
	if err := f.startAll(o.workers); err != nil {
		return err
	}
	for range o.kills {
		if err := f.strike(ctx, out); err != nil {
			return err
		}
	}
	if err := f.caughtUp(ctx); err != nil {
		return err
	}
	calm := time.Now()
	fmt.Fprintf(out, "%8s  every mail is in a ticket\n", f.clock())
	turns, err := f.allTurns(ctx, calm)
	if err != nil {
		return err
	}
	if err := f.endAll(); err != nil {
		return err
	}
	return f.report(ctx, out, turns)
}

// scale imports the same mail by one worker, by two, and so on.
func scale(ctx context.Context, o options, out io.Writer) error {
	fmt.Fprintf(out, "import of %d mailboxes with %d mails each, %v for each answer of the mail service\n\n",
		o.inboxes, o.mails, o.latency)
	var one float64
	for n := 1; n <= o.workers; n++ {
		rate, err := importRate(ctx, o, n)
		if err != nil {
			return err
		}
		if n == 1 {
			one = rate
		}
		fmt.Fprintf(out, "workers %d  %6.0f mails/s  %.1f times one\n", n, rate, rate/one)
	}
	return nil
}

func importRate(ctx context.Context, o options, workers int) (float64, error) {
	f, err := newFleet(ctx, o)
	if err != nil {
		return 0, err
	}
	defer f.close()
	began := time.Now()
	if err := f.startAll(workers); err != nil {
		return 0, err
	}
	if err := f.caughtUp(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return float64(f.delivered) / took.Seconds(), f.endAll()
}
