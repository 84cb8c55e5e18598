package memory

import (
	"cmp"
	"strconv"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// deskRows holds what ticket.Store keeps.
type deskRows struct {
	tickets *index[ticket.Ticket]
	ticket  map[ticket.ID]*ticket.Ticket
	numbers map[inbox.SiteID]int64 // the last one given; outlives the ticket
	entries *index[ticket.Entry]
	entry   map[ticket.EntryID]*ticket.Entry
	marks   map[inbox.ID]mark
	searchRows
	catalog map[inbox.SiteID]ticket.Catalog

	allowance map[agent]ticket.Allowance

	drafts map[ticket.EntryID]ticket.Draft
}

type mark struct {
	seq     uint64
	version storage.Version
}

func newDesk() *deskRows {
	return &deskRows{
		tickets: newIndex(func(a, b *ticket.Ticket) int {
			return cmp.Or(b.Activity.Compare(a.Activity), cmp.Compare(b.ID, a.ID))
		}, ticketKeys),
		ticket:  make(map[ticket.ID]*ticket.Ticket),
		numbers: make(map[inbox.SiteID]int64),
		entries: newIndex(func(a, b *ticket.Entry) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
		}, entryKeys),
		entry: make(map[ticket.EntryID]*ticket.Entry),
		marks: make(map[inbox.ID]mark),

		searchRows: newSearch(),

		catalog: make(map[inbox.SiteID]ticket.Catalog),

		allowance: make(map[agent]ticket.Allowance),

		drafts: make(map[ticket.EntryID]ticket.Draft),
	}
}

func ticketKeys(t *ticket.Ticket) []key {
	keys := []key{
		{by: bySite, site: t.Site},
		{by: byInbox, value: string(t.Inbox)},
		{by: byNumber, value: strconv.FormatInt(t.Number, 10)},
	}
	for _, th := range t.Threads {
		keys = append(keys, key{by: byThread, value: string(th)})
	}
	if t.Assignee != "" {
		keys = append(keys, key{by: byAssignee, value: string(t.Assignee)})
	}
	if t.Customer != "" {
		keys = append(keys, key{by: byCustomer, value: string(t.Customer)})
	}
	if t.Company != "" {
		keys = append(keys, key{by: byCompany, value: string(t.Company)})
	}
	if rest, _ := t.Resting(); rest != "" {
		keys = append(keys, key{by: byRest, value: string(rest)})
	}
	return keys
}

func entryKeys(e *ticket.Entry) []key {
	keys := []key{
		{by: byTicket, value: string(e.Ticket)},
		{by: byInbox, value: string(e.Inbox)},
	}
	if e.Message != "" {
		keys = append(keys, key{by: byMessage, value: string(e.Message)})
	}
	if e.RFCID != "" {
		keys = append(keys, key{by: byRFCID, value: e.RFCID})
	}
	if e.Outgoing != nil {
		keys = append(keys, key{by: byOutgoing, value: string(e.Outgoing.State)})
		keys = append(keys, key{by: byMarker, value: e.Outgoing.Marker})
	}
	return keys
}

func (d *deskRows) setTicket(t *ticket.Ticket) {
	d.tickets.replace(d.ticket[t.ID], t)
	d.ticket[t.ID] = t
}

func (d *deskRows) setEntry(e *ticket.Entry) {
	d.entries.replace(d.entry[e.ID], e)
	d.entry[e.ID] = e
}

func (d *deskRows) dropTicket(t *ticket.Ticket) {
	d.tickets.replace(t, nil)
	delete(d.ticket, t.ID)
	delete(d.reads, t.ID)
	d.dropDrafts(t.ID)
}

func (d *deskRows) dropEntry(e *ticket.Entry) {
	d.entries.replace(e, nil)
	delete(d.entry, e.ID)
	d.dropText(e.ID)
}
