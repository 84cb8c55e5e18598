package gmailtest

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

var errTooDeep = errors.New("search nests too deep")

// parseQuery parses a search. As Gmail does it takes what does not fit together for words to look
// for; the only error is a search that nests deeper than 50 groups.
func parseQuery(q string) (*query, error) {
	p := parser{rest: q}
	var kids []*expr
	for {
		e, err := p.chain("", 0)
		if err != nil {
			return nil, err
		}
		kids = addKid(kids, e)
		if p.space(); p.rest == "" {
			break
		}
		// A closing bracket that nothing opened.
		if p.at(")}") {
			p.rest = p.rest[1:]
		}
	}
	root := group(allOf, kids)
	if root.depth() > maxNesting {
		return nil, errTooDeep
	}
	return &query{root}, nil
}

func (e *expr) depth() int {
	if e == nil {
		return 0
	}
	deepest := 0
	for _, k := range e.kids {
		deepest = max(deepest, k.depth())
	}
	return 1 + deepest
}

// group makes a node of its members: nil of none, the member itself of one.
func group(op operator, kids []*expr) *expr {
	switch len(kids) {
	case 0:
		return nil
	case 1:
		return kids[0]
	}
	return &expr{op: op, kids: kids}
}

func addKid(kids []*expr, e *expr) []*expr {
	if e == nil {
		return kids
	}
	return append(kids, e)
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// at says whether one of the characters is next.
func (p *parser) at(chars string) bool {
	return p.rest != "" && strings.IndexByte(chars, p.rest[0]) >= 0
}

// keyword takes the word if it is next and stands alone.
func (p *parser) keyword(word string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, word)
	if !ok {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(r) && !strings.ContainsRune("(){}", r) {
		return false
	}
	p.rest = rest
	return true
}

// chain parses terms with OR between them. It takes something unless a closing bracket or nothing is
// next.
func (p *parser) chain(field string, depth int) (*expr, error) {
	var kids []*expr
	for {
		if p.keyword("AND") || p.keyword("OR") {
			continue // nothing before it
		}
		e, err := p.term(field, depth)
		if err != nil {
			return nil, err
		}
		kids = addKid(kids, e)
		if !p.keyword("OR") {
			return group(anyOf, kids), nil
		}
	}
}

// term parses one word, phrase, operator or group, and nothing at a closing bracket.
func (p *parser) term(field string, depth int) (*expr, error) {
	if depth > 2*maxNesting {
		return nil, errTooDeep
	}
	p.space()
	switch {
	case p.rest == "" || p.at(")}"):
		return nil, nil
	case p.at("-"):
		p.rest = p.rest[1:]
		if r, _ := utf8.DecodeRuneInString(p.rest); p.rest == "" || unicode.IsSpace(r) {
			return nil, nil // a dash between words
		}
		e, err := p.term(field, depth+1)
		if e == nil || err != nil {
			return nil, err
		}
		return &expr{op: not, kids: []*expr{e}}, nil
	case p.at("+"):
		p.rest = p.rest[1:]
		return nil, nil // exact words: all words are
	case p.at("("):
		return p.brackets(allOf, ")", field, depth+1)
	case p.at("{"):
		return p.brackets(anyOf, "}", field, depth+1)
	case p.at(`"`):
		return newTerm(field, p.quoted()), nil
	}
	return p.word(field, depth)
}

// brackets parses a group up to its end, or to the end of the search when that is missing.
func (p *parser) brackets(op operator, end, field string, depth int) (*expr, error) {
	p.rest = p.rest[1:]
	var kids []*expr
	for {
		e, err := p.chain(field, depth)
		if err != nil {
			return nil, err
		}
		kids = addKid(kids, e)
		p.space()
		if p.rest == "" {
			return group(op, kids), nil
		}
		if p.at(")}") {
			closed := p.at(end)
			p.rest = p.rest[1:]
			if closed {
				return group(op, kids), nil
			}
		}
	}
}

// quoted takes a phrase; one without an end goes to the end of the search.
func (p *parser) quoted() string {
	value, rest, _ := strings.Cut(p.rest[1:], `"`)
	p.rest = rest
	return value
}

// word parses a plain word or an operator with what it asks for.
func (p *parser) word(field string, depth int) (*expr, error) {
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`(){}"`, r)
	})
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	name, value, ok := strings.Cut(word, ":")
	name = canonical(name)
	if !ok || name == "" {
		return newTerm(field, word), nil
	}
	if value == "" {
		switch {
		case p.at("("):
			return p.brackets(allOf, ")", name, depth+1)
		case p.at("{"):
			return p.brackets(anyOf, "}", name, depth+1)
		case p.at(`"`):
			value = p.quoted()
		default:
			return newTerm(field, word), nil
		}
	}
	return newTerm(name, value), nil
}

// newTerm makes a leaf, or nothing when it would look for nothing. What an operator does not
// understand is looked for as words.
func newTerm(field, value string) *expr {
	if value == "" {
		return nil
	}
	if !terms[field].valid(value) {
		if field == "" {
			return nil
		}
		return newTerm("", field+":"+value)
	}
	return &expr{field: field, value: value, spaced: spaced(value)}
}
