package bucket

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/inbox"
)

const (
	hashDigits = 2 * sha256.Size
	maxFolder  = 200
	hexDigits  = "0123456789abcdef"
)

// object returns the key of a blob's object.
func (s *Store) object(id inbox.ID, hash string) string { return s.folder(id) + hash }

// folder returns what the keys of an inbox begin with, slash included. Different ids have different
// folders, none of which begins another, also where a driver ignores case: lower-case letters, digits,
// '-' and '_' stand for themselves, other bytes are '=' and two hex digits, and an id that gets too long
// this way is named by its hash.
func (s *Store) folder(id inbox.ID) string {
	var b strings.Builder
	b.WriteString("i-")
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	name := b.String()
	if len(name) > maxFolder {
		sum := sha256.Sum256([]byte(id))
		name = "h-" + hex.EncodeToString(sum[:])
	}
	return s.prefix + name + "/"
}

func newKey(id inbox.ID, hash string) inbox.BlobKey {
	return inbox.BlobKey(string(id) + "/" + hash)
}

// splitKey takes a key apart and says whether it is one. An id may hold slashes.
func splitKey(key inbox.BlobKey) (inbox.ID, string, bool) {
	slash := len(key) - hashDigits - 1
	if slash < 0 || key[slash] != '/' || !isHash(string(key[slash+1:])) {
		return "", "", false
	}
	return inbox.ID(key[:slash]), string(key[slash+1:]), true
}

// isHash says whether s is a SHA-256 in lower-case hex.
func isHash(s string) bool {
	return len(s) == hashDigits && strings.Trim(s, hexDigits) == ""
}
