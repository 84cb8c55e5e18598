package ticket

import (
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/inbox"
)

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
