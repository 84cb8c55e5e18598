package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Preview is what rules would do to the mail of a window. Nothing of it is stored and no mail is
// opened: what only the mail itself can decide is counted under Opened.
type Preview struct {
	Listed   int                   `json:"listed"`
	Accepted int                   `json:"accepted"`
	Opened   int                   `json:"opened"` // delivery reports, decided by what they say
	Reasons  map[filter.Reason]int `json:"reasons"`
	// Domains counts senders by domain, in and out; for the creator only (R-IMP-11).
	Domains map[string]DomainCount `json:"domains,omitempty"`
}

// DomainCount is how much mail of one domain would enter, and how much would not.
type DomainCount struct {
	Accepted int `json:"accepted"`
	Rejected int `json:"rejected"`
}

// Preview says what the rules would let in of the mail of the inbox's window: by reason for those
// who manage the inbox, by domain too for its creator (row 32). Nil rules are those in force; the
// creator's personal exclusions hold whatever others pass, as in SetRules. The mailbox must be
// connected; nothing is stored and nothing downloaded but headers.
func (s *Service) Preview(ctx context.Context, actor acl.Actor, id ID, rules *filter.Rules) (Preview, error) {
	in, dec, err := s.authorize(ctx, actor, id, acl.PreviewRules, nil)
	if err != nil {
		return Preview{}, err
	}
	if in.ConnectedAt.IsZero() || in.State == StateDisconnected {
		return Preview{}, fmt.Errorf("preview inbox %q: connect the mailbox first: %w", id, ErrSetup)
	}
	revision := filter.Revision{Version: 1}
	switch {
	case rules != nil:
		if err := rules.Validate(); err != nil {
			return Preview{}, err
		}
		revision.Rules = rulesBy(actor.User, &in, *rules)
	case len(in.Revisions) > 0:
		revision = in.Revisions[len(in.Revisions)-1]
	}
	snap, err := s.snapshot(ctx, in.Site)
	if err != nil {
		return Preview{}, err
	}
	f, err := s.compile(&in, snap, filter.Config{
		Revisions: []filter.Revision{revision}, Backfill: true, Floor: previewFloor(&in),
	})
	if err != nil {
		return Preview{}, err
	}
	out, err := through(ctx, s, &in, func(ctx context.Context, box *openMailbox) (Preview, error) {
		return previewWalk(ctx, box, f, provider.Walk{
			Since: previewFloor(&in), Until: s.now(), Only: true, Bodies: provider.BodiesNever,
		})
	})
	if err != nil {
		return Preview{}, err
	}
	if dec.TotalsOnly {
		out.Domains = nil
	}
	return out, nil
}

// previewFloor is how far back a preview looks: the window, also where nothing is to be imported.
func previewFloor(in *Inbox) time.Time {
	if in.Window < 0 {
		return time.Time{}
	}
	return in.ConnectedAt.Add(-in.Window)
}

func previewWalk(ctx context.Context, box provider.Mailbox, f *filter.Filter, walk provider.Walk) (Preview, error) {
	out := Preview{Reasons: make(map[filter.Reason]int), Domains: make(map[string]DomainCount)}
	opened := make(map[ThreadID]time.Time)
	type candidate struct {
		thread ThreadID
		facts  filter.Facts
	}
	var later []candidate // rejected for want of a known thread
	count := func(facts *filter.Facts, v filter.Verdict) {
		out.Reasons[v.Reason]++
		sender := facts.Sender
		if len(facts.From) > 0 {
			sender = facts.From[0]
		}
		d, _ := filter.AddressDomain(sender)
		n := out.Domains[d.String()]
		switch {
		case v.NeedsReport:
			out.Opened++
		case v.Accept:
			out.Accepted++
			n.Accepted++
		default:
			n.Rejected++
		}
		out.Domains[d.String()] = n
	}
	for b, err := range box.Changes(ctx, "", walk) {
		if err != nil {
			return Preview{}, err
		}
		for i := range b.Put {
			h := &b.Put[i]
			out.Listed++
			if h.Unreadable {
				out.Opened++
				continue
			}
			facts, _ := factsOf(h)
			v := f.Decide(&facts, filter.Thread{Opened: opened[h.Thread]})
			if at, ok := opened[h.Thread]; v.Opens && (!ok || h.Received.Before(at)) {
				opened[h.Thread] = h.Received
			}
			if reopens(v) {
				later = append(later, candidate{h.Thread, facts})
				continue
			}
			count(&facts, v)
		}
	}
	for i := range later {
		c := &later[i]
		count(&c.facts, f.Decide(&c.facts, filter.Thread{Opened: opened[c.thread]}))
	}
	return out, nil
}

// Backfill asks for the mail since then that the rules and clients of today would let in, also where
// it was rejected before (R-CHG-06); the zero time asks for all mail. It is the creator's alone; the next
// Sync carries it out and resumes it after a crash. One at a time: ErrMustWait while another is under way.
func (s *Service) Backfill(ctx context.Context, actor acl.Actor, id ID, since time.Time) error {
	in, err := s.Authorize(ctx, actor, id, acl.Backfill, nil)
	if err != nil {
		return err
	}
	if since.Before(time.Unix(0, 0)) { // zero: everything
		since = time.Unix(0, 0)
	}
	if in.FinishedAt.IsZero() {
		return fmt.Errorf("backfill inbox %q: %w", id, ErrSetup)
	}
	return storage.Redo(func() error {
		state, err := s.Store.SyncState(ctx, id)
		if err != nil {
			return err
		}
		if state.Backfill != nil {
			return fmt.Errorf("backfill inbox %q: %w", id, ErrMustWait)
		}
		state.Inbox = id
		state.Backfill = &BackfillState{Since: since.UTC(), Until: s.now(), By: actor.User, At: s.now()}
		if state.Backfilled.IsZero() || since.Before(state.Backfilled) {
			state.Backfilled = since.UTC()
		}
		_, err = s.Store.Commit(ctx, Import{State: state})
		return err
	})
}
