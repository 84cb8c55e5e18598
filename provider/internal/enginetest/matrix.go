package enginetest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

// Matrix is every way in which the calls to one service go wrong, and a file that says how it ends.
type Matrix struct {
	File  string // in testdata
	Head  string // of the file: what the reader must know
	Flows []Flow
}

// sample is which part of the mishaps is played where tests are to be short: one of so many.
const sample = 8

// Run plays every Flow with every Mishap, once and lasting, and compares with the file. With update it
// writes the file anew. Where tests are to be short it plays some of each Flow, and compares nothing.
func (x Matrix) Run(t *testing.T, update bool) {
	t.Helper()
	stories := make([][][2]string, len(x.Flows))
	t.Run("cells", func(t *testing.T) {
		for i, f := range x.Flows {
			stories[i] = make([][2]string, len(f.Mishaps))
			for j, m := range f.Mishaps {
				if testing.Short() && (i+j)%sample != 0 {
					continue
				}
				t.Run(f.name(m), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { stories[i][j][0] = play(t, f, m, false) })
					synctest.Test(t, func(t *testing.T) { stories[i][j][1] = play(t, f, m, true) })
				})
			}
		}
	})
	if slices.ContainsFunc(stories, func(of [][2]string) bool { return slices.Contains(of, [2]string{}) }) {
		t.Skip("not all of it was played")
	}
	got := x.render(stories)
	if update {
		require.NoError(t, os.WriteFile(x.File, got, 0o644))
	}
	want, err := os.ReadFile(x.File)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func (x Matrix) render(stories [][][2]string) []byte {
	var out bytes.Buffer
	out.WriteString(x.Head)
	for i, f := range x.Flows {
		fmt.Fprintf(&out, "\n%s: %s\n\n", f.What, f.Call)
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "\tonce\tlasting\n")
		for j, m := range f.Mishaps {
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, stories[i][j][0], stories[i][j][1])
		}
		_ = w.Flush() // into memory
	}
	return out.Bytes()
}

// OfClients are the rules of an inbox that takes mail of clients alone, so that searches hold what
// must not be said.
var OfClients = filter.Rules{Mode: filter.ClientAssociated}

// KnowBob makes Bob a client.
func (e *Engine) KnowBob() {
	e.t.Helper()
	_, err := e.Desk.Inboxes.CreateCompany(e.t.Context(), e.Actor("olga"),
		inbox.CompanyEdit{Name: "Other", Domains: []string{bobsDomain}})
	require.NoError(e.t, err)
}

// play has a fault hit a call and tells the story.
func play(t *testing.T, f Flow, m Mishap, lasting bool) string {
	November()
	e := f.Open(t)
	e.KnowBob()
	f.Prepare(e)
	fault, rounds := f.aim(m.Make()), 1
	if lasting {
		fault.Times, rounds = -1, 3
	}
	in := e.c.Server.Fail(fault)
	seen := &story{}
	if f.Act != nil {
		f.Act(e)
		seen.add(e.look())
	}
	for i := range rounds {
		if f.Act != nil || i > 0 {
			time.Sleep(time.Minute)
		}
		if e.connecting() {
			if lasting {
				f.Act(e)
				seen.add(e.look())
			}
			continue
		}
		_ = e.round() // it shows in the health
		seen.add(e.look())
	}
	require.Positive(t, in.Hits(), "the call is not made")
	e.c.Server.Heal()
	end := &story{}
	e.recover(end)
	time.Sleep(time.Minute) // what was accepted may leave later
	require.NoError(t, e.Step())
	e.Complete(Damage{Gone: m.Gone, Short: m.Short && f.Raw})
	e.Silent()
	return seen.String() + " | " + strings.TrimPrefix(end.String(), seen.last()+" → ")
}

// story is what was to be seen, without repetitions.
type story struct{ lines []string }

func (s *story) add(line string) {
	if len(s.lines) == 0 || s.last() != line {
		s.lines = append(s.lines, line)
	}
}

func (s *story) last() string { return s.lines[len(s.lines)-1] }

func (s *story) String() string { return strings.Join(s.lines, " → ") }
