package outlooktest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// SentMail is one mail that left an account.
type SentMail struct {
	ID string // immutable id of the copy in Sent Items, or of the draft when none was kept
	// Raw is the mail as its recipients get it: without Bcc.
	Raw       []byte
	MessageID string   // with its angles
	To        []string // everyone it went to, Bcc too, in lower case
	At        time.Time
}

// Sent returns the mail that went out, oldest first. Mail that was accepted and waits for
// Config.Send.Delay is not among it. Raw must not be changed.
func (a *Account) Sent() []SentMail {
	a.s.settle()
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return slices.Clone(a.sent)
}

// Bounce makes mail to these addresses come back: a delivery report in the sender's inbox.
func (s *Server) Bounce(addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range addresses {
		s.bounced[strings.ToLower(a)] = true
	}
}

// keptHeaders are the fields of a MIME mail that Exchange keeps, beside x- fields. What is unknown,
// such as Auto-Submitted, is removed without a word.
var keptHeaders = []string{
	"from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id",
	"in-reply-to", "references", "mime-version", "content-type", "content-transfer-encoding",
	"content-disposition", "content-id", "content-language", "importance", "thread-topic",
	"thread-index", "disposition-notification-to",
}

// filterHeader removes the header fields of a MIME mail that Exchange does not keep.
func (a *Account) filterHeader(raw []byte) []byte {
	return edit(raw, "", func(name string) bool {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-") {
			return a.s.c.Send.LearnX && !a.xNames[name]
		}
		return !slices.Contains(keptHeaders, name)
	})
}

// edit puts prefix before a message and leaves out the header fields that drop names.
func edit(raw []byte, prefix string, drop func(name string) bool) []byte {
	out := make([]byte, 0, len(prefix)+len(raw))
	out = append(out, prefix...)
	dropping := false
	at := 0
	for line := range bytes.Lines(raw) {
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		at += len(line)
		if folded := line[0] == ' ' || line[0] == '\t'; !folded {
			name, _, _ := bytes.Cut(line, []byte(":"))
			dropping = drop(string(bytes.TrimSpace(name)))
		}
		if !dropping {
			out = append(out, line...)
		}
	}
	return append(out, raw[at:]...)
}

// maxRecipients is how many recipients a mail may have.
//
// Source: https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits
const maxRecipients = 500

// sendable says why a mail cannot be sent, or nil.
func (a *Account) sendable(m *message) *apiError {
	c := m.parts()
	to := c.recipients()
	bad := refuse(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
	switch {
	case len(to) == 0, len(to) > maxRecipients:
		return bad
	case slices.ContainsFunc(to, func(r string) bool { return !isAddress(r) }):
		return bad
	case c.from.Address != "" && !a.owns(c.from.Address):
		return refuse(http.StatusForbidden, "ErrorSendAsDenied",
			"The user account which was used to submit this request does not have the right to "+
				"send mail on behalf of the specified sending account.")
	case int64(m.size()) > a.s.c.Send.MaxMessage:
		return refuse(http.StatusBadRequest, "ErrorMessageSizeExceeded",
			"The message exceeds the maximum supported size.")
	}
	return nil
}

func isAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && !strings.ContainsAny(s, " \t\r\n<>,;")
}

func sendDraft(c *call) (any, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	if !m.draft {
		// The draft was consumed; its id may live on in Sent Items.
		return nil, itemNotFound()
	}
	if refusal := c.a.sendable(m); refusal != nil {
		return nil, refusal
	}
	c.a.accept(m, true)
	return noContent{http.StatusAccepted}, nil
}

