package inbox

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is how many characters a name has at most.
const MaxName = 100

// MaxSignature is how many bytes a signature has at most: it leaves with every mail.
const MaxSignature = 64 << 10

const (
	maxClosedDays = 36_500 // a hundred years
	maxWebsite    = 2000   // bytes
)

// OneLine says whether a text can stand in a list, or beside an address: valid UTF-8 of at most MaxName
// characters, none of which controls anything, as a line break does.
func OneLine(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= MaxName && !strings.ContainsFunc(s, unicode.IsControl)
}

var codeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// IsCode says whether a text has the form of the codes of a site's catalog: 1 to 40 letters a-z, digits
// and hyphens, of which none comes first.
func IsCode(s string) bool { return codeForm.MatchString(s) }

// checkName refuses a name that is no line of its own. One that is stored already may stay.
func checkName(name, stored string) error {
	if name == stored || OneLine(name) {
		return nil
	}
	return &InputError{Field: "name", Reason: fmt.Sprintf("has to be one line of at most %d characters", MaxName)}
}

// oneOf refuses what is not among the values of a field. What is stored already may stay.
func oneOf[T ~string](field string, value, stored T, values ...T) error {
	names := make([]string, len(values))
	for i, v := range values {
		if v == value {
			return nil
		}
		names[i] = fmt.Sprintf("%q", string(v))
	}
	if value == stored {
		return nil
	}
	return &InputError{Field: field, Reason: "has to be one of " + strings.Join(names, ", ")}
}

// check names everything that is wrong with the settings at once. What is stored already may stay.
func (n *InboxSettings) check(stored *InboxSettings) error {
	bad := []error{
		oneOf("settings.send_as", n.SendAs, stored.SendAs, SendAsOwner, SendAsAgent, SendAsInbox),
		oneOf("settings.on_closed", n.OnClosed, stored.OnClosed, LockNever, LockQuiet, LockNow),
	}
	if n.DefaultStatus != stored.DefaultStatus && n.DefaultStatus != "" && !IsCode(n.DefaultStatus) {
		bad = append(bad, &InputError{Field: "settings.default_status",
			Reason: `has to be the code of a status, such as "on-hold", or empty`})
	}
	if n.ClosedDays != stored.ClosedDays && (n.ClosedDays < 0 || n.ClosedDays > maxClosedDays) {
		bad = append(bad, &InputError{Field: "settings.closed_days", Reason: fmt.Sprintf("has to be from 0 to %d", maxClosedDays)})
	}
	if s := n.Signature; s != stored.Signature {
		switch {
		case len(s) > MaxSignature:
			bad = append(bad, &InputError{Field: "settings.signature",
				Reason: fmt.Sprintf("has %d bytes, at most %d; leave pictures out", len(s), MaxSignature)})
		case !utf8.ValidString(s) || strings.Contains(s, "\x00"):
			bad = append(bad, &InputError{Field: "settings.signature", Reason: "is no text: send UTF-8 without NUL"})
		}
	}
	return errors.Join(bad...)
}

// checkWebsite refuses what no browser opens as a page. What is stored already may stay.
func checkWebsite(site, stored string) error {
	if site == stored || site == "" || len(site) <= maxWebsite && absolute(site, "http", "https") {
		return nil
	}
	return &InputError{Field: "website", Reason: "has to be an address such as https://acme.example, or empty"}
}

// checkRedirect refuses what no browser can be sent back to. An installed program has a scheme of its own,
// which has a dot and need not have a host (RFC 8252 section 7.1); there is never a fragment (RFC 6749
// section 3.1.2).
func checkRedirect(redirect string) error {
	scheme, _, _ := strings.Cut(redirect, ":")
	own := strings.Contains(scheme, ".") && absolute(redirect)
	if (own || absolute(redirect, "http", "https")) && !strings.Contains(redirect, "#") {
		return nil
	}
	return &InputError{Field: "redirect", Reason: "has to be the whole address of the page that calls Consent, " +
		"such as https://host.example/back, without fragment"}
}

// absolute says whether a text is an absolute URL. Of the schemes, where any are given, it has one, and a
// host too.
func absolute(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return u.Hostname() != ""
		}
	}
	return len(schemes) == 0
}
