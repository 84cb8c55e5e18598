package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"github.com/workinbox/workinbox/inbox"
)

// A record is, in this order:
//
//	magic     4 bytes, the format and its version
//	key id    1 byte length, then the id
//	check     8 bytes that tell the right key from a wrong one of the same id
//	salt      32 random bytes for the record's own key
//	box       nonce (12), ciphertext, tag (16) of AES-256-GCM
//	crc       4 bytes, CRC-32C of all before: a damaged record is never mistaken for a key problem
const (
	magic     = "wis1"
	checkSize = 8
	saltSize  = 32
	crcSize   = 4
	boxMin    = 12 + 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type record struct {
	keyID string
	check []byte
	salt  []byte
	box   []byte
}

// sealRecord seals secret for name with key.
func sealRecord(key Key, name inbox.VaultKey, secret []byte) ([]byte, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	gcm, err := recordCipher(key, salt)
	if err != nil {
		return nil, err
	}
	out := append([]byte(magic), byte(len(key.id)))
	out = append(out, key.id...)
	out = append(out, key.check...)
	out = append(out, salt...)
	out = gcm.Seal(out, nil, secret, bound(key.id, name))
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, castagnoli)), nil
}

// parseRecord takes b apart; the parts share its memory. Everything that is not a whole record is
// ErrTampered.
func parseRecord(b []byte) (record, error) {
	if len(b) < len(magic)+1+crcSize || string(b[:len(magic)]) != magic {
		return record{}, ErrTampered
	}
	body, crc := b[:len(b)-crcSize], b[len(b)-crcSize:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(crc) {
		return record{}, ErrTampered
	}
	idSize := int(body[len(magic)])
	rest := body[len(magic)+1:]
	if idSize == 0 || len(rest) < idSize+checkSize+saltSize+boxMin {
		return record{}, ErrTampered
	}
	r := record{keyID: string(rest[:idSize])}
	rest = rest[idSize:]
	r.check, rest = rest[:checkSize], rest[checkSize:]
	r.salt, r.box = rest[:saltSize], rest[saltSize:]
	return r, nil
}

// open returns the secret if key sealed it for name.
func (r record) open(key Key, name inbox.VaultKey) ([]byte, error) {
	if key.secret == nil {
		return nil, keyFailed(r.keyID, ErrUnknownKey)
	}
	if string(r.check) != key.check {
		return nil, keyFailed(r.keyID, ErrWrongKey)
	}
	gcm, err := recordCipher(key, r.salt)
	if err != nil {
		return nil, err
	}
	secret, err := gcm.Open(nil, nil, r.box, bound(r.keyID, name))
	if err != nil {
		return nil, ErrTampered
	}
	return secret, nil
}

func recordCipher(key Key, salt []byte) (cipher.AEAD, error) {
	own, err := key.derive(salt, "record", KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k Key) derive(salt []byte, purpose string, size int) ([]byte, error) {
	return hkdf.Key(sha256.New, k.secret(), salt, "workinbox/seal/1 "+purpose, size)
}

// bound returns the additional data: what the record belongs to. Each part carries its length, so
// that no two different owners give the same bytes.
func bound(keyID string, name inbox.VaultKey) []byte {
	var out []byte
	for _, part := range []string{magic, keyID, string(name.Inbox), string(name.Use)} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}
