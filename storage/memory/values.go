package memory

import (
	"maps"
	"slices"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// The functions of this file make copies that share nothing changeable with what they are given and
// whose times are in UTC, cut to microseconds.

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func pointer[T any](p *T, copy func(T) T) *T {
	if p == nil {
		return nil
	}
	v := copy(*p)
	return &v
}

func same[T any](v T) T { return v }

func each[T any](list []T, copy func(T) T) []T {
	list = slices.Clone(list)
	for i := range list {
		list[i] = copy(list[i])
	}
	return list
}

func copyInbox(in inbox.Inbox) inbox.Inbox {
	in = in.Clone()
	in.Consent = pointer(in.Consent, func(c inbox.PendingConsent) inbox.PendingConsent {
		c.Expires = utc(c.Expires)
		return c
	})
	in.Revisions = each(in.Revisions, func(r filter.Revision) filter.Revision {
		r.At = utc(r.At)
		r.Rules.Exclude = slices.Clone(r.Rules.Exclude)
		r.Rules.Classes = maps.Clone(r.Rules.Classes)
		r.Rules.AllowPublic = slices.Clone(r.Rules.AllowPublic)
		return r
	})
	in.CreatedAt, in.ConnectedAt = utc(in.CreatedAt), utc(in.ConnectedAt)
	in.FinishedAt, in.DeletedAt = utc(in.FinishedAt), utc(in.DeletedAt)
	return in
}

func copyChange(c inbox.Change) inbox.Change {
	c.At = utc(c.At)
	return c
}

func copyState(st inbox.SyncState) inbox.SyncState {
	st.Begun, st.Imported, st.Resync = utc(st.Begun), utc(st.Imported), utc(st.Resync)
	st.LastSync, st.LastSuccess = utc(st.LastSync), utc(st.LastSuccess)
	st.Backfill = pointer(st.Backfill, func(b inbox.BackfillState) inbox.BackfillState {
		b.Since, b.Until, b.At = utc(b.Since), utc(b.Until), utc(b.At)
		return b
	})
	return st
}

func copyMessage(m inbox.Message) inbox.Message {
	m.References = slices.Clone(m.References)
	m.From, m.ReplyTo = slices.Clone(m.From), slices.Clone(m.ReplyTo)
	m.To, m.Cc, m.Bcc = slices.Clone(m.To), slices.Clone(m.Cc), slices.Clone(m.Bcc)
	m.Received, m.Date, m.StoredAt = utc(m.Received), utc(m.Date), utc(m.StoredAt)
	m.Report = pointer(m.Report, func(r inbox.DeliveryReport) inbox.DeliveryReport {
		r.Recipients = slices.Clone(r.Recipients)
		return r
	})
	m.Damage = slices.Clone(m.Damage)
	return m
}

func copyContent(c inbox.Content) inbox.Content {
	c.Parts = slices.Clone(c.Parts)
	return c
}

func copyQueued(q inbox.Queued) inbox.Queued {
	q.Received, q.NotBefore = utc(q.Received), utc(q.NotBefore)
	return q
}

func copyRun(r inbox.Run) inbox.Run {
	r.Started, r.Ended = utc(r.Started), utc(r.Ended)
	r.Rejected = maps.Clone(r.Rejected)
	return r
}

func copyCompany(c inbox.Company) inbox.Company {
	c.Domains = each(c.Domains, func(d inbox.CompanyDomain) inbox.CompanyDomain {
		d.Since = utc(d.Since)
		return d
	})
	c.CreatedAt, c.DeletedAt = utc(c.CreatedAt), utc(c.DeletedAt)
	return c
}

func copyCustomer(c inbox.Customer) inbox.Customer {
	c.Alternatives = slices.Clone(c.Alternatives)
	c.Pattern = pointer(c.Pattern, same)
	c.KnownFrom = slices.Clone(c.KnownFrom)
	c.Since, c.Bounced = utc(c.Since), utc(c.Bounced)
	c.CreatedAt, c.DeletedAt = utc(c.CreatedAt), utc(c.DeletedAt)
	return c
}

func copyEvent(e inbox.Event) inbox.Event {
	e.At = utc(e.At)
	e.Facts = maps.Clone(e.Facts)
	return e
}

func copyTicket(t ticket.Ticket) ticket.Ticket {
	t = t.Clone()
	t.LastMail, t.Activity, t.CreatedAt = utc(t.LastMail), utc(t.Activity), utc(t.CreatedAt)
	t.ClosedAt, t.ArchivedAt, t.DeletedAt = utc(t.ClosedAt), utc(t.ArchivedAt), utc(t.DeletedAt)
	return t
}

func copyEntry(e ticket.Entry) ticket.Entry {
	e.At = utc(e.At)
	e.To, e.Cc, e.Bcc = slices.Clone(e.To), slices.Clone(e.Cc), slices.Clone(e.Bcc)
	e.Change = pointer(e.Change, same)
	e.Outgoing = pointer(e.Outgoing, func(o ticket.Outgoing) ticket.Outgoing {
		o.NotBefore, o.SendingAt = utc(o.NotBefore), utc(o.SendingAt)
		return o
	})
	return e
}
