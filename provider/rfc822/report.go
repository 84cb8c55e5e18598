package rfc822

import (
	"slices"
	"strings"
)

// ReportKind says what a report is about. The values are stable text.
type ReportKind string

const (
	ReportDelivery    ReportKind = "delivery"    // RFC 3464, and the formats from before it
	ReportFeedback    ReportKind = "feedback"    // RFC 5965: a complaint
	ReportDisposition ReportKind = "disposition" // RFC 8098: a read receipt
)

// Report is what a machine says about a message that was sent before.
type Report struct {
	Kind       ReportKind
	Recipients []ReportRecipient
	// OriginalID is the Message-ID of the message reported about, without angles; "" when the
	// report does not return it.
	OriginalID string
	// OriginalIDs are all ids of the returned header: its own, those a relay replaced, and those it
	// answered. Some services replace the Message-ID on sending, so a match of any is worth trying.
	OriginalIDs []string
	// Delayed says that delivery is still being tried and nothing has failed.
	Delayed bool
	// Feedback is the type of a complaint, such as "abuse"; "" for other reports.
	Feedback string
}

// ReportRecipient is what became of the message for one address.
type ReportRecipient struct {
	Address    string // as it was written to, where the report tells; may be ""
	Action     string // "failed", "delayed", "delivered", "relayed", "expanded", or another word
	Status     string // RFC 3463, such as "5.1.1"; "5.0.0" or "4.0.0" when the report has no code
	Diagnostic string // one line, at most 500 bytes, not fit for logs
	// Permanent: this message will not arrive, and sending it again will not help.
	Permanent bool
	// Hard: permanent, and because of the address: unknown, moved, or at a host that does not
	// exist or takes no mail. Full mailboxes, refused content and the like are soft.
	Hard bool
}

// Failed says whether some recipient did not get the message and will not.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Recipients, func(p ReportRecipient) bool { return p.Action == "failed" })
}

// reportPart is a part of a report: its type and its beginning.
type reportPart struct{ typ, text string }

// reportKind reads the type of a multipart/report (RFC 6522). The complaints of Hotmail are a
// multipart/mixed; their sender and subject tell.
func (h Header) reportKind() ReportKind {
	typ := contentType(h.Get("Content-Type"))
	if typ.value != "multipart/report" {
		if strings.HasPrefix(h.Get("Subject"), "complaint about message from ") &&
			strings.Contains(h.Get("From"), "staff@hotmail.com") {
			return ReportFeedback
		}
		return ""
	}
	switch typ.token("report-type") {
	case "delivery-status", "global-delivery-status":
		return ReportDelivery
	case "feedback-report":
		return ReportFeedback
	case "disposition-notification", "global-disposition-notification":
		return ReportDisposition
	}
	return ""
}

// readReport makes a Report of a message, or nil when it is none.
func readReport(m *Message, parts []reportPart, nested bool) *Report {
	r := &Report{Kind: m.Header.reportKind()}
	var original Header
	for _, p := range parts {
		switch p.typ {
		case "message/delivery-status", "message/global-delivery-status":
			r.Recipients = append(r.Recipients, readDelivery(p.text)...)
			r.Kind = kindOr(r.Kind, ReportDelivery)
		case "message/feedback-report":
			r.feedback(p.text)
			r.Kind = ReportFeedback
		case "message/disposition-notification", "message/global-disposition-notification":
			r.disposition(p.text)
			r.Kind = ReportDisposition
		default:
			h, _ := ReadHeader(strings.NewReader(p.text), Limits{})
			if original.Len() == 0 || !original.Has("Message-ID") && h.Has("Message-ID") {
				original = h
			}
			if inner := nestedReport(h, p.text, nested); inner != nil && len(r.Recipients) == 0 {
				r.Recipients = inner.Recipients
			}
		}
	}
	if r.Kind == "" || r.Kind == ReportDelivery && !(r.told() && original.Has("Message-ID")) {
		bounce, found := readBounceText(m, original)
		if r.Kind == "" && !found && len(r.Recipients) == 0 {
			return nil
		}
		if len(r.Recipients) == 0 {
			r.Recipients = bounce.recipients
		}
		r.complete(bounce)
		if !original.Has("Message-ID") && bounce.original.Len() > 0 {
			original = bounce.original
		}
		r.Kind = ReportDelivery
	}
	r.originals(original)
	r.Delayed = !r.Failed() && slices.ContainsFunc(r.Recipients, func(p ReportRecipient) bool {
		return p.Action == "delayed"
	})
	return r
}

// nestedReport reads the delivery report that a gateway returns inside one of its own.
func nestedReport(h Header, text string, nested bool) *Report {
	if nested || h.reportKind() != ReportDelivery {
		return nil
	}
	m, _ := parse(strings.NewReader(text), Limits{}, true)
	return m.Report
}

// told says that the machine-readable part tells all there is to know about every recipient.
func (r *Report) told() bool {
	return len(r.Recipients) > 0 && !slices.ContainsFunc(r.Recipients, func(p ReportRecipient) bool {
		return replyCode(p.Diagnostic) == ""
	})
}