func sendMail(c *call) (any, *apiError) {
	if mediaType(c.r.Header) == "text/plain" {
		raw, refusal := c.mime()
		if refusal != nil {
			return nil, refusal
		}
		if most := c.s.c.Send.SwallowAbove; most > 0 && base64.StdEncoding.EncodedLen(len(raw)) > most {
			return noContent{http.StatusOK}, nil
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		return c.post(c.a.mimeDraft(raw), true)
	}
	var req struct {
		Message *messageRequest `json:"message"`
		Save    *bool           `json:"saveToSentItems"`
	}
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	if req.Message == nil {
		return nil, refuse(400, "ErrorInvalidRequest", "The parameter 'message' is required.")
	}
	if refusal := req.Message.check(); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m := c.a.newDraft()
	req.Message.apply(m)
	return c.post(m, req.Save == nil || *req.Save)
}

// accept takes a mail over: from now on nobody can change or send it again, and when the delay has
// passed it goes out.
func (a *Account) accept(m *message, save bool) {
	if !m.asMIME {
		for _, n := range m.xHeaders() {
			a.xNames[n] = true
		}
	}
	m.sending = true
	a.note(m.folder, m, changeUpdated)
	if a.s.c.Send.Delay <= 0 {
		a.transport(m, save)
		return
	}
	a.s.later(a.s.c.Send.Delay, func() {
		if !m.gone {
			a.transport(m, save)
		}
	})
}

// transport sends the mail and files the copy.
func (a *Account) transport(m *message, save bool) {
	a.seal(m)
	to := m.parts().recipients()
	m.sending, m.draft, m.read = false, false, true
	if save {
		m.renew = a.s.c.Send.NewID
		m.folder.ordered = remove(m.folder.ordered, m)
		a.ordered = remove(a.ordered, m)
		m.received = a.s.now().UTC().Truncate(time.Second)
		a.ordered = insert(a.ordered, m)
		m.folder.ordered = insert(m.folder.ordered, m)
		a.move(m, a.folders["sentitems"])
	} else {
		a.drop(m)
	}
	out := edit(m.mime(), "", func(name string) bool { return strings.EqualFold(name, "Bcc") })
	a.sent = append(a.sent, SentMail{
		ID: m.immutable, Raw: out, MessageID: m.parts().messageID, To: to, At: a.s.now(),
	})
	for _, r := range to {
		if a.s.bounced[r] {
			a.add(&message{raw: a.report(m, r)}, a.folders["inbox"])
		}
	}
	for _, other := range a.s.order {
		if slices.ContainsFunc(to, other.owns) {
			trace := "Received: from mail.outlook.invalid by mail.outlook.invalid with HTTPS; " +
				a.s.now().UTC().Format(time.RFC1123Z) + "\r\nReturn-Path: " + a.address + "\r\n"
			other.add(&message{raw: append([]byte(trace), out...)}, other.folders["inbox"])
		}
	}
}

// seal gives the mail the fields that every mail has when it goes out.
func (a *Account) seal(m *message) {
	c := m.parts()
	var add strings.Builder
	if m.asMIME {
		header, _ := rfc822.ReadHeader(bytes.NewReader(m.raw), rfc822.Limits{}) // memory does not fail
		for _, f := range []struct{ name, value string }{
			{"From", a.address}, {"Date", a.s.now().UTC().Format(time.RFC1123Z)},
			{"Message-ID", c.messageID}, {"MIME-Version", "1.0"},
		} {
			if !header.Has(f.name) {
				add.WriteString(f.name + ": " + f.value + "\r\n")
			}
		}
	}
	if c.from.Address == "" {
		c.from = rfc822.Address{Name: a.name, Address: a.address}
		c.sender = c.from
	}
	if c.date.IsZero() {
		c.date = a.s.now().UTC().Truncate(time.Second)
	}
	m.fixed = nil
	if !m.asMIME {
		m.edited()
	}
	add.WriteString("Thread-Topic: " + headerText(baseSubject(c.subject)) + "\r\n")
	add.WriteString("Thread-Index: " + base64.StdEncoding.EncodeToString(m.index) + "\r\n")
	m.raw = edit(m.mime(), add.String(), func(name string) bool {
		return strings.EqualFold(name, "Thread-Topic") || strings.EqualFold(name, "Thread-Index")
	})
	for _, at := range c.attachments {
		at.keep(m)
	}
}

// headerText makes a text fit for a header field.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// report is a delivery report for one recipient (RFC 3464).
func (a *Account) report(m *message, to string) []byte {
	const boundary = "=_report"
	head, _, _ := bytes.Cut(m.mime(), []byte("\r\n\r\n"))
	const from = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@outlook.invalid"
	return fmt.Appendf(nil, "From: Microsoft Outlook <"+from+">\r\n"+
		"To: %[1]s\r\nDate: %[2]s\r\nMessage-ID: <%[3]s@outlook.invalid>\r\n"+
		"Subject: Undeliverable: %[4]s\r\nIn-Reply-To: %[5]s\r\nReferences: %[5]s\r\n"+
		"Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=%[6]q\r\n\r\n"+
		"--%[6]s\r\nContent-Type: text/plain\r\n\r\nYour message to %[7]s couldn't be delivered.\r\n"+
		"--%[6]s\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;mail.outlook.invalid\r\n\r\n"+
		"Final-Recipient: rfc822;%[7]s\r\nAction: failed\r\nStatus: 5.1.10\r\n"+
		"Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found\r\n\r\n"+
		"--%[6]s\r\nContent-Type: text/rfc822-headers\r\n\r\n%[8]s\r\n\r\n--%[6]s--\r\n",
		a.address, a.s.now().UTC().Format(time.RFC1123Z), guid("ndr", m.immutable, to),
		headerText(m.parts().subject), m.parts().messageID, boundary, to, head)
}
