//go:build unix

package sqlstoretest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
	"github.com/workinbox/workinbox/ticket"
)

// Two processes work on one inbox: they reply, forward, send drafts with files, take mail back and let
// some leave earlier. Each is killed and started again: at a request or its answer, at a write to the
// store, at a blob, or by the mail service the moment a mail is handed over, which takes it or does not.
// Of the living it cuts some off as well, and each process has a clock of its own. In the end every mail
// left once, or was taken back and never left, and the history says so.
// A tenth of WORKINBOX_CRASH_ROUNDS says how often on each database and mail service, for a round is a
// dozen processes; WORKINBOX_CRASH_SEED says from which seed.
func TestKilledSendersSendOnce(t *testing.T) {
	t.Parallel()
	rounds, seed := max(1, envInt("WORKINBOX_CRASH_ROUNDS", 10)/10), uint64(envInt("WORKINBOX_CRASH_SEED", 1))
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		t.Run("Gmail", func(t *testing.T) {
			t.Parallel()
			killSenders(t, newSenders(t, d, gmailPosts), rounds, rand.New(rand.NewPCG(seed, 1)))
		})
		t.Run("Outlook", func(t *testing.T) {
			if testing.Short() {
				t.Skip("short: the processes and stores are those of Gmail")
			}
			t.Parallel()
			killSenders(t, newSenders(t, d, outlookPosts), rounds, rand.New(rand.NewPCG(seed, 2)))
		})
	})
}

func killSenders(t *testing.T, s *senders, rounds int, r *rand.Rand) {
	deaths := 0
	for range rounds {
		deaths += s.storm(t, r)
		s.settle(t)
		s.check(t)
	}
	s.checkBlobs(t, deaths)
	t.Logf("%d deaths, %d mails written, %d left", deaths, len(s.all), len(s.sent()))
}

// storm has two processes grant wishes until both are done, and returns how often one died.
func (s *senders) storm(t *testing.T, r *rand.Rand) (deaths int) {
	t.Helper()
	cut := rand.New(rand.NewPCG(r.Uint64(), 0)) // who is asked under a lock of the server
	s.onSend(true, func() bool { return cut.IntN(5) == 0 })
	defer s.heal()
	done := make(chan int)
	for range 2 {
		j := s.job
		j.Wishes = s.asked(t)
		j.Clock = []time.Duration{0, 0, -time.Hour, 24 * time.Hour}[r.IntN(4)]
		own := rand.New(rand.NewPCG(r.Uint64(), 0))
		go func() { done <- s.survive(t, own, j) }()
	}
	return <-done + <-done
}

// survive runs a process that dies one to three times, and once more to its end.
func (s *senders) survive(t *testing.T, r *rand.Rand, j sendJob) (deaths int) {
	for range 1 + r.IntN(3) {
		dying, arm := j, func(func()) {}
		switch r.IntN(4) {
		case 0:
			dying.Death = importtest.Death{Op: importtest.OpProvider, At: 1 + r.Int64N(60)}
		case 1:
			dying.Death = importtest.Death{Op: importtest.OpStore, At: 1 + r.Int64N(40)}
		case 2:
			dying.Death = importtest.Death{Op: importtest.OpBlobs, At: 1 + r.Int64N(20)}
		default: // the service kills it at a send of either process
			n, taken := 1+r.IntN(4), r.IntN(2) == 0
			arm = func(kill func()) {
				s.onSend(taken, func() bool {
					if n--; n == 0 {
						kill()
					}
					return n == 0
				})
			}
		}
		if s.run(t, dying, arm) {
			return deaths
		}
		deaths++
	}
	if !s.run(t, j, func(func()) {}) {
		t.Error("a process died that nobody killed")
	}
	return deaths
}

