package filter

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Domain is a mail domain in its one normal form: lower-case ASCII, labels of other scripts as
// A-labels (RFC 5890), no trailing dot. Only ParseDomain makes one. Two domains are the same domain
// exactly if they are ==, so a Domain may be a map key. The zero Domain is no domain.
type Domain struct{ name string }

// ParseDomain reads a domain as people type it (R-DOM-02): space around it, one "@" before it, one
// dot after it and upper case do not matter, and labels of other scripts become A-labels by the
// non-transitional rules of UTS 46 ("straße.de" is "xn--strae-oqa.de"). It takes any domain a mail
// can come from, a bare "localhost" or "gov.in" too; whether it may stand in a list is decided by
// ParseCompanyPattern and ParseExclusionPattern. An IP address is not a domain. Every error is a
// *DomainError.
func ParseDomain(s string) (Domain, error) {
	text := strings.TrimPrefix(strings.TrimSpace(s), "@")
	if reason := badText(text); reason != "" {
		return Domain{}, &DomainError{Input: s, Reason: reason}
	}
	name, reason := normalizeHost(text)
	if reason != "" {
		return Domain{}, &DomainError{Input: s, Reason: reason}
	}
	return Domain{name}, nil
}

// String returns the ASCII form, the one to store and to compare.
func (d Domain) String() string { return d.name }

// Unicode returns the form to show to people; a domain with a bad A-label is shown in ASCII.
func (d Domain) Unicode() string {
	if !strings.Contains(d.name, "xn--") {
		return d.name
	}
	u, err := profile.ToUnicode(d.name)
	if back, _ := profile.ToASCII(u); err != nil || back != d.name {
		return d.name
	}
	return u
}

// IsZero says whether d is no domain.
func (d Domain) IsZero() bool { return d.name == "" }

// MarshalText writes the ASCII form.
func (d Domain) MarshalText() ([]byte, error) { return []byte(d.name), nil }

// UnmarshalText reads what MarshalText wrote; other text goes through ParseDomain. Empty text is the
// zero Domain.
func (d *Domain) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Domain{}
		return nil
	}
	parsed, err := ParseDomain(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// DomainError says what is wrong with one line that should have been a domain, a pattern or an
// address. A form marks the line; several come at once through errors.Join.
type DomainError struct {
	Input  string // what was typed; it may name a person and is therefore not part of the text
	Reason string // plain words: "is empty", "contains a space"
	Err    error  // ErrPublicDomain or nil
}

func (e *DomainError) Error() string {
	if e.Err != nil {
		return "domain: " + e.Err.Error()
	}
	return "domain " + e.Reason
}

// Unwrap returns the sentinel behind the reason, if there is one.
func (e *DomainError) Unwrap() error { return e.Err }

var (
	// ErrPublicDomain says that the domain belongs to a public mail provider, whose users have
	// nothing to do with each other (R-DOM-05). Only force lets it become a company's domain.
	ErrPublicDomain = errors.New("belongs to a public mail provider")
	// ErrDomainTaken says that another company holds the same pattern (R-DOM-04).
	ErrDomainTaken = errors.New("pattern is held by another company")
	// ErrAddressTaken says that two customers hold the same address.
	ErrAddressTaken = errors.New("address is held by another customer")
)

// profile is the lookup profile of UTS 46, but non-transitional, and without the STD3 and hyphen
// rules: hosts with "_" or "--" in a label exist, and mail comes from them. The characters of the
// ASCII result are checked by splitHost.
var profile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.BidiRule(),
	idna.CheckHyphens(false),
	idna.StrictDomainName(false),
)

const (
	maxHost  = 253 // RFC 1035 section 2.3.4, without the root's dot
	maxLabel = 63
	// maxTyped bounds what is given to the IDNA tables; no name of maxHost has a longer typed form.
	maxTyped = 4 * maxHost
)

// badText gives the mistakes people make a name.
func badText(s string) string {
	switch {
	case s == "":
		return "is empty"
	case strings.Contains(s, "/"):
		return "contains a slash"
	case strings.Contains(s, ":"):
		return "contains a colon"
	case strings.Contains(s, "@"):
		return `contains an "@"`
	case strings.ContainsAny(s, " \t\r\n"):
		return "contains a space"
	case strings.Contains(s, "*"):
		return `has a "*" where none may be`
	}
	return ""
}

// normalizeHost brings a host into the form of Domain, or says why it has none.
func normalizeHost(s string) (name, reason string) {
	if len(s) > maxTyped {
		return "", "is too long"
	}
	if isASCII(s) {
		name = strings.ToLower(s)
	} else {
		var err error
		name, err = profile.ToASCII(s)
		if err != nil || !utf8.ValidString(s) { // ToASCII alone encodes U+FFFD in their place
			return "", "is not a valid international name"
		}
	}
	name = strings.TrimSuffix(name, ".")
	_, reason = splitHost(name)
	return name, reason
}

// splitHost counts the labels of a normal host, or says why s is none.
func splitHost[T string | []byte](s T) (labels int, reason string) {
	if len(s) > maxHost {
		return 0, "is too long"
	}
	start := 0
	for i := range len(s) {
		if s[i] != '.' {
			if kinds[s[i]]&hostByte == 0 {
				return 0, "contains a character no domain has"
			}
			continue
		}
		if reason := badLabel(i - start); reason != "" {
			return 0, reason
		}
		labels++
		start = i + 1
	}
	if reason := badLabel(len(s) - start); reason != "" {
		return 0, reason
	}
	if isNumber(string(s[start:])) {
		return 0, "is an IP address"
	}
	return labels + 1, ""
}

func badLabel(size int) string {
	switch {
	case size == 0:
		return "has an empty label"
	case size > maxLabel:
		return "has a label of more than 63 characters"
	}
	return ""
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
