package ticket

import (
	"context"
	"errors"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// logPage is how many lines of an inbox's log one step of Collect takes, and collectTries how often
// a step is done again when somebody else wrote what it was about to.
const (
	logPage      = 200
	collectTries = 10
)

// Collected says what a Collect did.
type Collected struct {
	Opened   int // new tickets
	Extended int // mails added to tickets that were there
	Changes  int // lines of the log applied
}

// Collect brings the tickets of an inbox up to date with its log. It may be interrupted anywhere and
// run again, and two of it at a time do no harm. It is the engine's own; desk.Run calls it after
// each sync.
//
// Mail joins the ticket of its provider thread, else that of the newest mail it refers to, never one
// of the same subject (R-MSG-07). The state of a ticket depends on its mail and not on the order in
// which that came in. The one thing that does is which ticket a mail of another thread joins: it
// looks for the mails it refers to among those collected before it or within the same 200 lines.
func (s *Service) Collect(ctx context.Context, id inbox.ID) (Collected, error) {
	var total Collected
	for try := 1; ; {
		more, err := s.collectPage(ctx, id, &total)
		switch {
		case overtaken(err) && try < collectTries:
			try++
		case err != nil:
			return total, err
		case !more:
			return total, nil
		default:
			try = 1
		}
	}
}

// overtaken says that somebody else was faster: they changed a ticket, or collected the same mail into
// one of theirs.
func overtaken(err error) bool {
	return errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrExists)
}

// collectPage takes one page of the log and says whether there may be more.
func (s *Service) collectPage(ctx context.Context, id inbox.ID, total *Collected) (more bool, err error) {
	mark, version, err := s.Store.Mark(ctx, id)
	if err != nil {
		return false, err
	}
	var lines []inbox.Change
	for c, err := range s.Archive.Log(ctx, id, mark) {
		if err != nil {
			return false, err
		}
		if lines = append(lines, c); len(lines) == logPage {
			break
		}
	}
	if len(lines) == 0 {
		return false, nil
	}
	in, err := s.engineInbox(ctx, id)
	if err != nil {
		return false, err
	}
	c := newCollector(s, in)
	if err := c.take(ctx, lines); err != nil {
		return false, err
	}
	if err := c.save(ctx, total); err != nil {
		return false, err
	}
	if _, err = s.saveMark(ctx, id, lines[len(lines)-1].Seq, version); err != nil {
		return false, err
	}
	total.Changes += len(lines)
	return len(lines) == logPage, nil
}

// take applies a page of the log. Mail goes first, oldest first; the other lines ask for the state as
// it is now, so their place in the page does not matter.
func (c *collector) take(ctx context.Context, lines []inbox.Change) error {
	if err := c.load(ctx, lines); err != nil {
		return err
	}
	for i := range c.mails {
		if err := c.arrive(ctx, &c.mails[i]); err != nil {
			return err
		}
	}
	for _, l := range lines {
		var err error
		switch l.Kind {
		case inbox.ChangeHidden, inbox.ChangeShown, inbox.ChangeRemoved:
			err = c.show(ctx, l.Message)
		case inbox.ChangePurged:
			err = c.purge(ctx, l.Message)
		case inbox.ChangeAccess:
			err = c.lowered(ctx, l.User)
		case inbox.ChangeClient:
			err = c.reassociate(ctx, l.Message)
		}
		if err != nil {
			return err
		}
	}
	for _, d := range c.touched {
		if d.mixed {
			if err := c.settle(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// save writes what changed, a few tickets at a time.
func (c *collector) save(ctx context.Context, total *Collected) error {
	var w []Write
	var ev []inbox.Event
	var sum Collected
	write := func() error {
		if len(w) == 0 {
			return nil
		}
		if _, err := c.s.saveTickets(ctx, w, ev...); err != nil {
			return err
		}
		for i := range w {
			for j := range w[i].Entries {
				c.s.forgetLeft(ctx, &w[i].Entries[j])
			}
		}
		total.Opened += sum.Opened
		total.Extended += sum.Extended
		w, ev, sum = nil, nil, Collected{}
		return nil
	}
	for _, d := range c.touched {
		if len(d.entries) == 0 {
			continue
		}
		w = append(w, Write{Ticket: d.ticket, Entries: d.entries, Texts: d.texts})
		ev = append(ev, d.events...)
		sum.Extended += d.mails
		if d.opened {
			sum.Opened++
			sum.Extended--
		}
		if len(w) == MaxWrites {
			if err := write(); err != nil {
				return err
			}
		}
	}
	return write()
}
