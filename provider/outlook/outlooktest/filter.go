package outlooktest

import (
	"slices"
	"strings"
	"time"
)

// filter is a parsed $filter.
type filter struct {
	match func(*message) bool
	// names are the properties in the order in which the filter first names them.
	names []string
}

// filterSyntax is what a filter is refused with.
type filterSyntax struct{ refusal *apiError }

func (e filterSyntax) Error() string { return e.refusal.message }

// parseFilter reads the part of OData's filter language that Graph serves for messages (OData 4.01
// URL conventions, section 5.1.1). It never panics.
func parseFilter(text string) (f *filter, refusal *apiError) {
	tokens, ok := filterTokens(text)
	if !ok {
		return nil, badRequest("Invalid filter clause: There is an unterminated literal in '" + text + "'.")
	}
	p := &filterParser{tokens: tokens}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case filterSyntax:
			f, refusal = nil, e.refusal
		default:
			panic(e)
		}
	}()
	match := p.or()
	if p.peek() != "" {
		p.fail()
	}
	return &filter{match: match, names: p.names}, nil
}

// filterTokens cuts at blanks, parentheses, commas and colons; literals keep their quotes.
func filterTokens(s string) (out []string, ok bool) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		n := 1
		switch {
		case s[0] == '\'':
			for n < len(s) && (s[n] != '\'' || n+1 < len(s) && s[n+1] == '\'') {
				if s[n] == '\'' {
					n++ // the first of two
				}
				n++
			}
			if n >= len(s) {
				return nil, false
			}
			n++
		case strings.IndexByte("(),", s[0]) >= 0:
		default:
			for n < len(s) && strings.IndexByte(" \t\r\n(),'", s[n]) < 0 {
				n++
			}
		}
		out, s = append(out, s[:n]), s[n:]
	}
	return out, true
}

type filterParser struct {
	tokens []string
	names  []string
	depth  int
}

// maxFilterDepth is how deep parentheses may lie in each other.
const maxFilterDepth = 50

func (p *filterParser) fail() {
	panic(filterSyntax{badRequest("Invalid filter clause: Syntax error near '" + p.peek() + "'.")})
}

func (p *filterParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *filterParser) next() string {
	t := p.peek()
	if t == "" {
		p.fail()
	}
	p.tokens = p.tokens[1:]
	return t
}

func (p *filterParser) want(token string) {
	if !strings.EqualFold(p.peek(), token) {
		p.fail()
	}
	p.next()
}

func (p *filterParser) or() func(*message) bool {
	left := p.and()
	for p.peek() == "or" {
		p.next()
		a, b := left, p.and()
		left = func(m *message) bool { return a(m) || b(m) }
	}
	return left
}

func (p *filterParser) and() func(*message) bool {
	left := p.term()
	for p.peek() == "and" {
		p.next()
		a, b := left, p.term()
		left = func(m *message) bool { return a(m) && b(m) }
	}
	return left
}

func (p *filterParser) term() func(*message) bool {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxFilterDepth {
		panic(filterSyntax{inefficientFilter()})
	}
	switch p.peek() {
	case "(":
		p.next()
		inner := p.or()
		p.want(")")
		return inner
	case "not":
		p.next()
		inner := p.term()
		return func(m *message) bool { return !inner(m) }
	case "contains", "startswith":
		return p.function(p.next())
	}
	name := p.next()
	if strings.EqualFold(name, "singleValueExtendedProperties/any") {
		return p.extended()
	}
	if strings.HasSuffix(strings.ToLower(name), "/any") {
		panic(filterSyntax{invalidNodes()})
	}
	get := p.property(name)
	return p.compare(get)
}

func invalidNodes() *apiError {
	return refuse(400, "ErrorInvalidUrlQueryFilter",
		"The query filter contains one or more invalid nodes.")
}

func (p *filterParser) property(name string) func(*message) any {
	get := filterProperties[name]
	if get == nil {
		top, _, _ := strings.Cut(name, "/")
		if slices.Contains(messageFields, top) || slices.Contains(hiddenFields, top) {
			panic(filterSyntax{invalidNodes()})
		}
		panic(filterSyntax{badRequest("Invalid filter clause: Could not find a property named '" +
			name + "' on type 'microsoft.graph.message'.")})
	}
	if !slices.Contains(p.names, name) {
		p.names = append(p.names, name)
	}
	return get
}

