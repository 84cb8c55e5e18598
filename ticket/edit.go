package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// maxTags is how many tags a ticket may have.
const maxTags = 100

// Edit is what somebody wants to change on a ticket. What is nil or empty stays as it is.
type Edit struct {
	Status   *Status
	Assignee *acl.UserID // empty is nobody
	Priority *string     // empty is none
	Type     *string     // empty is none
	Source   *string
	// Customer is who answers go to from then on (R-MSG-03). The ticket's company becomes the customer's.
	Customer *inbox.CustomerID
	AddTags  []string
	// RemoveTags takes tags off, also such as the catalog has no more.
	RemoveTags []string
	// Fields sets custom fields by code; no values, or empty ones, clear a field.
	Fields map[string][]string

	// Seen is what the person saw when they decided (Ticket.Options); only the options that Edit
	// changes are looked at. Where one of them is something else by now, and not what they want
	// either, nothing is changed and the error is an *EditConflictError. Nil does not ask.
	Seen *Options
}

// Options are the options of a ticket that have a value which one edit may take from another. Tags
// are not among them: two people who each add one do not disagree.
type Options struct {
	Status   Status              `json:"status,omitempty"`
	Assignee acl.UserID          `json:"assignee,omitempty"`
	Priority string              `json:"priority,omitempty"`
	Type     string              `json:"type,omitempty"`
	Source   string              `json:"source,omitempty"`
	Customer inbox.CustomerID    `json:"customer,omitempty"`
	Fields   map[string][]string `json:"fields,omitempty"`
}

// Options returns the ticket's options as they are. They share the map of fields with the ticket.
func (t *Ticket) Options() Options {
	return Options{Status: t.Status, Assignee: t.Assignee, Priority: t.Priority, Type: t.Type,
		Source: t.Source, Customer: t.Customer, Fields: t.Fields}
}

// Edit changes options of a ticket, all of them or none. Each option that becomes another is one line
// of the history and one event; what is so already is neither. When somebody else changes the ticket
// at the same time the edit is done again on what they made of it: see Edit.Seen for when not to.
//
// What cannot be set comes as joined errors: *OptionError for what the site's catalog does not offer,
// ErrCannotAssign for an assignee who may not work on the inbox (row 12).
func (s *Service) Edit(ctx context.Context, actor acl.Actor, id ID, e Edit) (Ticket, error) {
	return s.update(ctx, actor, id, acl.EditOptions, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		ed := &editor{s: s, actor: actor, t: t, seen: e.Seen}
		if err := ed.load(ctx, &e); err != nil {
			return nil, nil, err
		}
		if err := ed.apply(ctx, &e); err != nil {
			return nil, nil, err
		}
		return ed.lines, ed.events, nil
	})
}

// SetStatus is Edit for the status alone.
func (s *Service) SetStatus(ctx context.Context, actor acl.Actor, id ID, status Status) (Ticket, error) {
	return s.Edit(ctx, actor, id, Edit{Status: &status})
}

// Assign is Edit for the assignee alone.
func (s *Service) Assign(ctx context.Context, actor acl.Actor, id ID, user acl.UserID) (Ticket, error) {
	return s.Edit(ctx, actor, id, Edit{Assignee: &user})
}

// editor is one edit of one ticket.
type editor struct {
	s     *Service
	actor acl.Actor
	t     *Ticket
	seen  *Options

	catalog Catalog     // only where the edit chooses from it
	in      inbox.Inbox // with catalog

	lines     []Entry
	events    []inbox.Event
	conflicts []Conflict
	wrong     []error
}

func (ed *editor) load(ctx context.Context, e *Edit) (err error) {
	own := e.Status != nil && !e.Status.BuiltIn()
	if !own && e.Priority == nil && e.Type == nil && e.Source == nil && len(e.AddTags) == 0 && len(e.Fields) == 0 {
		return nil
	}
	if ed.catalog, err = ed.s.catalogOf(ctx, ed.t.Site); err != nil {
		return err
	}
	ed.in, err = ed.s.engineInbox(ctx, ed.t.Inbox)
	return err
}

func (ed *editor) apply(ctx context.Context, e *Edit) error {
	c, t := &ed.catalog, ed.t
	if set(ed, "status", e.Status, t.Status, func(o *Options) Status { return o.Status }, func() error {
		if e.Status.BuiltIn() {
			return nil
		}
		return choose("status", c.Statuses, string(*e.Status))
	}) {
		ed.add(ed.s.changeStatus(t, *e.Status, ed.actor.User))
	}
	if set(ed, "assignee", e.Assignee, t.Assignee, func(o *Options) acl.UserID { return o.Assignee }, func() error {
		return ed.s.assignable(ctx, t, *e.Assignee)
	}) {
		ed.add(ed.s.changeAssignee(t, *e.Assignee, ed.actor.User))
	}
	if set(ed, "priority", e.Priority, t.Priority, func(o *Options) string { return o.Priority }, func() error {
		return orNone(*e.Priority, func() error { return choose("priority", c.Priorities, *e.Priority) })
	}) {
		ed.change("priority", t.Priority, *e.Priority, EventPriority)
		t.Priority = *e.Priority
	}
	if set(ed, "type", e.Type, t.Type, func(o *Options) string { return o.Type }, func() error {
		return orNone(*e.Type, func() error { return c.chooseType(&ed.in, *e.Type) })
	}) {
		ed.change("type", t.Type, *e.Type, EventEdited)
		t.Type = *e.Type
	}
	if set(ed, "source", e.Source, t.Source, func(o *Options) string { return o.Source }, func() error {
		return choose("source", c.Sources, *e.Source)
	}) {
		ed.change("source", t.Source, *e.Source, EventEdited)
		t.Source = *e.Source
	}
	ed.customer(ctx, e)
	ed.tags(e)
	for _, code := range slices.Sorted(maps.Keys(e.Fields)) {
		ed.field(code, e.Fields[code])
	}
	if len(ed.wrong) > 0 {
		return errors.Join(ed.wrong...)
	}
	if len(ed.conflicts) > 0 {
		return &EditConflictError{Ticket: t.ID, Conflicts: ed.conflicts}
	}
	return nil
}

