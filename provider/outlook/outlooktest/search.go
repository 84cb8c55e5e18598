package outlooktest

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// maxFound is how many messages a search gives.
//
// Source: https://learn.microsoft.com/graph/search-query-parameter
const maxFound = 1000

// search is a list with $search.
//
// Source: https://learn.microsoft.com/graph/search-query-parameter
func (c *call) search(f *folder) ([]*message, *apiError) {
	switch {
	case c.query.Has("$filter"):
		return nil, refuse(400, "SearchWithFilter",
			"The query parameter '$filter' is not supported with '$search'.")
	case c.query.Has("$orderby"):
		return nil, refuse(400, "SearchWithOrderBy",
			"The query parameter '$orderBy' is not supported with '$search'.")
	case c.query.Has("$count"):
		return nil, refuse(400, "SearchWithCount",
			"The query parameter '$count' is not supported with '$search'.")
	}
	text := strings.TrimSpace(c.query.Get("$search"))
	if len(text) < 3 || text[0] != '"' || text[len(text)-1] != '"' {
		return nil, badRequest("Syntax error: character ':' is not valid at position 4 in '" + text + "'.")
	}
	inner := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[1 : len(text)-1])
	match, ok := parseKQL(inner)
	if !ok {
		return nil, badRequest("Syntax error in '" + text + "'.")
	}
	list := slices.DeleteFunc(c.candidates(f), func(m *message) bool { return !match(m) })
	slices.Reverse(list) // newest first, always
	return list[:min(len(list), maxFound)], nil
}

// parseKQL reads the part of the Keyword Query Language that is searched mail with: words, quoted
// words, properties, AND, OR, NOT and parentheses; terms side by side must all match.
//
// Source: https://learn.microsoft.com/sharepoint/dev/general-development/keyword-query-language-kql-syntax-reference
func parseKQL(text string) (match func(*message) bool, ok bool) {
	p := &kqlParser{tokens: kqlTokens(text)}
	if len(p.tokens) == 0 {
		return nil, false
	}
	match = p.or()
	return match, !p.bad && len(p.tokens) == 0
}

// kqlTokens cuts at blanks and parentheses; quotes hold a value together.
func kqlTokens(s string) (out []string) {
	var b strings.Builder
	quoted := false
	flush := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	for _, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
			b.WriteRune(r)
		case !quoted && (r == '(' || r == ')'):
			flush()
			out = append(out, string(r))
		case !quoted && unicode.IsSpace(r):
			flush()
		default:
			b.WriteRune(r)
		}
	}
	flush()
	return out
}

type kqlParser struct {
	tokens []string
	bad    bool
	depth  int
}

