package main

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// merge folds a ticket into a newer one of the same client.
func (s *shift) merge(ctx context.Context) error {
	if s.day.Into != 0 {
		s.say("ravi merged ticket %d into ticket %d in an earlier run", s.day.Merged, s.day.Into)
		return nil
	}
	newer, older, found := s.pair()
	if !found {
		s.say("ravi merges nothing: no client has two more tickets")
		return nil
	}
	tickets := s.host.desk.Tickets
	if _, err := tickets.Assign(ctx, s.ravi, newer.ID, replier); err != nil {
		return err
	}
	whole, err := tickets.Merge(ctx, s.ravi, newer.ID, []ticket.ID{older.ID})
	if err != nil {
		return err
	}
	client, _, err := s.host.names(ctx, s.ravi, whole)
	if err != nil {
		return err
	}
	s.into, s.day.Merged, s.day.Into = whole.ID, older.Number, newer.Number
	s.say("ravi merges ticket %d into ticket %d, both of %s: %d mails in one",
		older.Number, newer.Number, cut(client, 40), whole.Messages)
	return nil
}

// pair finds two tickets of one client among those that were not written on.
func (s *shift) pair() (newer, older ticket.Ticket, found bool) {
	first := make(map[inbox.CustomerID]ticket.Ticket)
	for _, t := range s.list {
		if t.Customer == "" || t.Number == s.day.Answered || t.Number == s.day.Forwarded || t.Hidden() {
			continue
		}
		if newer, found = first[t.Customer]; found {
			return newer, t, true
		}
		first[t.Customer] = t
	}
	return newer, older, false
}

// split makes the newest mail of what was merged a ticket of its own.
func (s *shift) split(ctx context.Context) error {
	switch {
	case s.day.Split != 0:
		s.say("ravi split ticket %d off in an earlier run", s.day.Split)
		return nil
	case s.into == "":
		return nil // merge has said why
	}
	var mail ticket.EntryID
	for e, err := range s.host.desk.Tickets.Entries(ctx, s.ravi, s.into) {
		if err != nil {
			return err
		}
		if e.Message != "" && e.Merged != "" {
			mail = e.ID
		}
	}
	if mail == "" {
		s.say("ravi splits nothing off: what was merged had no mail")
		return nil
	}
	part, err := s.host.desk.Tickets.Split(ctx, s.ravi, s.into, ticket.Split{Entry: mail})
	if err != nil {
		return err
	}
	s.day.Split = part.Number
	s.say("ravi splits the newest mail of ticket %d off again, as ticket %d: %s",
		s.day.Merged, part.Number, cut(part.Subject, 44))
	return nil
}
