package ticket

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/workinbox/workinbox/inbox"
)

// maxSubjectBytes is how many bytes a subject has that a person writes, or that a ticket has: as many as a
// line of mail (RFC 5322 section 2.1.1). "Re:" or "Fwd:" and the number of the ticket may come before them.
const maxSubjectBytes = 998

// checkSubject refuses a subject that is too long to leave.
func checkSubject(subject string) error {
	if len(subject) <= maxSubjectBytes {
		return nil
	}
	return fmt.Errorf("%w: it has %d bytes, at most %d",
		&OptionError{Option: "subject", Reason: OptionTooLong}, len(subject), maxSubjectBytes)
}

// shortSubject is the beginning of what a mail is called. The mail itself stays whole.
func shortSubject(subject string) string {
	n := maxSubjectBytes
	if len(subject) <= n {
		return subject
	}
	for n > maxSubjectBytes-utf8.UTFMax && !utf8.RuneStart(subject[n]) {
		n--
	}
	return subject[:n]
}

// numbered writes the ticket's number before the subject of a mail that leaves, where the site wants that
// (R-MSG-09, inbox.Settings.NumberInSubject) once.
func numbered(site *inbox.Settings, t *Ticket, subject string) string {
	number := fmt.Sprintf("[#%d]", t.Number)
	if !site.NumberInSubject {
		return subject
	}
	if before, after, there := strings.Cut(subject, number); there { // "Re: [#12] Re: offer"
		before, after = strings.TrimSpace(before), strings.TrimSpace(after)
		if subject = after; len(after) < len(before) || !strings.EqualFold(after[:len(before)], before) {
			subject = before + " " + after
		}
	}
	return strings.TrimSpace(number + " " + strings.TrimSpace(subject))
}
