package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// maxKeyID is the longest key id in bytes; its length is one byte of the record.
const maxKeyID = 255

// KeyProvider knows the master keys. A host with a key management service implements it; it should
// keep unwrapped keys in memory for a while, because Key is called for every credential read. Both
// methods may be called concurrently.
type KeyProvider interface {
	// Current returns the key for new records.
	Current(ctx context.Context) (Key, error)
	// Key returns the key with that id, current or older. Where there is none the error must match
	// ErrUnknownKey; any other error says that the keys cannot be reached now.
	Key(ctx context.Context, id string) (Key, error)
}

// Key is a master key with its id. It redacts itself under fmt, slog and JSON; the id is no secret
// and is stored in the open with every record. Only NewKey makes a usable one.
type Key struct {
	id string
	// A function, because fmt prints the unexported fields of a host's struct without asking Format,
	// and under a verb that does not fit even what a pointer points to.
	secret func() []byte
	check  string // tells this key from another of the same id; written into every record
}

// NewKey copies secret, which must be KeySize random bytes (not a passphrase). The id is 1 to 255
// bytes and must never name another secret later.
func NewKey(id string, secret []byte) (Key, error) {
	if id == "" || len(id) > maxKeyID {
		return Key{}, fmt.Errorf("key id of %d bytes: want 1 to %d", len(id), maxKeyID)
	}
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("key %q has %d bytes: want %d", id, len(secret), KeySize)
	}
	own := bytes.Clone(secret)
	k := Key{id: id, secret: func() []byte { return own }}
	check, err := k.derive(nil, "check", checkSize)
	if err != nil {
		return Key{}, keyFailed(id, err)
	}
	k.check = string(check)
	return k, nil
}

// ID returns the id of the key.
func (k Key) ID() string { return k.id }

// String tells the id, never the secret.
func (k Key) String() string { return fmt.Sprintf("key %q [redacted]", k.id) }

// Format writes what String returns, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue tells the id, never the secret.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON tells the id, never the secret.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// Keys is a KeyProvider over fixed keys. It is immutable and may be used concurrently.
type Keys struct {
	current Key
	byID    map[string]Key
}

// StaticKeys returns a provider that seals with current and also opens with the older keys. It
// refuses a zero Key and two keys of the same id.
func StaticKeys(current Key, older ...Key) (*Keys, error) {
	p := &Keys{current: current, byID: map[string]Key{}}
	for _, k := range append([]Key{current}, older...) {
		if k.secret == nil {
			return nil, errors.New("zero key: make keys with NewKey")
		}
		if _, taken := p.byID[k.id]; taken {
			return nil, fmt.Errorf("two keys have the id %q", k.id)
		}
		p.byID[k.id] = k
	}
	return p, nil
}

// Current returns the key for new records.
func (p *Keys) Current(context.Context) (Key, error) { return p.current, nil }

// Key returns the key with that id, or ErrUnknownKey.
func (p *Keys) Key(_ context.Context, id string) (Key, error) {
	k, ok := p.byID[id]
	if !ok {
		return Key{}, ErrUnknownKey
	}
	return k, nil
}

// Format tells how many keys there are, never a secret, whatever the verb.
func (p *Keys) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%d keys", len(p.byID)) }
