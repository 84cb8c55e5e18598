package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/ticket"
)

// shownHits is how many tickets a search shows.
const shownHits = 3

// search looks for a word and a phrase of a ticket's subject: as ravi, then as a colleague without
// access, who finds nothing.
func (s *shift) search(ctx context.Context) error {
	for _, t := range s.list {
		if words := wordsOf(t.Subject); words != "" && (s.day.Search == "" || t.ID == s.into) {
			s.day.Search = words
		}
	}
	if s.day.Search == "" {
		s.say("ravi looks for nothing: no subject has words")
		return nil
	}
	hits, err := s.look(ctx, s.ravi)
	if err != nil {
		return err
	}
	s.day.Hits = len(hits)
	s.say("ravi searches for [%s], the best hits: %d", s.day.Search, len(hits))
	for _, hit := range hits {
		s.say("  ticket %d, %s: %s", hit.Ticket.Number, hit.Ticket.Status, marked(&hit))
	}
	sam, err := s.host.actor(ctx, stranger)
	if err != nil {
		return err
	}
	hits, err = s.look(ctx, sam)
	if err != nil {
		return err
	}
	s.day.StrangerHits = len(hits)
	s.say("sam looks for the same and finds %d", len(hits))
	return nil
}

func (s *shift) look(ctx context.Context, who acl.Actor) (hits []ticket.Hit, err error) {
	q := ticket.SearchQuery{Text: s.day.Search, Limit: shownHits}
	for hit, err := range s.host.desk.Tickets.Search(ctx, who, q) {
		if err != nil {
			return nil, err
		}
		hits = append(hits, hit)
	}
	return hits, nil
}

// wordsOf makes a search of a subject: its longest word, and the first other two that stand in a row
// as a phrase; empty where it has no words.
func wordsOf(subject string) string {
	words := strings.FieldsFunc(subject, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	long := func(w string) bool { return utf8.RuneCountInString(w) > 3 && len(w) < 100 }
	longest := ""
	for _, w := range words {
		if long(w) && len(w) > len(longest) {
			longest = w
		}
	}
	for i := 1; i < len(words); i++ {
		pair := words[i-1 : i+1]
		if long(pair[0]) && long(pair[1]) && !slices.Contains(pair, longest) {
			return fmt.Sprintf("%s %q", longest, pair[0]+" "+pair[1])
		}
	}
	return longest
}

// marked is what was found, with the words between « and ».
func marked(hit *ticket.Hit) string {
	if len(hit.Snippets) == 0 {
		return cut(hit.Ticket.Subject, 80)
	}
	shown := slices.MaxFunc(hit.Snippets, func(a, b ticket.Snippet) int { return len(a.Marks) - len(b.Marks) })
	var text strings.Builder
	from := 0
	for _, m := range shown.Marks {
		text.WriteString(shown.Text[from:m.Start] + "«" + shown.Text[m.Start:m.End] + "»")
		from = m.End
	}
	return cut(text.String()+shown.Text[from:], 100)
}

// refuse lets somebody who may only read try to answer.
func (s *shift) refuse(ctx context.Context) error {
	rosa, err := s.host.actor(ctx, reader)
	if err != nil {
		return err
	}
	_, err = s.host.desk.Tickets.Reply(ctx, rosa, s.list[0].ID, ticket.Reply{Text: "On our way."})
	if !errors.Is(err, acl.ErrDenied) {
		return fmt.Errorf("an answer by rosa, who may only read, came to: %w", err)
	}
	s.day.Refused = err.Error()
	s.say("rosa tries to answer ticket %d: %s", s.list[0].Number, outcome(err))
	return nil
}
