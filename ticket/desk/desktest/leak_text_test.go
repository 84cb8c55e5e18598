package desktest_test

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// spell writes everything a value tells: its exported fields all the way down, what is behind
// pointers, the texts it makes of itself, the pairs of an iterator and the bytes of a stream.
func spell(values ...any) string {
	var b strings.Builder
	for _, v := range values {
		spellValue(&b, reflect.ValueOf(v), 0)
	}
	return strings.ToLower(b.String())
}

func spellValue(b *strings.Builder, v reflect.Value, depth int) {
	if !v.IsValid() || depth > 30 {
		return
	}
	if v.CanInterface() && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		spellOwn(b, v.Interface())
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			spellValue(b, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				b.WriteString(f.Name + " ")
				spellValue(b, v.Field(i), depth+1)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			b.Write(v.Bytes())
			b.WriteByte(' ')
			return
		}
		for i := range v.Len() {
			spellValue(b, v.Index(i), depth+1)
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			spellValue(b, key, depth+1)
			spellValue(b, value, depth+1)
		}
	case reflect.Func:
		spellFunc(b, v, depth)
	default:
		fmt.Fprint(b, v, " ")
	}
}

// spellOwn writes the texts a value makes of itself, and what a stream holds.
func spellOwn(b *strings.Builder, v any) {
	if e, ok := v.(error); ok {
		b.WriteString(e.Error() + " ")
	}
	if s, ok := v.(fmt.Stringer); ok {
		b.WriteString(s.String() + " ")
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, _ := m.MarshalText()
		b.WriteString(string(text) + " ")
	}
	if r, ok := v.(io.Reader); ok {
		all, err := io.ReadAll(r)
		fmt.Fprint(b, string(all), " ", err, " ")
		if c, ok := v.(io.Closer); ok {
			_ = c.Close()
		}
	}
}

// spellFunc goes through an iterator.
func spellFunc(b *strings.Builder, v reflect.Value, depth int) {
	switch {
	case v.IsNil():
	case v.Type().CanSeq2():
		for key, value := range v.Seq2() {
			spellValue(b, key, depth+1)
			spellValue(b, value, depth+1)
			b.WriteByte('\n')
		}
	case v.Type().CanSeq():
		for value := range v.Seq() {
			spellValue(b, value, depth+1)
			b.WriteByte('\n')
		}
	default:
		panic(fmt.Sprintf("a result of type %s: say in spellFunc how it is read", v.Type()))
	}
}
