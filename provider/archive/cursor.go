package archive

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/provider"
)

// state is what a reader of the stream knows of the archive: the index at one look. The value that
// made the index knows it by number, another process by its digests alone.
type state struct {
	nonce   string
	gen     uint32
	digests [buckets]uint32
}

func (a *Archive) state(ix *index) state { return state{a.nonce, ix.gen, ix.digests} }

// position is what a cursor stands for.
type position struct {
	walking bool
	// target is what the reader knows when the round is at its end.
	target state
	// begun says that the round is under way: at is the last message it has told, and where it is no
	// walk, since is what the reader knew before.
	begun bool
	at    place
	since state
}

func (s state) encode() string {
	b := binary.LittleEndian.AppendUint32(nil, s.gen)
	for _, d := range s.digests {
		b = binary.LittleEndian.AppendUint32(b, d)
	}
	return s.nonce + "." + base64.RawURLEncoding.EncodeToString(b)
}

func parseState(text string) (state, bool) {
	nonce, data, _ := strings.Cut(text, ".")
	b, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil || len(b) != 4+4*buckets {
		return state{}, false
	}
	s := state{nonce: nonce, gen: binary.LittleEndian.Uint32(b)}
	for i := range s.digests {
		s.digests[i] = binary.LittleEndian.Uint32(b[4+4*i:])
	}
	return s, true
}

func (p position) cursor() provider.Cursor {
	word := "live"
	if p.walking {
		word = "walk"
	}
	text := word + " " + p.target.encode()
	if p.begun {
		text += fmt.Sprintf(" %d %s", p.at.received, p.at.id)
		if !p.walking {
			text += " " + p.since.encode()
		}
	}
	return provider.Cursor(text)
}

func parseCursor(c provider.Cursor) (p position, ok bool) {
	words := strings.Fields(string(c))
	if len(words) < 2 || words[0] != "walk" && words[0] != "live" {
		return p, false
	}
	p.walking, p.begun = words[0] == "walk", len(words) > 2
	if p.target, ok = parseState(words[1]); !ok || !p.begun {
		return p, ok && !p.walking
	}
	want := 5
	if p.walking {
		want = 4
	}
	if len(words) != want {
		return p, false
	}
	if _, err := fmt.Sscanf(words[2], "%d", &p.at.received); err != nil {
		return p, false
	}
	if p.at.id, ok = parseIdent(words[3]); !ok || p.walking {
		return p, ok
	}
	p.since, ok = parseState(words[4])
	return p, ok
}

// news says whether the reader whose state this is has yet to be told of a message: exactly, where
// this process made the state; else of all messages in the parts that have changed.
func (s state) news(a *Archive, ix *index, e *entry) bool {
	if s.nonce == a.nonce {
		return e.gen > s.gen
	}
	b := e.id.bucket()
	return s.digests[b] != ix.digests[b]
}

// removed lists what went since, as far as this process knows.
func (s state) removed(a *Archive, ix *index) []provider.RemoteID {
	var ids []provider.RemoteID
	for _, t := range ix.removed {
		if s.nonce != a.nonce || t.gen <= s.gen {
			continue
		}
		if _, back := ix.find(t.id); !back {
			ids = append(ids, provider.RemoteID(t.id.String()))
		}
	}
	return ids
}
