package outlooktest

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// converse puts a message into the conversation of the message that it answers, else into that of
// the same Thread-Index, else into one of its own.
func (a *Account) converse(m *message) {
	c := m.parts()
	ancestors := slices.Concat(c.inReplyTo, reversed(c.references))
	for _, id := range ancestors {
		if found := a.byMessageID["<"+id+">"]; len(found) > 0 {
			a.join(m, found[0])
			return
		}
	}
	index, err := base64.StdEncoding.DecodeString(c.threadIndex)
	if err == nil && len(index) >= indexHeader && (len(index)-indexHeader)%indexChild == 0 {
		m.index = index
		for _, other := range a.ordered {
			if len(other.index) >= indexHeader &&
				string(other.index[:indexHeader]) == string(index[:indexHeader]) {
				m.conversation = other.conversation
				return
			}
		}
	} else {
		m.index = a.newIndex()
	}
	if a.s.c.MergeSubjects {
		for _, other := range a.ordered {
			if strings.EqualFold(baseSubject(other.parts().subject), baseSubject(c.subject)) {
				m.conversation = other.conversation
				return
			}
		}
	}
	a.s.serial++
	m.conversation = a.makeID(prefixConversation, a.s.serial, 0)
}

// join puts m into the conversation as an answer to parent.
func (a *Account) join(m, parent *message) {
	m.conversation = parent.conversation
	m.index = slices.Concat(parent.index, a.indexStep())
}

// The parts of a conversation index: a header, and a block for every answer.
//
// Source: MS-OXOMSG section 2.2.1.3, PidTagConversationIndex
const (
	indexHeader = 22
	indexChild  = 5
)

// fileTime is a time in steps of 100 nanoseconds since 1601.
func fileTime(t time.Time) uint64 {
	return uint64(t.Unix()+11_644_473_600)*10_000_000 + uint64(t.Nanosecond()/100)
}

func (a *Account) newIndex() []byte {
	b := binary.BigEndian.AppendUint64(nil, fileTime(a.s.now()))[:6]
	b[0] = 1
	a.s.serial++
	g := []byte(strings.ReplaceAll(guid("index", a.oid, time.Unix(int64(a.s.serial), 0).String()), "-", ""))
	return append(b, g[:16]...)
}

// indexStep is the block of one answer.
func (a *Account) indexStep() []byte {
	a.s.serial++
	b := binary.BigEndian.AppendUint64(nil, fileTime(a.s.now())>>18)[4:]
	return append(b, byte(a.s.serial))
}

func reversed(ids []string) []string {
	out := slices.Clone(ids)
	slices.Reverse(out)
	return out
}

// baseSubject is what answers are made of.
func baseSubject(s string) string { return rfc822.BaseSubject(s) }