// run runs a process to its end and says whether it lived. arm gets what kills it.
func (s *senders) run(t *testing.T, j sendJob, arm func(kill func())) (lived bool) {
	text, err := json.Marshal(j)
	self, err2 := os.Executable()
	if err != nil || err2 != nil {
		t.Error(err, err2)
		return true
	}
	var said strings.Builder
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), sendEnv+"="+string(text))
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Error(err)
		return true
	}
	arm(func() { _ = c.Process.Kill() })
	if err = c.Wait(); err == nil {
		return true
	}
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
		return false
	}
	t.Errorf("a process that sends: %v: %s", err, said.String())
	return true
}

// settle lets the time pass until nothing is on its way, and then decides on what is in doubt.
func (s *senders) settle(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for step := 0; ; step++ {
		require.Less(t, step, 400, "nothing is on its way for ever")
		require.NoError(t, s.web.keep(ctx, s.job.Inbox))
		under, doubts := s.under(t)
		if under == 0 {
			for _, e := range doubts {
				require.Zero(t, s.count(t, e.Text), "what is at the service is in no doubt: %s", e.Text)
				_, err := s.web.desk.Tickets.Resolve(ctx, s.olivia(t), e.Ticket, e.ID, ticket.ResolutionSendAgain)
				require.NoError(t, err)
			}
			if len(doubts) == 0 {
				return
			}
			continue
		}
		s.ahead.Add(int64(10 * time.Minute))
	}
}

// under counts the mails on their way that are not for a far day, and returns those in doubt.
func (s *senders) under(t *testing.T) (n int, doubts []ticket.Entry) {
	t.Helper()
	for e, err := range s.web.store.Entries(t.Context(), ticket.EntryQuery{Inbox: s.job.Inbox}) {
		require.NoError(t, err)
		if e.Outgoing == nil {
			continue
		}
		switch e.Outgoing.State {
		case ticket.OutgoingQueued, ticket.OutgoingSending:
			n++
		case ticket.OutgoingUnknown:
			doubts = append(doubts, e)
		case ticket.OutgoingFailed:
			t.Errorf("%s: failed: %s", e.Text, e.Outgoing.Error)
		}
	}
	return n, doubts
}

// count says how often a mail with these words is at the service.
func (s *senders) count(t *testing.T, text string) (n int) {
	t.Helper()
	for _, raw := range s.sent() {
		if strings.Contains(string(raw), text) {
			n++
		}
	}
	return n
}

// check holds the history against what left.
func (s *senders) check(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	markers := make(map[string]int)
	for _, raw := range s.sent() {
		h, err := rfc822.ReadHeader(strings.NewReader(string(raw)), rfc822.Limits{})
		require.NoError(t, err)
		markers[h.Get(provider.MarkerHeader)]++
	}
	told := make(map[string]int)
	for due, err := range s.web.store.DueEvents(ctx, s.now().Add(farOff), 0) {
		require.NoError(t, err)
		if due.Name == ticket.EventAgentReply {
			told[due.Entry]++
		}
	}
	copies := make(map[inbox.MessageID]bool)
	var back []ticket.ID
	for _, w := range s.all {
		all, err := s.web.entriesOf(ctx, w)
		require.NoError(t, err)
		require.Len(t, all, 1, "%s: it is in the history once", w.Text)
		e := all[0]
		if w.Do == "recall" && e.Outgoing.State == ticket.OutgoingRecalled {
			require.Zero(t, s.count(t, w.Text), "%s: it was taken back", w.Text)
			require.Zero(t, told[string(e.ID)], "%s: events", w.Text)
			back = append(back, w.Ticket)
			continue
		}
		require.NotEqual(t, "recall", w.Do, "%s is %s", w.Text, e.Outgoing.State)
		require.Equal(t, ticket.OutgoingSent, e.Outgoing.State, w.Text)
		require.Equal(t, 1, s.count(t, w.Text), "%s: at the service", w.Text)
		require.Equal(t, 1, markers[e.Outgoing.Marker], "%s: its marker at the service", w.Text)
		require.Equal(t, 1, told[string(e.ID)], "%s: events", w.Text)
		require.NotEmpty(t, e.Message, "%s: the copy in the sent folder is this entry", w.Text)
		require.False(t, copies[e.Message], "%s: its copy is its own", w.Text)
		copies[e.Message] = true
		s.checkLines(t, w, e.Ticket)
	}
	drafts, left := s.drafts(t)
	require.ElementsMatch(t, back, drafts, "drafts of what was taken back, and none of what was sent")
	for _, raw := range left {
		h, err := rfc822.ReadHeader(strings.NewReader(string(raw)), rfc822.Limits{})
		require.NoError(t, err)
		require.Zero(t, markers[h.Get(provider.MarkerHeader)], "a draft at the service of a mail that left")
	}
}

