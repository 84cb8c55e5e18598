package rfc822

import (
	"regexp"
	"slices"
	"strings"
)

// bounceText is what the readable part of a delivery report tells, in the formats of Exim, qmail,
// sendmail, Postfix, Exchange, Domino and many others: they all name the address on a line, with
// the words of the refusal on it or below it, and return the message or its header after a line
// that says so.
type bounceText struct {
	head       string // what the mail system says, before the returned message
	recipients []ReportRecipient
	original   Header
	blocks     []bounceBlock
}

// bounceBlock is the text that begins with the line of one address.
type bounceBlock struct{ address, text string }

var (
	addressPattern = regexp.MustCompile(`[^\s<>()\[\]"',;:=|]+@[A-Za-z0-9][A-Za-z0-9.\-]*[A-Za-z0-9]`)
	leadPattern    = regexp.MustCompile(
		`^[\s>*"'<(\[\-]*(?:rfc822;|smtp:|mailto:|SMTP:|[45][0-9][0-9] )?\s*[<"']?$`)
)

// returnedWords stand in the line above a returned message, lower case.
var returnedWords = []string{
	"copy of the message", "copy of your message", "original message", "original mail",
	"unsent message", "undelivered message", "returned message", "message header",
	"message follows", "header follows", "headers follow", "text of your message",
	"header of the message", "mail header", "failed message", "message text", "original header",
}

// bounceSubjects begin the subjects of delivery reports, lower case.
var bounceSubjects = []string{
	"undeliver", "returned mail", "mail delivery fail", "delivery status notification",
	"delivery failure", "failure notice", "delivery report", "mail system error",
	"message undeliverable", "mail could not be delivered", "non-delivery", "nondeliverable mail",
	"delivery notification", "delivery has failed", "mail delivery status", "message delivery",
	"mail failure", "warning: could not send", "unzustellbar", "non remis", "no se puede entregar",
}

// failureWords show that a text speaks of mail that did not arrive.
var failureWords = []string{
	"not deliver", "undeliver", "could not be delivered", "unable to deliver", "delivery fail",
	"delivery to", "delivery error", "failed", "failure", "not reach", "returned", "rejected",
	"refused", "bounced", "error", "could not be sent", "cannot send", "can't be delivered",
	"couldn't be delivered", "delivery status", "wasn't delivered", "malformed", "unknown",
	"disabled", "does not exist", "delayed", "not send", "mailbox is full",
}

// readBounceText looks for a delivery report in the text of a message whose header gives reason to.
func readBounceText(m *Message, original Header) (bounceText, bool) {
	subject := strings.ToLower(m.Envelope.Subject)
	bySubject := slices.ContainsFunc(bounceSubjects, func(begin string) bool {
		return strings.HasPrefix(subject, begin)
	})
	sure := m.Signals.Class == ClassBounce
	if !sure && !bySubject && !m.Signals.Report {
		return bounceText{}, false
	}
	b := bounceText{original: original}
	tail := b.split(m.Text)
	if b.original.Len() == 0 {
		b.original = scanOriginal(tail)
	}
	b.find(m)
	lower := strings.ToLower(b.head)
	evident := statusCode(b.head) != "" || replyCode(b.head) != "" ||
		firstOf(lower, failureWords) != "" || bySubject
	if len(b.recipients) == 0 || !evident {
		return b, false
	}
	return b, sure || m.Signals.Report || b.original.Len() > 0
}

// split cuts the text where the returned message begins.
func (b *bounceText) split(text string) (tail string) {
	text = cutText(text, maxReportBytes)
	at := 0
	for line := range strings.Lines(text) {
		if isReturnedLine(line) && strings.TrimSpace(text[:at]) != "" {
			b.head = text[:at]
			return text[at:]
		}
		at += len(line)
	}
	b.head = text
	return ""
}

// isReturnedLine says whether a returned message or its header begins here: with a field that
// stands near the top of it, or after a line that announces it, drawn or ending with a colon.
func isReturnedLine(line string) bool {
	line = strings.Trim(line, " \t\n>")
	switch fieldOf(line) {
	case "received", "return-path", "message-id", "x-mailer", "mime-version", "delivered-to",
		"dkim-signature":
		return true
	}
	const drawing = "-=*_#~"
	drawn := len(line) > 2 && strings.IndexByte(drawing, line[0]) >= 0 &&
		strings.IndexByte(drawing, line[1]) >= 0
	if !drawn && !strings.HasSuffix(line, ":") || len(line) > 200 {
		return false
	}
	return firstOf(strings.ToLower(line), returnedWords) != ""
}

