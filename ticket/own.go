package ticket

import (
	"context"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// ownSend recognises a mail sent from here when it comes back from the sent folder: it is the entry
// that is there already (R-IMP-13), known by its marker, or by its Message-ID where the service
// dropped the marker. Only mail the account sent is looked at: whoever got a mail knows both.
func (c *collector) ownSend(ctx context.Context, m *inbox.Message) (bool, error) {
	if m.Direction != filter.Outbound {
		return false, nil
	}
	e, ok, err := c.byMarker(ctx, m.Marker)
	if err != nil {
		return false, err
	}
	if !ok {
		if e, ok = c.waiting[m.RFCID]; !ok {
			return false, nil
		}
	}
	e, d, err := c.placed(ctx, e)
	if err != nil {
		return false, err
	}
	for _, there := range d.entries {
		if there.ID == e.ID {
			e = there
		}
	}
	if e.Message != "" {
		return false, nil // another copy of it came before
	}
	delete(c.waiting, m.RFCID)
	if e.Outgoing.State != OutgoingSent {
		lines, events := c.s.confirm(&d.ticket, &e, provider.Sent{Thread: m.Thread, MessageID: m.RFCID})
		for _, l := range lines {
			d.put(l)
		}
		d.events = append(d.events, events...)
	}
	o := *e.Outgoing
	o.Subject, o.Files = "", nil
	e.Message, e.Hidden, e.Outgoing = m.ID, hidden(m), &o
	if m.RFCID != "" {
		e.RFCID = m.RFCID
	}
	c.add(d, &e, m)
	if err := c.autoFollow(ctx, d, m); err != nil {
		return false, err
	}
	return true, c.index(ctx, d, &e, m)
}

// byMarker finds a mail sent from here whose copy has not come back.
func (c *collector) byMarker(ctx context.Context, marker string) (Entry, bool, error) {
	if marker == "" {
		return Entry{}, false, nil
	}
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Inbox: c.in.ID, Marker: marker}) {
		if err != nil {
			return Entry{}, false, err
		}
		if e.Message == "" && e.Outgoing != nil {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}