func kindOr(have, other ReportKind) ReportKind {
	if have == "" {
		return other
	}
	return have
}

// originals takes the ids of the returned header.
func (r *Report) originals(h Header) {
	for _, name := range []string{
		"Message-ID", "X-Google-Original-Message-ID", "X-Microsoft-Original-Message-ID",
		"X-Original-Message-ID", "Original-Message-ID", "Resent-Message-ID", "In-Reply-To", "References",
	} {
		for _, value := range h.Values(name) {
			ids := ScanIDs(value)
			if len(ids) == 0 && strings.Contains(value, "@") {
				ids = []string{messageID(value)}
			}
			for _, id := range ids {
				if id != "" && !slices.Contains(r.OriginalIDs, id) && len(r.OriginalIDs) < 100 {
					r.OriginalIDs = append(r.OriginalIDs, id)
				}
			}
		}
	}
	if r.OriginalID == "" {
		r.OriginalID = messageID(h.Get("Message-ID"))
	}
	if r.OriginalID != "" && !slices.Contains(r.OriginalIDs, r.OriginalID) {
		r.OriginalIDs = append([]string{r.OriginalID}, r.OriginalIDs...)
	}
}

// groups splits the fields of a machine-readable part into its groups (RFC 3464 section 2.1).
func groups(text string) []Header {
	var all []Header
	lr := newLineReader(strings.NewReader(text))
	defer lr.free()
	var d damages
	for range 200 {
		h := readSection(lr, section{limit: maxReportBytes, top: true, damage: &d})
		if h.Len() > 0 {
			all = append(all, h)
		} else if !lr.next() {
			break
		}
	}
	return all
}

// readDelivery reads a message/delivery-status part.
func readDelivery(text string) []ReportRecipient {
	var recipients []ReportRecipient
	for _, g := range groups(text) {
		var current Header
		for name, value := range g.All() {
			// Some systems forget the empty line between two recipients.
			if sameName(name, "Final-Recipient") && current.Has("Final-Recipient") {
				recipients = appendRecipient(recipients, current)
				current = Header{}
			}
			current.fields = append(current.fields, field{name, value})
		}
		recipients = appendRecipient(recipients, current)
	}
	return recipients
}

func appendRecipient(list []ReportRecipient, h Header) []ReportRecipient {
	if !h.Has("Final-Recipient") && !h.Has("Original-Recipient") && !h.Has("Action") && !h.Has("Status") {
		return list
	}
	r := ReportRecipient{
		Diagnostic: diagnostic(h.Text("Diagnostic-Code")),
		Status:     statusCode(h.Get("Status")),
	}
	for _, name := range []string{"Original-Recipient", "Final-Recipient", "X-Actual-Recipient"} {
		if r.Address = typedAddress(h.Get(name)); r.Address != "" {
			break
		}
	}
	action, _, _ := strings.Cut(strings.ToLower(h.Get("Action")), " ")
	r.Action, _, _ = strings.Cut(strings.Trim(action, ";,"), "(")
	r.judge(r.Diagnostic)
	return append(list, r)
}

// typedAddress reads "rfc822; a@b.example".
func typedAddress(value string) string {
	if _, after, ok := strings.Cut(value, ";"); ok {
		value = after
	}
	for _, a := range ParseAddresses(value) {
		return a.Address
	}
	return ""
}

func diagnostic(s string) string {
	if kind, rest, ok := strings.Cut(s, ";"); ok && len(kind) < 12 && !strings.Contains(kind, " ") {
		s = rest
	}
	return cutText(strings.Join(strings.Fields(s), " "), 500)
}

// complete adds what the readable part of a report tells and the machine-readable one does not.
func (r *Report) complete(b bounceText) {
	for i := range r.Recipients {
		p := &r.Recipients[i]
		if replyCode(p.Diagnostic) == "" {
			extra := b.diagnostic(p.Address, len(r.Recipients))
			if p.Diagnostic == "" {
				p.Diagnostic = diagnostic(extra)
			}
			p.judge(p.Diagnostic + " " + extra)
		}
	}
}

func (r *Report) feedback(text string) {
	for _, g := range groups(text) {
		if v := strings.ToLower(g.Get("Feedback-Type")); v != "" {
			r.Feedback = cutText(strings.Trim(v, "\" "), 60)
		}
		for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient"} {
			for _, v := range g.Values(name) {
				for _, a := range ParseAddresses(v) {
					r.Recipients = append(r.Recipients, ReportRecipient{Address: a.Address})
				}
			}
		}
	}
}

func (r *Report) disposition(text string) {
	for _, g := range groups(text) {
		if id := messageID(g.Get("Original-Message-ID")); id != "" {
			r.OriginalID = id
		}
		if !g.Has("Disposition") {
			continue
		}
		address := typedAddress(g.Get("Original-Recipient"))
		if address == "" {
			address = typedAddress(g.Get("Final-Recipient"))
		}
		_, action, _ := strings.Cut(g.Get("Disposition"), ";")
		r.Recipients = append(r.Recipients, ReportRecipient{
			Address: address, Action: strings.ToLower(strings.TrimSpace(action)),
		})
	}
}