// orNone lets an option be empty.
func orNone(code string, check func() error) error {
	if code == "" {
		return nil
	}
	return check()
}

// set says whether an option is to change: it is wanted and not so yet, may be, and is still what the
// person saw.
func set[T ~string](ed *editor, option string, want *T, now T, seen func(*Options) T, check func() error) bool {
	if want == nil || *want == now {
		return false
	}
	if err := check(); err != nil {
		ed.wrong = append(ed.wrong, err)
		return false
	}
	return ed.seen == nil || ed.still(option, string(seen(ed.seen)), string(now), string(*want))
}

func (ed *editor) still(option, seen, now, want string) bool {
	if seen == now {
		return true
	}
	ed.conflicts = append(ed.conflicts, Conflict{Option: option, Seen: seen, Now: now, Wanted: want})
	return false
}

func (ed *editor) add(line Entry, ev inbox.Event) {
	ed.lines = append(ed.lines, line)
	ed.events = append(ed.events, ev)
}

// change notes that an option becomes another.
func (ed *editor) change(option, from, to string, name inbox.EventName) {
	line := ed.s.changeLine(ed.t, option, from, to, ed.actor.User)
	ed.add(line, inbox.Event{Name: name, Entry: string(line.ID),
		Facts: map[string]string{"option": option, "from": from, "to": to}})
}

// customer makes the ticket another person's, whom the actor must know of (R-MSG-03, R-CUS-07).
func (ed *editor) customer(ctx context.Context, e *Edit) {
	var to inbox.Customer
	if !set(ed, "customer", e.Customer, ed.t.Customer, func(o *Options) inbox.CustomerID { return o.Customer }, func() (err error) {
		to, err = ed.s.chosenCustomer(ctx, ed.actor, *e.Customer)
		return err
	}) {
		return
	}
	ed.change("customer", string(ed.t.Customer), string(to.ID), EventEdited)
	ed.t.Customer, ed.t.Company = to.ID, to.Company
	ed.t.CustomerMail = time.Time{} // no mail is older, so none has a say any more
}

func (ed *editor) tags(e *Edit) {
	t := ed.t
	for _, tag := range e.RemoveTags {
		if i := slices.Index(t.Tags, tag); i >= 0 && !slices.Contains(e.AddTags, tag) {
			t.Tags = slices.Delete(t.Tags, i, i+1)
			ed.tag(tag, "", EventTagRemoved)
		}
	}
	for _, tag := range e.AddTags {
		if slices.Contains(t.Tags, tag) {
			continue
		}
		if err := choose("tag", ed.catalog.Tags, tag); err != nil {
			ed.wrong = append(ed.wrong, err)
			continue
		}
		if len(t.Tags) >= maxTags {
			ed.wrong = append(ed.wrong, &OptionError{Option: "tag", Value: tag, Reason: OptionTooMany})
			return
		}
		t.Tags = append(t.Tags, tag)
		ed.tag("", tag, EventTagAdded)
	}
}

func (ed *editor) tag(from, to string, name inbox.EventName) {
	line := ed.s.changeLine(ed.t, "tag", from, to, ed.actor.User)
	ed.add(line, inbox.Event{Name: name, Entry: string(line.ID), Facts: map[string]string{"tag": from + to}})
}

// field sets a custom field. Its event names the field and not the values, which may be anything.
func (ed *editor) field(code string, values []string) {
	t := ed.t
	have := t.Fields[code]
	values, err := ed.catalog.readField(&ed.in, code, values, have)
	if err != nil {
		ed.wrong = append(ed.wrong, err)
		return
	}
	if slices.Equal(values, have) {
		return
	}
	option, from, to := "field."+code, strings.Join(have, ", "), strings.Join(values, ", ")
	if ed.seen != nil && !ed.still(option, strings.Join(ed.seen.Fields[code], ", "), from, to) {
		return
	}
	line := ed.s.changeLine(t, option, from, to, ed.actor.User)
	ed.add(line, inbox.Event{Name: EventEdited, Entry: string(line.ID), Facts: map[string]string{"option": option}})
	if len(values) == 0 {
		delete(t.Fields, code)
		return
	}
	if t.Fields == nil {
		t.Fields = make(map[string][]string)
	}
	t.Fields[code] = values
}

// assignable refuses an assignee who may not work on the ticket's inbox.
func (s *Service) assignable(ctx context.Context, t *Ticket, user acl.UserID) error {
	if user == "" {
		return nil
	}
	person, err := s.Inboxes.Actor(ctx, t.Site, user)
	if err == nil {
		_, err = s.Inboxes.Authorize(ctx, person, t.Inbox, acl.BeAssignee, nil)
	}
	if err != nil && refused(err) {
		return fmt.Errorf("assign ticket %q to %q: %w", t.ID, user, ErrCannotAssign)
	}
	return err
}
