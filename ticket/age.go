package ticket

import (
	"context"
	"errors"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// How long a ticket lies before the engine does something about it.
const (
	closeAfter   = 72 * time.Hour       // R-STA-05
	archiveAfter = 120 * 24 * time.Hour // R-STA-06
)

// Rest is how a ticket lies still.
type Rest string

// The rests.
const (
	RestWaiting Rest = "waiting" // for its customer
	RestDone    Rest = "done"    // solved or closed, and not archived
	RestTrash   Rest = "trash"
	RestRedact  Rest = "redact" // for a redaction to end, whatever else it lies for
)

// Resting says how the ticket lies still and since when; empty where nothing becomes of that by
// itself. Stores keep it where they find it fast.
func (t *Ticket) Resting() (Rest, time.Time) {
	switch {
	case t.MergedInto != "":
	case !t.PurgeBegan.IsZero():
		return RestTrash, t.PurgeBegan.Add(-purgeAfter) // due at once
	case !t.RedactBegan.IsZero():
		return RestRedact, t.RedactBegan
	case !t.DeletedAt.IsZero():
		return RestTrash, t.DeletedAt
	case !t.ArchivedAt.IsZero():
	case t.Status.Done():
		return RestDone, t.Activity
	case t.Status == Waiting && t.LastMail.After(t.StatusAt):
		return RestWaiting, t.LastMail
	case t.Status == Waiting:
		return RestWaiting, t.StatusAt
	}
	return "", time.Time{}
}

// Aged says what an Age did.
type Aged struct {
	Closed   int // waited for too long (R-STA-05)
	Archived int // quiet for too long (R-STA-06)
}

// Age does what time does to tickets: where the site wants it, those that have waited for their
// customer for 72 hours close, and those that are solved or closed are archived after 120 days
// without an entry, read-only for ever. It is the engine's own; desk.Run calls it. Several may run at
// once, and what one of them missed the next one does.
func (s *Service) Age(ctx context.Context) (done Aged, err error) {
	sites, err := s.closing(ctx)
	if err != nil {
		return done, err
	}
	for _, site := range sites {
		q := Query{Site: site, Resting: RestWaiting, RestedBy: s.now().Add(-closeAfter), AllHidden: true}
		if done.Closed, err = s.ageEach(ctx, q, done.Closed, s.closeQuiet); err != nil {
			return done, err
		}
	}
	q := Query{Resting: RestDone, RestedBy: s.now().Add(-archiveAfter), AllHidden: true}
	done.Archived, err = s.ageEach(ctx, q, 0, s.archive)
	return done, err
}

// closing returns the sites that close waiting tickets.
func (s *Service) closing(ctx context.Context) (sites []inbox.SiteID, err error) {
	looked := make(map[inbox.SiteID]bool)
	for in, err := range s.Inboxes.Store.Inboxes(ctx, inbox.Query{}) {
		if err != nil {
			return nil, err
		}
		if looked[in.Site] {
			continue
		}
		looked[in.Site] = true
		settings, err := s.settings(ctx, in.Site)
		if err != nil {
			return nil, err
		}
		if settings.CloseWaiting {
			sites = append(sites, in.Site)
		}
	}
	return sites, nil
}

// ageEach changes every ticket of a query and counts on from n. One that somebody else changes at the same
// time is left to the next Age: it may not be due any more.
func (s *Service) ageEach(ctx context.Context, q Query, n int, change func(t *Ticket) (Entry, []inbox.Event)) (int, error) {
	for t, err := range s.Store.Tickets(ctx, q) {
		if err != nil {
			return n, err
		}
		line, ev := change(&t)
		for i := range ev {
			ev[i] = s.event(ev[i], &t, "")
		}
		_, err := s.saveTickets(ctx, []Write{{Ticket: t, Entries: []Entry{line}}}, ev...)
		if errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// closeQuiet closes a ticket. That of an imported one is nobody's news (R-IMP-07).
func (s *Service) closeQuiet(t *Ticket) (Entry, []inbox.Event) {
	to, _ := next(CauseQuiet, t.Status, Active, false)
	line, ev := s.changeStatus(t, to, "")
	if t.Imported {
		return line, nil
	}
	return line, []inbox.Event{ev}
}

// archive makes a ticket read-only. It is no activity: the ticket stays where it is in lists.
func (s *Service) archive(t *Ticket) (Entry, []inbox.Event) {
	line := s.newEntry(t, EntryChanged, "")
	line.Change = &Change{Field: "archived", To: line.At.Format(time.RFC3339)}
	t.ArchivedAt = line.At
	return line, nil
}
