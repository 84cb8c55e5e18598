package rfc822

import (
	"slices"
	"strings"
)

// Class says what kind of mail a message is. The values are stable text.
type Class string

const (
	ClassHuman     Class = "human"
	ClassAutoReply Class = "auto_reply" // vacation notices, read receipts
	ClassBounce    Class = "bounce"     // delivery reports, also of delays and of success
	ClassBulk      Class = "bulk"       // lists and mass mail
	ClassNoReply   Class = "no_reply"   // system mail: nobody reads an answer; complaints too
	ClassCalendar  Class = "calendar"   // invitations and answers to them
)

// Signals are what tells mail of machines from mail of people.
type Signals struct {
	Class Class
	// Report: a multipart/report, a null return path, or a sender named mailer-daemon or postmaster.
	// Such mail may be a report about one of our own messages; only its content tells.
	Report bool
	// CalendarReply: the answer to an invitation, or its cancellation.
	CalendarReply bool
	// NoAutoReply: an automatic answer must not be sent (RFC 3834 section 2 and what has come since).
	NoAutoReply bool
	// BulkHint: a sign of mass mail that people's own mail carries too. It decides no class.
	BulkHint bool
	// Complaint: somebody marked mail as spam (RFC 5965).
	Complaint bool
	// ReadReceipt: a disposition notification (RFC 8098).
	ReadReceipt bool
	// NullReturnPath: the envelope sender was empty.
	NullReturnPath bool
}

// Signals judges by the header alone. A difference between From and Return-Path, and
// List-Unsubscribe alone, decide no class.
func (h Header) Signals() Signals {
	var s Signals
	typ := contentType(h.Get("Content-Type"))
	auto, _, _ := strings.Cut(strings.ToLower(h.Get("Auto-Submitted")), ";")
	auto = strings.TrimSpace(auto)
	daemon := h.daemon()
	s.NullReturnPath = isNullPath(h)
	kind := h.reportKind()
	s.Report = typ.value == "multipart/report" || s.NullReturnPath || daemon
	s.Complaint = kind == ReportFeedback
	s.ReadReceipt = kind == ReportDisposition
	method := ""
	if typ.value == "text/calendar" {
		method = strings.ToUpper(typ.token("method"))
	}
	s.CalendarReply = isCalendarReply(method)
	meeting := isMeeting(method) ||
		strings.EqualFold(h.Get("Content-Class"), "urn:content-classes:calendarmessage")
	autoReply := strings.HasPrefix(auto, "auto-replied") || h.autoReplyMark()
	system := strings.HasPrefix(auto, "auto-") || h.systemSender()
	bulk := h.bulk()

	switch {
	case s.Complaint:
		s.Class = ClassNoReply
	case s.ReadReceipt:
		s.Class = ClassAutoReply
	case kind == ReportDelivery, daemon, h.Has("X-Failed-Recipients"):
		s.Class = ClassBounce
	case autoReply:
		s.Class = ClassAutoReply
	case meeting:
		s.Class = ClassCalendar
	case s.NullReturnPath:
		s.Class = ClassBounce
	case bulk:
		s.Class = ClassBulk
	case system:
		s.Class = ClassNoReply
	default:
		s.Class = ClassHuman
	}
	s.BulkHint = h.bulkHint()
	s.NoAutoReply = s.Class != ClassHuman || s.Report || bulk || system || autoReply ||
		auto != "" && auto != "no" || h.suppressed() || h.Has("List-Unsubscribe")
	return s
}

// withParts completes the signals of the header with the parts and the report.
func (s Signals) withParts(m *Message) Signals {
	s.CalendarReply = s.CalendarReply || isCalendarReply(m.Calendar)
	switch {
	case m.Report != nil && m.Report.Kind == ReportFeedback:
		s.Class, s.Complaint = ClassNoReply, true
	case m.Report != nil && m.Report.Kind == ReportDisposition:
		s.Class, s.ReadReceipt = ClassAutoReply, true
	case m.Report != nil:
		s.Class = ClassBounce
	case s.Class == ClassBounce && !m.Header.mailerDaemon():
		// A null return path or a postmaster, yet nothing that was not delivered: an automatic
		// answer keeps the first as RFC 3834 section 3.3 wants it, a person may be the second.
		s.Class = ClassNoReply
		if s.NullReturnPath {
			s.Class = ClassAutoReply
		}
	}
	if isMeeting(m.Calendar) && (s.Class == ClassHuman || s.Class == ClassNoReply ||
		s.Class == ClassAutoReply && m.Report == nil && s.NullReturnPath) {
		s.Class = ClassCalendar
	}
	s.NoAutoReply = s.NoAutoReply || s.Class != ClassHuman
	return s
}

