package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far the service's clock may be off ours.
const clockSkew = 5 * time.Minute

// Identity is who an id token speaks of. A claim the token does not have is empty.
type Identity struct {
	Issuer   string // iss
	Subject  string // sub: at Google the account's immutable id, at Microsoft one per application
	Email    string // email: an address, may change; never a key
	Verified bool   // email_verified
	Tenant   string // Microsoft tid
	Object   string // Microsoft oid: the account's immutable id within the tenant
	Username string // preferred_username: an address mostly, may change
}

// Identity reads the id token of a token that came straight from the token endpoint. It does not
// check the signature, which OpenID Connect Core 3.1.3.7 (6) leaves out for a token received over
// TLS from the issuer itself; it does check that the issuer is one of Issuers, that the token is
// meant for this client, and that it has not expired. Its errors hold nothing of the token.
func (c *Client) Identity(t Token) (Identity, error) {
	claims, err := readClaims(t.ID.Reveal())
	if err != nil {
		return Identity{}, err
	}
	id := Identity{
		Issuer: claims.text("iss"), Subject: claims.text("sub"),
		Email: claims.text("email"), Verified: claims.truth("email_verified"),
		Tenant: claims.text("tid"), Object: claims.text("oid"),
		Username: claims.text("preferred_username"),
	}
	switch {
	case id.Subject == "":
		return Identity{}, errors.New("oauth: id token: no subject")
	case !c.issued(id):
		return Identity{}, errors.New("oauth: id token: issued by somebody else")
	case !claims.meantFor(c.ID):
		return Identity{}, errors.New("oauth: id token: meant for another client")
	case !time.Now().Add(-clockSkew).Before(claims.instant("exp")):
		return Identity{}, errors.New("oauth: id token: expired")
	}
	return id, nil
}

func (c *Client) issued(id Identity) bool {
	return slices.ContainsFunc(c.Issuers, func(want string) bool {
		if id.Tenant != "" {
			want = strings.ReplaceAll(want, "{tenantid}", id.Tenant)
		}
		return want == id.Issuer
	})
}

// claims are the claims of an id token by their exact, case-sensitive names (RFC 7519 10.1.1).
type claims map[string]json.RawMessage

// readClaims reads the payload of a JWS in compact form (RFC 7515 7.1).
func readClaims(token string) (claims, error) {
	if token == "" {
		return nil, errors.New("oauth: id token: there is none")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("oauth: id token: not three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errors.New("oauth: id token: payload is not base64url")
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil || c == nil {
		return nil, errors.New("oauth: id token: payload is no JSON object")
	}
	return c, nil
}

func (c claims) text(name string) (s string) {
	if json.Unmarshal(c[name], &s) != nil {
		return ""
	}
	return s
}

// truth reads a boolean, which some services write as a string.
func (c claims) truth(name string) bool {
	var b bool
	return json.Unmarshal(c[name], &b) == nil && b || c.text(name) == "true"
}

// instant reads seconds since 1970, with or without a fraction (RFC 7519 2). What is none is long
// ago.
func (c claims) instant(name string) time.Time {
	var seconds float64
	if json.Unmarshal(c[name], &seconds) != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// meantFor checks the audience (OpenID Connect Core 3.1.3.7, 3 to 5).
func (c claims) meantFor(client string) bool {
	var many []string
	if json.Unmarshal(c["aud"], &many) != nil {
		many = []string{c.text("aud")}
	}
	if client == "" || !slices.Contains(many, client) {
		return false
	}
	azp := c.text("azp")
	return azp == client || azp == "" && len(many) == 1
}
