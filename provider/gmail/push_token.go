package gmail

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far Google's clock and ours may be apart.
const clockSkew = time.Minute

var (
	// errUnsigned says that a token is none of Google's, or too old. errForeign says that Google
	// made it for somebody else.
	errUnsigned = errors.New("the token is not valid")
	errForeign  = errors.New("the token is for another receiver or from another sender")
)

// pushVerifier checks the tokens of Pub/Sub: a JSON Web Token (RFC 7519) signed with RS256 (RFC 7515).
type pushVerifier struct {
	audience, account string
	keys              pushKeys
}

// pushKeys finds the key a token was signed with. It answers errUnsigned for one that does not exist
// and errNoKeys when it cannot tell now.
type pushKeys interface {
	key(ctx context.Context, id string) (*rsa.PublicKey, error)
}

// request checks the token of a request.
func (v pushVerifier) request(r *http.Request) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errUnsigned
	}
	return v.token(r.Context(), strings.TrimSpace(token), time.Now())
}

// token checks a token. What it says of itself is looked at first, so that no stranger can make us
// ask Google for keys.
func (v pushVerifier) token(ctx context.Context, token string, now time.Time) error {
	t, err := parseToken(token)
	if err != nil {
		return err
	}
	claimed := t.claims.check(v, now)
	if errors.Is(claimed, errUnsigned) {
		return claimed
	}
	key, err := v.keys.key(ctx, t.keyID)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(t.signed))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) != nil {
		return errUnsigned
	}
	return claimed
}

// claims are those of a token of Pub/Sub.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Email    string   `json:"email"`
	Verified bool     `json:"email_verified"`
	Expires  float64  `json:"exp"` // NumericDate: seconds
	Issued   float64  `json:"iat"`
}

func (c claims) check(v pushVerifier, now time.Time) error {
	seconds := float64(now.Unix())
	switch {
	case !slices.Contains(issuers, c.Issuer):
		return errUnsigned
	case seconds > c.Expires+clockSkew.Seconds(), seconds < c.Issued-clockSkew.Seconds():
		return errUnsigned
	case !slices.Contains(c.Audience, v.audience):
		return errForeign
	case !c.Verified, !strings.EqualFold(c.Email, v.account):
		return errForeign
	}
	return nil
}

// audience is one string or several (RFC 7519 section 4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		*a = make(audience, 1)
		return json.Unmarshal(text, &(*a)[0])
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// parsedToken is a token nobody has checked yet.
type parsedToken struct {
	keyID     string
	claims    claims
	signed    string
	signature []byte
}

// parseToken reads the compact form (RFC 7515 section 7.1).
func parseToken(token string) (parsedToken, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return parsedToken{}, errUnsigned
	}
	var header struct {
		Algorithm string          `json:"alg"`
		KeyID     string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	t := parsedToken{signed: parts[0] + "." + parts[1]}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decodePart(parts[0], &header) || !decodePart(parts[1], &t.claims) {
		return parsedToken{}, errUnsigned
	}
	// A token does not choose how it is checked: "none" and the HMACs are no signature of Google's,
	// and an extension that must be understood is not (RFC 7515 section 4.1.11).
	if header.Algorithm != "RS256" || header.KeyID == "" || header.Critical != nil {
		return parsedToken{}, errUnsigned
	}
	t.keyID, t.signature = header.KeyID, signature
	return t, nil
}

func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}
