package storagetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/workinbox/workinbox/filter"
)

// day is the time everything here happens around. It has microseconds on purpose.
var day = time.Date(2026, time.March, 2, 9, 30, 0, 123456000, time.UTC)

// at returns a time n minutes after day.
func at(n int) time.Time { return day.Add(time.Duration(n) * time.Minute) }

// full returns a T with something in every field, in lists and behind pointers too. Called again
// with the same name it returns an equal value that shares nothing with the first. Texts of lists
// rise in byte order.
func full[V any](name string) V {
	var v V
	f := filler{name: name}
	f.fill(reflect.ValueOf(&v).Elem(), "")
	return v
}

type filler struct {
	name string
	n    int
}

func (f *filler) fill(v reflect.Value, field string) {
	f.n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(day.Add(time.Duration(f.n) * 1001 * time.Microsecond)))
		return
	case time.Duration:
		v.SetInt(int64(f.n) * int64(time.Hour))
		return
	case filter.Pattern:
		v.Set(reflect.ValueOf(pattern(fmt.Sprintf("*.%s-%02d.example", f.name, f.n))))
		return
	case filter.Domain:
		d, err := filter.ParseDomain(fmt.Sprintf("%s-%02d.example", f.name, f.n))
		if err != nil {
			panic(err)
		}
		v.Set(reflect.ValueOf(d))
		return
	case filter.Exclusion:
		v.Set(reflect.ValueOf(filter.Exclusion{
			Address: fmt.Sprintf("%s%02d@example.com", f.name, f.n), Personal: true,
		}))
		return
	}
	f.fillKind(v, field)
}

func (f *filler) fillKind(v reflect.Value, field string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %s %03d", f.name, field, f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Uint64:
		v.SetUint(uint64(f.n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), field)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0), field)
		f.fill(v.Index(1), field)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, field)
		f.fill(value, field)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i), v.Type().Field(i).Name)
		}
	default:
		panic(fmt.Sprintf("no way to fill %s of type %s", field, v.Type()))
	}
}

// pattern reads a company's pattern.
func pattern(s string) filter.Pattern {
	p, err := filter.ParseCompanyPattern(s, filter.CompanyOptions{})
	if err != nil {
		panic(err)
	}
	return p
}

// scramble changes whatever can be reached through the lists, maps and pointers of *v.
func scramble[V any](v *V) { scrambleValue(reflect.ValueOf(v).Elem(), false) }

func scrambleValue(v reflect.Value, reached bool) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			scrambleValue(v.Elem(), false)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scrambleValue(v.Elem(), true)
		}
	case reflect.Slice:
		for i := range v.Len() {
			scrambleValue(v.Index(i), true)
		}
	case reflect.Map:
		v.Clear()
	case reflect.Struct:
		if v.Type() != timeType && !opaque(v.Type()) {
			for i := range v.NumField() {
				scrambleValue(v.Field(i), reached)
			}
			return
		}
		if reached {
			v.SetZero()
		}
	default:
		if reached {
			v.SetZero()
		}
	}
}