// checkLines wants the history of a ticket to tell everything once. The status stays where the clock of who
// wrote says that the client was heard since (R-STA-03).
func (s *senders) checkLines(t *testing.T, w wish, id ticket.ID) {
	t.Helper()
	lines := make(map[string]int)
	for e, err := range s.web.store.Entries(t.Context(), ticket.EntryQuery{Ticket: id}) {
		require.NoError(t, err)
		line := string(e.Kind)
		if e.Change != nil {
			line = fmt.Sprint(e.Change.Field, " ", e.Change.From, ">", e.Change.To)
		}
		lines[line]++
	}
	const waits = "status active>waiting"
	require.LessOrEqual(t, lines[waits], 1, "%s: changes of the status", w.Text)
	delete(lines, waits)
	want := map[string]int{"received": 1, "replied": 1}
	if w.Do == "forward" {
		want = map[string]int{"forwarded": 1}
	}
	require.Equal(t, want, lines, "%s: the history", w.Text)
}

// drafts are what is left of drafts here and at the service, once their author has looked. Those of a reply
// that was never queued are forgotten when nobody can be about to queue it any more.
func (s *senders) drafts(t *testing.T) (here []ticket.ID, there [][]byte) {
	t.Helper()
	for _, err := range s.web.desk.Tickets.Drafts(t.Context(), s.olivia(t)) {
		require.NoError(t, err)
	}
	for d, err := range s.web.store.Drafts(t.Context(), ticket.DraftQuery{}) {
		require.NoError(t, err)
		if d.Kept && !s.queued(t, d.Entry) {
			continue
		}
		here = append(here, d.Ticket)
	}
	_, there = s.kept()
	return here, there
}

func (s *senders) queued(t *testing.T, entry ticket.EntryID) bool {
	t.Helper()
	for _, err := range s.web.store.Entries(t.Context(), ticket.EntryQuery{IDs: []ticket.EntryID{entry}}) {
		require.NoError(t, err)
		return true
	}
	return false
}

// checkBlobs wants every blob that is named to be there, and of the others no more than one for each
// death.
func (s *senders) checkBlobs(t *testing.T, deaths int) {
	t.Helper()
	ctx := t.Context()
	named := make(map[inbox.BlobKey]bool)
	for m, err := range s.web.store.Messages(ctx, inbox.MessageQuery{Inbox: s.job.Inbox, Hidden: true}) {
		require.NoError(t, err)
		named[m.Blob] = true
	}
	mails, _ := s.kept()
	require.Len(t, named, mails, "what the mailbox has is stored once")
	for e, err := range s.web.store.Entries(ctx, ticket.EntryQuery{Inbox: s.job.Inbox}) {
		require.NoError(t, err)
		if e.Outgoing != nil && e.Outgoing.Blob != "" {
			named[e.Outgoing.Blob] = true
		}
	}
	var orphans []inbox.BlobKey // Dir.Sweep is for them
	for b, err := range s.web.blobs.Blobs(ctx, s.job.Inbox) {
		require.NoError(t, err)
		if !named[b.Key] {
			orphans = append(orphans, b.Key)
		}
		delete(named, b.Key)
		require.NotEmpty(t, s.web.read(t, b.Key))
	}
	require.Empty(t, named, "blobs that are missing")
	require.LessOrEqual(t, len(orphans), deaths, "blobs that nothing names: %v", orphans)
}
