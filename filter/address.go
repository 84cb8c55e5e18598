package filter

import "strings"

// AddressDomain returns the domain of a bare addr-spec: what stands after the last "@" outside
// quotes. It is false where there is no mailbox name before the "@", and for what is no domain: an
// address literal (RFC 5321 section 4.1.3), two dots at the end.
func AddressDomain(addr string) (Domain, bool) {
	var a address
	a.read(addr)
	if a.labels == 0 {
		return Domain{}, false
	}
	return Domain{strings.Clone(a.key()[a.at+1:])}, true
}

// AddressKey returns the key of a mail address (R-CUS-06): the lower-cased addr-spec with its domain
// in the form of Domain. Nothing is folded: dots and "+tag" in the mailbox name count. It is total
// and idempotent; for what is no address it is the lower-cased text, and bytes that are not UTF-8
// become U+FFFD. A clean address is returned as it is, without a copy.
func AddressKey(addr string) string {
	var a address
	a.read(addr)
	return a.key()
}

// The kinds of bytes in an address.
const (
	hostByte  = 1 << iota // may stand in a normal host: letters, digits, "-", "_" (and the dot)
	upperByte             // A to Z
	quoteByte             // starts or ends quoting, or quotes the next byte
	otherByte             // not ASCII
)

var kinds = func() (k [256]uint8) {
	for c := range k {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			k[c] = hostByte
		case c >= 'A' && c <= 'Z':
			k[c] = upperByte
		case c == '"', c == '\\':
			k[c] = quoteByte
		case c >= 0x80:
			k[c] = otherByte
		}
	}
	return k
}()

// maxAddress is the longest addr-spec that needs no memory of its own when it is lower-cased. Few are
// longer, and every participant looked at carries that many bytes.
const maxAddress = 128

// An address is one addr-spec made ready for look-ups. A clean one is not copied, one that only
// needs lower-casing is copied to buf, so that neither takes memory from the heap.
type address struct {
	text   string // the key, when n is 0
	n      int    // length of the key in buf
	at     int    // index of the "@" in the key; -1 when this is no address
	labels int    // labels of the host; 0 when the host is no domain
	buf    [maxAddress]byte
}

// read makes a the address written in s, and says whether s is its key already.
func (a *address) read(s string) (clean bool) {
	a.n, a.text = 0, s
	if a.at, a.labels = splitClean(s); a.labels > 0 {
		return true
	}
	a.normalize(s)
	return false
}

// splitClean finds the "@" of an address that is its own key and counts the labels of its host. No
// labels means that normalize has to look at it: most mail is clean, and this is one pass over it.
func splitClean(s string) (at, labels int) {
	end := len(s)
	for at = end - 1; at > 0 && s[at] != '@'; at-- {
		if kinds[s[at]]&hostByte != 0 {
			continue
		}
		if size := end - at - 1; s[at] != '.' || size == 0 || size > maxLabel {
			return 0, 0
		}
		labels++
		end = at
	}
	size := end - at - 1
	if at <= 0 || size == 0 || size > maxLabel || len(s)-at-1 > maxHost || isDigit(s[len(s)-1]) {
		return 0, 0
	}
	seen := uint8(0)
	for i := range at {
		seen |= kinds[s[i]]
	}
	if seen&^hostByte != 0 || s[0] <= ' ' {
		return 0, 0
	}
	return at, labels + 1
}

// normalize is read for what is not clean.
func (a *address) normalize(s string) {
	a.n, a.at, a.labels = 0, -1, 0
	if s != "" && (s[0] <= ' ' || s[len(s)-1] <= ' ') {
		s = strings.TrimSpace(s)
	}
	var seen uint8
	for i := range len(s) {
		seen |= kinds[s[i]]
	}
	if seen&otherByte != 0 {
		s, seen = normalizeInternational(s), quoteByte
	}
	if seen&upperByte != 0 && len(s) > maxAddress {
		s, seen = strings.ToLower(s), seen&^upperByte
	}
	if at := lastAt(s, seen&quoteByte != 0); at > 0 && at < len(s)-1 {
		a.at = at
	}
	if seen&upperByte == 0 {
		a.labels, a.text = splitKey(s, a.at)
		return
	}
	key := a.buf[:copy(a.buf[:], s)]
	for i, c := range key {
		if c >= 'A' && c <= 'Z' {
			key[i] = c + 'a' - 'A'
		}
	}
	a.labels, key = splitKey(key, a.at)
	a.n = len(key)
}

// key returns the key of the address.
func (a *address) key() string {
	if a.n > 0 {
		return string(a.buf[:a.n])
	}
	return a.text
}

// endsAs says whether the key is s from an index on.
func (a *address) endsAs(from int, s string) bool {
	if a.n > 0 {
		return string(a.buf[from:a.n]) == s
	}
	return a.text[from:] == s
}

// isIn says whether the key is in the list.
func (a *address) isIn(list []string) bool {
	for _, s := range list {
		if a.endsAs(0, s) {
			return true
		}
	}
	return false
}

// splitKey counts the labels of the host after the "@" at the index at, and takes one dot off the
// end if what is left is a domain.
func splitKey[T string | []byte](key T, at int) (labels int, out T) {
	if at < 0 {
		return 0, key
	}
	end := len(key)
	if key[end-1] == '.' {
		end--
	}
	if labels, _ = splitHost(key[at+1 : end]); labels == 0 {
		return 0, key
	}
	return labels, key[:end]
}

// lastAt returns the index of the last "@" outside quotes, or -1.
func lastAt(s string, quotes bool) int {
	if !quotes {
		return strings.LastIndexByte(s, '@')
	}
	last, quoted := -1, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '@' && !quoted:
			last = i
		}
	}
	return last
}

// normalizeInternational lower-cases an address that is not all ASCII and brings its host to A-labels
// if it is a domain.
func normalizeInternational(s string) string {
	s = strings.ToLower(strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD"))
	at := lastAt(s, true)
	if at < 0 || isASCII(s[at+1:]) {
		return s
	}
	if host, reason := normalizeHost(s[at+1:]); reason == "" {
		return s[:at+1] + host
	}
	return s
}
