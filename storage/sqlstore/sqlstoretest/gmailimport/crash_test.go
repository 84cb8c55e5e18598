//go:build unix

package gmailimport_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
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
	raw   map[provider.RemoteID]string
	way   way

	raws, heads atomic.Int64 // requests of bodies and of headers
	whole       asked
	stored      map[provider.RemoteID]string
}

// asked is what an import asked the server for.
type asked struct{ raws, heads, lists int }

func newCrashes(t *testing.T, mail *mailgen.Mailbox, way way) *crashes {
	w := &crashes{s: gmailtest.New(t, gmailtest.Config{Limits: gmailtest.Unlimited()}), mail: mail, way: way}
	w.truth = deliverMail(w.s, mail)
	w.raw = make(map[provider.RemoteID]string, mail.Len())
	for _, m := range w.s.Account(mail.Config().Owner).Messages() {
		w.raw[provider.RemoteID(m.ID)] = string(m.Raw)
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
		require.True(t, w.stored[id] != "" || way.narrow && !client, "class %s, client %s: not stored", truth.Class, truth.Client)
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
	i, _, err := importtest.Connect(t.Context(), j.Dir, c.End, parts, w.way.rules, clients)
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
	deaths := importtest.Survive(t, r, most, func(d importtest.Death) job {
		dying := j
		dying.Death = d
		return dying
	})
	require.True(t, maps.Equal(w.stored, w.check(t, j)), "what is stored after %d deaths", deaths)

	now := w.asked()
	t.Logf("%d deaths: %+v, without any %+v", deaths, now, w.whole)
	require.LessOrEqual(t, now.raws, w.whole.raws+deaths*2*crashPageSize, "bodies: at most two pages are fetched again")
	require.LessOrEqual(t, now.heads, w.whole.heads+deaths*2*crashPageSize, "headers: at most two pages are fetched again")
	require.LessOrEqual(t, now.lists, w.whole.lists*(1+deaths), "lists: the one page and its searches")
}

// check holds what is stored against the mailbox: nothing twice, raw bytes whole.
func (w *crashes) check(t *testing.T, j job) map[provider.RemoteID]string {
	t.Helper()
	p, err := j.provider(nil)
	require.NoError(t, err)
	stored := importtest.Stored(t, j.Dir, j.End, p)
	for id, raw := range stored {
		require.True(t, w.raw[id] == raw, "raw mail of message %q", id)
	}
	return stored
}
