package filter

import "slices"

// party is one participant, with what the filter and the directory know about it.
type party struct {
	text     string // as it came; empty when it is no address
	addr     address
	own      bool
	internal bool
	person   *person
	host     hostView
}

// match is the counterparty of a message. row is 11 or 12, or 0 when neither row's test holds.
type match struct {
	row      int8
	text     string
	customer CustomerID
	company  CompanyID
}

// meet makes p the participant with the address, or nobody. Of the mailbox itself only text, own and
// internal are set.
func (h *hearing) meet(p *party, text string) {
	p.text, p.own, p.internal = text, true, true
	if slices.Contains(h.f.own, text) {
		return
	}
	clean := p.addr.read(text)
	if p.addr.at < 0 {
		p.text, p.own, p.internal = "", false, false
		return
	}
	if !clean && p.addr.isIn(h.f.own) {
		return
	}
	p.own = false
	p.host = h.f.dir.look(&p.addr, h.at)
	p.person = h.f.dir.personOf(&p.addr)
	p.internal = p.person.internal || p.host.internal
}

// findSender finds the address in From that stands for the message, and its direction: of several,
// the one Sender names, else the first (5.1).
func (h *hearing) findSender() {
	own := false
	for _, text := range h.m.From {
		if h.sender.text == "" {
			h.meet(&h.sender, text)
			own = h.sender.own
			continue
		}
		var p party
		h.meet(&p, text)
		own = own || p.own
	}
	if len(h.m.From) > 1 && h.sender.text != "" {
		var p party
		if h.meet(&p, h.m.Sender); p.text != "" {
			h.sender = p
		}
	}
	if h.sender.own {
		h.sender.addr.read(h.sender.text)
	}
	h.outbound = own && h.m.SentMark != NotSent
	h.forged = own && h.m.SentMark == NotSent
}

// findReply makes the first external Reply-To address the counterparty of an inbound message, under
// rules that prefer it.
func (h *hearing) findReply(r *ruling) {
	h.reply = ""
	if !r.rules.PreferReplyTo || h.outbound || h.forged {
		return
	}
	var p party
	for _, text := range h.m.ReplyTo {
		if h.meet(&p, text); p.text != "" && !p.internal {
			h.reply = text
			return
		}
	}
}

// row says which of the rows 11 and 12 holds for a participant, 0 for neither.
func (h *hearing) row(r *ruling, p *party) int8 {
	if p.text == "" || p.internal {
		return 0
	}
	if p.person.company != "" && p.person.since <= h.at && (r.groups || !p.person.group) {
		return 11
	}
	c := &p.host.claim
	if !c.held || (c.group && !r.groups) {
		return 0
	}
	if c.forced && !r.allows(&p.addr, p.host.from) {
		return 0
	}
	return 12
}

// allows says whether the creator lets the forced public domain at the end of an address let mail in
// (R-DOM-05).
func (r *ruling) allows(a *address, from int) bool {
	for _, d := range r.rules.AllowPublic {
		if a.endsAs(from, d.name) {
			return true
		}
	}
	return false
}

// isClient says whether a participant is an external client. An excluded one is nobody's reason to
// let mail in: the exclusion wins (R-FLT-03).
func (h *hearing) isClient(r *ruling, p *party) bool {
	return h.row(r, p) > 0 && !r.blocked.has(&p.addr)
}

// clientPresent says whether an external client is among From, To and Cc. The address that stands for
// the sender counts as From.
func (h *hearing) clientPresent(r *ruling) bool {
	if h.isClient(r, &h.sender) {
		return true
	}
	from := h.m.From
	if len(from) == 1 {
		from = nil // it is the sender
	}
	if h.reply != "" && h.clientAt(r, h.reply) {
		return true
	}
	return h.anyClient(r, from) || h.anyClient(r, h.m.To) || h.anyClient(r, h.m.Cc)
}

// anyClient says whether an external client is in the list.
func (h *hearing) anyClient(r *ruling, list []string) bool {
	for _, text := range list {
		if !slices.Contains(h.f.own, text) && h.clientAt(r, text) {
			return true
		}
	}
	return false
}

func (h *hearing) clientAt(r *ruling, text string) bool {
	var p party
	h.meet(&p, text)
	return h.isClient(r, &p)
}

// match finds the counterparty (R-FLT-05): of an inbound message its sender, of an outbound one the
// first external recipient in To and Cc who is a customer with a company, else the first at a
// company's domain, else the first of all. Row 6 has let the message pass.
func (h *hearing) match(r *ruling, best *match) {
	if h.forged {
		return
	}
	if !h.outbound && h.reply == "" {
		h.take(best, &h.sender, h.row(r, &h.sender))
		return
	}
	var p party
	if !h.outbound {
		h.meet(&p, h.reply)
		h.take(best, &p, h.row(r, &p))
		return
	}
	for _, list := range [...][]string{h.m.To, h.m.Cc} {
		for _, text := range list {
			h.meet(&p, text)
			if p.text == "" || p.internal || r.blocked.has(&p.addr) {
				continue
			}
			row := h.row(r, &p)
			if best.text == "" || row == 11 || best.row == 0 && row == 12 {
				h.take(best, &p, row)
			}
			if row == 11 {
				return
			}
		}
	}
}

// take makes a participant the match.
func (h *hearing) take(m *match, p *party, row int8) {
	m.row, m.text = row, p.text
	if p.internal {
		return
	}
	m.customer, m.company = p.person.customer, ""
	switch row {
	case 11:
		m.company = p.person.company
	case 12:
		m.company = h.f.dir.companies[p.host.claim.company]
	}
}
