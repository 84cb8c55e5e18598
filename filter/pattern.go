package filter

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Pattern names the mail domains of a company or of an exclusion (R-DOM-01, R-DOM-03):
//
//	acme.com      that domain; in an exclusion its subdomains too, unless Rules.ExactExclude
//	*.acme.com    its subdomains of any depth, not the domain itself
//	*acme.com     the domain and its subdomains; never notacme.com
//
// Patterns are comparable, and equal exactly if their texts are. The zero Pattern matches nothing.
type Pattern struct {
	kind patternKind
	base Domain
}

type patternKind uint8

const (
	exact patternKind = iota // acme.com
	below                    // *.acme.com
	whole                    // *acme.com
)

var kindPrefix = [...]string{exact: "", below: "*.", whole: "*"}

// CompanyOptions says what a company's pattern may be. The zero value is the normal case.
type CompanyOptions struct {
	// Public holds the domains of public mail providers; nil means PublicProviders().
	Public *DomainSet
	// ForcePublic lets such a domain pass. It then associates customers with the company, but opens
	// no inbox on its own (R-DOM-05); put it into the directory with DomainEntry.Forced.
	ForcePublic bool
}

// ParseCompanyPattern reads a pattern of a company. It refuses a base that is a public suffix ("com",
// "*.co.uk", "*.github.io") and, with an error that is ErrPublicDomain, one that belongs to a public
// mail provider. Every error is a *DomainError.
func ParseCompanyPattern(s string, o CompanyOptions) (Pattern, error) {
	p, err := parsePattern(s)
	if err != nil {
		return Pattern{}, err
	}
	if suffix, _ := publicsuffix.PublicSuffix(p.base.name); suffix == p.base.name {
		return Pattern{}, &DomainError{Input: s, Reason: "is a public suffix"}
	}
	if !o.ForcePublic && o.Public.orDefault().Contains(p.base) {
		return Pattern{}, &DomainError{Input: s, Reason: ErrPublicDomain.Error(), Err: ErrPublicDomain}
	}
	return p, nil
}

// ParseExclusionPattern reads a pattern of an exclusion. Public mail providers are valid, and so are
// wildcards over a public suffix ("*.io"); a bare suffix ("com", "co.uk") is refused as a slip of the
// pen. Every error is a *DomainError.
func ParseExclusionPattern(s string) (Pattern, error) {
	p, err := parsePattern(s)
	if err != nil {
		return Pattern{}, err
	}
	if p.kind != exact {
		return p, nil
	}
	suffix, icann := publicsuffix.PublicSuffix(p.base.name)
	if suffix == p.base.name && (icann || !strings.Contains(suffix, ".")) {
		return Pattern{}, &DomainError{Input: s, Reason: "is a public suffix"}
	}
	return p, nil
}

// parsePattern reads a pattern that a person typed, and is stricter about its labels than ParseDomain
// is about those mail may come from.
func parsePattern(s string) (Pattern, error) {
	p, err := readPattern(s)
	if err != nil {
		return Pattern{}, err
	}
	labels := strings.Split(p.base.name, ".")
	if slices.ContainsFunc(labels, func(l string) bool {
		return strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-")
	}) {
		return Pattern{}, &DomainError{Input: s, Reason: "has a label with a hyphen at its edge"}
	}
	if ascii, err := profile.ToASCII(p.base.name); err != nil || ascii != p.base.name {
		return Pattern{}, &DomainError{Input: s, Reason: "is not a valid international name"}
	}
	return p, nil
}

// readPattern reads the form of a pattern, whatever its base.
func readPattern(s string) (Pattern, error) {
	text := strings.TrimPrefix(strings.TrimSpace(s), "@")
	kind := exact
	if rest, ok := strings.CutPrefix(text, "*"); ok {
		kind, text = whole, rest
		if rest, ok = strings.CutPrefix(text, "."); ok {
			kind, text = below, rest
		}
		if text == "" {
			return Pattern{}, &DomainError{Input: s, Reason: `is only a "*"`}
		}
	}
	if reason := badText(text); reason != "" {
		return Pattern{}, &DomainError{Input: s, Reason: reason}
	}
	name, reason := normalizeHost(text)
	if reason != "" {
		return Pattern{}, &DomainError{Input: s, Reason: reason}
	}
	return Pattern{kind, Domain{name}}, nil
}

// Base returns the domain the pattern is built on.
func (p Pattern) Base() Domain { return p.base }

// IsZero says whether p is no pattern.
func (p Pattern) IsZero() bool { return p == Pattern{} }

// Matches says whether p names d, read as a company's pattern: without its wildcard a pattern does
// not name subdomains. Labels are compared whole.
func (p Pattern) Matches(d Domain) bool {
	if p.base.IsZero() {
		return false
	}
	if d == p.base {
		return p.kind != below
	}
	return p.kind != exact && isBelow(d.name, p.base.name)
}

// isBelow says whether host is a subdomain of base.
func isBelow(host, base string) bool {
	n := len(host) - len(base)
	return n > 1 && host[n-1] == '.' && host[n:] == base
}

// covers says whether p names every domain that q names.
func (p Pattern) covers(q Pattern) bool {
	if p.base == q.base {
		return p.kind == whole || p.kind == q.kind
	}
	return p.kind != exact && isBelow(q.base.name, p.base.name)
}

// String returns the text of the pattern in normal form, which reads back as the same pattern.
func (p Pattern) String() string { return kindPrefix[p.kind] + p.base.name }

// Unicode returns the text to show to people.
func (p Pattern) Unicode() string { return kindPrefix[p.kind] + p.base.Unicode() }

// MarshalText writes the pattern as String does.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a pattern that was stored: its form must be right, but it is not refused for
// its base, so that a newer list of public suffixes does not lock a store. Empty text is the zero
// Pattern.
func (p *Pattern) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Pattern{}
		return nil
	}
	read, err := readPattern(string(text))
	if err != nil {
		return err
	}
	*p = read
	return nil
}
