package ticket

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/storage"
)

// numbered writes the ticket's number before the subject of a mail that leaves, where the site wants that
// (R-MSG-09, inbox.Settings.NumberInSubject) once.
func (s *Service) numbered(ctx context.Context, t *Ticket, subject string) (string, error) {
	site, err := s.Inboxes.Sites.Site(ctx, t.Site)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", err
	}
	number := fmt.Sprintf("[#%d]", t.Number)
	if !site.NumberInSubject {
		return subject, nil
	}
	if before, after, there := strings.Cut(subject, number); there { // "Re: [#12] Re: offer"
		before, after = strings.TrimSpace(before), strings.TrimSpace(after)
		if subject = after; len(after) < len(before) || !strings.EqualFold(after[:len(before)], before) {
			subject = before + " " + after
		}
	}
	return strings.TrimSpace(number + " " + strings.TrimSpace(subject)), nil
}
