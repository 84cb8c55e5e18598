package ticket

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/workinbox/workinbox/acl"
)

// presentFor is how long somebody counts as present who is not heard of again. A client of the library
// says so about three times as often.
const presentFor = 45 * time.Second

// Doing is what somebody present at a ticket does.
type Doing string

// What people do.
const (
	Viewing Doing = "viewing"
	Typing  Doing = "typing" // a reply or a note
)

// Visitor is somebody who is at a ticket.
type Visitor struct {
	User  acl.UserID
	Doing Doing
	Until time.Time // when they are forgotten unless heard of again
}

// Presence keeps who is at which ticket (11.14). What it forgets costs nothing but a warning, so it
// needs no database; hosts of several processes give one that all of them share. Implementations are
// safe for concurrent use.
type Presence interface {
	// Visit says that somebody is at a ticket, once per user; an Until that is not after now forgets
	// them.
	Visit(ctx context.Context, id ID, v Visitor, now time.Time) error
	// Visitors returns who is at a ticket now, in any order.
	Visitors(ctx context.Context, id ID, now time.Time) ([]Visitor, error)
}

// Visit tells the others that the actor is at a ticket and what they do there. It is forgotten after 45
// seconds, so an open window says it again every 15. Empty doing says that the actor left; what is none of
// the constants is an error.
func (s *Service) Visit(ctx context.Context, actor acl.Actor, id ID, doing Doing) error {
	if _, _, err := s.visibleTicket(ctx, actor, id); err != nil {
		return err
	}
	v, now := Visitor{User: actor.User, Doing: doing}, s.now()
	if doing != "" && doing != Viewing && doing != Typing {
		return fmt.Errorf("visit ticket %q: doing %.40q is neither %q nor %q", id, doing, Viewing, Typing)
	}
	if doing != "" {
		v.Until = now.Add(presentFor)
	}
	return s.Presence.Visit(ctx, id, v, now)
}

// Visitors returns who else is at a ticket, by user: people who may see it at this moment.
func (s *Service) Visitors(ctx context.Context, actor acl.Actor, id ID) ([]Visitor, error) {
	t, _, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	all, err := s.Presence.Visitors(ctx, id, s.now())
	if err != nil {
		return nil, err
	}
	out := []Visitor{}
	for _, v := range all {
		if v.User == actor.User {
			continue
		}
		sees, err := s.seenBy(ctx, &t, v.User)
		if err != nil {
			return nil, err
		}
		if sees {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b Visitor) int { return cmp.Compare(a.User, b.User) })
	return out, nil
}

// MemoryPresence is the Presence of one process. The zero value is ready, and it is safe for concurrent
// use.
type MemoryPresence struct {
	mu    sync.Mutex
	at    map[ID]map[acl.UserID]Visitor
	swept time.Time
}

// Visit notes or forgets a visitor.
func (p *MemoryPresence) Visit(_ context.Context, id ID, v Visitor, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(now)
	if !v.Until.After(now) {
		delete(p.at[id], v.User)
		return nil
	}
	if p.at == nil {
		p.at = make(map[ID]map[acl.UserID]Visitor)
	}
	if p.at[id] == nil {
		p.at[id] = make(map[acl.UserID]Visitor)
	}
	p.at[id][v.User] = v
	return nil
}

// Visitors returns who is at a ticket.
func (p *MemoryPresence) Visitors(_ context.Context, id ID, now time.Time) ([]Visitor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Visitor
	for _, v := range p.at[id] {
		if v.Until.After(now) {
			out = append(out, v)
		}
	}
	return out, nil
}

// sweep forgets, once a minute, whoever was not heard of, so that nothing grows.
func (p *MemoryPresence) sweep(now time.Time) {
	if now.Sub(p.swept).Abs() < time.Minute {
		return
	}
	p.swept = now
	for id, there := range p.at {
		maps.DeleteFunc(there, func(_ acl.UserID, v Visitor) bool { return !v.Until.After(now) })
		if len(there) == 0 {
			delete(p.at, id)
		}
	}
}
