package outlook

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/workinbox/workinbox/provider"
)

// fields are the header fields of a message that tell how it came about, and the marker of a send. A
// mail has fifty others, which are passed over without being decoded.
type fields struct {
	kept []provider.Field
	some bool // there were fields: the mail came over a network
}

// keptNames are the names of the fields that are kept, in their canonical form.
var keptNames = append(provider.ClassFields(), provider.MarkerHeader)

// UnmarshalJSON implements json.Unmarshaler for a list of {"name", "value"}. encoding/json has made
// sure before that text is JSON.
func (f *fields) UnmarshalJSON(text []byte) error {
	*f = fields{}
	for object := range objects(text) {
		f.some = true
		name, ok := member(object, nameKey)
		if !ok {
			continue
		}
		if k := canonical(name); k != "" {
			value, ok := member(object, valueKey)
			if ok {
				f.kept = append(f.kept, provider.Field{Name: k, Value: unfold(string(value))})
			}
		}
	}
	return nil
}

// class are provider.ClassFields alone.
func (f fields) class() []provider.Field {
	return slices.DeleteFunc(f.kept, func(x provider.Field) bool { return x.Name == provider.MarkerHeader })
}

// objects yields the objects of a list.
func objects(text []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		depth, begin, inString := 0, 0, false
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case inString && c == '\\':
				i++
			case c == '"':
				inString = !inString
			case inString:
			case c == '{':
				if depth++; depth == 1 {
					begin = i
				}
			case c == '}':
				if depth--; depth == 0 && !yield(text[begin:i+1]) {
					return
				}
			}
		}
	}
}

var nameKey, valueKey = []byte(`"name"`), []byte(`"value"`)

// member returns the text of a member of an object that has nothing but texts. A quote inside a text
// is escaped, so that a key is found nowhere else but before a colon.
func member(object, key []byte) ([]byte, bool) {
	for {
		_, rest, ok := bytes.Cut(object, key)
		if !ok {
			return nil, false
		}
		if rest = bytes.TrimLeft(rest, " \t\r\n"); len(rest) == 0 || rest[0] != ':' {
			object = rest // a text that is the word
			continue
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' {
			return nil, false
		}
		return literal(rest)
	}
}

// literal reads the JSON string at the beginning of text.
func literal(text []byte) ([]byte, bool) {
	plain := true
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			plain = false
			i++
		case '"':
			if plain {
				return text[1:i], utf8.Valid(text[1:i])
			}
			var s string
			err := json.Unmarshal(text[:i+1], &s)
			return []byte(s), err == nil
		}
	}
	return nil, false
}

// canonical returns the canonical form of the name of a field that is kept, and nothing for others.
func canonical(name []byte) string {
	for _, k := range keptNames {
		if len(k) == len(name) && strings.EqualFold(k, string(name)) {
			return k
		}
	}
	return ""
}

// lineEnds turns the folding of a field into the spaces it stands for (RFC 5322 section 2.2.3).
var lineEnds = strings.NewReplacer("\r\n", "", "\r", " ", "\n", " ")

func unfold(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		s = lineEnds.Replace(s)
	}
	return strings.TrimSpace(s)
}

// inner takes the angle brackets off a Message-ID.
func inner(id string) string {
	id = strings.TrimSpace(id)
	if rest, ok := strings.CutPrefix(id, "<"); ok {
		id = strings.TrimSuffix(rest, ">")
	}
	return id
}
