package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/workinbox/workinbox/filter"
)

// maxKey is the longest address kept as it is where it must be found and unique. Real ones end at 254
// bytes (RFC 5321 section 4.5.3.1.3), but a mail may claim any, and indexes have limits.
const maxKey = 512

// addressKey is the filter's key of an address as it is stored. A long one is stored as its hash: it
// can be found, and matches no mail.
func addressKey(address string) string { return storedKey(filter.AddressKey(address)) }

func storedKey(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}
