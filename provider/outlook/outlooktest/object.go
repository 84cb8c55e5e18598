package outlooktest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// object writes a JSON object with its members in the order in which they come.
type object struct {
	b     bytes.Buffer
	began bool
}

func newObject() *object { return &object{} }

func (o *object) name(name string) {
	if o.began {
		o.b.WriteByte(',')
	} else {
		o.b.WriteByte('{')
		o.began = true
	}
	o.b.WriteByte('"')
	o.b.WriteString(name) // all names are ours and need no escape
	o.b.WriteString(`":`)
}

func (o *object) raw(name string, value []byte) {
	o.name(name)
	o.b.Write(value)
}

func (o *object) text(name, value string)           { o.raw(name, quote(value)) }
func (o *object) number(name string, n int)         { o.raw(name, strconv.AppendInt(nil, int64(n), 10)) }
func (o *object) truth(name string, t bool)         { o.raw(name, strconv.AppendBool(nil, t)) }
func (o *object) object(name string, value *object) { o.raw(name, value.bytes()) }
func (o *object) list(name string, values [][]byte) { o.raw(name, array(values)) }
func (o *object) null(name string)                  { o.raw(name, []byte("null")) }
func (o *object) instant(name string, t time.Time)  { o.text(name, instant(t)) }
func (o *object) texts(name string, values []string) {
	list := make([][]byte, len(values))
	for i, v := range values {
		list[i] = quote(v)
	}
	o.list(name, list)
}

// bytes ends the object. Nothing may be added afterwards.
func (o *object) bytes() []byte {
	if !o.began {
		return []byte("{}")
	}
	out := o.b.Bytes()
	return append(out[:len(out):len(out)], '}')
}

func array(values [][]byte) []byte {
	out := append([]byte{'['}, bytes.Join(values, []byte{','})...)
	return append(out, ']')
}

// quote writes a JSON string as Graph does: without escapes for HTML.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// instant is how Graph writes a time: UTC in whole seconds.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
