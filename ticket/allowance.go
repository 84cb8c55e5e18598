package ticket

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

const (
	// replyTickets is on how many tickets a part-time agent may reply within replyWindow, which opens
	// with the first reply and is half-open: a reply at its very end is in the next one (R-ROL-04).
	replyTickets = 10
	replyWindow  = 30 * 24 * time.Hour
)

// Allowance is what a part-time agent has used of the replies of their window.
type Allowance struct {
	Site    inbox.SiteID    `json:"site"`
	User    acl.UserID      `json:"user"`
	Uses    []Use           `json:"uses,omitempty"` // one for each ticket, oldest first
	Version storage.Version `json:"version"`
}

// Use is a ticket an agent replied on, and when first in this window.
type Use struct {
	Ticket ID        `json:"ticket"`
	At     time.Time `json:"at"`
}

// Allowances keep what part-time agents have used. Other agents have none.
type Allowances interface {
	// Allowance returns what somebody has used; before the first SaveAllowance one that is empty, of
	// Version 0.
	Allowance(ctx context.Context, site inbox.SiteID, user acl.UserID) (Allowance, error)
	// SaveAllowance replaces it. storage.ErrConflict unless a.Version is the stored one.
	SaveAllowance(ctx context.Context, a Allowance) (Allowance, error)
}

// Clone returns a copy that shares nothing changeable with a.
func (a Allowance) Clone() Allowance {
	a.Uses = slices.Clone(a.Uses)
	return a
}

// without takes a ticket off.
func (a *Allowance) without(id ID) {
	a.Uses = slices.DeleteFunc(a.Uses, func(u Use) bool { return u.Ticket == id })
}

// has says that a ticket is among those used.
func (a *Allowance) has(id ID) bool {
	return slices.ContainsFunc(a.Uses, func(u Use) bool { return u.Ticket == id })
}

// openAllowance reads what an agent has used of the window that is open now. A reply that was not sent
// consumed nothing.
func (s *Service) openAllowance(ctx context.Context, actor acl.Actor) (Allowance, error) {
	a, err := s.Store.Allowance(ctx, inbox.SiteID(actor.Site), actor.User)
	if err != nil {
		return Allowance{}, err
	}
	a = a.Clone()
	for _, u := range slices.Clone(a.Uses) {
		used, err := s.used(ctx, actor.User, u)
		if err != nil {
			return Allowance{}, err
		}
		if !used {
			a.without(u.Ticket)
		}
	}
	if len(a.Uses) > 0 && !s.now().Before(a.Uses[0].At.Add(replyWindow)) {
		a.Uses = nil
	}
	return a, nil
}

// used says whether a mail of the agent went out on a ticket, or may have, or still will. What there is
// no ticket of any more counts, and where the ticket was split what is not found on it; and so does a use
// of this minute: its mail is being written.
func (s *Service) used(ctx context.Context, user acl.UserID, u Use) (bool, error) {
	t, err := s.target(ctx, u.Ticket)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	wrote, left, err := s.mailed(ctx, user, u, t.ID)
	return left || !wrote && (t.Divided || s.now().Before(u.At.Add(time.Minute))), err
}

// mailed says whether the agent wrote a mail on a ticket since its use, and whether one went out, or
// may have, or still will. Its mail is in the ticket at.
func (s *Service) mailed(ctx context.Context, user acl.UserID, u Use, at ID) (wrote, left bool, err error) {
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: at}) {
		if err != nil {
			return false, false, err
		}
		if at != u.Ticket && e.Merged != u.Ticket || e.Outgoing == nil || e.Author != user ||
			e.At.Before(u.At) && e.Outgoing.SendingAt.Before(u.At) {
			continue
		}
		wrote = true
		if st := e.Outgoing.State; st != OutgoingFailed && st != OutgoingRecalled {
			return true, true, nil
		}
	}
	return wrote, false, nil
}

