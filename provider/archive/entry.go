package archive

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"math/bits"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// entry is what the index holds of a message: no address, no text.
type entry struct {
	id       ident
	received int64 // nanoseconds since 1970
	off      int64
	size     int64
	thread   int32 // in index.threads
	source   int32
	gen      uint32 // look at which it was new or had changed
	refs     uint32 // where its part of index.refs begins
	nrefs    uint16
	flags    flags
}

// The part of index.refs that is a message's: X-GM-THRID when it has one, the hash of its own id or
// 0, and the hashes of the ids it refers to.

// gmail returns the number in X-GM-THRID, or 0.
func (ix *index) gmail(e *entry) uint64 {
	if e.flags&hasGmail == 0 {
		return 0
	}
	return *ix.refs.at(int(e.refs))
}

// appendIDs appends the hashes of the ids of the message, its own and those it refers to.
func (e *entry) appendIDs(dst []uint64, ix *index) []uint64 {
	from := int(e.refs)
	if e.flags&hasGmail != 0 {
		from++
	}
	for i := from; i < int(e.refs)+int(e.nrefs); i++ {
		if id := *ix.refs.at(i); id != 0 {
			dst = append(dst, id)
		}
	}
	return dst
}

type flags uint16

const (
	isUnread flags = 1 << iota
	isQuoted       // mbox lines to unquote
	isSent
	isNotSent
	folderShift = iota

	hasGmail flags = 1 << 15 // the first of its refs is X-GM-THRID
)

var folders = []provider.Folder{provider.FolderMail, provider.FolderDraft, provider.FolderSpam,
	provider.FolderTrash, provider.FolderChat, provider.FolderOutbox}

func flagsOf(folder provider.Folder, mark provider.Mark, unread bool) flags {
	var f flags
	for i, have := range folders {
		if have == folder {
			f = flags(i) << folderShift
		}
	}
	switch mark {
	case provider.MarkSent:
		f |= isSent
	case provider.MarkNotSent:
		f |= isNotSent
	}
	if unread {
		f |= isUnread
	}
	return f
}

func (f flags) folder() provider.Folder { return folders[int(f&^hasGmail>>folderShift)%len(folders)] }

func (f flags) mark() provider.Mark {
	switch {
	case f&isSent != 0:
		return provider.MarkSent
	case f&isNotSent != 0:
		return provider.MarkNotSent
	default:
		return provider.MarkUnknown
	}
}

// digest stands for what a reader of the stream knows of the message.
func (ix *index) digest(e *entry) uint32 {
	h := uint64(e.flags&^(isQuoted|hasGmail))<<48 + uint64(e.size) + 1
	for _, id := range [...]ident{e.id, *ix.threads.at(int(e.thread))} {
		for i := range 8 {
			h = (bits.RotateLeft64(h, 9) ^ uint64(id[i+8])) * 0x9e3779b97f4a7c15
		}
	}
	return uint32(h >> 32)
}

// compareEntries orders newest first, equal times by id.
func compareEntries(a, b *entry) int { return a.place().compare(b.place()) }

// place is where a message stands in the walk.
type place struct {
	received int64
	id       ident
}

func (e *entry) place() place { return place{e.received, e.id} }

func (p place) compare(q place) int {
	if c := cmp.Compare(q.received, p.received); c != 0 {
		return c
	}
	return bytes.Compare(p.id[:], q.id[:])
}

// known is what a header section says that the index needs.
type known struct {
	received time.Time // of the topmost Received field; zero when there is none to read
	date     time.Time
	gmail    uint64
	labels   string
	labelled bool
	status   string // Status and X-Status of mbox files, together
	mozilla  string
	ids      []string // own id, then those it refers to
	own      bool     // ids begins with the own id
}

// maxRefs bounds how many ids of a message are used for threading.
const maxRefs = 64

