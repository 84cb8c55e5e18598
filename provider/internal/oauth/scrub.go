package oauth

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a scrubbed text in bytes: what is read of it and what is kept.
const (
	scrubRead = 8 << 10
	scrubKeep = 400
)

const (
	noAddress = "[address]"
	ellipsis  = "…"
)

// Scrub makes the text of a service fit for errors and logs: no address ("User account 'a@b'"), no
// DOMAIN\user, nothing that looks like a token, one line, valid UTF-8, at most 400 bytes. Words,
// AADSTS numbers, GUIDs (trace ids) and host names stay. It is idempotent.
func Scrub(text string) string {
	if len(text) > scrubRead {
		// Not in the middle of a word: half a token may look like none.
		text = text[:scrubRead]
		text = text[:strings.LastIndexFunc(text, unicode.IsSpace)+1]
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	words := strings.Fields(quotedLocal.ReplaceAllString(text, "quoted@"))
	for i, w := range words {
		words[i] = scrubWord(w)
	}
	return shorten(strings.Join(words, " "))
}

func shorten(s string) string {
	if len(s) <= scrubKeep {
		return s
	}
	cut := scrubKeep - len(ellipsis)
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimRight(s[:cut], " ") + ellipsis
}

// scrubWord handles what stands between two spaces. Quotes and brackets are not part of an address
// or a token; they are kept, for the text to stay readable.
func scrubWord(word string) string {
	var b strings.Builder
	for word != "" {
		n := strings.IndexFunc(word, isQuote)
		if n != 0 {
			if n < 0 {
				n = len(word)
			}
			b.WriteString(scrubBare(word[:n]))
		} else {
			_, n = utf8.DecodeRuneInString(word)
			b.WriteString(word[:n])
		}
		word = word[n:]
	}
	return b.String()
}

func isQuote(r rune) bool { return strings.ContainsRune("'\"`‘’“”<>()[]{},", r) }

// quotedLocal is a local part with spaces or quotes in it (RFC 5322 3.4.1), "ann b"@acme.com.
var quotedLocal = regexp.MustCompile(`"[^"]*" ?@`)

// signs are the ways an address sign is written in text, in URLs, in JSON and in HTML.
var signs = []string{"@", "＠", "﹫", "%40", `\u0040`, "&#64", "&#x40", "&commat"}

func scrubBare(s string) string {
	lower := strings.ToLower(s)
	for _, sign := range signs {
		if strings.Contains(lower, sign) {
			return noAddress
		}
	}
	if strings.Contains(s, `\`) {
		return noAddress
	}
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, func(r rune) bool { return !isTokenRune(r) })
		if n != 0 {
			if n < 0 {
				n = len(s)
			}
			if tokenLike(s[:n]) {
				b.WriteString(redacted)
			} else {
				b.WriteString(s[:n])
			}
		} else {
			_, n = utf8.DecodeRuneInString(s)
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// isTokenRune says whether tokens are made of r: RFC 6750 2.1 and what Microsoft adds.
func isTokenRune(r rune) bool {
	return r < utf8.RuneSelf &&
		(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~+/%*!$", r))
}

// tokenLike says whether a run of token characters is more likely a token than words: long, and
// letters mixed with digits or with capitals inside. Host names, paths of words and GUIDs are not.
func tokenLike(run string) bool {
	if len(run) < 16 {
		return false
	}
	plain := true
	for _, part := range strings.Split(run, "/") {
		if !isGUID(strings.TrimRight(part, ".")) && mixed(part) {
			plain = false
		}
	}
	return !plain
}

// mixed says whether a part of 16 characters or more has letters and digits, or one of 24 or more
// both cases in other than CamelCase words.
func mixed(part string) bool {
	if len(part) < 16 {
		return false
	}
	var digits, letters, turns int
	var last rune
	for _, r := range part {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
			if unicode.IsUpper(r) && unicode.IsLower(last) {
				turns++
			}
		}
		last = r
	}
	return digits > 0 && letters > 0 || len(part) >= 24 && turns*6 > len(part)
}

// isGUID says whether s is 8-4-4-4-12 hexadecimal digits.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if r != '-' {
				return false
			}
			continue
		}
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}
