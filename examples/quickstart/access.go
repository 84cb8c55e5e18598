package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// asked are the actions of the table, with their headings.
var asked = []struct {
	head   string
	action acl.Action
}{
	{"see it", acl.SeeInbox}, {"read", acl.ViewTickets}, {"note", acl.AddNote}, {"reply", acl.Reply},
	{"status", acl.EditOptions}, {"settings", acl.EditSettings}, {"share", acl.Share},
	{"delete", acl.DeleteInbox},
}

// listAccess asks the library for each person and action, and prints its answers.
func (h *host) listAccess(ctx context.Context, id inbox.ID, out io.Writer) error {
	head := []string{"", ""}
	for _, a := range asked {
		head = append(head, a.head)
	}
	rows := table{}
	rows.add(head...)
	for _, p := range cast {
		who, err := h.actor(ctx, p.id)
		if err != nil {
			return err
		}
		row := []string{string(p.id), p.what}
		for _, a := range asked {
			_, err := h.desk.Inboxes.Authorize(ctx, who, id, a.action, nil)
			answer, err := answerOf(err)
			if err != nil {
				return err
			}
			row = append(row, answer)
		}
		rows.add(row...)
	}
	fmt.Fprintln(out, "\nWho may do what (? is an inbox that does not exist for them):")
	rows.write(out)
	return nil
}

// answerOf tells a refusal from something that broke.
func answerOf(err error) (string, error) {
	switch {
	case err == nil:
		return "yes", nil
	case errors.Is(err, acl.ErrDenied):
		return "no", nil
	case errors.Is(err, storage.ErrNotFound):
		return "?", nil
	}
	return "", err
}

// act lets teammates do something with the newest ticket, and prints what came of it.
func (h *host) act(ctx context.Context, out io.Writer) error {
	team := make(map[acl.UserID]acl.Actor)
	for _, id := range []acl.UserID{reader, replier, stranger} {
		who, err := h.actor(ctx, id)
		if err != nil {
			return err
		}
		team[id] = who
	}
	var newest ticket.Ticket
	for t, err := range h.desk.Tickets.Tickets(ctx, team[reader], ticket.Query{Limit: 1}) {
		if err != nil {
			return err
		}
		newest = t
	}
	if newest.ID == "" {
		fmt.Fprintln(out, "\nThere is no ticket to work on.")
		return nil
	}
	fmt.Fprintf(out, "\nThe team and ticket %d:\n", newest.Number)
	tickets := h.desk.Tickets
	for _, step := range []struct {
		who  acl.UserID
		what string
		do   func(acl.Actor) error
	}{
		{reader, "writes a note", func(who acl.Actor) error {
			_, err := tickets.Note(ctx, who, newest.ID, "Ravi, is this one yours?")
			return err
		}},
		{replier, "takes the ticket", func(who acl.Actor) error {
			_, err := tickets.Assign(ctx, who, newest.ID, replier)
			return err
		}},
		{replier, "sets it on hold", func(who acl.Actor) error {
			_, err := tickets.SetStatus(ctx, who, newest.ID, ticket.OnHold)
			return err
		}},
		{stranger, "tries to open it", func(who acl.Actor) error {
			_, err := tickets.Ticket(ctx, who, newest.ID)
			return err
		}},
	} {
		err := step.do(team[step.who])
		if _, broken := answerOf(err); broken != nil {
			return broken
		}
		fmt.Fprintf(out, "  %s %s: %s\n", step.who, step.what, outcome(err))
	}
	now, err := tickets.Ticket(ctx, team[reader], newest.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  ticket %d is now %s, with %s.\n", now.Number, now.Status, now.Assignee)
	return nil
}

// outcome is the library's own word.
func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}