func readKnown(head []byte) known {
	var k known
	h, _ := rfc822.ReadHeader(bytes.NewReader(head), rfc822.Limits{})
	// Only some fields are read; addresses and subjects would cost more than all the rest.
	some := rfc822.NewHeader(func(yield func(string, string) bool) {
		for name, value := range h.All() {
			switch canonical(name) {
			case "received":
				if k.received.IsZero() {
					if times := received(name, value); len(times) > 0 {
						k.received = times[0].UTC()
					}
				}
			case "x-gm-thrid":
				k.gmail, _ = strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			case "x-gmail-labels":
				k.labels, k.labelled = value, true
				if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
					k.labels = decoded
				}
			case "status", "x-status":
				k.status += value + " "
			case "x-mozilla-status":
				k.mozilla = value
			case "date", "message-id", "in-reply-to", "references":
				if !yield(name, value) {
					return
				}
			}
		}
	})
	e := some.Envelope()
	k.date, k.own = e.Date, e.MessageID != ""
	if k.own {
		k.ids = append(k.ids, e.MessageID)
	}
	k.ids = append(k.ids, e.References...)
	if len(e.InReplyTo) > 0 {
		k.ids = append(k.ids, e.InReplyTo[0])
	}
	if len(k.ids) > maxRefs {
		k.ids = append(k.ids[:2:2], k.ids[len(k.ids)-maxRefs+2:]...)
	}
	return k
}

func received(name, value string) []time.Time {
	return rfc822.NewHeader(func(yield func(string, string) bool) { yield(name, value) }).Received()
}

var needed = []string{"received", "message-id", "references", "in-reply-to", "date", "x-gm-thrid",
	"x-gmail-labels", "status", "x-status", "x-mozilla-status"}

// canonical is the lower-case name of a field that readKnown needs, else "".
func canonical(name string) string {
	switch len(name) {
	case 4, 6, 8, 10, 11, 14, 16:
		for _, known := range needed {
			if strings.EqualFold(name, known) {
				return known
			}
		}
	}
	return ""
}

// when decides the received time (rule 2 of the package); the rest are the times to fall back to.
func (k known) when(rest ...time.Time) int64 {
	for _, t := range append([]time.Time{k.received}, rest...) {
		if !t.IsZero() && t.Year() > 1970 && t.Year() < 2200 {
			return t.UnixNano()
		}
	}
	return 0
}

// mboxFlags are the flags of a message in an mbox: Gmail's labels, else what mutt, Dovecot and
// Thunderbird note in the header.
func (k known) mboxFlags(in meaning) flags {
	mark := provider.MarkUnknown
	if in.sent {
		mark = provider.MarkSent
	}
	if k.labelled {
		folder, mark, unread := labelsOf(k.labels)
		return flagsOf(folder, mark, unread)
	}
	folder, unread := in.folder, k.status != "" && !strings.Contains(k.status, "R")
	if n, err := strconv.ParseUint(strings.TrimSpace(k.mozilla), 16, 32); err == nil {
		unread = n&0x0001 == 0
		if n&0x0008 != 0 { // deleted, and waiting for the file to be compacted
			folder = provider.FolderTrash
		}
	}
	if strings.Contains(k.status, "D") {
		folder = provider.FolderTrash
	}
	return flagsOf(folder, mark, unread)
}

// volatile are the fields that mail programs and exports rewrite; they are no part of what a message
// is recognised by.
var volatile = names("status x-status x-mozilla-status x-mozilla-status2 x-mozilla-keys x-keywords " +
	"x-uid x-imap x-imapbase x-gmail-labels content-length lines")

// fingerprint is what a message in an mbox is recognised by.
func fingerprint(dst []byte, p piece) []byte {
	drop, dropped := false, 0
	for line := range bytes.Lines(p.head) {
		if line[0] != ' ' && line[0] != '\t' {
			drop = false
			if strings.IndexByte("sSxXcClL", line[0]) >= 0 {
				name, ok := fieldName(line)
				drop = ok && volatile[name]
			}
		}
		if drop {
			dropped += len(line)
			continue
		}
		dst = append(dst, line...)
	}
	return fmt.Appendf(dst, "\x00%d", p.size-int64(dropped))
}

// refer gives the message its part of the refs.
func (s *scanner) refer(e *entry, k known) {
	refs := &s.ix.refs
	e.refs = uint32(refs.n)
	if k.gmail != 0 {
		e.flags |= hasGmail
		refs.add(k.gmail)
	}
	if !k.own {
		refs.add(0)
	}
	for _, id := range k.ids {
		refs.add(maphash.String(s.a.seed, id) | 1)
	}
	e.nrefs = uint16(refs.n - int(e.refs))
}
