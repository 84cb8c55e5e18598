package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/acl"
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
	rows.add("no.", "status", "mails", "last mail", "customer", "company", "subject")
	for t, err := range h.desk.Tickets.Tickets(ctx, actor, ticket.Query{Limit: shown}) {
		if err != nil {
			return err
		}
		customer, company, err := h.names(ctx, actor, t)
		if err != nil {
			return err
		}
		rows.add(fmt.Sprint(t.Number), string(t.Status), fmt.Sprint(t.Messages),
			t.LastMail.Format("2006-01-02 15:04"), cut(customer, 24), cut(company, 16), cut(t.Subject, 44))
	}
	fmt.Fprintf(out, "\nThe newest %d of %d tickets:\n", min(shown, all), all)
	rows.write(out)
	return nil
}

// names returns what the customer and company of a ticket are called; empty where it has none.
func (h *host) names(ctx context.Context, actor acl.Actor, t ticket.Ticket) (customer, company string, err error) {
	if t.Customer != "" {
		c, err := h.desk.Inboxes.Customer(ctx, actor, t.Customer)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return "", "", err
		}
		if customer = c.Name; customer == "" {
			customer = c.Address
		}
	}
	if t.Company != "" {
		c, err := h.desk.Inboxes.Company(ctx, actor, t.Company)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return "", "", err
		}
		company = c.Name
	}
	return customer, company, nil
}