// fieldOf returns the name of the field a line is, lower case, or "".
func fieldOf(line string) string {
	colon := strings.IndexByte(line, ':')
	if colon <= 0 || colon > 40 || fieldName([]byte(line[:colon+1])) == 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(line[:colon]))
}

// scanOriginal reads the fields of a returned header out of running text.
func scanOriginal(text string) Header {
	var h Header
	for line := range strings.Lines(text) {
		line = strings.Trim(line, " \t\n>")
		switch name := fieldOf(line); name {
		case "message-id", "in-reply-to", "references", "to":
			if !h.Has(name) {
				value := strings.TrimSpace(line[strings.IndexByte(line, ':')+1:])
				h.fields = append(h.fields, field{name, value})
			}
		}
	}
	return h
}

// machinePart returns the machine-readable fields that stand in running text, or "".
func machinePart(text string) string {
	at := 0
	for line := range strings.Lines(text) {
		switch fieldOf(line) {
		case "reporting-mta", "final-recipient", "action":
			return text[at:]
		}
		at += len(line)
	}
	return ""
}

// find looks for the recipients and what is said about them.
func (b *bounceText) find(m *Message) {
	own := map[string]bool{}
	for _, list := range [][]Address{m.Envelope.From, m.Envelope.To, b.original.firstAddresses("From")} {
		for _, a := range list {
			own[strings.ToLower(a.Address)] = true
		}
	}
	if fields := machinePart(b.head); fields != "" {
		b.recipients = readDelivery(fields)
	}
	any := b.scan(own)
	if any == "" {
		any = b.scan(nil) // somebody wrote to himself
	}
	if len(b.recipients) > 0 {
		return
	}
	addresses := m.Header.addresses("X-Failed-Recipients")
	if len(addresses) == 0 {
		for _, block := range b.blocks {
			addresses = append(addresses, Address{Address: block.address})
		}
	}
	if len(addresses) == 0 && any != "" {
		addresses = []Address{{Address: any}}
	}
	if len(addresses) == 0 {
		addresses = b.original.firstAddresses("To")
	}
	for _, a := range addresses {
		if slices.ContainsFunc(b.recipients, func(r ReportRecipient) bool {
			return strings.EqualFold(r.Address, a.Address)
		}) || len(b.recipients) >= 100 {
			continue
		}
		text := b.diagnostic(a.Address, len(addresses))
		r := ReportRecipient{Address: a.Address, Diagnostic: diagnostic(text)}
		if isDelay(m.Envelope.Subject, b.head) {
			r.Action = "delayed"
		}
		r.judge(text)
		b.recipients = append(b.recipients, r)
	}
}

// scan cuts the head into blocks that begin with an address, and returns the first address that
// stands anywhere.
func (b *bounceText) scan(own map[string]bool) (any string) {
	var block *bounceBlock
	for line := range strings.Lines(b.head) {
		if strings.IndexByte(line, '@') < 0 {
			if block != nil && len(block.text) < 2000 {
				block.text += line
			}
			continue
		}
		for _, at := range addressPattern.FindAllStringIndex(line, 4) {
			address := strings.Trim(line[at[0]:at[1]], ".-'`")
			if own[strings.ToLower(address)] || isSystemAddress(address) {
				continue
			}
			if any == "" {
				any = address
			}
			if leadPattern.MatchString(line[:at[0]]) && len(b.blocks) < 100 {
				b.blocks = append(b.blocks, bounceBlock{address: address})
				block = &b.blocks[len(b.blocks)-1]
				break
			}
		}
		if block != nil && len(block.text) < 2000 {
			block.text += line
		}
	}
	return any
}

func isSystemAddress(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	return local == "postmaster" || strings.HasPrefix(local, "mailer-daemon") || local == ""
}

// diagnostic is what the text says about one address. A single one owns the whole text.
func (b *bounceText) diagnostic(address string, recipients int) string {
	text := ""
	for _, block := range b.blocks {
		if strings.EqualFold(block.address, address) {
			text += block.text + " "
		}
	}
	if recipients <= 1 && statusCode(text) == "" && replyCode(text) == "" {
		lower := strings.ToLower(text)
		if firstOf(lower, softReasons) == "" && firstOf(lower, hardReasons) == "" {
			return b.head
		}
	}
	return text
}

// isDelay says whether a report in running text is about mail that is still being tried.
func isDelay(subject, head string) bool {
	lower := strings.ToLower(subject + "\n" + head)
	return firstOf(lower, []string{
		"you do not need to resend", "will continue to try", "still trying", "will be retried",
		"delivery is delayed", "delayed mail", "delivery status notification (delay)", "warning message only", "will keep trying",
		"could not send message for past",
	}) != ""
}
