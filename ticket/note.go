package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// maxMentions is how many people one note may mention.
const maxMentions = 100

// maxNoteText is how long the text of a note may be, in bytes: as long as that of a draft.
const maxNoteText = maxDraftText

// Note adds an internal note. Notes never leave the system, whatever happens to the ticket
// (R-MSG-02), and change nothing but the ticket's activity. Those it mentions who may see the ticket are
// told; the others are not, and the entry does not name them. Nobody follows the ticket for that. A text of
// more than 1 MiB is ErrTooLong, an empty one ErrEmpty, and more than 100 people are ErrTooManyMentions.
func (s *Service) Note(ctx context.Context, actor acl.Actor, id ID, text string, mentions ...acl.UserID) (Entry, error) {
	return s.addNote(ctx, actor, id, text, mentions, nil)
}

// addNote adds the note that a draft becomes, if it was one.
func (s *Service) addNote(ctx context.Context, actor acl.Actor, id ID, text string, mentions []acl.UserID, of *Draft) (
	Entry, error) {
	var out Entry
	_, err := s.update(ctx, actor, id, acl.AddNote, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		valid, err := noteText(text)
		if err != nil {
			return nil, nil, fmt.Errorf("note on ticket %q: %w", id, err)
		}
		if err := s.unsent(ctx, of); err != nil {
			return nil, nil, err
		}
		named, err := s.mentioned(ctx, t, mentions)
		if err != nil {
			return nil, nil, err
		}
		out = s.newEntry(t, EntryNoted, actor.User)
		out.Text, out.Mentions = valid, named
		of.name(&out)
		t.touch(out.At)
		ev := []inbox.Event{{Name: EventNote, Entry: string(out.ID)}}
		for _, user := range named {
			if user != actor.User {
				ev = append(ev, inbox.Event{Name: EventMentioned, Entry: string(out.ID), Target: user, Personal: true})
			}
		}
		return []Entry{out}, ev, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return out, nil
}

// noteText is the text of a note as it is kept: some, and not too much.
func noteText(text string) (string, error) {
	text = validText(text)
	switch {
	case strings.TrimSpace(text) == "":
		return "", ErrEmpty
	case len(text) > maxNoteText:
		return "", fmt.Errorf("the text has %d bytes, at most %d: %w", len(text), maxNoteText, ErrTooLong)
	}
	return text, nil
}

// mentioned are those of the people who may see a ticket, each once.
func (s *Service) mentioned(ctx context.Context, t *Ticket, users []acl.UserID) (named []acl.UserID, err error) {
	if len(users) > maxMentions {
		return nil, fmt.Errorf("note on ticket %q mentions %d people, at most %d: %w", t.ID, len(users), maxMentions, ErrTooManyMentions)
	}
	for _, user := range users {
		if user == "" || slices.Contains(named, user) {
			continue
		}
		sees, err := s.seenBy(ctx, t, user)
		if err != nil {
			return nil, err
		}
		if sees {
			named = append(named, user)
		}
	}
	return named, nil
}

// EditNote gives a note another text (row 6): one's own, or where the site lets agents edit anybody's.
// Whom it mentions stays. storage.ErrNotFound where the ticket has no such note, and the refusals of a
// text are those of Note.
func (s *Service) EditNote(ctx context.Context, actor acl.Actor, id ID, entry EntryID, text string) (Entry, error) {
	return s.updateNote(ctx, actor, id, entry, acl.EditNote, acl.EditNote, func(e *Entry) (inbox.EventName, error) {
		valid, err := noteText(text)
		if err != nil {
			return "", fmt.Errorf("note %q: %w", entry, err)
		}
		if e.Text == valid {
			return "", nil
		}
		e.Text, e.EditedBy, e.EditedAt = valid, actor.User, s.now()
		return EventThreadEdited, nil
	})
}

// DeleteNote takes the text of a note away for good, and whom it mentions: one's own (row 7a), or
// another's (row 7b). That there was one, by whom and when stays, and who deleted it.
func (s *Service) DeleteNote(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	return s.updateNote(ctx, actor, id, entry, acl.DeleteOwnNote, acl.Delete, func(e *Entry) (inbox.EventName, error) {
		e.Text, e.Mentions = "", nil
		e.DeletedBy, e.DeletedAt = actor.User, s.now()
		return EventThreadDeleted, nil
	})
}

// updateNote changes a note for somebody who may do own to their own and other to another's. A change
// without an event saves nothing.
func (s *Service) updateNote(ctx context.Context, actor acl.Actor, id ID, entry EntryID, own, other acl.Action,
	change func(e *Entry) (inbox.EventName, error)) (Entry, error) {
	var out Entry
	_, err := s.update(ctx, actor, id, acl.ViewTickets, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		e, err := s.noteOf(ctx, t, entry)
		if err != nil {
			return nil, nil, err
		}
		action, facts := other, acl.Facts{OwnNote: e.Author == actor.User}
		if facts.OwnNote {
			action = own
		}
		if _, err := s.allowWith(ctx, actor, t, action, facts); err != nil {
			return nil, nil, err
		}
		out = e
		name, err := change(&out)
		if err != nil || name == "" {
			return nil, nil, err
		}
		return []Entry{out}, []inbox.Event{{Name: name, Entry: string(out.ID)}}, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return out, nil
}

// noteOf finds a note of a ticket that was not deleted.
func (s *Service) noteOf(ctx context.Context, t *Ticket, id EntryID) (Entry, error) {
	e, err := s.storedEntry(ctx, t.ID, id)
	if err == nil && e.Kind == EntryNoted && e.DeletedAt.IsZero() || err != nil && !errors.Is(err, storage.ErrNotFound) {
		return e, err
	}
	return Entry{}, &storage.Error{Op: "read", Entity: "note", ID: string(id), Err: storage.ErrNotFound}
}

// validText makes text fit for every store: valid UTF-8 without NUL.
func validText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
