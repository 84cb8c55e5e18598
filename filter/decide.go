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
	reply            party // the counterparty that Reply-To names, while a revision prefers it
	outbound, forged bool
}

// outcome is where a row leads.
type outcome uint8

const (
	reject outcome = iota
	accept
	ask // row 10b has to be answered first
)

// finding is what one revision says about a message.
type finding struct {
	outcome outcome
	reason  Reason
	opens   bool // row 11 or 12 accepts
	private bool
	match   match
}

func (f *Filter) decide(m *Facts, t Thread, r report) Verdict {
	h := hearing{f: f, m: m, thread: t, report: r, at: math.MaxInt64}
	if !f.backfill {
		h.at = max(nanos(m.Received), f.baseline)
	}
	h.findSender()
	v := Verdict{
		Version: f.version, Direction: Inbound, ForgedSelf: h.forged, Counterparty: h.sender.text,
	}
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
		h.judge(&v)
	}
	if !v.ClientPresent {
		newest := &f.rulings[len(f.rulings)-1]
		h.findReply(newest)
		v.ClientPresent = h.clientPresent(newest)
	}
	return v
}

// judge asks the revisions in force at any time since the message was received, the newest first.
// The newest gives the reason if all accept, and the first that rejects otherwise.
func (h *hearing) judge(v *Verdict) {
	last := len(h.f.rulings) - 1
	newest := h.weigh(&h.f.rulings[last])
	one, asks, opens, private := newest, false, true, false
	for i := last; ; i-- {
		if i < last {
			one = h.weigh(&h.f.rulings[i])
		}
		if one.outcome == reject {
			v.Reason = one.reason
			return
		}
		asks = asks || one.outcome == ask
		opens = opens && one.opens
		private = private || one.private
		if i == 0 || h.f.rulings[i].from <= h.at {
			break
		}
	}
	v.ClientPresent = newest.match.row > 0
	if newest.match.text != "" {
		v.Counterparty = newest.match.text
	}
	if asks {
		v.NeedsReport, v.Reason = true, Report
		return
	}
	v.Accept, v.Reason, v.Opens, v.Private = true, newest.reason, opens, private
	v.Customer, v.Company = newest.match.customer, newest.match.company
}

// weigh walks the rows from 5 on under one revision.
func (h *hearing) weigh(r *ruling) finding {
	h.findReply(r)
	switch {
	case h.erased(): // row 5
		return finding{reason: Erased}
	case h.excluded(r): // row 6
		return finding{reason: Excluded}
	case r.guard && h.allInternal(): // row 7
		return finding{reason: InternalOnly}
	}
	policy := r.rules.policy(h.m.Class)
	out := finding{outcome: accept, private: policy == PolicyAcceptPrivate, match: h.match(r)}
	mayOpen := r.outbound || !h.outbound
	out.opens = out.match.row > 0 && mayOpen && !h.m.CalendarReply
	known := h.knownThread(r, out.match.row > 0)
	switch {
	case policy == PolicyReject && !known && !out.opens: // row 8
		return finding{reason: Automated}
	case r.rules.Mode == All: // row 9
		out.reason = ModeAll
	case h.forged: // 5.1: only mode all takes it
		return finding{reason: NotClientAssociated}
	case known: // row 10
		out.reason = KnownThread
	case h.m.Report && mayOpen && h.report != reportForeign: // row 10b
		out.reason = Report
		if h.report == reportUnread {
			out.outcome = ask
		}
	case out.opens: // rows 11 and 12
		out.reason = CustomerCompany
		if out.match.row == 12 {
			out.reason = CompanyDomain
		}
	default: // row 13
		return finding{reason: NotClientAssociated}
	}
	return out
}

// erased says whether the sender of an inbound message was erased; an erased recipient is scrubbed
// by the caller.
func (h *hearing) erased() bool {
	gone := h.f.dir.erased
	if gone == nil || h.outbound {
		return false
	}
	return gone(h.sender.addr.key()) || h.reply.text != "" && gone(h.reply.addr.key())
}

// knownThread is row 10. clientSeen spares looking for a client.
func (h *hearing) knownThread(r *ruling, clientSeen bool) bool {
	opened := h.thread.Opened
	if h.forged || opened.IsZero() || opened.After(h.m.Received) {
		return false
	}
	return h.m.Class == AutoReply || clientSeen || h.clientPresent(r)
}
