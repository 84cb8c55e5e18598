package ticket

import (
	"context"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// bounced marks the addresses that a hard bounce says do not take mail: of those it names the ones that
// the mail it is about really went to, or anybody could have strangers marked. Imported bounces are old
// news and mark nobody. It may be done again.
func (c *collector) bounced(ctx context.Context, m *inbox.Message) error {
	r := m.Report
	if m.Class != rfc822.ClassBounce || r == nil || !r.Hard || m.Imported || m.ForgedSelf || m.Auth == rfc822.AuthFail {
		return nil
	}
	went, err := c.wentTo(ctx, r)
	if err != nil {
		return err
	}
	var hard []string
	for _, a := range r.Recipients {
		if went[rfc822.AddressKey(a)] && !slices.Contains(hard, a) {
			hard = append(hard, a)
		}
	}
	if len(hard) == 0 {
		return nil
	}
	return c.s.Inboxes.NoteBounce(ctx, c.in.Site, m.Received, hard...)
}

// wentTo is whom the mail a report is about went to, by address key: a mail that left from this mailbox.
func (c *collector) wentTo(ctx context.Context, r *inbox.DeliveryReport) (map[string]bool, error) {
	out := make(map[string]bool)
	about, err := c.about(ctx, r)
	for _, e := range about {
		if !e.Outbound {
			continue
		}
		for _, a := range slices.Concat(e.To, e.Cc, e.Bcc) {
			out[rfc822.AddressKey(a.Address)] = true
		}
	}
	return out, err
}

// reported is the ticket that has the mail a report is about; none where there is no such mail.
func (c *collector) reported(ctx context.Context, r *inbox.DeliveryReport) (landing, error) {
	about, err := c.about(ctx, r)
	if err != nil {
		return landing{}, err
	}
	for _, e := range about {
		if l, err := c.landWith(ctx, &e); err != nil || l.pending != nil {
			return l, err
		}
	}
	return landing{}, nil
}

// about are the entries of the mail a report is about, in this page or in the store.
func (c *collector) about(ctx context.Context, r *inbox.DeliveryReport) (out []Entry, err error) {
	if r == nil {
		return nil, nil
	}
	for _, d := range c.touched {
		for _, e := range d.entries {
			if e.Inbox == c.in.ID && (r.Of != "" && e.Message == r.Of || r.OriginalID != "" && e.RFCID == r.OriginalID) {
				out = append(out, e)
			}
		}
	}
	var queries []EntryQuery
	if r.Of != "" {
		queries = append(queries, EntryQuery{Inbox: c.in.ID, Messages: []inbox.MessageID{r.Of}})
	}
	if r.OriginalID != "" {
		queries = append(queries, EntryQuery{Inbox: c.in.ID, RFCIDs: []string{r.OriginalID}})
	}
	for _, q := range queries {
		for e, err := range c.s.Store.Entries(ctx, q) {
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	return out, nil
}
