package filter

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
)

// Exclusion keeps the mail of a domain, of a family of domains or of one address out of an inbox. It
// beats every rule that lets mail in (R-FLT-03). Exactly one of Pattern and Address is set.
// Exclusions are comparable.
type Exclusion struct {
	Pattern Pattern
	Address string // one address, in the form of AddressKey
	// Personal puts it on the creator's own list, which nobody else reads (11.1). It decides alike.
	Personal bool
}

// ParseExclusion reads the text form of an exclusion: "acme.com", "*.acme.com", "*acme.com" or
// "bob@acme.com". Every error is a *DomainError.
func ParseExclusion(s string) (Exclusion, error) {
	var a address
	a.read(s)
	if a.at < 0 {
		p, err := ParseExclusionPattern(s)
		return Exclusion{Pattern: p}, err
	}
	if a.labels == 0 {
		return Exclusion{}, &DomainError{Input: s, Reason: "of the address is no domain"}
	}
	return Exclusion{Address: strings.Clone(a.key())}, nil
}

// String returns the text form. It does not tell the list the exclusion is on.
func (e Exclusion) String() string {
	if e.Address != "" {
		return e.Address
	}
	return e.Pattern.String()
}

// exclusionJSON is the stored form of an Exclusion.
type exclusionJSON struct {
	Match    string `json:"match"`
	Personal bool   `json:"personal,omitempty"`
}

// MarshalJSON writes {"match": text, "personal": true}, the second only where it is so.
func (e Exclusion) MarshalJSON() ([]byte, error) {
	return json.Marshal(exclusionJSON{e.String(), e.Personal})
}

// UnmarshalJSON reads what MarshalJSON wrote. Like Pattern.UnmarshalText it looks at the form only.
func (e *Exclusion) UnmarshalJSON(text []byte) error {
	var stored exclusionJSON
	if err := json.Unmarshal(text, &stored); err != nil {
		return err
	}
	var a address
	a.read(stored.Match)
	if a.labels > 0 {
		*e = Exclusion{Address: a.key(), Personal: stored.Personal}
		return nil
	}
	var p Pattern
	if err := p.UnmarshalText([]byte(stored.Match)); err != nil {
		return err
	}
	*e = Exclusion{Pattern: p, Personal: stored.Personal}
	return nil
}

func (e Exclusion) normalize() Exclusion {
	if e.Address != "" {
		e.Address = AddressKey(e.Address)
	}
	return e
}

func (e Exclusion) compare(other Exclusion) int {
	personal := map[bool]int{true: 1}
	return cmp.Or(
		strings.Compare(e.String(), other.String()),
		cmp.Compare(personal[e.Personal], personal[other.Personal]),
	)
}

func (e Exclusion) validate() error {
	if e.Address == "" {
		if e.Pattern.IsZero() {
			return &DomainError{Reason: "is empty"}
		}
		return nil
	}
	if !e.Pattern.IsZero() {
		return errors.New("has both a pattern and an address")
	}
	if _, ok := AddressDomain(e.Address); !ok {
		return &DomainError{Input: e.Address, Reason: "of the address is no domain"}
	}
	return nil
}

// asExcluded returns the pattern as exclusions read it: without its wildcard it names its
// subdomains too, because a rule that keeps mail out errs on that side (R-DOM-03).
func (p Pattern) asExcluded(exactOnly bool) Pattern {
	if p.kind == exact && !exactOnly {
		p.kind = whole
	}
	return p
}

// blocklist is the exclusions of one revision, compiled.
type blocklist struct {
	patternTable
	addresses map[string]struct{}
}

func newBlocklist(r *Rules) blocklist {
	b := blocklist{addresses: map[string]struct{}{}}
	for _, e := range r.Exclude {
		if e.Address != "" {
			b.addresses[e.Address] = struct{}{}
		} else {
			b.add(e.Pattern.asExcluded(r.ExactExclude))
		}
	}
	b.seal()
	return b
}

// has says whether the address is excluded.
func (b *blocklist) has(a *address) bool {
	if len(b.addresses) > 0 {
		if _, ok := find(b.addresses, a, 0); ok {
			return true
		}
	}
	return b.names(a)
}
