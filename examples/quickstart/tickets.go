package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// shown is how many tickets the table has.
const shown = 10

// listTickets prints the tickets with the newest activity, as the mailbox's owner sees them.
func (h *host) listTickets(ctx context.Context, all int, out io.Writer) error {
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil || all == 0 {
		return err
	}
	rows := table{}
	rows.add("no.", "status", "mails", "last mail", "from", "company", "subject")
	for t, err := range h.desk.Tickets.Tickets(ctx, actor, ticket.Query{Limit: shown}) {
		if err != nil {
			return err
		}
		from, company, err := h.names(ctx, actor, t)
		if err != nil {
			return err
		}
		last := ""
		if !t.LastMail.IsZero() {
			last = t.LastMail.Format("2006-01-02 15:04")
		}
		rows.add(fmt.Sprint(t.Number), string(t.Status), fmt.Sprint(t.Messages), last,
			cut(from, 24), cut(company, 16), cut(t.Subject, 44))
	}
	fmt.Fprintf(out, "\nThe newest %d of %d tickets:\n", min(shown, all), all)
	rows.write(out)
	return nil
}

// names returns whom a ticket is about: its customer and company, or who wrote its newest mail.
func (h *host) names(ctx context.Context, actor acl.Actor, t ticket.Ticket) (from, company string, err error) {
	var last inbox.View
	if t.Last != "" { // a child has no mail before an answer comes
		if last, err = h.desk.Inboxes.View(ctx, actor, t.Last, htmlsafe.Options{}); err != nil {
			return "", "", err
		}
	}
	for _, a := range last.Message.From {
		from = cmp.Or(from, a.Name, a.Address)
	}
	if t.Customer != "" {
		c, err := h.desk.Inboxes.Customer(ctx, actor, t.Customer)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return "", "", err
		}
		from = cmp.Or(c.Name, c.Address, from)
	}
	if id := cmp.Or(t.Company, last.Message.Company); id != "" {
		c, err := h.desk.Inboxes.Company(ctx, actor, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return "", "", err
		}
		company = c.Name
	}
	return from, company, nil
}
