package rfc822

import (
	"strings"

	"github.com/emersion/go-msgauth/authres"
)

// Auth is what the receiving mail service found about the sender. The values are stable text.
type Auth string

const (
	AuthPass Auth = "pass" // the domain of From vouches for the message
	AuthFail Auth = "fail" // it does not; forwarded and list mail fails honestly
	AuthNone Auth = "none" // nothing is known
)

// Authentication reads the verdict of one service from its topmost Authentication-Results field
// (RFC 8601). Fields with another authserv-id may have been written by the sender and are ignored.
// Exchange Online writes its field without an id: an empty authservID asks for the topmost field,
// provided that it names none.
func Authentication(h Header, authservID string) Auth {
	for _, f := range h.fields {
		if !sameName(f.name, "Authentication-Results") {
			continue
		}
		id, results := splitResults(f.value)
		if strings.EqualFold(id, authservID) {
			return verdict(results, fromDomain(h))
		}
		if authservID == "" {
			return AuthNone
		}
	}
	return AuthNone
}

// splitResults takes a field apart. Comments may hold semicolons and claims, so they go first.
func splitResults(value string) (id string, results []authres.Result) {
	parts := strings.Split(stripComments(value), ";")
	head := strings.Fields(parts[0])
	if len(head) > 0 && !strings.Contains(head[0], "=") {
		id = head[0]
		parts = parts[1:]
	}
	for _, part := range parts {
		// One result at a time: a malformed one must not hide the others.
		_, found, err := authres.Parse("x;" + part)
		if err == nil {
			results = append(results, found...)
		}
	}
	return id, results
}

// verdict weighs the results: DMARC when it decided, else what passed for the domain of From,
// else what failed.
func verdict(results []authres.Result, from string) Auth {
	aligned, failed := false, false
	for _, r := range results {
		switch r := r.(type) {
		case *authres.DMARCResult:
			switch {
			case r.Value == authres.ResultPass && from != "" && (r.From == "" || isAligned(r.From, from)):
				return AuthPass
			case r.Value == authres.ResultFail:
				return AuthFail
			}
		case *authres.DKIMResult:
			domain := r.Domain
			if domain == "" {
				domain = r.Identifier[strings.LastIndexByte(r.Identifier, '@')+1:]
			}
			aligned = aligned || r.Value == authres.ResultPass && isAligned(domain, from)
			failed = failed || r.Value == authres.ResultFail
		case *authres.SPFResult:
			domain := r.From[strings.LastIndexByte(r.From, '@')+1:]
			aligned = aligned || r.Value == authres.ResultPass && isAligned(domain, from)
			failed = failed || r.Value == authres.ResultFail || r.Value == authres.ResultHardFail
		}
	}
	switch {
	case aligned:
		return AuthPass
	case failed:
		return AuthFail
	}
	return AuthNone
}

// isAligned says whether the domain that was verified is that of From or one above or below it.
func isAligned(domain, from string) bool {
	domain = strings.ToLower(strings.Trim(domain, ".\"<>"))
	if domain == "" || from == "" || !strings.Contains(domain, ".") {
		return false
	}
	return domain == from || strings.HasSuffix(from, "."+domain) || strings.HasSuffix(domain, "."+from)
}

// fromDomain is the domain of the only From address; with several nobody vouches for all.
func fromDomain(h Header) string {
	from := h.firstAddresses("From")
	if len(from) != 1 {
		return ""
	}
	address := from[0].Address
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
