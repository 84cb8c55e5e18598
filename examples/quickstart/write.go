package main

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// expert is whom ravi asks.
var expert = rfc822.Address{Name: "an expert", Address: "expert@partner.example"}

// tries is with how many tickets ravi tries before he gives up.
const tries = 10

// answer answers the newest ticket that has mail to answer.
func (s *shift) answer(ctx context.Context) error {
	if s.day.Answered != 0 {
		s.say("ravi answered ticket %d in an earlier run (%s): no second mail", s.day.Answered, s.day.Answer)
		return nil
	}
	if !s.sends {
		s.say("ravi answers nothing, forwards nothing: -send-to ADDRESS lets both go there, and nowhere else")
		return nil
	}
	d := ticket.Draft{
		Kind: ticket.EntryReplied, Text: "Thank you. You have our answer tomorrow.",
		To: s.sendTo, Fixed: len(s.sendTo) > 0,
	}
	for _, t := range s.list[:min(tries, len(s.list))] {
		_, e, err := s.send(ctx, t, d)
		if unanswerable(err) {
			continue
		}
		if err != nil {
			return err
		}
		s.day.Answered, s.day.Answer = t.Number, e.Outgoing.State
		s.say("ravi writes a draft on ticket %d and sends it, to %s: %s", t.Number, name(e.To), state(&e))
		return nil
	}
	s.say("ravi answers nothing: no ticket has mail that can be answered")
	return nil
}

// forward passes the thread of another ticket on; of the same one where there is no other.
func (s *shift) forward(ctx context.Context) error {
	if s.day.Forwarded != 0 {
		s.say("ravi forwarded ticket %d in an earlier run, as ticket %d: no second mail", s.day.Forwarded, s.day.Child)
		return nil
	}
	if !s.sends {
		return nil // answer has said so
	}
	t := s.list[0]
	for _, other := range s.list {
		if other.Number != s.day.Answered {
			t = other
			break
		}
	}
	to := s.sendTo
	if len(to) == 0 {
		to = []rfc822.Address{expert}
	}
	child, e, err := s.send(ctx, t, ticket.Draft{
		Kind: ticket.EntryForwarded, Text: "Can you help with this one?", To: to,
	})
	if unanswerable(err) {
		s.say("ravi forwards nothing: ticket %d has no mail that can be forwarded", t.Number)
		return nil
	}
	if err != nil {
		return err
	}
	s.day.Forwarded, s.day.Child = t.Number, child.Number
	s.say("ravi forwards ticket %d to %s: %s, answers come to its child, ticket %d",
		t.Number, name(e.To), state(&e), child.Number)
	return nil
}

// send takes a ticket, keeps a draft on it, and sends that. Where it is refused nothing is left.
func (s *shift) send(ctx context.Context, t ticket.Ticket, d ticket.Draft) (ticket.Ticket, ticket.Entry, error) {
	tickets := s.host.desk.Tickets
	none := func(err error) (ticket.Ticket, ticket.Entry, error) { return ticket.Ticket{}, ticket.Entry{}, err }
	now, err := tickets.Assign(ctx, s.ravi, t.ID, replier)
	if err != nil {
		return none(err)
	}
	begun, err := tickets.Draft(ctx, s.ravi, t.ID) // by a run that was stopped here
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return none(err)
	}
	d.Entry, d.Version, d.ExpectedLast = begun.Entry, begun.Version, now.Latest
	if d, err = tickets.SaveDraft(ctx, s.ravi, t.ID, d); err != nil {
		return none(err)
	}
	in, e, err := tickets.SendDraft(ctx, s.ravi, t.ID, d.Entry)
	if unanswerable(err) {
		_, back := tickets.Assign(ctx, s.ravi, t.ID, t.Assignee)
		return none(errors.Join(err, back, tickets.DiscardDraft(ctx, s.ravi, t.ID, d.Entry)))
	}
	if err == nil && e.Outgoing.State == ticket.OutgoingSent {
		s.day.Mails++
	}
	return in, e, err
}

// unanswerable says that a mail cannot be written on a ticket, whoever tries: there is nobody to write
// to, or none that mail can be sent to.
func unanswerable(err error) bool {
	var bad *rfc822.DraftError
	return errors.Is(err, ticket.ErrNothingToAnswer) || errors.Is(err, ticket.ErrNobody) ||
		errors.Is(err, ticket.ErrTooManyRecipients) || errors.As(err, &bad)
}

// state says where a mail stands.
func state(e *ticket.Entry) string {
	if e.Outgoing.Error == "" {
		return string(e.Outgoing.State)
	}
	return string(e.Outgoing.State) + " (" + e.Outgoing.Error + ")"
}

// name names who gets a mail.
func name(to []rfc822.Address) string {
	names := make([]string, len(to))
	for i, a := range to {
		names[i] = cut(cmp.Or(a.Name, a.Address), 40)
	}
	return strings.Join(names, ", ")
}
