package gmail

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/workinbox/workinbox/provider"
)

// The operators are those of https://support.google.com/mail/answer/7190.

// window is the part of a search that bounds the received time and leaves out what is no mail.
// Seconds since 1970 are exact, where dates would mean midnight in California
// (https://developers.google.com/workspace/gmail/api/guides/filtering). Both bounds of a Walk are
// inclusive and finer than a second, so that a second is added on either side.
func window(w provider.Walk, before int64) string {
	until := before
	if !w.Until.IsZero() {
		if end := w.Until.Add(time.Second).Unix() + 1; until == 0 || end < until {
			until = end
		}
	}
	var b strings.Builder
	if !w.Since.IsZero() {
		b.WriteString("after:" + strconv.FormatInt(w.Since.Unix()-1, 10) + " ")
	}
	if until != 0 {
		b.WriteString("before:" + strconv.FormatInt(until, 10) + " ")
	}
	b.WriteString("-in:drafts -in:chats")
	return b.String()
}

// interestTerms turns the patterns of Walk.Interest into search terms, each once. It is false where
// one cannot be asked for, so that only reading everything hides nothing.
//
// Gmail has no sign for "below this domain": "*.acme.com" asks for acme.com, whose mail is dropped
// again by the caller.
func interestTerms(interest []string) ([]string, bool) {
	domains := make(map[string]bool, len(interest))
	var addresses []string
	for _, pattern := range interest {
		pattern = strings.ToLower(strings.TrimSpace(pattern))
		if strings.Contains(pattern, "@") {
			addresses = append(addresses, pattern)
			continue
		}
		domain := strings.TrimPrefix(pattern, "*.")
		if !plainDomain(domain) {
			return nil, false
		}
		domains[domain] = true
	}
	values := make([]string, 0, len(domains)+len(addresses))
	for domain := range domains {
		values = append(values, domain)
	}
	for _, address := range addresses {
		at := strings.LastIndexByte(address, '@')
		if domains[address[at+1:]] {
			continue
		}
		value, ok := addressValue(address[:at], address[at+1:])
		if !ok {
			return nil, false
		}
		values = append(values, value)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	terms := make([]string, 0, 3*len(values))
	for _, v := range values {
		terms = append(terms, "from:"+v, "to:"+v, "cc:"+v)
	}
	return terms, true
}

// addressValue writes an address so that nothing of it is read as an operator. What cannot stand in
// a quoted word asks for the whole domain.
func addressValue(local, domain string) (string, bool) {
	if local == "" || !plainDomain(domain) {
		return "", false
	}
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-+", r)
	}
	first, _ := utf8.DecodeRuneInString(local)
	switch {
	case strings.ContainsAny(local, "\"\\\uFFFD") ||
		strings.ContainsFunc(local, func(r rune) bool { return !unicode.IsPrint(r) }):
		return domain, true
	case (unicode.IsLetter(first) || unicode.IsDigit(first)) &&
		!strings.ContainsFunc(local, func(r rune) bool { return !plain(r) }):
		return local + "@" + domain, true
	default:
		return `"` + local + "@" + domain + `"`, true
	}
}

// plainDomain says whether a domain is made of letters, digits and hyphens between dots.
func plainDomain(domain string) bool {
	if !utf8.ValidString(domain) {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || label[0] == '-' || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) &&
				!unicode.Is(unicode.Mn, r)
		}) {
			return false
		}
	}
	return true
}

// anyOf packs terms into as few searches as fit: "{term term ...} rest", none longer than limit
// bytes. It is false where a single term does not fit.
func anyOf(terms []string, rest string, limit int) ([]string, bool) {
	room := limit - len("{} ") - len(rest)
	var queries []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			queries = append(queries, "{"+b.String()+"} "+rest)
			b.Reset()
		}
	}
	for _, t := range terms {
		if len(t) > room {
			return nil, false
		}
		if b.Len()+1+len(t) > room {
			flush()
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t)
	}
	flush()
	return queries, true
}
