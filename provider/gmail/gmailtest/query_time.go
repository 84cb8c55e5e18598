package gmailtest

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // days are those of Pacific time, also where the machine knows no zones
)

// pacific is the time zone in which Gmail's API reads dates
// (https://developers.google.com/workspace/gmail/api/guides/filtering).
var pacific = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(err) // the zone is compiled in
	}
	return zone
})

// moment reads seconds since 1970, or a date, which is its midnight Pacific time.
func moment(value string) (time.Time, bool) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Unix(n, 0), n >= 0 && n < 1<<40
	}
	for _, layout := range []string{"2006/1/2", "2006-1-2", "1/2/2006"} {
		if t, err := time.ParseInLocation(layout, value, pacific()); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func isMoment(value string) bool {
	_, ok := moment(value)
	return ok
}

// isAfter takes the moment itself with it: Google's own example of "January 2014" is
// after:2014/01/01 before:2014/02/01.
func isAfter(l *look, e *expr) bool {
	t, _ := moment(e.value)
	return !l.m.internal.Before(t)
}

func isBefore(l *look, e *expr) bool {
	t, _ := moment(e.value)
	return l.m.internal.Before(t)
}

// age reads "3d", "2m" and "1y" and gives the time that long before now.
func age(value string, now time.Time) (time.Time, bool) {
	if value == "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 16)
	if err != nil {
		return time.Time{}, false
	}
	switch value[len(value)-1] {
	case 'd', 'D':
		return now.AddDate(0, 0, -int(n)), true
	case 'm', 'M':
		return now.AddDate(0, -int(n), 0), true
	case 'y', 'Y':
		return now.AddDate(-int(n), 0, 0), true
	}
	return time.Time{}, false
}

func isAge(value string) bool {
	_, ok := age(value, time.Unix(0, 0))
	return ok
}

func isNewer(l *look, e *expr) bool {
	t, _ := age(e.value, l.now)
	return !l.m.internal.Before(t)
}

func isOlder(l *look, e *expr) bool {
	t, _ := age(e.value, l.now)
	return l.m.internal.Before(t)
}

// sizeOf reads a size: "1000000", "500K", "10M".
func sizeOf(value string) (int, bool) {
	value = strings.TrimSuffix(strings.ToUpper(value), "B")
	digits := strings.TrimRight(value, "KM")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return 0, false
	}
	switch value[len(digits):] {
	case "":
		return int(n), true
	case "K":
		return min(int(n)<<10, math.MaxInt32), true
	case "M":
		return min(int(n)<<20, math.MaxInt32), true
	}
	return 0, false
}

func isSize(value string) bool {
	_, ok := sizeOf(value)
	return ok
}

func isLarger(l *look, e *expr) bool {
	n, _ := sizeOf(e.value)
	return l.m.size > n
}

func isSmaller(l *look, e *expr) bool {
	n, _ := sizeOf(e.value)
	return l.m.size < n
}
