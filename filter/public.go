package filter

import (
	_ "embed"
	"iter"
	"slices"
	"strings"
)

// DomainSet is an immutable set of domains, safe for concurrent use. It holds no subdomains: a set
// with "gmail.com" does not contain "eu.gmail.com". The zero value is empty; where an option takes a
// *DomainSet, nil means PublicProviders().
type DomainSet struct{ lines string } // sorted by bytes, every line ended

//go:embed data/public.txt
var publicText string

var publicSet = DomainSet{publicText}

// NewDomainSet returns the set of these domains. A host that keeps its own list of public mail
// providers builds it with this; to add to ours it starts from PublicProviders().All().
func NewDomainSet(domains ...Domain) *DomainSet {
	names := make([]string, 0, len(domains))
	for _, d := range domains {
		if !d.IsZero() {
			names = append(names, d.name+"\n")
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(a[:len(a)-1], b[:len(b)-1]) })
	return &DomainSet{strings.Join(slices.Compact(names), "")}
}

// PublicProviders returns the domains known to belong to public mail providers: about 13,500, see
// data/LICENSE.note. It is searched as it lies in the program; nothing is loaded.
func PublicProviders() *DomainSet { return &publicSet }

// IsPublicProvider says whether PublicProviders holds d.
func IsPublicProvider(d Domain) bool { return publicSet.Contains(d) }

// Contains says whether d is in the set. It allocates nothing.
func (s *DomainSet) Contains(d Domain) bool {
	lo, hi := 0, len(s.lines)
	for lo < hi {
		mid := lo + (hi-lo)/2
		start := lo + strings.LastIndexByte(s.lines[lo:mid], '\n') + 1
		end := start + strings.IndexByte(s.lines[start:hi], '\n')
		switch strings.Compare(s.lines[start:end], d.name) {
		case 0:
			return true
		case -1:
			lo = end + 1
		default:
			hi = start
		}
	}
	return false
}

// All yields the domains in byte order.
func (s *DomainSet) All() iter.Seq[Domain] {
	return func(yield func(Domain) bool) {
		for line := range strings.Lines(s.lines) {
			if !yield(Domain{line[:len(line)-1]}) {
				return
			}
		}
	}
}

func (s *DomainSet) orDefault() *DomainSet {
	if s == nil {
		return &publicSet
	}
	return s
}
