//go:build unix

package gmailimport_test

import (
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

const (
	crashMessages = 240
	crashPageSize = 20
)

// way is a way to import from Gmail.
type way struct {
	name   string
	rules  filter.Rules
	narrow bool // to the mail of clients
	strict bool // headers first, bodies of what is kept alone
}

// TestKilledGmailImportLosesNothing is TestKilledImportLosesNothing over HTTP: the process that
// imports dies at a request or its answer, a store write or a blob write; the server lives on and
// counts what is asked for again. WORKINBOX_CRASH_ROUNDS says how often for each way to import (3),
// WORKINBOX_CRASH_SEED from which seed, WORKINBOX_CRASH_MESSAGES with how much mail: above 500 messages
// the list has several pages.
func TestKilledGmailImportLosesNothing(t *testing.T) {
	t.Parallel()
	rounds := importtest.EnvInt("WORKINBOX_CRASH_ROUNDS", 3)
	seed := uint64(importtest.EnvInt("WORKINBOX_CRASH_SEED", 1))
	messages := importtest.EnvInt("WORKINBOX_CRASH_MESSAGES", crashMessages)
	mail, err := mailgen.New(mailgen.Config{Seed: 12, Messages: messages, MeanBytes: 4000})
	require.NoError(t, err)
	for _, way := range []way{
		{name: "everything, bodies with headers", rules: filter.Rules{Mode: filter.All}},
		{name: "everything, headers first", rules: filter.Rules{Mode: filter.All}, strict: true},
		{name: "mail of clients, bodies with headers", narrow: true},
		{name: "mail of clients, headers first", narrow: true, strict: true},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			w := newCrashes(t, mail, way)
			for round := range rounds {
				t.Logf("seed %d, round %d", seed, round)
				w.crashAndResume(t, rand.New(rand.NewPCG(seed, uint64(round))))
			}
		})
	}
}

// crashes is one mailbox that is imported again and again, and what an import without a death
// comes to.
type crashes struct {
	s     *gmailtest.Server
	mail  *mailgen.Mailbox
	truth map[provider.RemoteID]mailgen.Truth
	raw   map[provider.RemoteID][]byte
	way   way

	raws, heads atomic.Int64 // requests of bodies and of headers
	whole       asked
	stored      map[provider.RemoteID]bool
}

// asked is what an import asked the server for.
type asked struct{ raws, heads, lists int }

func newCrashes(t *testing.T, mail *mailgen.Mailbox, way way) *crashes {
	w := &crashes{s: gmailtest.New(t, gmailtest.Config{Limits: gmailtest.Unlimited()}), mail: mail, way: way}
	w.truth = deliverMail(w.s, mail)
	w.raw = make(map[provider.RemoteID][]byte, mail.Len())
	for _, m := range w.s.Account(mail.Config().Owner).Messages() {
		w.raw[provider.RemoteID(m.ID)] = m.Raw
	}
	// The server counts by method alone, and tells which calls it looks at.
	w.s.Fail(gmailtest.Fault{Method: "messages.get", Times: -1, Match: func(r *http.Request) bool {
		if r.URL.Query().Get("format") == "raw" {
			w.raws.Add(1)
		} else {
			w.heads.Add(1)
		}
		return false
	}})

	j := w.connect(t)
	report, lived := importtest.Run(t, j)
	require.True(t, lived)
	require.NoError(t, report.Run.Balance())
	w.whole = w.asked()
	w.stored = w.check(t, j)
	for id, truth := range w.truth {
		client := truth.Client == mailgen.Company && truth.Class == mailgen.Personal
		require.True(t, w.stored[id] || way.narrow && !client, "class %s, client %s: not stored", truth.Class, truth.Client)
	}
	require.Equal(t, way.narrow, len(w.stored) < mail.Len(), "of %d messages, %d are stored", mail.Len(), len(w.stored))
	return w
}

// connect sets up a new inbox on the mailbox and begins counting.
func (w *crashes) connect(t *testing.T) job {
	c := w.mail.Config()
	j := job{Dir: t.TempDir(), End: c.End, Endpoints: endpoints(w.s), PageSize: crashPageSize, Strict: w.way.strict}
	p, err := j.provider(nil)
	require.NoError(t, err)
	var clients []string
	if w.way.narrow {
		clients = c.Clients
	}
	parts := importtest.Parts{Provider: p, Strict: w.way.strict}
	i, _, err := connect(t.Context(), j.Dir, c.End, parts, w.way.rules, clients)
	require.NoError(t, err)
	require.NoError(t, i.Close())
	w.s.ResetStats()
	w.raws.Store(0)
	w.heads.Store(0)
	return j
}

func (w *crashes) asked() asked {
	requests := w.s.Stats().Requests
	return asked{raws: int(w.raws.Load()), heads: int(w.heads.Load()) + requests["threads.get"], lists: requests["messages.list"]}
}

func (w *crashes) crashAndResume(t *testing.T, r *rand.Rand) {
	t.Helper()
	j := w.connect(t)
	calls := 2 * (w.whole.raws + w.whole.heads + w.whole.lists)
	stores := int64(2*w.mail.Len()/crashPageSize + 6)
	most := map[importtest.Op]int64{
		importtest.OpProvider: int64(calls), importtest.OpStore: stores, importtest.OpBlobs: int64(len(w.stored)),
	}
	deaths := importtest.Kill(r, most, func(d importtest.Death) bool {
		dying := j
		dying.Death = d
		_, lived := importtest.Run(t, dying)
		return lived
	})
	last, lived := importtest.Run(t, j)
	require.True(t, lived)
	require.NoError(t, last.Run.Balance())
	require.True(t, maps.Equal(w.stored, w.check(t, j)), "what is stored after %d deaths", deaths)

	now := w.asked()
	t.Logf("%d deaths: %+v, without any %+v", deaths, now, w.whole)
	require.LessOrEqual(t, now.raws, w.whole.raws+deaths*2*crashPageSize, "bodies: at most two pages are fetched again")
	require.LessOrEqual(t, now.heads, w.whole.heads+deaths*2*crashPageSize, "headers: at most two pages are fetched again")
	require.LessOrEqual(t, now.lists, w.whole.lists*(1+deaths), "lists: the one page and its searches")
}

// check holds what is stored against the mailbox: nothing twice, raw bytes whole.
func (w *crashes) check(t *testing.T, j job) map[provider.RemoteID]bool {
	t.Helper()
	p, err := j.provider(nil)
	require.NoError(t, err)
	i, err := importtest.Open(t.Context(), j.Dir, j.End, importtest.Parts{Provider: p})
	require.NoError(t, err)
	defer i.Close()
	id, err := i.Inbox(t.Context(), filter.Rules{}, nil)
	require.NoError(t, err)
	stored := make(map[provider.RemoteID]bool)
	for m, err := range i.Store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(t, err)
		require.False(t, stored[m.Remote], "message %q is there twice", m.Remote)
		stored[m.Remote] = true
		blob, err := i.Blobs.OpenBlob(t.Context(), m.Blob)
		require.NoError(t, err)
		raw, err := io.ReadAll(blob)
		require.NoError(t, err, "raw mail of message %q", m.Remote)
		require.NoError(t, blob.Close())
		require.True(t, string(w.raw[m.Remote]) == string(raw), "raw mail of message %q", m.Remote)
	}
	ledger := 0
	for run, err := range i.Store.Runs(t.Context(), id, 0) {
		require.NoError(t, err)
		require.NoError(t, run.Balance())
		ledger += run.Stored
	}
	require.Len(t, stored, ledger, "what the runs say they stored, also those that died")
	return stored
}
