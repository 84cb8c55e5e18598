package ticket

import (
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// The lines of the history that tell of another ticket or inbox (Change.Field), and that of who follows.
const (
	changeMerged   = "merged"
	changeSplit    = "split"
	changeLinked   = "linked"
	changeInbox    = "inbox"
	changeFollower = "follower"
)

// changeLine is the line that says that an option became another.
func (s *Service) changeLine(t *Ticket, option, from, to string, by acl.UserID) Entry {
	line := s.quietLine(t, option, from, to, by)
	t.touch(line.At)
	return line
}

// quietLine is changeLine for what nobody works on the ticket for: it is no activity.
func (s *Service) quietLine(t *Ticket, option, from, to string, by acl.UserID) Entry {
	line := s.newEntry(t, EntryChanged, by)
	line.Change = &Change{Field: option, From: from, To: to}
	return line
}

// otherLine is the line that says what a ticket has to do with another one. It is no activity by itself.
func (s *Service) otherLine(t *Ticket, what string, other ID, by acl.UserID) Entry {
	line := s.quietLine(t, what, "", "", by)
	line.Other = other
	return line
}

// changeStatus changes the status and returns the line and the event that say so.
func (s *Service) changeStatus(t *Ticket, to Status, by acl.UserID) (Entry, inbox.Event) {
	line := s.changeLine(t, "status", string(t.Status), string(to), by)
	t.enterStatus(to, line.At)
	return line, inbox.Event{Name: EventStatus, Entry: string(line.ID),
		Facts: map[string]string{"from": line.Change.From, "to": line.Change.To}}
}

// enterStatus sets the status and when the work ended.
func (t *Ticket) enterStatus(to Status, at time.Time) {
	switch {
	case !to.Done():
		t.ClosedAt = time.Time{}
	case !t.Status.Done():
		t.ClosedAt = at
	}
	if to != t.Status || t.StatusAt.IsZero() {
		t.StatusAt = at
	}
	t.Status = to
}

// changeAssignee changes the assignee and returns the line and the event that say so. The event's target is
// who got the ticket, or who lost it.
func (s *Service) changeAssignee(t *Ticket, user, by acl.UserID) (Entry, inbox.Event) {
	line := s.changeLine(t, "assignee", string(t.Assignee), string(user), by)
	ev := inbox.Event{Name: EventAssigned, Entry: string(line.ID), Target: user}
	if user == "" {
		ev.Name, ev.Target = EventUnassigned, t.Assignee
	}
	t.Assignee = user
	return line, ev
}

// dropFollower takes somebody off the followers and returns the line that says so.
func (s *Service) dropFollower(t *Ticket, user, by acl.UserID) Entry {
	t.Followers = slices.DeleteFunc(t.Followers, func(f acl.UserID) bool { return f == user })
	return s.quietLine(t, changeFollower, string(user), "", by)
}