var filterProperties = map[string]func(*message) any{
	"id":                          func(m *message) any { return m.id },
	"receivedDateTime":            func(m *message) any { return m.received },
	"sentDateTime":                func(m *message) any { return m.sentAt() },
	"createdDateTime":             func(m *message) any { return m.created },
	"lastModifiedDateTime":        func(m *message) any { return m.modified },
	"subject":                     func(m *message) any { return m.parts().subject },
	"from/emailAddress/address":   func(m *message) any { return m.parts().from.Address },
	"from/emailAddress/name":      func(m *message) any { return m.parts().from.Name },
	"sender/emailAddress/address": func(m *message) any { return m.parts().sender.Address },
	"internetMessageId":           func(m *message) any { return m.parts().messageID },
	"conversationId":              func(m *message) any { return exact(m.conversation) },
	"parentFolderId":              func(m *message) any { return exact(m.folder.id) },
	"importance":                  func(m *message) any { return m.parts().importance },
	"isDraft":                     func(m *message) any { return m.draft },
	"isRead":                      func(m *message) any { return m.read },
	"hasAttachments":              func(m *message) any { return m.parts().hasAttachments() },
	"inferenceClassification":     func(*message) any { return "focused" },
}

// exact is a text that is compared with regard to case.
type exact string

func (p *filterParser) compare(get func(*message) any) func(*message) bool {
	op := p.next()
	literal := p.next()
	sign, ok := map[string]func(int) bool{
		"eq": func(c int) bool { return c == 0 }, "ne": func(c int) bool { return c != 0 },
		"gt": func(c int) bool { return c > 0 }, "ge": func(c int) bool { return c >= 0 },
		"lt": func(c int) bool { return c < 0 }, "le": func(c int) bool { return c <= 0 },
	}[op]
	if !ok {
		p.fail()
	}
	// The type of a property does not depend on the message.
	switch get(blankMessage).(type) {
	case time.Time:
		at, err := time.Parse(time.RFC3339Nano, literal)
		if err != nil {
			panic(filterSyntax{badRequest("Invalid filter clause: A binary operator with " +
				"incompatible types was detected. Found operand types 'Edm.DateTimeOffset' and " +
				"'Edm.String' for operator kind '" + op + "'.")})
		}
		return func(m *message) bool { return sign(get(m).(time.Time).Compare(at)) }
	case bool:
		if literal != "true" && literal != "false" {
			p.fail()
		}
		return func(m *message) bool {
			same := 1
			if get(m).(bool) == (literal == "true") {
				same = 0
			}
			return sign(same)
		}
	case exact:
		text := p.text(literal)
		return func(m *message) bool { return sign(strings.Compare(string(get(m).(exact)), text)) }
	default:
		text := strings.ToLower(p.text(literal))
		return func(m *message) bool {
			return sign(strings.Compare(strings.ToLower(get(m).(string)), text))
		}
	}
}

var blankMessage = &message{
	parsed: &content{}, folder: &folder{},
}

func (p *filterParser) text(literal string) string {
	if len(literal) < 2 || literal[0] != '\'' {
		p.fail()
	}
	return strings.ReplaceAll(literal[1:len(literal)-1], "''", "'")
}

func (p *filterParser) function(name string) func(*message) bool {
	p.want("(")
	get := p.property(p.next())
	p.want(",")
	text := strings.ToLower(p.text(p.next()))
	p.want(")")
	if _, ok := get(blankMessage).(string); !ok {
		p.fail()
	}
	find := strings.Contains
	if name == "startswith" {
		find = strings.HasPrefix
	}
	return func(m *message) bool { return find(strings.ToLower(get(m).(string)), text) }
}

// extended reads Any(ep: ep/id eq '...' and ep/value eq '...').
func (p *filterParser) extended() func(*message) bool {
	const name = "singleValueExtendedProperties"
	if !slices.Contains(p.names, name) {
		p.names = append(p.names, name)
	}
	p.want("(")
	v, rest, colon := strings.Cut(p.next(), ":")
	switch {
	case rest != "": // no blank after the colon
		p.tokens = append([]string{rest}, p.tokens...)
	case !colon:
		p.want(":")
	}
	var id, value string
	p.want(v + "/id")
	p.want("eq")
	id = p.text(p.next())
	p.want("and")
	p.want(v + "/value")
	p.want("eq")
	value = p.text(p.next())
	p.want(")")
	return func(m *message) bool { got, ok := m.extended[propertyKey(id)]; return ok && got == value }
}

// propertyKey makes one spelling of the id of an extended property.
func propertyKey(id string) string { return strings.ToLower(strings.Join(strings.Fields(id), " ")) }
