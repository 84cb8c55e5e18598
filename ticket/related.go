package ticket

import (
	"context"
	"slices"

	"github.com/workinbox/workinbox/acl"
)

// maxRelated is how many tickets Related returns, and relatedPage for how many mails at a time it looks.
const (
	maxRelated  = 50
	relatedPage = 200
)

// Related returns the other tickets that hold a mail of this one: the same mail by its Message-ID, as it
// came into several mailboxes or went from one to another (R-MSG-08). They are those the actor may see,
// by the mails the actor may see in both; of others nothing is told. It returns at most 50, in no order
// that means anything.
func (s *Service) Related(ctx context.Context, actor acl.Actor, id ID) ([]Ticket, error) {
	_, in, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	r := s.reader(actor, &in)
	var mails []string
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
		if err != nil {
			return nil, err
		}
		is, err := r.holds(ctx, &e)
		if err != nil {
			return nil, err
		}
		if is && !slices.Contains(mails, e.RFCID) {
			mails = append(mails, e.RFCID)
		}
	}
	var out []Ticket
	met := map[ID]bool{id: true}
	for page := range slices.Chunk(mails, relatedPage) {
		for e, err := range s.Store.Entries(ctx, EntryQuery{RFCIDs: page}) {
			if err != nil {
				return nil, err
			}
			if met[e.Ticket] {
				continue
			}
			is, err := r.holds(ctx, &e)
			if err != nil {
				return nil, err
			}
			if !is {
				continue
			}
			met[e.Ticket] = true
			other, err := s.Ticket(ctx, actor, e.Ticket)
			if err != nil && !refused(err) {
				return nil, err
			}
			if err != nil {
				continue
			}
			if out = append(out, other); len(out) == maxRelated {
				return out, nil
			}
		}
	}
	return out, nil
}

// holds says whether an entry is a mail that came in or left, and that the reader may see where they may
// see its ticket.
func (r *reader) holds(ctx context.Context, e *Entry) (bool, error) {
	if e.RFCID == "" || e.Message == "" && (e.Outgoing == nil || e.Outgoing.State != OutgoingSent) {
		return false, nil
	}
	if !e.Hidden {
		return true, nil
	}
	h, err := r.home(ctx, e.Inbox)
	return h.own, err
}
