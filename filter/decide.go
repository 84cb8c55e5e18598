package filter

import "math"

// report is what is known about the message a delivery report is for.
type report uint8

const (
	reportUnread report = iota
	reportFound
	reportForeign
)

// hearing is one decision while it is made.
type hearing struct {
	f      *Filter
	m      *Facts
	thread Thread
	report report
	at     int64 // the moment whose directory counts

	sender           party
	reply            string // the counterparty that Reply-To names, under rules that prefer it
	outbound, forged bool
}

// outcome is where a row leads.
type outcome uint8

const (
	reject outcome = iota
	accept
	ask // row 10b has to be answered first
)

// opinion is what one revision says about a message.
type opinion struct {
	outcome outcome
	opens   bool // row 11 or 12 accepts
	private bool
	reason  Reason
}

// join adds what an older revision says: a message needs the consent of all.
func (o *opinion) join(older opinion) {
	if older.outcome == reject {
		*o = older
		return
	}
	o.outcome = max(o.outcome, older.outcome)
	o.opens = o.opens && older.opens
	o.private = o.private || older.private
}

// finding is an opinion with the counterparty it rests on.
type finding struct {
	opinion
	match match
}

func (f *Filter) decide(m *Facts, t Thread, r report) (v Verdict) {
	h := hearing{f: f, m: m, thread: t, report: r}
	h.hear(&v)
	return v
}

func (h *hearing) hear(v *Verdict) {
	f, m := h.f, h.m
	h.at = math.MaxInt64
	if !f.backfill {
		h.at = max(nanos(m.Received), f.baseline)
	}
	h.findSender()
	v.Version, v.Direction, v.ForgedSelf, v.Counterparty = f.version, Inbound, h.forged, h.sender.text
	if h.outbound {
		v.Direction = Outbound
	}
	switch {
	case m.Folder != "": // row 1
		v.Reason = SkippedFolder
	case m.Received.Before(f.floor): // row 3
		v.Reason = OutsideWindow
	case h.sender.text == "": // row 4
		v.Reason = NoSender
	default:
		h.judge(v)
	}
	if !v.ClientPresent {
		newest := &f.rulings[len(f.rulings)-1]
		h.findReply(newest)
		v.ClientPresent = h.clientPresent(newest)
	}
}

// judge asks the revisions in force at any time since the message was received, the newest first.
// The newest gives the reason if all accept, and the first that rejects otherwise.
func (h *hearing) judge(v *Verdict) {
	last := len(h.f.rulings) - 1
	var newest finding
	h.weigh(&h.f.rulings[last], &newest)
	sum := newest.opinion
	for i := last; sum.outcome != reject && i > 0 && h.f.rulings[i].from > h.at; i-- {
		sum.join(h.opinion(&h.f.rulings[i-1]))
	}
	v.Reason = sum.reason
	if sum.outcome == reject {
		return
	}
	v.ClientPresent = newest.match.row > 0
	if newest.match.text != "" {
		v.Counterparty = newest.match.text
	}
	if sum.outcome == ask {
		v.NeedsReport, v.Reason = true, Report
		return
	}
	v.Accept, v.Opens, v.Private = true, sum.opens, sum.private
	v.Customer, v.Company = newest.match.customer, newest.match.company
}

// opinion is what one revision says, without its match.
func (h *hearing) opinion(r *ruling) opinion {
	var found finding
	h.weigh(r, &found)
	return found.opinion
}

// weigh walks the rows from 5 on under one revision.
func (h *hearing) weigh(r *ruling, out *finding) {
	h.findReply(r)
	switch {
	case h.erased(): // row 5
		out.reason = Erased
		return
	case h.excluded(r): // row 6
		out.reason = Excluded
		return
	case r.guard && h.allInternal(): // row 7
		out.reason = InternalOnly
		return
	}
	policy := r.rules.policy(h.m.Class)
	h.match(r, &out.match)
	mayOpen := r.outbound || !h.outbound
	out.opens = out.match.row > 0 && mayOpen && !h.m.CalendarReply
	out.private = policy == PolicyAcceptPrivate
	known := h.knownThread(r, out.match.row > 0)
	out.outcome = accept
	switch {
	case policy == PolicyReject && !known && !out.opens: // row 8
		out.outcome, out.reason = reject, Automated
	case r.rules.Mode == All: // row 9
		out.reason = ModeAll
	case h.forged: // 5.1: only mode all takes it
		out.outcome, out.reason = reject, NotClientAssociated
	case known: // row 10
		out.reason = KnownThread
	case h.m.Report && mayOpen && h.report != reportForeign: // row 10b
		out.reason = Report
		if h.report == reportUnread {
			out.outcome = ask
		}
	case out.opens && out.match.row == 11: // row 11
		out.reason = CustomerCompany
	case out.opens: // row 12
		out.reason = CompanyDomain
	default: // row 13
		out.outcome, out.reason = reject, NotClientAssociated
	}
}

// erased says whether the sender of an inbound message was erased; an erased recipient is scrubbed
// by the caller.
func (h *hearing) erased() bool {
	gone := h.f.dir.erased
	if gone == nil || h.outbound {
		return false
	}
	return gone(h.sender.addr.key()) || h.reply != "" && gone(AddressKey(h.reply))
}

// knownThread is row 10. clientSeen spares looking for a client.
func (h *hearing) knownThread(r *ruling, clientSeen bool) bool {
	opened := h.thread.Opened
	if h.forged || opened.IsZero() || opened.After(h.m.Received) {
		return false
	}
	return h.m.Class == AutoReply || clientSeen || h.clientPresent(r)
}
