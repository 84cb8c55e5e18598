package memory

import (
	"reflect"
	"sync"
	"time"
)

// clone returns a copy that shares nothing changeable with v, with all its times in UTC, cut to
// microseconds. What hides its fields, as filter.Pattern does, never changes and is shared.
func clone[T any](v T) T {
	if part := partOf(reflect.TypeFor[T]()); part != nil {
		part(reflect.ValueOf(&v).Elem())
	}
	return v
}

// utc cuts a time as clone does.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// part makes what an addressable value refers to its own.
type part func(v reflect.Value)

var (
	parts    sync.Map // part by reflect.Type; a nil one where there is nothing to do
	timeType = reflect.TypeFor[time.Time]()
)

func partOf(t reflect.Type) part {
	if known, ok := parts.Load(t); ok {
		return known.(part)
	}
	p := newPart(t)
	parts.Store(t, p)
	return p
}

func newPart(t reflect.Type) part {
	switch t.Kind() {
	case reflect.Struct:
		if t == timeType {
			return func(v reflect.Value) {
				at := v.Addr().Interface().(*time.Time)
				*at = utc(*at)
			}
		}
		return structPart(t)
	case reflect.Slice:
		return slicePart(partOf(t.Elem()))
	case reflect.Pointer:
		return pointerPart(partOf(t.Elem()))
	case reflect.Map:
		return mapPart(partOf(t.Elem()))
	}
	return nil
}

func structPart(t reflect.Type) part {
	type field struct {
		i    int
		part part
	}
	var fields []field
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return nil
		}
		if p := partOf(t.Field(i).Type); p != nil {
			fields = append(fields, field{i, p})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(v reflect.Value) {
		for _, f := range fields {
			f.part(v.Field(f.i))
		}
	}
}

func slicePart(elem part) part {
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		if elem != nil {
			for i := range v.Len() {
				elem(v.Index(i))
			}
		}
	}
}

func pointerPart(elem part) part {
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		own := reflect.New(v.Type().Elem())
		own.Elem().Set(v.Elem())
		v.Set(own)
		if elem != nil {
			elem(v.Elem())
		}
	}
}

func mapPart(elem part) part {
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		own := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(it.Value())
			if elem != nil {
				elem(value)
			}
			own.SetMapIndex(it.Key(), value)
		}
		v.Set(own)
	}
}
