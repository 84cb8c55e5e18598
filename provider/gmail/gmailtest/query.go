package gmailtest

import (
	"strings"
	"time"
)

// query is a parsed search. The nil expression finds everything.
//
// The language is Gmail's (https://support.google.com/mail/answer/7190): words side by side must all
// be found, OR and {} ask for one of several, OR binds tighter than standing side by side, - excludes,
// "" is a phrase, () groups, and a group behind an operator is asked of that operator: from:(a OR b).
type query struct{ root *expr }

// expr is a node of a query.
type expr struct {
	op   operator
	kids []*expr // of allOf, any and not
	// field is the operator's name, "" for plain words. value is never empty.
	field, value string
	spaced       string // the words of value, see spaced
}

type operator uint8

const (
	leaf operator = iota
	allOf
	anyOf
	not
)

// maxNesting is how deep groups and exclusions may nest.
const maxNesting = 50

// match says whether a message is found. Days and months of newer_than and older_than end at now.
func (q *query) match(m *message, now time.Time) bool {
	return q.root == nil || q.root.match(&look{m: m, now: now})
}

func (e *expr) match(l *look) bool {
	switch e.op {
	case allOf:
		for _, k := range e.kids {
			if !k.match(l) {
				return false
			}
		}
		return true
	case anyOf:
		for _, k := range e.kids {
			if k.match(l) {
				return true
			}
		}
		return false
	case not:
		return !e.kids[0].match(l)
	default:
		return terms[e.field].match(l, e)
	}
}

// String writes the query so that it parses to the same query again.
func (q *query) String() string {
	if q.root == nil {
		return ""
	}
	var b strings.Builder
	q.root.write(&b)
	return b.String()
}

func (e *expr) write(b *strings.Builder) {
	switch e.op {
	case allOf, anyOf:
		open, end := "(", ")"
		if e.op == anyOf {
			open, end = "{", "}"
		}
		b.WriteString(open)
		for i, k := range e.kids {
			if i > 0 {
				b.WriteByte(' ')
			}
			k.write(b)
		}
		b.WriteString(end)
	case not:
		b.WriteByte('-')
		e.kids[0].write(b)
	default:
		if e.field != "" {
			b.WriteString(e.field)
			b.WriteByte(':')
		}
		b.WriteByte('"')
		b.WriteString(e.value)
		b.WriteByte('"')
	}
}
