package rfc822

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxFileName bounds the name old programs see, in bytes.
const maxFileName = 60

// fileParams writes the parameters that name a file: in ASCII for old programs,
// and where that is not the whole name also as RFC 2231 has it, in pieces that
// fit a line. go-message writes such a name as an encoded word inside quotes,
// which RFC 2047 section 5 forbids, and mime.FormatMediaType as filename* alone,
// on a line as long as the name.
func fileParams(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:] // where it lay is nobody's business
	name = strings.TrimSpace(strings.ToValidUTF8(name, string(utf8.RuneError)))
	if name == "" {
		return ""
	}
	plain := plainFileName(name)
	out := ";\r\n filename=" + quoteString(plain)
	if plain == name {
		return out
	}
	// What QueryEscape leaves as it is are attribute characters; a plus it writes is a space.
	encoded := strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	if len(encoded) <= maxFolded-len(" filename*=utf-8''") {
		return out + ";\r\n filename*=utf-8''" + encoded
	}
	for i := 0; encoded != ""; i++ {
		start := " filename*" + strconv.Itoa(i) + "*="
		if i == 0 {
			start += "utf-8''"
		}
		n := min(len(encoded), maxFolded-len(start)-1)
		// A piece must not end inside %XX.
		if n < len(encoded) {
			if at := strings.LastIndexByte(encoded[:n], '%'); at >= 0 && at > n-3 {
				n = at
			}
		}
		out += ";\r\n" + start + encoded[:n]
		encoded = encoded[n:]
	}
	return out
}

// plainFileName makes the name ASCII and short: accents go, what has no ASCII
// form becomes "_", the extension stays.
func plainFileName(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r < ' ' || r >= 0x7f || r == '"' || r == '\\' || r == '/' || r == '%':
			b.WriteByte('_')
		default:
			b.WriteRune(r)
		}
	}
	plain := b.String()
	if len(plain) <= maxFileName {
		return plain
	}
	ext := path.Ext(plain)
	if len(ext) > 12 {
		ext = ""
	}
	return plain[:maxFileName-len(ext)] + ext
}
