package outlook

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// cursorVersion changes whenever a cursor of before could be misread.
const cursorVersion = 1

// place is what a cursor stands for: a place in the first walk, or in the changes of all folders.
type place struct {
	Version int `json:"v"`
	// Round is when the changes of all folders were read last, in Unix seconds; during a walk it is
	// when the walk began.
	Round int64 `json:"t"`
	// Since is from when on mail is of interest at all: Walk.Since, or zero.
	Since int64 `json:"n,omitempty"`
	Tree  tree  `json:"d"`

	Walking bool `json:"w,omitempty"`
	// Before bounds what is left of a walk: received before that second. Zero does not.
	Before int64 `json:"b,omitempty"`
	// Seen are the messages of the last second before Before that have been yielded.
	Seen []mark `json:"s,omitempty"`
}

// mark stands for a message in a place. It is short: there may be many of one second.
type mark uint64

func markOf(id string) mark {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return mark(h.Sum64())
}

const (
	// compressFrom is the length of a cursor from which it is stored compressed: a mailbox with
	// hundreds of folders has a link of a kilobyte for each.
	compressFrom = 2 << 10
	packed       = "z"
	// maxCursor bounds what a cursor unpacks to.
	maxCursor = 64 << 20
)

func (p place) cursor() provider.Cursor {
	p.Version = cursorVersion
	text, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("outlook: cursor: %v", err)) // numbers and strings always marshal
	}
	if len(text) < compressFrom {
		return provider.Cursor(text)
	}
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.DefaultCompression) // the level is one of flate's
	_, _ = w.Write(text)                                  // memory does not fail
	_ = w.Close()
	return provider.Cursor(packed + base64.RawStdEncoding.EncodeToString(b.Bytes()))
}

// parseCursor reads a cursor that is not zero. One of another version, or of something else, is a
// provider.ErrCursorExpired.
func parseCursor(c provider.Cursor) (place, error) {
	p, err := unpack(string(c))
	if err != nil || p.Version != cursorVersion || p.Round == 0 {
		return place{}, fmt.Errorf("outlook: cursor of %d bytes is none of version %d: %w", len(c), cursorVersion,
			provider.ErrCursorExpired)
	}
	return p, nil
}

func unpack(text string) (p place, err error) {
	raw := []byte(text)
	if rest, ok := strings.CutPrefix(text, packed); ok {
		if raw, err = base64.RawStdEncoding.DecodeString(rest); err != nil {
			return p, err
		}
		r := flate.NewReader(bytes.NewReader(raw))
		if raw, err = io.ReadAll(io.LimitReader(r, maxCursor)); err != nil {
			return p, err
		}
	}
	return p, json.Unmarshal(raw, &p)
}

// live is the place where a walk ends and the changes since its beginning follow.
func (p place) live() place {
	return place{Round: p.Round, Since: p.Since, Tree: p.Tree}
}

// second is the time of a place.
func second(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
