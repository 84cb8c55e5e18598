package outlooktest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"regexp"
	"strings"
)

// The ids of items and folders are opaque. What a client may see of them is kept: default ids begin
// with AAMk and end with an equals sign, immutable ones begin with AAkA, and both are compared with
// regard to case: every second id differs from the one before in the case of one letter alone.

const (
	prefixDefault      = "AAMkAG"
	prefixImmutable    = "AAkALg"
	prefixFolder       = "AQMkAD"
	prefixConversation = "AAQkAG"
)

func (a *Account) makeID(prefix string, serial, generation uint64) string {
	h := sha256.New()
	for _, n := range []uint64{a.s.c.Seed, serial / 2, generation} {
		_ = binary.Write(h, binary.BigEndian, n) // a hash does not fail
	}
	h.Write([]byte(a.oid + prefix))
	twin := "Qb"
	if serial%2 == 1 {
		twin = "qb"
	}
	id := prefix + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:27]) + twin + "AAA"
	if prefix == prefixImmutable {
		return id
	}
	return id + "="
}

// wellFormed says whether the text could be an id of ours.
func wellFormed(id string) bool {
	for _, p := range []string{prefixDefault, prefixImmutable, prefixFolder} {
		if strings.HasPrefix(id, p) {
			return true
		}
	}
	return false
}

var preferImmutable = regexp.MustCompile(`(?i)\bIdType\s*=\s*"ImmutableId"`)

// preferences are what the header Prefer asks for (RFC 7240).
type preferences struct {
	immutable  bool
	text       bool // outlook.body-content-type="text"
	unsafeHTML bool
	page       string // odata.maxpagesize
	applied    []string
}

var (
	preferText   = regexp.MustCompile(`(?i)\boutlook\.body-content-type\s*=\s*"?(text|html)"?`)
	preferUnsafe = regexp.MustCompile(`(?i)\boutlook\.allow-unsafe-html\b`)
	preferPage   = regexp.MustCompile(`(?i)\bodata\.maxpagesize\s*=\s*"?(\d+)"?`)
)

func preferred(h http.Header) preferences {
	value := strings.Join(h.Values("Prefer"), ", ")
	var p preferences
	if preferImmutable.MatchString(value) {
		p.immutable = true
		p.applied = append(p.applied, `IdType="ImmutableId"`)
	}
	if m := preferText.FindStringSubmatch(value); m != nil {
		p.text = strings.EqualFold(m[1], "text")
		p.applied = append(p.applied, `outlook.body-content-type="`+strings.ToLower(m[1])+`"`)
	}
	if preferUnsafe.MatchString(value) {
		p.unsafeHTML = true
		p.applied = append(p.applied, "outlook.allow-unsafe-html")
	}
	if m := preferPage.FindStringSubmatch(value); m != nil {
		p.page = m[1]
		p.applied = append(p.applied, "odata.maxpagesize="+m[1])
	}
	return p
}

// idOf is the id of the message in the format that was asked for.
func (m *message) idOf(immutable bool) string {
	if immutable {
		return m.immutable
	}
	return m.id
}

// find returns the message with that id, of either format.
func (a *Account) find(id string) *message {
	if m := a.byID[id]; m != nil {
		return m
	}
	return a.byImmutable[id]
}

// changeKey stands for one version of a message or folder.
func changeKey(version uint64) string {
	b := make([]byte, 30)
	copy(b, "\x09\x00\x00\x00\x16\x00\x00\x00\xb0\x1a\xdd\xdb\xab\x24\x76\x49\xb9\x39\x11\x7e\x5e\x48\x89\x21")
	binary.BigEndian.PutUint32(b[26:], uint32(version))
	return base64.StdEncoding.EncodeToString(b)
}