// isMeeting says whether a calendar method asks or tells somebody something (RFC 5546), which a
// published calendar does not.
func isMeeting(method string) bool {
	return slices.Contains([]string{
		"REQUEST", "REPLY", "CANCEL", "ADD", "REFRESH", "COUNTER", "DECLINECOUNTER",
	}, method)
}

func isCalendarReply(method string) bool { return method == "REPLY" || method == "CANCEL" }

func isNullPath(h Header) bool {
	for _, f := range h.fields {
		if sameName(f.name, "Return-Path") {
			return strings.ReplaceAll(f.value, " ", "") == "<>"
		}
	}
	return false
}

// fromLocals returns the local parts of From and Sender in lower case. Mail systems of old wrote a
// bare MAILER-DAEMON; it counts.
func (h Header) fromLocals() []string {
	var locals []string
	for _, name := range []string{"From", "Sender"} {
		value := h.Get(name)
		if value == "" {
			continue
		}
		addresses := ParseAddresses(value)
		for _, a := range addresses {
			local := a.Address[:strings.LastIndexByte(a.Address, '@')]
			locals = append(locals, strings.ToLower(strings.Trim(local, `"`)))
		}
		if len(addresses) == 0 {
			locals = append(locals, strings.ToLower(strings.Trim(value, "<> \"")))
		}
	}
	return locals
}

// daemon says whether a mail system is the sender.
func (h Header) daemon() bool {
	return h.mailerDaemon() || slices.ContainsFunc(h.fromLocals(), func(local string) bool {
		return local == "postmaster" || strings.HasPrefix(local, "postmaster+")
	})
}

func (h Header) mailerDaemon() bool {
	return slices.ContainsFunc(h.fromLocals(), func(local string) bool {
		return strings.HasPrefix(local, "mailer-daemon") || strings.HasPrefix(local, "mailerdaemon") ||
			local == "mail-daemon" || strings.HasPrefix(local, "microsoftexchange")
	})
}

// systemSender says whether the sender's address tells that nobody reads answers.
func (h Header) systemSender() bool {
	return slices.ContainsFunc(h.fromLocals(), isSystemLocal)
}

var unpunctuated = strings.NewReplacer("-", "", "_", "", ".", "")

func isSystemLocal(local string) bool {
	if strings.HasSuffix(local, "-request") || strings.HasPrefix(local, "owner-") {
		return true
	}
	for _, prefix := range []string{"bounces", "bounce"} {
		if rest, ok := strings.CutPrefix(local, prefix); ok && (rest == "" || !asciiLetter(rest[0])) {
			return true
		}
	}
	plain := unpunctuated.Replace(local)
	plain, _, _ = strings.Cut(plain, "+")
	for _, word := range []string{"noreply", "donotreply", "dontreply"} {
		if strings.HasPrefix(plain, word) || strings.HasSuffix(plain, word) {
			return true
		}
	}
	return false
}

// bulk says whether the message comes from a list or is declared as mass mail.
func (h Header) bulk() bool {
	precedence := strings.ToLower(h.Get("Precedence"))
	return precedence == "bulk" || precedence == "list" || precedence == "junk" ||
		h.Has("List-Id") || h.Has("List-Post")
}

// bulkPrefixes begin the field names that mass mailers add. Ticket systems and CRMs send people's
// own mail through the same services.
var bulkPrefixes = []string{
	"x-campaign", "x-mailgun-", "x-ses-", "x-sg-", "x-mc-", "x-mandrill-", "x-mailchimp", "x-csa-",
	"x-sfmc-", "x-hs-", "x-mailer-recptid", "x-rpcampaign", "x-postmark-", "x-pm-message-",
}

func (h Header) bulkHint() bool {
	for _, f := range h.fields {
		switch {
		case sameName(f.name, "List-Unsubscribe"), sameName(f.name, "Feedback-ID"):
			return true
		case len(f.name) > 2 && (f.name[0] == 'X' || f.name[0] == 'x'):
			name := strings.ToLower(f.name)
			for _, prefix := range bulkPrefixes {
				if strings.HasPrefix(name, prefix) {
					return true
				}
			}
		}
	}
	return false
}

// suppressed reads X-Auto-Response-Suppress (MS-OXCMAIL section 2.2.3.2.14).
func (h Header) suppressed() bool {
	for _, v := range strings.Split(strings.ToLower(h.Get("X-Auto-Response-Suppress")), ",") {
		switch strings.TrimSpace(v) {
		case "all", "oof", "autoreply":
			return true
		}
	}
	return false
}
