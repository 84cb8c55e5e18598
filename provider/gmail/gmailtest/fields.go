package gmailtest

import (
	"fmt"
	"reflect"
	"strings"
)

// mask is a parsed `fields` parameter: what to keep, by name. A nil mask keeps everything below.
//
// Source: https://developers.google.com/workspace/gmail/api/guides/performance#partial
type mask map[string]mask

// parseFields reads "a,b/c,d(e,f),*".
func parseFields(s string) (mask, error) {
	p := maskParser{s: s}
	m, err := p.list()
	if err != nil {
		return nil, err
	}
	if p.at != len(s) {
		return nil, fmt.Errorf("%q", s[p.at:])
	}
	return m, nil
}

type maskParser struct {
	s     string
	at    int
	depth int
}

func (p *maskParser) list() (mask, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("nesting")
	}
	defer func() { p.depth-- }()
	m := mask{}
	for {
		if err := p.item(m); err != nil {
			return nil, err
		}
		if !p.take(',') {
			return m, nil
		}
	}
}

func (p *maskParser) item(into mask) error {
	name := p.name()
	if name == "" {
		return fmt.Errorf("%q", p.s[p.at:])
	}
	below, seen := into[name]
	switch {
	case p.take('/'):
		m := mask{}
		if err := p.item(m); err != nil {
			return err
		}
		into[name] = merge(below, m, seen)
	case p.take('('):
		m, err := p.list()
		if err != nil {
			return err
		}
		if !p.take(')') {
			return fmt.Errorf("%q", p.s[p.at:])
		}
		into[name] = merge(below, m, seen)
	default:
		into[name] = nil
	}
	return nil
}

// merge joins what two selectors keep of one field; nil is everything.
func merge(a, b mask, seen bool) mask {
	if !seen {
		return b
	}
	if a == nil || b == nil {
		return nil
	}
	for name, below := range b {
		old, had := a[name]
		a[name] = merge(old, below, had)
	}
	return a
}

func (p *maskParser) name() string {
	begin := p.at
	for p.at < len(p.s) && !strings.ContainsRune(",/()", rune(p.s[p.at])) {
		p.at++
	}
	return strings.TrimSpace(p.s[begin:p.at])
}

func (p *maskParser) take(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

// selectFields returns v with what the `fields` parameter names alone; without one v itself. A name
// that v's type does not have is an error.
func selectFields(v any, fields string) (any, error) {
	if fields == "" {
		return v, nil
	}
	m, err := parseFields(fields)
	if err != nil {
		return nil, err
	}
	return m.apply(reflect.ValueOf(v), "")
}

func (m mask) apply(v reflect.Value, path string) (any, error) {
	switch {
	case m == nil:
		return v.Interface(), nil
	case v.Kind() == reflect.Pointer:
		return m.apply(v.Elem(), path)
	case v.Kind() == reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			kept, err := m.apply(v.Index(i), path)
			if err != nil {
				return nil, err
			}
			out[i] = kept
		}
		return out, m.check(v.Type().Elem(), path)
	case v.Kind() != reflect.Struct:
		return nil, fmt.Errorf("%s", path)
	}
	if err := m.check(v.Type(), path); err != nil {
		return nil, err
	}
	out := map[string]any{}
	for i := range v.NumField() {
		name, omit := jsonName(v.Type().Field(i))
		below, named := m[name]
		if !named {
			if below, named = m["*"]; !named {
				continue
			}
		}
		if omit && v.Field(i).IsZero() {
			continue
		}
		kept, err := below.apply(v.Field(i), join(path, name))
		if err != nil {
			return nil, err
		}
		out[name] = kept
	}
	return out, nil
}

// check refuses names that the type does not have.
func (m mask) check(t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		if m != nil {
			return fmt.Errorf("%s", path)
		}
		return nil
	}
	for name, below := range m {
		if name == "*" {
			continue
		}
		found := false
		for f := range t.Fields() {
			if n, _ := jsonName(f); n == name {
				found = true
				if below == nil {
					continue
				}
				if err := below.check(f.Type, join(path, name)); err != nil {
					return err
				}
			}
		}
		if !found {
			return fmt.Errorf("%s", join(path, name))
		}
	}
	return nil
}

func jsonName(f reflect.StructField) (name string, omitEmpty bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, strings.Contains(options, "omitempty")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}
