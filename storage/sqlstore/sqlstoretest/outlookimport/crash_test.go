//go:build unix

package outlookimport_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

const (
	crashMessages = 240
	crashPageSize = 20

	// spareSpans is how many spans of a list are out beside those whose calls are under way.
	spareSpans = 2
)

// way is a way to import from Outlook.
type way struct {
	name   string
	rules  filter.Rules
	narrow bool // to the mail of clients
	raw    outlook.Raw
	strict bool
}

// TestKilledOutlookImportLosesNothing is TestKilledGmailImportLosesNothing over Graph: the process that
// imports dies at a request or its answer, a store write or a blob write; the server lives on and
// counts what is asked for again. WORKINBOX_CRASH_ROUNDS says how often for each way to import (2),
// WORKINBOX_CRASH_SEED from which seed, WORKINBOX_CRASH_MESSAGES with how much mail.
func TestKilledOutlookImportLosesNothing(t *testing.T) {
	t.Parallel()
	rounds := importtest.EnvInt("WORKINBOX_CRASH_ROUNDS", 2)
	seed := uint64(importtest.EnvInt("WORKINBOX_CRASH_SEED", 1))
	messages := importtest.EnvInt("WORKINBOX_CRASH_MESSAGES", crashMessages)
	mail, err := mailgen.New(mailgen.Config{Seed: 13, Messages: messages, MeanBytes: 4000})
	require.NoError(t, err)
	for _, way := range []way{
		{name: "everything", rules: filter.Rules{Mode: filter.All}},
		{name: "everything, built from the list", rules: filter.Rules{Mode: filter.All}, raw: outlook.RawBuilt},
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
	s    *outlooktest.Server
	mail *mailgen.Mailbox
	way  way

	whole  asked // by an import without a death
	again  asked // by a sync after it, which finds nothing new
	stored map[provider.RemoteID]string
}

// asked is what an import asked the server for. Batches are not in it but their parts: how many
// messages are in one depends on how long a call takes.
type asked struct{ raws, lists, rest int }

func newCrashes(t *testing.T, mail *mailgen.Mailbox, way way) *crashes {
	w := &crashes{s: outlooktest.New(t, outlooktest.Config{Limits: outlooktest.Unlimited()}), mail: mail, way: way}
	a := w.s.Account(mail.Config().Owner)
	truth := make(map[provider.RemoteID]mailgen.Truth, mail.Len())
	for m := range mail.Oldest() {
		id := a.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received, Sent: m.Outbound})
		truth[provider.RemoteID(id)] = m.Truth
	}
	j := w.connect(t)
	for _, what := range []*asked{&w.whole, &w.again} {
		w.s.ResetStats()
		report, lived := importtest.Run(t, j)
		require.True(t, lived)
		require.NoError(t, report.Run.Balance())
		*what = w.asked()
	}
	w.stored = w.look(t, j)
	for id, truth := range truth {
		client := truth.Client == mailgen.Company && truth.Class == mailgen.Personal
		require.True(t, w.stored[id] != "" || way.narrow && !client, "class %s, client %s: not stored", truth.Class, truth.Client)
	}
	require.Equal(t, way.narrow, len(w.stored) < mail.Len(), "of %d messages, %d are stored", mail.Len(), len(w.stored))
	for _, m := range a.Messages() {
		raw := w.stored[provider.RemoteID(m.ImmutableID)]
		require.True(t, raw == "" || way.raw == outlook.RawBuilt || raw == string(m.Raw), "raw mail of message %q", m.ImmutableID)
	}
	return w
}

// connect sets up a new inbox on the mailbox and begins counting.
func (w *crashes) connect(t *testing.T) job {
	c, at := w.mail.Config(), w.s.Endpoints()
	j := job{
		Dir: t.TempDir(), End: c.End, Endpoints: outlook.Endpoints{Authority: at.LoginURL, Graph: at.GraphURL},
		PageSize: crashPageSize, Raw: w.way.raw, Strict: w.way.strict,
	}
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
	return j
}

func (w *crashes) asked() asked {
	a := asked{}
	for method, n := range w.s.Stats().Requests {
		switch method {
		case "messages.value", "messages.get":
			a.raws += n
		case "messages.list":
			a.lists += n
		case "batch":
		default:
			a.rest += n
		}
	}
	return a
}

// look is what is stored.
func (w *crashes) look(t *testing.T, j job) map[provider.RemoteID]string {
	t.Helper()
	p, err := j.provider(nil)
	require.NoError(t, err)
	return importtest.Stored(t, j.Dir, j.End, p)
}

func (w *crashes) crashAndResume(t *testing.T, r *rand.Rand) {
	t.Helper()
	j := w.connect(t)
	most := map[importtest.Op]int64{
		importtest.OpProvider: int64(2 * (w.whole.raws + w.whole.lists + w.whole.rest)),
		importtest.OpStore:    int64(2*w.mail.Len()/crashPageSize + 6),
		importtest.OpBlobs:    int64(len(w.stored)),
	}
	deaths := importtest.Survive(t, r, most, func(d importtest.Death) job {
		dying := j
		dying.Death = d
		return dying
	})
	require.True(t, maps.Equal(w.stored, w.look(t, j)), "what is stored after %d deaths", deaths)

	now := w.asked()
	t.Logf("%d deaths: %+v, without any %+v", deaths, now, w.whole)
	require.LessOrEqual(t, now.raws, w.whole.raws+deaths*(2*crashPageSize+1),
		"bodies: at most two pages are fetched again, and one that proves batches")
	// A walk that dies has read ahead: every span it has out, up to two pages of each. The one that goes
	// on begins with a page that says how much is left, and learns anew how the mail is spread, which
	// takes what a whole walk needs beyond full pages.
	ahead, learning := 2*(inFlight+spareSpans), w.whole.lists-w.mail.Len()/crashPageSize
	require.LessOrEqual(t, now.lists, w.whole.lists+deaths*(ahead+1+learning), "pages of the list")
	// What did not die before its last call has been through, and is asked for news once more.
	require.LessOrEqual(t, now.rest, w.whole.rest*(1+deaths)+w.again.rest, "folders and their deltas")
}
