package gmail

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// cursorVersion changes whenever a cursor of before could be misread.
const cursorVersion = 1

// place is what a cursor stands for: a place in the first walk, or in the history.
type place struct {
	Version int `json:"v"`
	// History is the id after which history is to be read. During a walk it is the one from before
	// the walk began.
	History uint64 `json:"h,string"`
	Walking bool   `json:"w,omitempty"`

	// Page is the token of the list's page the walk stands on, empty on the first one.
	Page string `json:"p,omitempty"`
	// Last is the id on that page behind which the walk goes on; empty at its beginning.
	Last string `json:"l,omitempty"`
	// Received is when the last message that was yielded was received, in milliseconds since 1970;
	// zero when there is none. From there the walk goes on where page and id are of no use any more.
	Received int64 `json:"r,omitempty"`
	// Before bounds a list that was begun again, in seconds since 1970, exclusive; zero does not.
	Before int64 `json:"b,omitempty"`
}

// restartMargin is how much of a walk is read again when its list has to be begun again from a
// received time: the order of a list is observed, not documented.
const restartMargin = 24 * time.Hour

func (p place) cursor() provider.Cursor {
	p.Version = cursorVersion
	text, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("gmail: cursor: %v", err)) // numbers and strings always marshal
	}
	return provider.Cursor(text)
}

// parseCursor reads a cursor that is not zero. One of another version, or of something else, is a
// provider.ErrCursorExpired.
func parseCursor(c provider.Cursor) (place, error) {
	var p place
	if err := json.Unmarshal([]byte(c), &p); err != nil || p.Version != cursorVersion || p.History == 0 {
		return place{}, fmt.Errorf("gmail: cursor of %d bytes is none of version %d: %w", len(c), cursorVersion,
			provider.ErrCursorExpired)
	}
	return p, nil
}

// live is the place in the history where a walk ends.
func (p place) live() place { return place{History: p.History} }

// again is the place from which a list goes on whose page or last id is not there any more. It is
// false where that would be no step ahead.
func (p place) again() (place, bool) {
	next := place{History: p.History, Walking: true, Received: p.Received}
	if p.Received != 0 {
		next.Before = time.UnixMilli(p.Received).Add(restartMargin).Unix() + 1
	}
	if p.Before != 0 && (next.Before == 0 || next.Before >= p.Before) {
		return p, false
	}
	return next, true
}
