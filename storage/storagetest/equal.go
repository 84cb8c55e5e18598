package storagetest

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// equal notes every place where got differs from want. Nil and empty lists and maps are the same.
// Times must be the same moment, and in UTC.
func equal(t T, what string, got, want any) {
	t.Helper()
	var d differ
	d.values("", reflect.ValueOf(got), reflect.ValueOf(want))
	if len(d.lines) > 0 {
		t.Errorf("%s is not as it should be:\n%s", what, strings.Join(d.lines, "\n"))
	}
}

// alike says whether equal would find nothing.
func alike(got, want any) bool {
	var d differ
	d.values("", reflect.ValueOf(got), reflect.ValueOf(want))
	return len(d.lines) == 0
}

type differ struct{ lines []string }

const maxLines, maxShown = 12, 200

func (d *differ) note(path string, got, want any) {
	switch {
	case len(d.lines) < maxLines:
		d.lines = append(d.lines, fmt.Sprintf("  %s: got %s, want %s",
			strings.TrimPrefix(path, "."), show(got), show(want)))
	case len(d.lines) == maxLines:
		d.lines = append(d.lines, "  and more")
	}
}

func show(v any) string {
	text := fmt.Sprintf("%+v", v)
	if s, is := v.(string); is {
		text = fmt.Sprintf("%q", s)
	}
	if len(text) > maxShown {
		return fmt.Sprintf("%s… (%d bytes)", text[:maxShown], len(text))
	}
	return text
}

var timeType = reflect.TypeFor[time.Time]()

func (d *differ) values(path string, got, want reflect.Value) {
	if !got.IsValid() || !want.IsValid() || got.Type() != want.Type() {
		if got.IsValid() || want.IsValid() {
			d.note(path, got, want)
		}
		return
	}
	switch got.Kind() {
	case reflect.Pointer, reflect.Interface:
		if got.IsNil() || want.IsNil() {
			if got.IsNil() != want.IsNil() {
				d.note(path, got.Interface(), want.Interface())
			}
			return
		}
		d.values(path, got.Elem(), want.Elem())
	case reflect.Slice:
		d.lists(path, got, want)
	case reflect.Map:
		d.maps(path, got, want)
	case reflect.Struct:
		d.structs(path, got, want)
	default:
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			d.note(path, got.Interface(), want.Interface())
		}
	}
}

func (d *differ) lists(path string, got, want reflect.Value) {
	if got.Len() != want.Len() {
		d.note(path+" (length)", got.Len(), want.Len())
		d.note(path, got.Interface(), want.Interface())
		return
	}
	for i := range got.Len() {
		d.values(fmt.Sprintf("%s[%d]", path, i), got.Index(i), want.Index(i))
	}
}

func (d *differ) maps(path string, got, want reflect.Value) {
	for _, k := range want.MapKeys() {
		at := fmt.Sprintf("%s[%v]", path, k)
		if !got.MapIndex(k).IsValid() {
			d.note(at, "nothing", want.MapIndex(k).Interface())
			continue
		}
		d.values(at, got.MapIndex(k), want.MapIndex(k))
	}
	for _, k := range got.MapKeys() {
		if !want.MapIndex(k).IsValid() {
			d.note(fmt.Sprintf("%s[%v]", path, k), got.MapIndex(k).Interface(), "nothing")
		}
	}
}

func (d *differ) structs(path string, got, want reflect.Value) {
	if got.Type() == timeType {
		g, w := got.Interface().(time.Time), want.Interface().(time.Time)
		if !g.Equal(w) || g.IsZero() != w.IsZero() || g.Location().String() != "UTC" {
			d.note(path, g.Format(time.RFC3339Nano)+" in "+g.Location().String(),
				w.UTC().Format(time.RFC3339Nano)+" in UTC")
		}
		return
	}
	if opaque(got.Type()) {
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			d.note(path, got.Interface(), want.Interface())
		}
		return
	}
	for i := range got.NumField() {
		d.values(path+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i))
	}
}

// opaque says whether a struct hides fields, so that only its package can tell what they mean.
func opaque(t reflect.Type) bool {
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return true
		}
	}
	return false
}
