package gmailtest

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// Gmail looks for whole words. A word is a run of letters and digits, so that an address is several
// words and an address or domain that is searched for must be found as these words in this order,
// side by side: acme.com is in bob@acme.com, in bob@eu.acme.com and in the name "Acme Com", but not in
// bob@notacme.com. It is in bob@acme.com.example as well: such finds are Gmail's, and a client must
// look at what it gets.

// words splits text into its words, in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// spaced is the words with one blank before, between and after them.
func spaced(text string) string { return " " + strings.Join(words(text), " ") + " " }

func hasWords(value string) bool { return len(words(value)) > 0 }

// look is one message that is looked at by one query: a query of forty addresses reads the header
// once.
type look struct {
	m     *message
	now   time.Time
	cache map[string][]string // the words of fields and, with a blank in front, of addresses
	text  string
}

func (l *look) keep(key string, read func() []string) []string {
	if v, ok := l.cache[key]; ok {
		return v
	}
	if l.cache == nil {
		l.cache = make(map[string][]string)
	}
	v := read()
	l.cache[key] = v
	return v
}

// addresses are the words of each name and address in a field.
func (l *look) addresses(field string) []string {
	return l.keep(" "+field, func() (out []string) {
		for _, a := range l.m.addresses(field) {
			out = append(out, spaced(a.Name+" "+a.Address))
		}
		return out
	})
}

// field are the words of each value of a field.
func (l *look) field(name string) []string {
	return l.keep(name, func() (out []string) {
		for _, v := range l.m.field(name) {
			out = append(out, spaced(v))
		}
		return out
	})
}

// among says whether the words are, in this order and side by side, in one of the texts.
func (e *expr) among(texts []string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, e.spaced) })
}

// inAddresses looks in names and addresses, in each by itself.
func inAddresses(fields ...string) func(*look, *expr) bool {
	return func(l *look, e *expr) bool {
		me := strings.EqualFold(e.value, "me")
		return slices.ContainsFunc(fields, func(field string) bool {
			if me {
				return l.m.namesOwner(field)
			}
			return e.among(l.addresses(field))
		})
	}
}

// namesOwner says whether the field holds the primary address of the account. The API does not look
// for its aliases (https://developers.google.com/workspace/gmail/api/guides/filtering).
func (m *message) namesOwner(field string) bool {
	return slices.ContainsFunc(m.addresses(field), func(a rfc822.Address) bool {
		return strings.EqualFold(a.Address, m.owner.address)
	})
}

func inFields(names ...string) func(*look, *expr) bool {
	return func(l *look, e *expr) bool {
		return slices.ContainsFunc(names, func(name string) bool { return e.among(l.field(name)) })
	}
}

var everybody = inAddresses("From", "To", "Cc", "Bcc")

// inText looks in subject and body, in names and addresses, and in names of files.
func inText(l *look, e *expr) bool {
	if l.text == "" {
		l.text = spaced(l.m.text())
	}
	return strings.Contains(l.text, e.spaced) || hasFile(l, e) || everybody(l, e)
}
