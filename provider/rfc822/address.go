package rfc822

import (
	"net/mail"
	"strings"
)

// Address is a name and an addr-spec. The name is decoded UTF-8; the addr-spec is as it came,
// internationalised domains included. A local part stands in quotes where it needs them
// (RFC 5322 section 3.4.1), and nowhere else: what is read from a mail can be written into an answer.
// net/mail keeps it without, so its Address.String quotes such a part twice.
type Address = mail.Address

// ParseAddresses reads the value of an address field of mail that came in, and never fails. It is not for
// what a person types: it drops without a word what is none ("bob@" of "ann@acme.com, bob@, carl"). Such
// a text is for the caller to take apart, and each piece for CheckAddress. What net/mail refuses is
// salvaged: commas and other specials in names without quotes, an angle or a quote left open,
// groups, comments, routes, encoded words in any place, semicolons between addresses. Text without
// something like an addr-spec is left out.
func ParseAddresses(value string) []Address {
	p := addressParser{s: value}
	p.run()
	if len(p.found) == 0 && strings.Contains(value, "=?") && !strings.Contains(value, "@") {
		// Some programs encode the whole field, address and all.
		p = addressParser{s: decodeWords(value)}
		p.run()
	}
	return p.found
}

// addressParser walks an address field once. A token is what stands between white space, a quoted
// string being one token or part of one.
type addressParser struct {
	s      string
	i      int
	found  []Address
	tokens []addressToken
	token  strings.Builder
	inside bool // a token has begun
	at     bool // it has an @ outside quotes
	carry  string
	after  bool // an angle address came since the last comma
	quotes int  // quotes and comments found open; they are searched for a few times only
	parens int
}

type addressToken struct {
	text string
	at   bool
}

const (
	maxOpen  = 4    // how often a missing quote or parenthesis is searched for up to the end
	maxSpec  = 1200 // bytes that an address in angles may have; a line of mail has 998
	maxCarry = 200  // bytes of a name that goes on after a comma
)

func (p *addressParser) run() {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case '"':
			p.quoted()
		case '(':
			p.comment()
		case '<':
			p.angle()
		case ',', ';':
			p.endToken()
			p.endMailbox(c == ',')
			p.i++
		case ':':
			p.colon()
		case ' ', '\t', '\r', '\n':
			p.endToken()
			p.i++
		case '=':
			p.word()
		case '>':
			p.i++
		default:
			p.at = p.at || c == '@'
			p.add(c)
			p.i++
		}
	}
	p.endToken()
	p.endMailbox(false)
}

func (p *addressParser) add(c byte) {
	p.inside = true
	p.token.WriteByte(c)
}

func (p *addressParser) endToken() {
	if p.inside {
		p.tokens = append(p.tokens, addressToken{p.token.String(), p.at})
		p.token.Reset()
		p.inside, p.at = false, false
	}
}

// quoted takes a quoted string; a quote that is never closed is left out.
func (p *addressParser) quoted() {
	end := -1
	for k := p.i + 1; p.quotes < maxOpen && k < len(p.s); k++ {
		if p.s[k] == '\\' {
			k++
		} else if p.s[k] == '"' {
			end = k
			break
		}
	}
	if end < 0 {
		p.quotes++
		p.i++
		return
	}
	p.inside = true
	for k := p.i + 1; k < end; k++ {
		if p.s[k] == '\\' && k+1 < end {
			k++
		}
		p.token.WriteByte(p.s[k])
	}
	p.i = end + 1
}

// comment takes a comment, which is the name of the address before it when that has none.
func (p *addressParser) comment() {
	depth, end := 0, -1
	for k := p.i; p.parens < maxOpen && k < len(p.s); k++ {
		switch p.s[k] {
		case '\\':
			k++
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			end = k
			break
		}
	}
	if end < 0 {
		p.parens++
		p.i++
		return
	}
	p.endToken()
	text := p.s[p.i+1 : min(end, len(p.s))]
	p.i = end + 1
	switch {
	case p.after:
		if last := &p.found[len(p.found)-1]; last.Name == "" {
			last.Name = decodeWords(text)
		}
	default:
		p.tokens = append(p.tokens, addressToken{"(" + text + ")", false})
	}
}

