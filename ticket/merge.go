package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// maxMerges is how many merges mail follows to the ticket that takes it.
const maxMerges = 100

// Merge folds up to 15 tickets into one (R-TKT-06). Their mail, notes and tasks go there, in their place
// by time, and their tags and followers join its own; its options stay as they are. A source keeps its
// number, the lines about its options, and who reads it is sent on (Ticket.MergedInto); mail that comes
// into its threads later lands on the target, and what somebody has begun to write on it is found there
// (Draft), beside what they have begun on the target.
//
// It takes read-and-reply in every inbox involved, no ticket that is locked, archived or in the trash,
// and where somebody who reads the target could not read a source, the right of an inbox admin of the
// source's inbox or its creator (c13). All are merged or none: ErrSameTicket, ErrMerged and ErrHidden
// besides the refusals of rights.
func (s *Service) Merge(ctx context.Context, actor acl.Actor, target ID, sources []ID) (Ticket, error) {
	var saved, before []Ticket
	err := storage.Redo(func() error {
		m, err := s.merge(ctx, actor, target, sources)
		if err == nil {
			before = m.before
			saved, err = s.saveTickets(ctx, m.writes(), m.events...)
		}
		return err
	})
	if err != nil {
		return Ticket{}, err
	}
	s.relinkTasks(ctx, &saved[0], before)
	return s.leftTicket(ctx, actor, saved[0]), nil
}

// merger is one merge on its way.
type merger struct {
	s       *Service
	by      acl.UserID
	inbox   inbox.Inbox // the target's
	target  Ticket
	sources []Ticket
	before  []Ticket  // the sources as they were
	lines   []Entry   // those the target gets
	left    [][]Entry // those each source gets
	events  []inbox.Event
}

func (m *merger) writes() []Write {
	w := []Write{{Ticket: m.target, Entries: m.lines}}
	for i := range m.sources {
		w = append(w, Write{Ticket: m.sources[i], Entries: m.left[i]})
	}
	return w
}

