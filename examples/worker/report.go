package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

var errBroken = errors.New("a promise is broken")

// found is what the inboxes have, held against their mailboxes.
type found struct {
	stored, entered int
	faults          []string
}

// report says what was killed and what survived. Its error is errBroken when anything did not.
func (f *fleet) report(ctx context.Context, out io.Writer, turns []time.Duration) error {
	var all found
	for i, id := range f.ids {
		if err := f.check(ctx, i, id, &all); err != nil {
			return err
		}
	}
	slices.Sort(turns)
	last := turns[len(turns)-1]
	gets := f.mail.Stats().Requests["messages.get"]
	fmt.Fprintf(out, "\nkilled    %d of %d workers: %s\n", len(f.killed), f.started, strings.Join(f.killed, ", "))
	fmt.Fprintf(out, "survived  %d inboxes, all active, with %d of %d mails\n", len(f.ids), all.stored, f.delivered)
	fmt.Fprintf(out, "lost      %d\n", f.delivered-all.stored)
	fmt.Fprintf(out, "tickets   %d mails in them, each once\n", all.entered)
	fmt.Fprintf(out, "starved   none: when all was calm every inbox had its turn within %v, half of them within %v\n",
		last.Round(time.Millisecond), turns[len(turns)/2].Round(time.Millisecond))
	fmt.Fprintf(out, "requests  %d for messages, %.2f for each mail\n", gets, float64(gets)/float64(f.delivered))
	if len(all.faults) == 0 {
		return nil
	}
	for _, fault := range all.faults {
		fmt.Fprintln(out, "BROKEN    "+fault)
	}
	return errBroken
}

func (a *found) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// check holds one inbox against its mailbox: nothing lost, nothing twice.
func (f *fleet) check(ctx context.Context, i int, id inbox.ID, all *found) error {
	missing := make(map[string]bool)
	for _, m := range f.accounts[i].Messages() {
		missing[m.ID] = true
	}
	want := len(missing)
	for m, err := range f.web.store.Messages(ctx, inbox.MessageQuery{Inbox: id, Hidden: true}) {
		if err != nil {
			return err
		}
		if !missing[string(m.Remote)] || m.CopyOf != "" {
			all.fault("inbox %d has message %q twice", i, m.Remote)
			continue
		}
		delete(missing, string(m.Remote))
		all.stored++
		body, err := f.web.blobs.OpenBlob(ctx, m.Blob)
		if err != nil {
			all.fault("inbox %d has message %q without its body", i, m.Remote)
			continue
		}
		if err := body.Close(); err != nil {
			return err
		}
	}
	for remote := range missing {
		all.fault("inbox %d has lost message %q", i, remote)
	}
	if err := f.checkTickets(ctx, i, id, want, all); err != nil {
		return err
	}
	in, err := f.web.store.Inbox(ctx, id)
	if err == nil && in.State != inbox.StateActive {
		all.fault("inbox %d is %s", i, in.State)
	}
	return err
}

// checkTickets demands that every mail is in one ticket, once, and that what the syncs say they stored
// is what there is.
func (f *fleet) checkTickets(ctx context.Context, i int, id inbox.ID, want int, all *found) error {
	entered := make(map[inbox.MessageID]bool)
	for e, err := range f.web.store.Entries(ctx, ticket.EntryQuery{Inbox: id}) {
		if err != nil {
			return err
		}
		if e.Message == "" {
			continue
		}
		if entered[e.Message] {
			all.fault("inbox %d has message %q in its tickets twice", i, e.Message)
		}
		entered[e.Message] = true
	}
	all.entered += len(entered)
	if len(entered) != want {
		all.fault("inbox %d has %d mails in tickets, not %d", i, len(entered), want)
	}
	ledger := 0
	for r, err := range f.web.store.Runs(ctx, id, 0) {
		if err != nil {
			return err
		}
		if err := r.Balance(); err != nil {
			all.fault("inbox %d: %v", i, err)
		}
		ledger += r.Stored
	}
	if ledger != want {
		all.fault("inbox %d: its syncs say they stored %d mails, not %d", i, ledger, want)
	}
	return nil
}
