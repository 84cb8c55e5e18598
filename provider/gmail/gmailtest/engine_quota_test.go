package gmailtest_test

import (
	"net/http"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// latency is what passes between the question and the answer.
const latency = 60 * time.Millisecond

// preset is what a Cloud project may do, as the server and as the library know it.
type preset struct {
	name   string
	limits gmailtest.Limits
	quota  gmail.Quota
}

var presets = []preset{
	{"new project", gmailtest.NewProject(), gmail.NewProject()},
	{"legacy project", gmailtest.LegacyProject(), gmail.LegacyProject()},
}

// share is the most units an import may spend in that time: its part of the start level and all that
// is refilled, or its part of every second.
func share(q gmail.Quota, d time.Duration) float64 {
	own := 1 - q.Interactive
	most := float64(q.PerMinute) * (own + d.Minutes())
	return min(most, float64(q.PerSecond)*own*d.Seconds())
}

// mailboxSize is how many messages the imports here have, unless WORKINBOX_TEST_MESSAGES says so.
func mailboxSize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WORKINBOX_TEST_MESSAGES")
	switch {
	case text == "" && testing.Short():
		return 1_000
	case text == "":
		return 5_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// customersOfAnn are the companies she works for.
var customersOfAnn = []string{
	"northwind.example", "contoso.example", "fabrikam.example", "globex.example", "initech.example",
	"umbra.example", "hooli.example", "stark.example", "wayne.example", "tyrell.example", "soylent.example",
}

// generated is a mailbox of a person at work. Of the messages about that part is with clients.
func generated(t *testing.T, messages int, clients float64) *mailgen.Mailbox {
	t.Helper()
	// A quarter of the mail is automated, and no conversation.
	m, err := mailgen.New(mailgen.Config{
		Seed: 7, Messages: messages, MeanBytes: 2_000, AttachmentShare: -1, ClientShare: clients / 0.75,
		Clients: customersOfAnn, Owner: ann, Start: time.Now().AddDate(0, 0, -29), End: time.Now().Add(-time.Hour),
	})
	require.NoError(t, err)
	return m
}

// newImport is an engine about to import a generated mailbox, whose clients it knows.
func newImport(t *testing.T, p preset, m *mailgen.Mailbox, mode filter.Mode, strict bool) *engine {
	t.Helper()
	e := newEngine(t, engineConfig{
		limits: p.limits, quota: p.quota, rules: filter.Rules{Mode: mode}, strict: strict,
	})
	for it := range m.Oldest() {
		e.a.Deliver(it.Raw, gmailtest.Delivery{Received: it.Received, Sent: it.Outbound})
	}
	ctx, owner := t.Context(), e.Actor("olga")
	for _, domain := range m.Config().Clients {
		_, err := e.Desk.Inboxes.CreateCompany(ctx, owner, inbox.CompanyEdit{Name: domain, Domains: []string{domain}})
		require.NoError(t, err)
	}
	private, err := e.Desk.Inboxes.CreateCompany(ctx, owner, inbox.CompanyEdit{Name: "Private people"})
	require.NoError(t, err)
	for _, address := range m.Config().Customers {
		_, err := e.Desk.Inboxes.CreateCustomer(ctx, owner, inbox.CustomerEdit{Address: address, Company: private.ID})
		require.NoError(t, err)
	}
	e.s.Fail(gmailtest.Fault{Times: -1, Delay: latency, Match: func(r *http.Request) bool { return r.URL.Path != "/token" }})
	e.Connect()
	time.Sleep(2 * time.Minute) // the units of the set-up are back
	e.s.ResetStats()
	return e
}

// spent is what an import cost.
type spent struct {
	units, gets, stored int
	bytes               int64
	took                time.Duration
}

// measure runs the import and says what it cost. A refused call fails the test.
func (e *engine) measure() spent {
	e.t.Helper()
	units, began := e.s.Usage().Units, time.Now()
	require.NoError(e.t, e.Step())
	s := spent{took: time.Since(began), units: e.s.Usage().Units - units}
	stats := e.s.Stats()
	s.gets, s.bytes = stats.Requests["messages.get"], stats.BytesOut
	s.stored = e.Health().Stored
	require.Empty(e.t, e.s.Usage().Refusals)
	require.Equal(e.t, inbox.StateActive, e.Health().State)
	for _, r := range e.Runs() {
		require.NoError(e.t, r.Balance())
	}
	return s
}

func TestImportUsesItsShareOfTheQuota(t *testing.T) {
	t.Parallel()
	for _, p := range presets {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				enginetest.November()
				m := generated(t, mailboxSize(t), 0.45)
				s := newImport(t, p, m, filter.All, false).measure()
				efficiency := float64(s.units) / share(p.quota, s.took)
				t.Logf("efficiency=%.4f messages=%d units=%d minutes=%.2f MB=%.1f", efficiency, m.Len(), s.units,
					s.took.Minutes(), float64(s.bytes)/1e6)
				require.GreaterOrEqual(t, efficiency, 0.95)
				require.LessOrEqual(t, efficiency, 1.0)
			})
		})
	}
}

func TestImportOfClientsAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		clients float64
		strict  bool
		most    float64 // of the units of everything
	}{
		{"45 % with clients", 0.45, false, 0.50},
		{"45 % with clients, strict", 0.45, true, 0.90},
		{"10 % with clients", 0.10, false, 0.15},
		{"10 % with clients, strict", 0.10, true, 0.25},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				enginetest.November()
				p := presets[0]
				m := generated(t, mailboxSize(t), c.clients)
				e := newImport(t, p, m, filter.ClientAssociated, c.strict)
				s := e.measure()
				naive := m.Len()*p.quota.Prices.Get + (m.Len()+499)/500*p.quota.Prices.List
				part := float64(s.units) / float64(naive)
				efficiency := float64(s.units) / share(p.quota, s.took)
				t.Logf("part=%.3f efficiency=%.3f with clients=%.3f stored=%d gets=%d units=%d of %d minutes=%.2f MB=%.2f",
					part, efficiency, withClients(m), s.stored, s.gets, s.units, naive, s.took.Minutes(), float64(s.bytes)/1e6)
				require.LessOrEqual(t, part, c.most)
				e.hasClients(m)
			})
		})
	}
}

// withClients is the part of the messages that is with clients.
func withClients(m *mailgen.Mailbox) float64 {
	n := 0
	for i := range m.Len() {
		if isClient(m.Truth(i)) {
			n++
		}
	}
	return float64(n) / float64(m.Len())
}

func isClient(x mailgen.Truth) bool {
	return x.Client == mailgen.Company || x.Client == mailgen.Customer
}

// hasClients fails when a message between a client and the owner is not stored.
func (e *engine) hasClients(m *mailgen.Mailbox) {
	e.t.Helper()
	have := make(map[string]bool)
	for got, err := range e.Store.Messages(e.t.Context(), inbox.MessageQuery{Inbox: e.ID, Hidden: true}) {
		require.NoError(e.t, err)
		have[got.RFCID] = true
	}
	for i := range m.Len() {
		x := m.Truth(i)
		if isClient(x) && x.Class == mailgen.Personal {
			require.True(e.t, have[x.MessageID], "message %d of a client is missing", i)
		}
	}
}
