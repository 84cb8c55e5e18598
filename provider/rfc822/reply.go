package rfc822

import (
	"strings"

	"golang.org/x/net/idna"
)

// maxReferences is how many of the newest ids References keeps, after the first
// one. Long lists make header lines that some servers refuse.
const maxReferences = 20

// ReplyHeaders returns the ids an answer to parent carries in In-Reply-To and
// References (RFC 5322 section 3.6.4), without angles. A parent without an id
// gives neither. Long lists keep their first id and their last 20. Ids that
// cannot be written are left out.
func ReplyHeaders(parent Envelope) (inReplyTo, references []string) {
	if !isMessageID(parent.MessageID) {
		return nil, nil
	}
	chain := parent.References
	if len(chain) == 0 && len(parent.InReplyTo) == 1 {
		chain = parent.InReplyTo
	}
	seen := map[string]bool{parent.MessageID: true}
	for _, id := range chain {
		if isMessageID(id) && !seen[id] {
			seen[id] = true
			references = append(references, id)
		}
	}
	references = append(references, parent.MessageID)
	if extra := len(references) - 1 - maxReferences; extra > 0 {
		references = append(references[:1], references[1+extra:]...)
	}
	return []string{parent.MessageID}, references
}

// ReplyRecipients returns whom an answer to parent goes to: its Reply-To, else
// its From. own lists the addresses of the mailbox; they are never among the
// recipients, except where the mail was from and to oneself alone. The answer
// to a mail one sent goes to those it was sent to. Bcc is never looked at.
// Addresses are compared without regard to case, domains also in their ASCII
// form, and nobody is listed twice. It is empty when parent names nobody.
func ReplyRecipients(parent Envelope, own []string) []Address {
	to, _ := replyRecipients(parent, own, false)
	return to
}

// ReplyAllRecipients is ReplyRecipients for an answer to everybody: cc are the
// other people of To and Cc.
func ReplyAllRecipients(parent Envelope, own []string) (to, cc []Address) {
	return replyRecipients(parent, own, true)
}

func replyRecipients(parent Envelope, own []string, all bool) (to, cc []Address) {
	r := recipients{taken: make(map[string]bool)}
	for _, address := range own {
		r.taken[AddressKey(address)] = true
	}
	author := parent.From
	if len(author) == 0 && parent.Sender.Address != "" {
		author = []Address{parent.Sender}
	}
	if len(author) > 0 && r.taken[AddressKey(author[0].Address)] {
		to = r.take(parent.To)
		if all {
			cc = r.take(parent.Cc)
		}
		if len(to) == 0 {
			to, cc = cc, nil
		}
	} else {
		to = r.take(parent.ReplyTo)
		if len(to) == 0 {
			to = r.take(author)
		}
		if all {
			cc = append(r.take(parent.To), r.take(parent.Cc)...)
		}
	}
	if len(to) == 0 && len(author) > 0 {
		to = []Address{author[0]}
	}
	return to, cc
}

// recipients hands out every address once.
type recipients struct{ taken map[string]bool }

func (r recipients) take(list []Address) []Address {
	var fresh []Address
	for _, a := range list {
		key := AddressKey(a.Address)
		if key == "" || r.taken[key] {
			continue
		}
		r.taken[key] = true
		fresh = append(fresh, a)
	}
	return fresh
}

// AddressKey is equal for addresses that reach the same mailbox: in lower case,
// the domain in its ASCII form. Local parts are case-sensitive on paper only
// (RFC 5321 section 2.4).
func AddressKey(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	if ascii, err := idna.Lookup.ToASCII(address[at+1:]); err == nil {
		return address[:at+1] + ascii
	}
	return address
}

// isMessageID says whether the id can be written between angles as it is.
func isMessageID(id string) bool {
	if id == "" || len(id) > maxLine-20 {
		return false
	}
	for i := 0; i < len(id); i++ {
		if id[i] <= ' ' || id[i] >= 0x7f || id[i] == '<' || id[i] == '>' {
			return false
		}
	}
	return true
}
