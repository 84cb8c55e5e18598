package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

const redacted = "[redacted]"

// Secret is a string nobody prints: it redacts itself under fmt, slog and JSON. The zero Secret is
// empty.
//
// The string stands behind a pointer, because fmt prints the unexported fields of a struct that
// holds a Secret without asking the Secret's own methods; of a pointer it prints the address.
type Secret struct{ kept *string }

// NewSecret wraps s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{kept: &s}
}

// Reveal returns the string.
func (s Secret) Reveal() string {
	if s.kept == nil {
		return ""
	}
	return *s.kept
}

// IsZero says whether there is nothing in it.
func (s Secret) IsZero() bool { return s.kept == nil }

// Format never tells the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue never tells the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON never tells the secret.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// Token is what the service gave: an access token and what belongs to it. It redacts itself under
// fmt, slog and JSON; Marshal makes the form that is stored.
type Token struct {
	Access  Secret
	Refresh Secret // zero: the service gave none, the account cannot be read once Access has expired
	Type    string // "Bearer"
	// Expiry is when Access ends. A token without one is taken as expired.
	Expiry time.Time
	// Scopes are the granted ones. Nil means that the service did not say and nothing is known.
	Scopes []string
	// ID is the id token as it came with the code or a refresh; Client.Identity reads it. It is not
	// stored.
	ID Secret
}

// IsZero says whether there is neither an access nor a refresh token in it.
func (t Token) IsZero() bool { return t.Access.IsZero() && t.Refresh.IsZero() }

// Format never tells the tokens, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue never tells the tokens.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON never tells the tokens. Marshal does.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// UnmarshalJSON refuses: what MarshalJSON wrote holds no token. Unmarshal reads what Marshal wrote.
func (t *Token) UnmarshalJSON([]byte) error {
	return errors.New("oauth: a token is read by Unmarshal, not as a part of other JSON")
}

// stored is the form of a Token at rest. The names are for good: they stand in databases.
type stored struct {
	Access  string    `json:"access,omitempty"`
	Refresh string    `json:"refresh,omitempty"`
	Type    string    `json:"type,omitempty"`
	Expiry  time.Time `json:"expiry,omitzero"`
	Scopes  []string  `json:"scopes,omitempty"`
}

// Marshal returns the token as a JSON object with its secrets in the clear: whoever stores it seals
// it. It leaves out the id token.
func Marshal(t Token) ([]byte, error) {
	return json.Marshal(stored{
		Access: t.Access.Reveal(), Refresh: t.Refresh.Reveal(),
		Type: t.Type, Expiry: t.Expiry, Scopes: t.Scopes,
	})
}

// Unmarshal reads what Marshal wrote. Its errors hold nothing of the text.
func Unmarshal(text []byte) (Token, error) {
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return Token{}, errors.New("oauth: stored token: not the JSON of a token")
	}
	t := Token{
		Access: NewSecret(s.Access), Refresh: NewSecret(s.Refresh),
		Type: s.Type, Expiry: s.Expiry, Scopes: s.Scopes,
	}
	if t.IsZero() {
		return Token{}, errors.New("oauth: stored token: neither an access nor a refresh token")
	}
	return t, nil
}

// valid says whether the access token still lives at a time.
func (t Token) valid(at time.Time) bool {
	return !t.Access.IsZero() && !t.Expiry.IsZero() && at.Before(t.Expiry)
}
