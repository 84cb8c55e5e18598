package filter

// party is one participant, with what the filter and the directory know about it.
type party struct {
	text     string // as it came; empty when it is no address
	addr     address
	own      bool
	internal bool
	person   person
	claim    int32 // index into the directory's claims; 0 for none
}

// match is the counterparty of a message. row is 11 or 12, or 0 when neither row's test holds.
type match struct {
	row      int8
	text     string
	customer CustomerID
	company  CompanyID
}

// meet makes p the participant with the address, or nobody.
func (h *hearing) meet(p *party, text string) {
	p.text, p.own, p.internal, p.person, p.claim = "", false, false, person{}, 0
	p.addr.read(text)
	if p.addr.at < 0 {
		return
	}
	p.text = text
	if _, p.own = find(h.f.own, &p.addr, 0); p.own {
		p.internal = true
		return
	}
	host := h.f.dir.look(&p.addr, h.at)
	p.person, _ = find(h.f.dir.people, &p.addr, 0)
	p.internal = p.person.internal || host.internal
	p.claim = host.claim
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
	h.outbound = own && h.m.SentMark != NotSent
	h.forged = own && h.m.SentMark == NotSent
}

// findReply makes the first external Reply-To address the counterparty of an inbound message, under
// rules that prefer it.
func (h *hearing) findReply(r *ruling) {
	h.reply.text = ""
	if !r.rules.PreferReplyTo || h.outbound || h.forged {
		return
	}
	for _, text := range h.m.ReplyTo {
		if h.meet(&h.reply, text); h.reply.text != "" && !h.reply.internal {
			return
		}
	}
	h.reply.text = ""
}

// row says which of the rows 11 and 12 holds for a participant, 0 for neither.
func (h *hearing) row(r *ruling, p *party) int8 {
	if p.text == "" || p.internal {
		return 0
	}
	if p.person.company != "" && p.person.since <= h.at && (r.groups || !p.person.group) {
		return 11
	}
	if c := &h.f.dir.claims[p.claim]; p.claim > 0 && (r.groups || !c.group) && r.passes(c) {
		return 12
	}
	return 0
}

// passes says whether a company's domain may let mail in: a forced public one only if the creator
// said so (R-DOM-05).
func (r *ruling) passes(c *claim) bool {
	if !c.forced {
		return true
	}
	for _, d := range r.rules.AllowPublic {
		if d == c.pattern.base {
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
	if h.isClient(r, &h.sender) || h.isClient(r, &h.reply) {
		return true
	}
	from := h.m.From
	if len(from) == 1 {
		from = nil // it is the sender
	}
	var p party
	for _, list := range [...][]string{from, h.m.To, h.m.Cc} {
		for _, text := range list {
			if h.meet(&p, text); h.isClient(r, &p) {
				return true
			}
		}
	}
	return false
}

// match finds the counterparty (R-FLT-05): of an inbound message its sender, of an outbound one the
// first external recipient in To and Cc who is a customer with a company, else the first at a
// company's domain, else the first of all. Row 6 has let the message pass.
func (h *hearing) match(r *ruling) match {
	if h.forged {
		return match{}
	}
	if !h.outbound {
		if h.reply.text != "" {
			return h.matchOf(r, &h.reply)
		}
		return h.matchOf(r, &h.sender)
	}
	var best match
	var p party
	for _, list := range [...][]string{h.m.To, h.m.Cc} {
		for _, text := range list {
			h.meet(&p, text)
			if p.text == "" || p.internal || r.blocked.has(&p.addr) {
				continue
			}
			m := h.matchOf(r, &p)
			if m.row == 11 {
				return m
			}
			if best.text == "" || best.row == 0 && m.row == 12 {
				best = m
			}
		}
	}
	return best
}

// matchOf makes the match of one participant.
func (h *hearing) matchOf(r *ruling, p *party) match {
	m := match{row: h.row(r, p), text: p.text}
	if p.internal {
		return m
	}
	m.customer = p.person.customer
	switch m.row {
	case 11:
		m.company = p.person.company
	case 12:
		m.company = h.f.dir.claims[p.claim].company
	}
	return m
}