// angle takes <addr-spec>. When the angle is never closed, it ends where the next address begins.
func (p *addressParser) angle() {
	rest := p.s[p.i+1 : min(len(p.s), p.i+1+maxSpec)]
	end := strings.IndexByte(rest, '>')
	next := end + 1
	inner := rest
	if end >= 0 {
		inner = rest[:end]
	}
	if open := strings.IndexByte(inner, '<'); end < 0 || open > 0 {
		end = strings.IndexAny(rest, ",;<")
		if end < 0 {
			end = len(rest)
		}
		next = end
	} else if open == 0 {
		p.i++
		return
	}
	p.i += 1 + next
	p.endToken()
	spec := addrSpec(rest[:end])
	if spec == "" {
		if text := strings.TrimSpace(rest[:end]); text != "" {
			p.tokens = append(p.tokens, addressToken{text, false})
		}
		return
	}
	p.found = append(p.found, Address{Name: p.name(), Address: spec})
	p.tokens, p.carry, p.after = p.tokens[:0], "", true
}

// colon ends the name of a group, unless it stands inside something like an address.
func (p *addressParser) colon() {
	if p.at {
		p.add(':')
	} else {
		p.token.Reset()
		p.inside = false
		p.tokens, p.carry = p.tokens[:0], ""
	}
	p.i++
}

// word takes an encoded word as one piece: broken senders leave commas and spaces into it.
func (p *addressParser) word() {
	w, ok := findWord(p.s[p.i:])
	if !ok {
		p.add('=')
		p.i++
		return
	}
	p.inside = true
	p.token.WriteString(p.s[p.i : p.i+w.size])
	p.i += w.size
}

// endMailbox takes what stands between two commas and had no angle.
func (p *addressParser) endMailbox(comma bool) {
	var words, bare []addressToken
	for _, t := range p.tokens {
		if t.at {
			bare = append(bare, t)
		} else {
			words = append(words, t)
		}
	}
	carry := ""
	if len(bare) > 0 {
		p.tokens, p.carry = words, ""
		name := p.name()
		for _, t := range bare {
			if spec := addrSpec(requoted(t.text)); spec != "" {
				p.found = append(p.found, Address{Name: name, Address: spec})
				name = ""
			}
		}
	} else if comma && !p.after && len(words) > 0 {
		// A comma inside a name without quotes: the name goes on.
		if carry = p.joined(words) + ","; len(carry) > maxCarry {
			carry = ""
		}
	}
	p.tokens, p.carry, p.after = p.tokens[:0], carry, false
}

// requoted puts the quotes back that a local part with white space came in.
func requoted(token string) string {
	at := strings.LastIndexByte(token, '@')
	if at < 0 || !strings.ContainsAny(token[:at], " \t") {
		return token
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(token[:at]) + `"` + token[at:]
}

// name makes the display name of the tokens collected and what was carried over. Comments count
// only when there is nothing else.
func (p *addressParser) name() string {
	if len(p.tokens) == 0 && p.carry == "" {
		return ""
	}
	var words []addressToken
	for _, t := range p.tokens {
		if !isComment(t.text) {
			words = append(words, t)
		}
	}
	if len(words) == 0 && p.carry == "" {
		comment := p.tokens[0].text
		return strings.TrimSpace(decodeWords(comment[1 : len(comment)-1]))
	}
	return strings.TrimSpace(decodeWords(p.joined(words)))
}

// joined puts what was carried over and the tokens together, undecoded.
func (p *addressParser) joined(tokens []addressToken) string {
	if p.carry == "" && len(tokens) == 1 {
		return tokens[0].text
	}
	var b strings.Builder
	b.WriteString(p.carry)
	for _, t := range tokens {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

func isComment(s string) bool {
	return len(s) > 1 && s[0] == '(' && s[len(s)-1] == ')'
}

// addrSpec cleans what should be an addr-spec, or returns "". A route (RFC 5322 section 4.4) and a
// mailto: are dropped.
func addrSpec(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.HasPrefix(s, "@") {
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
	}
	for len(s) > 1 && (s[0] == '\'' && s[len(s)-1] == '\'' || s[0] == '"' && s[len(s)-1] == '"') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return ""
	}
	local, domain := strings.TrimSpace(s[:at]), strings.TrimSpace(s[at+1:])
	if len(local) > 1 && local[0] == '"' && local[len(local)-1] == '"' {
		local = unquoteParam(local)
	} else {
		local = strings.TrimLeft(stripComments(local), "\"'(")
		if i := strings.LastIndexAny(local, " \t"); i >= 0 {
			local = local[i+1:]
		}
	}
	domain = strings.TrimRight(stripComments(domain), "\"')>.,")
	domain, _, _ = strings.Cut(domain, " ")
	if local == "" || domain == "" || strings.ContainsAny(domain, "<>()\"\\ \t") {
		return ""
	}
	for _, r := range local + domain {
		if r < ' ' || r == 0x7f {
			return ""
		}
	}
	return quotedLocal(local) + "@" + domain
}

// stripComments removes balanced comments.
func stripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(s[i])
		}
	}
	if depth > 0 {
		return s
	}
	return strings.TrimSpace(b.String())
}
