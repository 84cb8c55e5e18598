package gmailtest_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
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
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/ticket"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew")

const matrixFile = "testdata/matrix.txt"

const matrixHead = `What people see when a call to Gmail goes wrong, and how it ends.

"once" is a fault that hits one call. "lasting" hits every such call for three rounds a minute
apart, then is over. Each column tells the inbox's state, its last error, the mail that waits to be
tried again, or the state of the mail that is sent, as it was after each round, and behind the bar
how it ends when the fault is over. What stands in brackets a person has done; all else the library
does by itself. After every cell each ledger balances, each mail is stored once and in one ticket,
none is missing but what Gmail itself called gone, and no mail was sent twice.

Rewritten by: go test -run TestMatrix -update
`

// Every fault, at every call, in every flow.
func TestMatrix(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays 1,400 mishaps")
	}
	stories := make([][][2]string, len(flows))
	t.Run("cells", func(t *testing.T) {
		for i, f := range flows {
			stories[i] = make([][2]string, len(f.mishaps))
			for j, m := range f.mishaps {
				t.Run(f.what+"/"+f.call+"/"+m.name, func(t *testing.T) {
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
	got := render(stories)
	if *update {
		require.NoError(t, os.WriteFile(matrixFile, got, 0o644))
	}
	want, err := os.ReadFile(matrixFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func render(stories [][][2]string) []byte {
	var out bytes.Buffer
	out.WriteString(matrixHead)
	for i, f := range flows {
		fmt.Fprintf(&out, "\n%s: %s\n\n", f.what, f.call)
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "\tonce\tlasting\n")
		for j, m := range f.mishaps {
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.name, stories[i][j][0], stories[i][j][1])
		}
		_ = w.Flush() // into memory
	}
	return out.Bytes()
}

// play has a fault hit a call and tells the story.
func play(t *testing.T, f flow, m mishap, lasting bool) string {
	november()
	// Of clients alone, so that searches hold what must not be said.
	e := newEngine(t, engineConfig{strict: f.strict, rules: filter.Rules{Mode: filter.ClientAssociated}})
	_, err := e.desk.Inboxes.CreateCompany(t.Context(), e.actor("olga"),
		inbox.CompanyEdit{Name: "Other", Domains: []string{"other.example"}})
	require.NoError(t, err)
	f.prepare(e)
	fault, rounds := f.aim(m.make()), 1
	if lasting {
		fault.Times, rounds = -1, 3
	}
	if m.name == doneBut504 {
		e.gateway.fail(cmp.Or(fault.Times, 1), f.is)
	}
	in := e.s.Fail(fault)
	seen := &story{}
	if f.act != nil {
		f.act(e)
		seen.add(e.look())
	}
	for i := range rounds {
		if f.act != nil || i > 0 {
			time.Sleep(time.Minute)
		}
		if e.connecting() {
			if lasting {
				f.act(e)
				seen.add(e.look())
			}
			continue
		}
		_ = e.round() // it shows in the health
		seen.add(e.look())
	}
	require.Positive(t, in.Hits(), "the call is not made")
	require.Equal(t, m.name == doneBut504, e.gateway.count() > 0)
	e.s.Heal()
	e.gateway.fail(0, nil)
	end := &story{}
	e.recover(end)
	e.complete(m.name == "404")
	e.silent()
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

func (e *engine) connecting() bool {
	state := e.health().State
	return state == inbox.StateDraft || state == inbox.StateConnecting
}

// look is what people see of the inbox and of the mail that is sent.
func (e *engine) look() string {
	h := e.health()
	var parts []string
	for _, entry := range e.outgoing() {
		parts = append(parts, strings.TrimSpace(string(entry.Outgoing.State)+" "+entry.Outgoing.Error))
	}
	state := string(h.State)
	if h.LastError != "" {
		state += " " + h.LastError
	}
	if e.connecting() && e.refused != nil {
		state = "refused: " + kindOf(e.refused)
	}
	if len(parts) == 0 || state != "active" {
		parts = append(parts, state)
	}
	if h.Queued > 0 {
		parts = append(parts, "some wait")
	}
	if h.Poisoned > 0 {
		parts = append(parts, "some given up")
	}
	return strings.Join(parts, ", ")
}

// kindOf names what an error asks people to do.
func kindOf(err error) string {
	for _, known := range []error{
		provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig, provider.ErrInsufficientScope,
		provider.ErrRetry, provider.ErrGone,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "error"
}

// recover lets the library, and people where they must, get over what has happened.
func (e *engine) recover(seen *story) {
	e.t.Helper()
	for range 60 {
		now := e.look()
		if did := e.help(); did != "" {
			seen.add(now)
			seen.add("[" + did + "]")
		}
		if !e.connecting() && e.round() == nil && e.quiet() {
			seen.add(e.look())
			return
		}
		time.Sleep(5 * time.Minute)
	}
	e.t.Fatalf("not over: %s; %s", e.look(), e.said.all())
}

func (e *engine) quiet() bool {
	out := e.outgoing()
	return e.health().Queued == 0 && (len(out) == 0 || out[len(out)-1].Outgoing.State == ticket.OutgoingSent)
}

// help is what a person does who sees that the library is at its end.
func (e *engine) help() string {
	e.t.Helper()
	switch e.health().State {
	case inbox.StateDraft, inbox.StateConnecting:
		e.connect()
		return "connects again"
	case inbox.StateNeedsReauth:
		require.NoError(e.t, e.consent())
		return "connects again"
	}
	all := e.outgoing()
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1]
	switch last.Outgoing.State {
	case ticket.OutgoingFailed:
		e.reply(0)
		return "writes again"
	case ticket.OutgoingUnknown:
		left := slices.ContainsFunc(e.a.Sent(), func(m gmailtest.SentMail) bool {
			return bytes.Contains(m.Raw, []byte(last.Outgoing.Marker))
		})
		_, err := e.desk.Tickets.Resolve(e.t.Context(), e.actor("rita"), last.Ticket, last.ID, left)
		require.NoError(e.t, err)
		return map[bool]string{true: "looks: it was sent", false: "looks: it was not sent"}[left]
	}
	return ""
}

// complete fails when a ledger does not balance, when mail is missing or there twice, or when one was
// sent twice.
func (e *engine) complete(gone bool) {
	e.t.Helper()
	ctx := e.t.Context()
	for _, r := range runs(ctx, e.t, e) {
		require.NoError(e.t, r.Balance())
	}
	have := make(map[provider.RemoteID]inbox.Message)
	for m, err := range e.store.Messages(ctx, inbox.MessageQuery{Inbox: e.id, Hidden: true}) {
		require.NoError(e.t, err)
		require.NotContains(e.t, have, m.Remote, "stored twice")
		have[m.Remote] = m
		n := 0
		for entry, err := range e.store.Entries(ctx, ticket.EntryQuery{Inbox: e.id, Messages: []inbox.MessageID{m.ID}}) {
			require.NoError(e.t, err)
			n++
			_ = entry
		}
		require.Equal(e.t, 1, n, "entries of one mail")
	}
	e.nothingMissing(have, gone)
	markers := make(map[string]bool)
	for _, sent := range e.a.Sent() {
		marker := header(e.t, sent.Raw).Get(provider.MarkerHeader)
		require.False(e.t, markers[marker], "sent twice")
		markers[marker] = true
	}
	if out := e.outgoing(); len(out) > 0 {
		require.Len(e.t, e.a.Sent(), 1, "what the person wrote")
		require.Equal(e.t, ticket.OutgoingSent, out[len(out)-1].Outgoing.State)
	}
}

// nothingMissing fails when mail of the account is not stored as it is there. With gone, Gmail has said
// of some that it is gone.
func (e *engine) nothingMissing(have map[provider.RemoteID]inbox.Message, gone bool) {
	e.t.Helper()
	for _, m := range e.a.Messages() {
		aside := slices.Contains(m.Labels, "SPAM") || slices.Contains(m.Labels, "TRASH")
		id := provider.RemoteID(m.ID)
		got, stored := have[id]
		if !stored {
			seen, err := e.store.Seen(e.t.Context(), e.id, []provider.RemoteID{id})
			require.NoError(e.t, err)
			require.True(e.t, aside || gone && (seen[id].State == inbox.SeenGone || seen[id].State == ""), "mail is missing: %v", seen[id].State)
			continue
		}
		// What Gmail calls gone is not asked for again.
		require.True(e.t, gone || slices.Contains(m.Labels, "UNREAD") == got.Unread, "read or not")
	}
}
