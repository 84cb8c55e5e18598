package rfc822

import "strings"

// CheckAddress says whether mail can be sent to an addr-spec as it stands: what is before the last @ is
// letters, digits, dots and the few other characters of RFC 5322 section 3.2.3, or is quoted by whoever
// wrote it (section 3.4.1), and the rest is a host. Two addresses in one text are none, nor is one with
// its name. The error is ErrHeaderInjection, ErrUnicodeLocal or ErrBadAddress, without the address.
func CheckAddress(address string) error {
	_, err := wireAddress(address)
	return err
}

// QuoteLocal puts what is before the last @ into quotes where an addr-spec needs them. It is for
// addresses of mail that came in, where something else has found out that this is one; what a person
// typed is for CheckAddress, because "a@b.example, c@d.example" in quotes is one mailbox nobody has.
func QuoteLocal(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || isQuoted(address[:at]) {
		return address
	}
	return quotedLocal(address[:at]) + address[at:]
}

// quotedLocal is QuoteLocal for a local part without quotes.
func quotedLocal(local string) string {
	if strings.ContainsFunc(local, needsQuotes) {
		return quoteString(local)
	}
	return local
}

// needsQuotes says whether a character stands in a local part inside quotes alone. A dot does in some
// places, where Build quotes what has it (dotAtom); letters that are not ASCII never do (RFC 6532).
func needsQuotes(r rune) bool { return r < 0x80 && r != '.' && !isAtomByte(byte(r)) }

// isQuoted says whether a local part is one quoted string with something in it.
func isQuoted(local string) bool {
	end := len(local) - 1
	if end < 2 || local[0] != '"' || local[end] != '"' {
		return false
	}
	for i := 1; i < end; i++ {
		switch local[i] {
		case '"':
			return false
		case '\\':
			if i++; i == end {
				return false
			}
		}
	}
	return true
}

// dotAtom says whether every dot of a local part stands between other characters.
func dotAtom(local string) bool {
	return local[0] != '.' && local[len(local)-1] != '.' && !strings.Contains(local, "..")
}

// wireAddress writes an address between angles.
func wireAddress(address string) (string, error) {
	if hasBreak(address) {
		return "", ErrHeaderInjection
	}
	at := strings.LastIndexByte(address, '@')
	if at < 1 || len(address) > maxAddress {
		return "", ErrBadAddress
	}
	local := address[:at]
	domain, err := asciiDomain(address[at+1:])
	if err != nil {
		return "", err
	}
	for i := 0; i < len(local); i++ {
		switch c := local[i]; {
		case c >= 0x80:
			return "", ErrUnicodeLocal
		case c < ' ' || c == 0x7f:
			return "", ErrBadAddress
		}
	}
	if !isQuoted(local) {
		if strings.ContainsFunc(local, needsQuotes) {
			return "", ErrBadAddress
		}
		if !dotAtom(local) { // phone companies gave such names away ("a..b@", "a.@"): servers take them quoted
			local = quoteString(local)
		}
	}
	return "<" + local + "@" + domain + ">", nil
}
