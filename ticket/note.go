package ticket

import (
	"context"
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Note adds an internal note. Notes never leave the system, whatever happens to the ticket
// (R-MSG-02), and change nothing but the ticket's activity.
func (s *Service) Note(ctx context.Context, actor acl.Actor, id ID, text string) (Entry, error) {
	var out Entry
	_, err := s.edit(ctx, actor, id, acl.AddNote, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if strings.TrimSpace(text) == "" {
			return nil, nil, fmt.Errorf("note on ticket %q: %w", id, ErrEmpty)
		}
		out = s.entry(t, EntryNoted, actor.User)
		out.Text = validText(text)
		t.touch(out.At)
		return []Entry{out}, []inbox.Event{{Name: EventNote, Entry: string(out.ID)}}, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return out, nil
}

// validText makes text fit for every store: valid UTF-8 without NUL.
func validText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
