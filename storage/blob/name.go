package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/workinbox/workinbox/inbox"
)

const (
	hashDigits = 2 * sha256.Size
	// Most file systems take names of 255 bytes.
	maxFolder  = 200
	tempPrefix = "new-"
	hexDigits  = "0123456789abcdef"
)

// folder returns the folder of an inbox. Different ids have different folders, also where the file
// system ignores case, and no folder is special to any system: lower-case letters, digits, '-' and
// '_' stand for themselves, other bytes are '=' and two hex digits, and an id that gets too long this
// way is named by its hash.
func folder(id inbox.ID) string {
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
	if b.Len() <= maxFolder {
		return b.String()
	}
	sum := sha256.Sum256([]byte(id))
	return "h-" + hex.EncodeToString(sum[:])
}

// shard returns the sub-folder of a blob within its inbox.
func shard(folder, hash string) string { return filepath.Join(folder, hash[:1]) }

func filePath(folder, hash string) string { return filepath.Join(folder, hash[:1], hash) }

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