func (p *kqlParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func never(*message) bool { return false }

func (p *kqlParser) or() func(*message) bool {
	left := p.and()
	for p.peek() == "OR" {
		p.tokens = p.tokens[1:]
		a, b := left, p.and()
		left = func(m *message) bool { return a(m) || b(m) }
	}
	return left
}

func (p *kqlParser) and() func(*message) bool {
	left := p.term()
	for !p.bad {
		t := p.peek()
		if t == "" || t == ")" || t == "OR" {
			break
		}
		if t == "AND" {
			p.tokens = p.tokens[1:]
		}
		a, b := left, p.term()
		left = func(m *message) bool { return a(m) && b(m) }
	}
	return left
}

func (p *kqlParser) term() func(*message) bool {
	p.depth++
	defer func() { p.depth-- }()
	t := p.peek()
	if t == "" || t == ")" || t == "AND" || t == "OR" || p.depth > maxFilterDepth {
		p.bad = true
		return never
	}
	p.tokens = p.tokens[1:]
	switch t {
	case "NOT":
		inner := p.term()
		return func(m *message) bool { return !inner(m) }
	case "(":
		inner := p.or()
		if p.peek() != ")" {
			p.bad = true
			return never
		}
		p.tokens = p.tokens[1:]
		return inner
	}
	return p.word(t)
}

// word is one term: a property with its value, or words to find anywhere.
func (p *kqlParser) word(t string) func(*message) bool {
	at := strings.IndexAny(t, ":=<>")
	if at <= 0 || t[0] == '"' {
		return anywhere(unquoted(t))
	}
	name, rest := strings.ToLower(t[:at]), t[at:]
	op := rest[:1]
	if two := rest[:min(2, len(rest))]; two == ">=" || two == "<=" || two == "<>" {
		op = two
	}
	value := unquoted(rest[len(op):])
	if value == "" {
		p.bad = true
		return never
	}
	if name == "received" || name == "sent" {
		return p.date(name, op, value)
	}
	get := kqlProperties[name]
	if get == nil {
		return anywhere(name + " " + value)
	}
	return func(m *message) bool { return anyHolds(get(m.parts()), value) }
}

func unquoted(s string) string { return strings.Trim(s, `"`) }

// date compares days in UTC.
func (p *kqlParser) date(name, op, value string) func(*message) bool {
	var day time.Time
	for _, layout := range []string{"2006-01-02", "1/2/2006", time.RFC3339} {
		if t, err := time.Parse(layout, value); err == nil {
			day = t.UTC().Truncate(24 * time.Hour)
		}
	}
	if day.IsZero() {
		p.bad = true
		return never
	}
	return func(m *message) bool {
		at := m.received
		if name == "sent" {
			at = m.sentAt()
		}
		c := at.UTC().Truncate(24 * time.Hour).Compare(day)
		switch op {
		case ">=":
			return c >= 0
		case "<=":
			return c <= 0
		case ">":
			return c > 0
		case "<":
			return c < 0
		}
		return c == 0
	}
}

var kqlProperties = map[string]func(*content) []string{
	"from":    func(c *content) []string { return people(c.from, c.sender) },
	"to":      func(c *content) []string { return people(c.to...) },
	"cc":      func(c *content) []string { return people(c.cc...) },
	"bcc":     func(c *content) []string { return people(c.bcc...) },
	"subject": func(c *content) []string { return []string{c.subject} },
	"body":    func(c *content) []string { return []string{c.text} },
	"recipients": func(c *content) []string {
		return people(slices.Concat(c.to, c.cc, c.bcc)...)
	},
	"participants": func(c *content) []string {
		return people(slices.Concat([]rfc822.Address{c.from, c.sender}, c.to, c.cc, c.bcc)...)
	},
	"attachment": func(c *content) (names []string) {
		for _, a := range c.attachments {
			names = append(names, a.name)
		}
		return names
	},
	"hasattachments": func(c *content) []string {
		return []string{map[bool]string{true: "true", false: "false"}[c.hasAttachments()]}
	},
	"importance": func(c *content) []string { return []string{c.importance} },
}

func people(list ...rfc822.Address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.Name + " " + a.Address
	}
	return out
}

func anywhere(value string) func(*message) bool {
	return func(m *message) bool {
		c := m.parts()
		return anyHolds(slices.Concat([]string{c.subject, c.text},
			kqlProperties["participants"](c), kqlProperties["attachment"](c)), value)
	}
}

// anyHolds says whether the words of value are in one of the texts, in this order and side by side;
// the last may be the beginning of a word when an asterisk follows it. An address is several words,
// so that the domain acme.com is found in bob@acme.com and in bob@eu.acme.com, and in
// bob@acme.com.example as well: a client must look at what it gets.
func anyHolds(texts []string, value string) bool {
	prefix := strings.HasSuffix(value, "*")
	want := spaced(value)
	if strings.TrimSpace(want) == "" {
		return false
	}
	if prefix {
		want = strings.TrimSuffix(want, " ")
	}
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(spaced(t), want) })
}

// spaced is the words of a text in lower case with one blank before, between and after them.
func spaced(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return " " + strings.Join(words, " ") + " "
}
