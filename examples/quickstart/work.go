package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// day is what came of a day's work, as -json prints it: tickets by their numbers, zero where there is
// none. What an earlier run did is in it too; Mails counts what this run wrote and sent.
type day struct {
	LeftOut      string               `json:"left_out,omitempty"` // why nothing was done
	Mails        int                  `json:"mails"`
	Answered     int64                `json:"answered"`
	Answer       ticket.OutgoingState `json:"answer,omitempty"`
	Forwarded    int64                `json:"forwarded"`
	Child        int64                `json:"child"` // the ticket the forwarded mail opened
	Merged       int64                `json:"merged"`
	Into         int64                `json:"into"`
	Split        int64                `json:"split"` // the ticket that was split off
	Search       string               `json:"search,omitempty"`
	Hits         int                  `json:"hits"` // of them at most shownHits
	StrangerHits int                  `json:"stranger_hits"`
	Refused      string               `json:"refused,omitempty"` // what the reader's answer came to
}

// shift is ravi at work.
type shift struct {
	host   *host
	ravi   acl.Actor
	sends  bool             // mail may leave
	sendTo []rfc822.Address // who gets all mail instead of whom it is for; empty: nobody else
	list   []ticket.Ticket  // with mail, the newest activity first
	into   ticket.ID        // what was merged into
	day    day
	out    io.Writer
}

// work lets ravi do a day's work on the tickets, and prints what came of it. What an earlier run with
// the same database has done stays as it is: no mail goes out twice.
func (h *host) work(ctx context.Context, o options, out io.Writer) (day, error) {
	s := &shift{host: h, sends: h.disk != nil || o.sendTo != "", out: out}
	if o.sendTo != "" {
		s.sendTo = []rfc822.Address{{Address: o.sendTo}}
	}
	if err := s.begin(ctx); err != nil {
		return s.day, err
	}
	if len(s.list) == 0 {
		s.day.LeftOut = "there is no ticket to work on"
		return s.day, nil // the step before has said so
	}
	fmt.Fprintf(out, "\nA day of ravi's work (%s):\n", h.whereMailGoes(s.sends, o))
	for _, step := range []func(context.Context) error{
		s.answer, s.forward, s.merge, s.split, s.search, s.refuse,
	} {
		if err := step(ctx); err != nil {
			return s.day, err
		}
	}
	return s.day, nil
}

// whereMailGoes says what becomes of mail that ravi sends.
func (h *host) whereMailGoes(sends bool, o options) string {
	switch {
	case !sends:
		return "no mail leaves without -send-to"
	case h.disk == nil:
		return "mail leaves through the mailbox, to " + o.sendTo + " alone"
	case o.db == "":
		return "mail goes into a folder that is gone after this run, and to nobody"
	}
	return "mail goes into the folder " + filepath.Base(h.sent) + " beside the database, and to nobody"
}

// begin lists the tickets, and finds out what an earlier run did: everything ravi works on is his.
func (s *shift) begin(ctx context.Context) (err error) {
	if s.ravi, err = s.host.actor(ctx, replier); err != nil {
		return err
	}
	tickets := s.host.desk.Tickets
	if s.sends { // what a run that was stopped has left
		if _, err := tickets.Dispatch(ctx, 0); err != nil {
			return err
		}
	}
	for t, err := range tickets.Tickets(ctx, s.ravi, ticket.Query{Limit: 200}) {
		if err != nil {
			return err
		}
		if t.Messages > 0 { // a child has none before an answer comes
			s.list = append(s.list, t)
		}
	}
	for t, err := range tickets.Tickets(ctx, s.ravi, ticket.Query{Assignee: replier}) {
		if err == nil {
			err = s.recall(ctx, &t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recall reads what ravi did on one of his tickets.
func (s *shift) recall(ctx context.Context, t *ticket.Ticket) error {
	if len(t.MergedFrom) > 0 {
		s.into, s.day.Into = t.ID, t.Number
		if err := s.number(ctx, t.MergedFrom[0], &s.day.Merged); err != nil {
			return err
		}
	}
	for e, err := range s.host.desk.Tickets.Entries(ctx, s.ravi, t.ID) {
		switch {
		case err != nil:
			return err
		case e.Author != replier:
		case e.Kind == ticket.EntryReplied && e.Outgoing != nil:
			s.day.Answered, s.day.Answer = t.Number, e.Outgoing.State
		case e.Kind == ticket.EntryForwarded && e.Outgoing == nil:
			s.day.Forwarded = t.Number
			err = s.number(ctx, e.Other, &s.day.Child)
		case e.Change != nil && e.Change.Field == "split" && t.ID == s.into:
			err = s.number(ctx, e.Other, &s.day.Split)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *shift) number(ctx context.Context, id ticket.ID, number *int64) error {
	t, err := s.host.desk.Tickets.Ticket(ctx, s.ravi, id)
	*number = t.Number
	return err
}

func (s *shift) say(format string, args ...any) { fmt.Fprintf(s.out, "  "+format+"\n", args...) }
