package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Credential is what a provider needs to open a mailbox again: for OAuth services a serialized
// token. Only the provider that made it can read it. It redacts itself under fmt, slog and JSON;
// whoever stores it calls Reveal and keeps the bytes secret. The zero Credential is empty.
//
// The secret stands behind a function, because fmt prints the unexported fields of a struct that
// holds a Credential without asking the Credential's own methods.
type Credential struct{ reveal func() string }

// NewCredential wraps secret, which it copies.
func NewCredential(secret []byte) Credential {
	kept := string(secret)
	if kept == "" {
		return Credential{}
	}
	return Credential{reveal: func() string { return kept }}
}

// Reveal returns a copy of the secret.
func (c Credential) Reveal() []byte {
	if c.reveal == nil {
		return nil
	}
	return []byte(c.reveal())
}

// IsZero says whether there is nothing in it.
func (c Credential) IsZero() bool { return c.reveal == nil }

// String never tells the secret.
func (c Credential) String() string { return redacted }

// GoString never tells the secret.
func (c Credential) GoString() string { return redacted }

// Format never tells the secret, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue never tells the secret.
func (c Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON never tells the secret.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
