// Command quickstart shows the main job in one command: a person connects a mailbox, chooses what
// may enter, shares it, and a team works on its tickets. Without flags it does so with the sample
// mailbox it carries, a month of a public mailing list; with -mail it takes your own mail from disk.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -mail ~/export.mbox -client "Acme=acme.com,*.acme.eu" -db team.db
//	go run ./examples/quickstart -gmail
//
// With -gmail the mailbox is one of Gmail, over HTTP and with OAuth: yours where the environment has
// a client id, else one of a test server.
//
// Read it in this order: setup.go is what a host writes to wire the library, wizard.go the four
// steps, access.go who may do what, work.go a day's work on the tickets with write.go, regroup.go and
// search.go. The rest is reading flags and printing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: its exit code is 0, or 1 after one line on stderr that says what to do.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = quickstart(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "quickstart:", friendly(ctx, o, err))
		return 1
	}
	return 0
}

func quickstart(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	h, err := openHost(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	out := stdout
	if o.json {
		out = io.Discard
	}
	fmt.Fprintf(out, "%s, at %s.\n", h.whose(), h.clock.now().Format(time.DateTime))
	in, err := h.connect(ctx, o, out, stderr)
	if err != nil {
		return err
	}
	if o.preview {
		return h.preview(ctx, in.ID, stdout, o.json)
	}
	if in, err = h.finish(ctx, in, out); err != nil {
		return err
	}
	took := startStats()
	bar, err := h.startProgress(ctx, in.ID, stderr)
	if err != nil {
		return err
	}
	ledger, err := h.desk.Step(ctx, in.ID)
	bar.end()
	if err != nil {
		return err
	}
	sum, err := h.summary(ctx, in.ID, ledger, took.end())
	if err != nil {
		return err
	}
	if !o.json {
		if err := h.tell(ctx, in, sum, out); err != nil {
			return err
		}
	}
	if sum.Work, err = h.work(ctx, o, out); err != nil || !o.json {
		return err
	}
	return sum.writeJSON(stdout)
}

// whose says whose mailbox it is, as far as is known.
func (h *host) whose() string {
	if len(h.me) == 0 {
		return "A mailbox of " + string(h.service.Kind())
	}
	return "The mailbox of " + strings.Join(h.me, ", ")
}

// tell prints what came of it, for a person.
func (h *host) tell(ctx context.Context, in inbox.Inbox, sum summary, out io.Writer) error {
	sum.write(out)
	if h.disk != nil && sum.Rejected[filter.NoSender] > 0 {
		if err := h.listSenderless(ctx, in.ID, out); err != nil {
			return err
		}
	}
	if err := h.listTickets(ctx, sum.Tickets, out); err != nil {
		return err
	}
	if err := h.listAccess(ctx, in.ID, out); err != nil {
		return err
	}
	return h.act(ctx, out)
}
