package rfc822

import (
	"slices"
	"strings"
	"time"
)

// Envelope is who wrote to whom about what, and to which message. It is what the header claims;
// nothing of it is verified.
type Envelope struct {
	MessageID  string    // without its angles; "" when missing
	InReplyTo  []string  // ids without angles, each once, in their order
	References []string  // likewise, oldest first
	From       []Address // of the first From field that has an address
	Sender     Address   // zero when missing
	ReplyTo    []Address
	To         []Address // of all To fields
	Cc         []Address
	Bcc        []Address
	Subject    string    // decoded, one line
	Date       time.Time // UTC; zero when missing or unreadable
}

// Envelope reads the fields of RFC 5322 section 3.6 and salvages what it can.
func (h Header) Envelope() Envelope {
	e := Envelope{
		InReplyTo:  ScanIDs(h.joined("In-Reply-To")),
		References: ScanIDs(h.joined("References")),
		From:       h.firstAddresses("From"),
		ReplyTo:    h.firstAddresses("Reply-To"),
		To:         h.addresses("To"),
		Cc:         h.addresses("Cc"),
		Bcc:        h.addresses("Bcc"),
	}
	if sender := h.firstAddresses("Sender"); len(sender) > 0 {
		e.Sender = sender[0]
	}
	for _, f := range h.fields {
		switch {
		case e.MessageID == "" && sameName(f.name, "Message-ID"):
			e.MessageID = messageID(f.value)
		case e.Subject == "" && sameName(f.name, "Subject"):
			e.Subject = decodeWords(f.value)
		case e.Date.IsZero() && sameName(f.name, "Date"):
			e.Date = parseDate(f.value)
		}
	}
	return e
}

// Received returns the times of the Received fields, in their order: newest first. Fields without
// a readable time are left out.
func (h Header) Received() []time.Time {
	var times []time.Time
	for _, f := range h.fields {
		if !sameName(f.name, "Received") {
			continue
		}
		if i := strings.LastIndexByte(f.value, ';'); i >= 0 {
			if t := parseDate(f.value[i+1:]); !t.IsZero() {
				times = append(times, t)
			}
		}
	}
	return times
}

// ScanIDs returns the message ids <...> of a field value without their angles, each once, and
// leaves out whatever stands between them.
func ScanIDs(value string) []string {
	var ids []string
	var seen map[string]bool
	for {
		i := strings.IndexByte(value, '<')
		if i < 0 {
			return ids
		}
		value = value[i+1:]
		end := strings.IndexAny(value, "<> \t\r\n")
		if end < 0 {
			return ids
		}
		if value[end] != '>' || end == 0 {
			continue
		}
		id := value[:end]
		value = value[end+1:]
		if len(ids) == 8 {
			seen = make(map[string]bool)
			for _, have := range ids {
				seen[have] = true
			}
		}
		if seen[id] || seen == nil && slices.Contains(ids, id) {
			continue
		}
		if seen != nil {
			seen[id] = true
		}
		ids = append(ids, id)
	}
}

// messageID takes the id of a Message-ID field; one without angles is taken when it is one word.
func messageID(value string) string {
	if ids := ScanIDs(value); len(ids) > 0 {
		return ids[0]
	}
	words := strings.Fields(strings.Trim(value, "<> \t"))
	if len(words) != 1 {
		return ""
	}
	return words[0]
}

// joined returns all values of a field, one after the other.
func (h Header) joined(name string) string {
	return strings.Join(h.Values(name), " ")
}

func (h Header) addresses(name string) []Address {
	var all []Address
	for _, f := range h.fields {
		if sameName(f.name, name) {
			all = append(all, ParseAddresses(f.value)...)
		}
	}
	return all
}

func (h Header) firstAddresses(name string) []Address {
	for _, f := range h.fields {
		if sameName(f.name, name) {
			if found := ParseAddresses(f.value); len(found) > 0 {
				return found
			}
		}
	}
	return nil
}
