package filter

// excluded is row 6 (R-FLT-03, 11.5).
func (h *hearing) excluded(r *ruling) bool {
	if len(r.rules.Exclude) == 0 {
		return false
	}
	if h.outbound && h.allExcluded(r, h.m.To, h.m.Cc, h.m.Bcc) || !h.outbound && h.senderExcluded(r) {
		return true
	}
	switch r.rules.Scope {
	case AllCounterparties:
		sender := [1]string{h.m.Sender}
		return h.allExcluded(r, h.m.From, sender[:], h.m.To, h.m.Cc, h.m.Bcc)
	case AnyParticipant:
		return h.anyExcluded(r)
	}
	return false
}

// senderExcluded says whether anybody who may count as the sender is excluded.
func (h *hearing) senderExcluded(r *ruling) bool {
	if r.blocked.has(&h.sender.addr) {
		return true
	}
	if len(h.m.From) == 1 && h.m.Sender == "" && h.reply == "" {
		return false
	}
	var a address
	for _, text := range [...]string{h.m.Sender, h.reply} {
		if a.read(text); r.blocked.has(&a) {
			return true
		}
	}
	for _, text := range h.m.From {
		if a.read(text); r.blocked.has(&a) {
			return true
		}
	}
	return false
}

// anyExcluded says whether any participant but the mailbox itself is excluded.
func (h *hearing) anyExcluded(r *ruling) bool {
	var p party
	sender := [1]string{h.m.Sender}
	for _, list := range [...][]string{h.m.From, sender[:], h.m.To, h.m.Cc, h.m.Bcc} {
		for _, text := range list {
			if h.meet(&p, text); !p.own && r.blocked.has(&p.addr) {
				return true
			}
		}
	}
	return false
}

// allExcluded says whether every external participant in the lists is excluded. Where none is
// external, the internal ones but the mailbox itself take their place: otherwise mail to an excluded
// colleague would bring in what the exclusion of their mail keeps out.
func (h *hearing) allExcluded(r *ruling, lists ...[]string) bool {
	var p party
	external, inside, open := false, false, false
	for _, list := range lists {
		for _, text := range list {
			h.meet(&p, text)
			switch {
			case p.text == "" || p.own:
			case p.internal:
				inside = true
				open = open || !r.blocked.has(&p.addr)
			case !r.blocked.has(&p.addr):
				return false
			default:
				external = true
			}
		}
	}
	return external || inside && !open
}

// allInternal says whether everybody on the message is internal (row 7).
func (h *hearing) allInternal() bool {
	if !h.sender.internal {
		return false
	}
	var p party
	for _, list := range [...][]string{h.m.From, h.m.To, h.m.Cc, h.m.Bcc} {
		for _, text := range list {
			if h.meet(&p, text); p.text != "" && !p.internal {
				return false
			}
		}
	}
	return true
}