func (s *Service) merge(ctx context.Context, actor acl.Actor, target ID, sources []ID) (*merger, error) {
	switch {
	case len(sources) == 0:
		return nil, fmt.Errorf("merge into ticket %q: no ticket is named", target)
	case len(sources) >= MaxWrites:
		return nil, fmt.Errorf("merge into ticket %q: %d tickets at once, at most %d are possible",
			target, len(sources), MaxWrites-1)
	}
	for i, id := range sources {
		if id == target || slices.Contains(sources[:i], id) {
			return nil, fmt.Errorf("merge ticket %q: %w", id, ErrSameTicket)
		}
	}
	parties, err := s.parties(ctx, actor, append([]ID{target}, sources...))
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(parties); i++ {
		if err := s.mayMerge(ctx, actor, parties, i); err != nil {
			return nil, err
		}
	}
	m := &merger{s: s, by: actor.User, inbox: parties[0].inbox, target: parties[0].ticket.Clone()}
	for i := range parties[1:] {
		if err := m.take(ctx, parties[i+1].ticket.Clone()); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// party is a ticket that takes part in a merge, with its inbox.
type party struct {
	ticket Ticket
	inbox  inbox.Inbox
	limits acl.Ticket
}

// parties loads the tickets of a merge, which the actor must be able to see.
func (s *Service) parties(ctx context.Context, actor acl.Actor, ids []ID) ([]party, error) {
	out := make([]party, len(ids))
	for i, id := range ids {
		t, in, err := s.visibleTicket(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		if t.MergedInto != "" {
			return nil, fmt.Errorf("merge ticket %q: %w", id, ErrMerged)
		}
		if i > 0 && (t.Hidden() != out[0].ticket.Hidden() || t.Hidden() && in.ID != out[0].inbox.ID) {
			return nil, fmt.Errorf("merge ticket %q: %w", id, ErrHidden)
		}
		out[i] = party{t, in, t.limits(&in, s.now())}
	}
	return out, nil
}

// mayMerge asks for the right to fold the i-th party into the first one.
func (s *Service) mayMerge(ctx context.Context, actor acl.Actor, parties []party, i int) error {
	from := &parties[i]
	facts := acl.Facts{Ticket: from.limits}
	for j := range parties {
		if j == i {
			continue
		}
		p := acl.Party{Ticket: parties[j].limits}
		if parties[j].inbox.ID != from.inbox.ID {
			p.Inbox = parties[j].inbox.ACL()
		}
		facts.Others = append(facts.Others, p)
	}
	var err error
	if facts.TargetReadersSeeOrigin, err = s.readersSee(ctx, &parties[0].inbox, &from.inbox); err != nil {
		return err
	}
	if _, err = s.Inboxes.Authorize(ctx, actor, from.inbox.ID, acl.Merge, &facts); errors.Is(err, storage.ErrNotFound) {
		return notFound(from.ticket.ID)
	}
	return err
}

// readersSee says whether everybody who may view the tickets of an inbox may view those of another one
// (c13).
func (s *Service) readersSee(ctx context.Context, target, origin *inbox.Inbox) (bool, error) {
	if target.ID == origin.ID {
		return true, nil
	}
	settings, err := s.settings(ctx, target.Site)
	if err != nil {
		return false, err
	}
	to, from := target.ACL(), origin.ACL()
	for p, err := range s.Inboxes.People.People(ctx, target.Site) {
		if err != nil {
			return false, err
		}
		a := p.Actor(settings)
		if acl.Check(a, to, acl.ViewTickets, nil).Allowed && !acl.Check(a, from, acl.ViewTickets, nil).Allowed {
			return false, nil
		}
	}
	return true, nil
}

// take moves what a source has to the target, and leaves the source as one that was merged.
func (m *merger) take(ctx context.Context, from Ticket) error {
	m.before = append(m.before, from)
	if err := m.takeEntries(ctx, &from); err != nil {
		return err
	}
	if err := m.takeOptions(ctx, &from); err != nil {
		return err
	}
	m.takeMail(&from)

	to, last := &m.target, from.Last
	to.MergedFrom = append(to.MergedFrom, from.ID)
	from.WasHidden = from.Hidden()
	from.MergedInto, from.Messages, from.Shown, from.Last, from.Subject = to.ID, 0, 0, "", ""
	from.Tasks, from.Followers = nil, nil
	m.sources = append(m.sources, from)
	line := m.s.otherLine(&from, changeMerged, to.ID, m.by)
	m.left = append(m.left, []Entry{line})
	back := m.s.otherLine(to, changeMerged, from.ID, m.by)
	to.touch(back.At)
	m.lines = append(m.lines, back)
	m.events = append(m.events, m.s.event(inbox.Event{Name: EventMerged, Entry: string(back.ID)}, to, m.by))
	if from.Inbox != to.Inbox {
		m.events = append(m.events, m.s.event(inbox.Event{Name: EventMerged, Entry: string(line.ID), Message: last}, &from, m.by))
	}
	return nil
}

// takeEntries takes the mail and notes of a source. The lines about its options stay.
func (m *merger) takeEntries(ctx context.Context, from *Ticket) error {
	for e, err := range m.s.Store.Entries(ctx, EntryQuery{Ticket: from.ID}) {
		if err != nil {
			return err
		}
		if e.Kind == EntryChanged {
			continue
		}
		if e.Merged == "" {
			e.Merged = from.ID
		}
		e.Ticket = m.target.ID
		if e.written() {
			e.Inbox = m.target.Inbox
		}
		m.lines = append(m.lines, e)
	}
	return nil
}

// takeOptions adds the tags and tasks of a source, and those of its followers who may view the target.
func (m *merger) takeOptions(ctx context.Context, from *Ticket) error {
	to := &m.target
	for _, tag := range from.Tags {
		if !slices.Contains(to.Tags, tag) {
			to.Tags = append(to.Tags, tag)
		}
	}
	for _, f := range from.Followers {
		if slices.Contains(to.Followers, f) {
			continue
		}
		views, err := m.s.personMay(ctx, &m.inbox, f, acl.ViewTickets)
		if err != nil {
			return err
		}
		if views {
			to.Followers = append(to.Followers, f)
		}
	}
	for _, task := range from.Tasks {
		if to.task(task.ID) < 0 {
			to.Tasks = append(to.Tasks, task)
		}
	}
	return nil
}

// takeMail adds what a source says of its mail to what the target says of its own.
func (m *merger) takeMail(from *Ticket) {
	to := &m.target
	if to.Last == "" || newer(from.LastMail, from.Last, to.LastMail, to.Last) {
		to.Last, to.LastMail = from.Last, from.LastMail
	}
	if from.Latest != "" {
		to.Latest = from.Latest
	}
	if from.HeardAt.After(to.HeardAt) {
		to.HeardAt = from.HeardAt
	}
	if from.StatusMail.After(to.StatusMail) {
		to.StatusMail = from.StatusMail
	}
	if to.RedactBegan.IsZero() {
		to.RedactBegan = from.RedactBegan
	}
	to.Messages += from.Messages
	to.Shown += from.Shown
	to.Divided = to.Divided || from.Divided
	to.touch(from.Activity)
}

// target returns a ticket, or the one it was merged into.
func (s *Service) target(ctx context.Context, id ID) (Ticket, error) {
	met := make(map[ID]bool)
	for {
		t, err := s.Store.Ticket(ctx, id)
		if err != nil || t.MergedInto == "" || met[id] {
			return t, err
		}
		met[id] = true
		id = t.MergedInto
	}
}