// countReply counts a ticket a part-time agent is about to reply on, or answers acl.ErrReplyQuota. Of two
// replies at once on the last ticket that is left one is refused. unused takes the ticket off again.
func (s *Service) countReply(ctx context.Context, actor acl.Actor, id ID) (unused func(), err error) {
	nothing := func() {}
	if !actor.PartTime {
		return nothing, nil
	}
	unused = func() {
		ctx := context.WithoutCancel(ctx)
		if err := s.unuse(ctx, actor, id, id); err != nil { // openAllowance looks into it again
			s.Logger.WarnContext(ctx, "uncount a reply that was refused", "ticket", id, "err", err)
		}
	}
	for try, lost := 1, false; ; try++ {
		a, err := s.openAllowance(ctx, actor)
		if err != nil {
			return nothing, err
		}
		if a.has(id) && lost { // the write whose answer was lost
			return unused, nil
		}
		if a.has(id) {
			return nothing, nil
		}
		if len(a.Uses) >= replyTickets {
			return nothing, acl.ErrReplyQuota
		}
		a.Uses = append(a.Uses, Use{Ticket: id, At: s.now()})
		_, err = s.Store.SaveAllowance(ctx, a)
		lost = lost || errors.Is(err, storage.ErrAmbiguous)
		if unsettled(err) && try < collectTries {
			continue
		}
		return unused, err
	}
}

// uncountUnsent takes a ticket that is about to be purged off the allowances of those whose mail on it
// never left: of a ticket that is gone nobody can tell.
func (s *Service) uncountUnsent(ctx context.Context, t *Ticket) error {
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		if e.Outgoing == nil || e.Outgoing.State != OutgoingRecalled && e.Outgoing.State != OutgoingFailed {
			continue
		}
		err = s.unuse(ctx, acl.Actor{Site: string(t.Site), User: e.Author}, cmp.Or(e.Merged, t.ID), t.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// unuse takes a ticket, whose mail is in the ticket at, off an allowance that the agent has no other
// mail on.
func (s *Service) unuse(ctx context.Context, actor acl.Actor, id, at ID) error {
	return s.changeAllowance(ctx, actor, func(a *Allowance) (bool, error) {
		i := slices.IndexFunc(a.Uses, func(u Use) bool { return u.Ticket == id })
		if i < 0 {
			return false, nil
		}
		_, left, err := s.mailed(ctx, actor.User, a.Uses[i], at)
		a.without(id)
		return !left, err
	})
}

// keepUse puts a ticket back that a reply written at the same time took off, since it was refused. The
// mail stands by now, so it is counted even where it is one too many, and not refused where it cannot be.
func (s *Service) keepUse(ctx context.Context, actor acl.Actor, e *Entry) {
	if !actor.PartTime {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := s.changeAllowance(ctx, actor, func(a *Allowance) (bool, error) {
		if a.has(e.Ticket) {
			return false, nil
		}
		a.Uses = append(a.Uses, Use{Ticket: e.Ticket, At: e.At})
		return true, nil
	})
	if err != nil {
		s.Logger.WarnContext(ctx, "count a reply", "ticket", e.Ticket, "err", err)
	}
}

// changeAllowance saves an allowance if change says so, and asks it again when somebody else was faster.
func (s *Service) changeAllowance(ctx context.Context, actor acl.Actor, change func(*Allowance) (bool, error)) error {
	for try := 1; ; try++ {
		a, err := s.Store.Allowance(ctx, inbox.SiteID(actor.Site), actor.User)
		if err != nil {
			return err
		}
		a = a.Clone()
		if changed, err := change(&a); err != nil || !changed {
			return err
		}
		if _, err = s.Store.SaveAllowance(ctx, a); try == collectTries || !unsettled(err) {
			return err
		}
	}
}

// unsettled says that what was to be written has to be read again: somebody else wrote it, or nobody knows.
func unsettled(err error) bool {
	return errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrAmbiguous)
}
