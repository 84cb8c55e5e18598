package sqlstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"
)

// micros is a time as it is stored: microseconds since 1970 in UTC. The zero time is the number of
// its own moment, and sorts before all others.
func micros(t time.Time) int64 { return t.UnixMicro() }

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

const maxMicros = math.MaxInt64

var zeroMicros = micros(time.Time{})

// nullMoment is a column that holds a moment or NULL, which is the zero time.
type nullMoment struct{ time.Time }

// Scan reads the column.
func (m *nullMoment) Scan(column any) error {
	m.Time = time.Time{}
	if column == nil {
		return nil
	}
	var at sql.NullInt64
	if err := at.Scan(column); err != nil {
		return fmt.Errorf("a moment is stored as %T", column)
	}
	m.Time = moment(at.Int64)
	return nil
}

// orNull stores an empty text as NULL, which partial indexes leave out.
func orNull[T ~string](v T) any {
	if v == "" {
		return nil
	}
	return string(v)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// encode writes a value as the JSON of a doc column.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// decode reads a doc column into the value into points to. Times come out in UTC and cut to
// microseconds, whatever was stored.
func decode(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return err
	}
	cutTimes(reflect.ValueOf(into))
	return nil
}

// stored returns the value as it comes back from its doc.
func stored[T any](doc string) (v T, err error) {
	err = decode(doc, &v)
	return v, err
}

var timeType = reflect.TypeFor[time.Time]()

// cutTimes brings every time in what v points to to its stored form. No type that is stored keeps
// times in a map.
func cutTimes(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			cutTimes(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if !mayHold(v.Type().Elem()) {
			return
		}
		for i := range v.Len() {
			cutTimes(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == timeType {
			if v.CanSet() {
				t := v.Interface().(time.Time)
				v.Set(reflect.ValueOf(t.UTC().Truncate(time.Microsecond)))
			}
			return
		}
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && mayHold(f.Type()) {
				cutTimes(f)
			}
		}
	}
}

// mayHold says whether a value of the type can lead to a time.
func mayHold(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Array:
		return true
	}
	return false
}
