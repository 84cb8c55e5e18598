package gmail_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// generated fills an account with mail and returns the truth about each message by its id.
func (w *world) generated(t *testing.T, c mailgen.Config) map[provider.RemoteID]mailgen.Truth {
	t.Helper()
	c.Owner = w.a.Address()
	box, err := mailgen.New(c)
	require.NoError(t, err)
	truth := make(map[provider.RemoteID]mailgen.Truth, box.Len())
	for m := range box.Oldest() {
		id := w.a.Deliver(m.Raw, gmailtest.Delivery{Received: m.Received, Sent: m.Outbound})
		truth[provider.RemoteID(id)] = m.Truth
	}
	return truth
}

// asked says whether a message is one that a walk narrowed to all clients must yield.
func asked(t mailgen.Truth) bool {
	return t.Client == mailgen.Company || t.Client == mailgen.Customer ||
		t.Class == mailgen.Bounce || t.Class == mailgen.AutoReply
}

// A narrowed walk yields all mail of interest, in the order of the whole walk, with the same
// headers, and costs what it must.
func TestNarrowedWalkLosesNothing(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.1, 0.45} {
		for _, seed := range []uint64{1, 2, 3} {
			t.Run(fmt.Sprintf("%v of conversations with clients, seed %d", share, seed), func(t *testing.T) {
				t.Parallel()
				if seed > 1 && testing.Short() {
					t.Skip("-short: one mailbox of three")
				}
				synctest.Test(t, func(t *testing.T) {
					w := quiet(t, gmail.Options{})
					c := mailgen.Config{Seed: seed, Messages: 1500, MeanBytes: 4000, AttachmentShare: -1,
						ClientShare: share, Customers: []string{"kim@freemail.example", "o'neil@freemail.example", "lee+shop@freemail.example"}}
					truth := w.generated(t, c)
					box, err := mailgen.New(c)
					require.NoError(t, err)
					c = box.Config()

					before := w.units()
					whole := stream(t, w.open(t), "", provider.Walk{Only: true, Bodies: provider.BodiesWith}, 0)
					naive := w.units() - before
					before = w.units()
					interest := append(slices.Clone(c.Customers), c.Clients...)
					narrow := stream(t, w.open(t), "", provider.Walk{Only: true, Bodies: provider.BodiesWith, Interest: interest}, 0)
					units := w.units() - before

					got, wanted, extra := make(map[provider.RemoteID]bool), 0, 0
					for _, id := range idsOf(narrow) {
						require.False(t, got[id], "yielded twice")
						got[id] = true
						if !asked(truth[id]) {
							extra++
						}
					}
					var want []provider.Header
					for _, b := range whole {
						for _, h := range b.Put {
							if asked(truth[h.ID]) {
								wanted++
								require.True(t, got[h.ID], "class %s, client %s: not yielded", truth[h.ID].Class, truth[h.ID].Client)
							}
							if got[h.ID] {
								want = append(want, h)
							}
						}
					}
					var have []provider.Header
					for _, b := range narrow {
						have = append(have, b.Put...)
					}
					require.Equal(t, len(truth), len(idsOf(whole)))
					require.Equal(t, want, have)
					t.Logf("share=%.2f wanted=%.3f false_positives=%.3f units=%d naive=%d ratio=%.3f", share,
						float64(wanted)/float64(len(truth)), float64(extra)/float64(len(got)), units, naive, float64(units)/float64(naive))
					// What asking itself costs: the queries, their further pages, the list, the giants, the profile.
					require.LessOrEqual(t, units, len(got)*20+80)
					require.LessOrEqual(t, extra, len(got)/20)
				})
			})
		}
	}
}

// Reports and automatic replies from senders and with subjects that nobody could search for are found
// where Gmail threads them with mail of interest.
func TestThreadsOfInterestAreWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		at := noon
		put := func(from, to, id, subject string, fields ...string) provider.RemoteID {
			at = at.Add(time.Minute)
			raw := strings.Replace(string(mailOf(from, to, id, fields...)), "Confidential "+id, subject, 1)
			return provider.RemoteID(w.a.Deliver([]byte(raw), gmailtest.Delivery{Received: at}))
		}
		ref := "In-Reply-To: <q1@l.example>\r\nReferences: <q1@l.example>\r\n"
		asked := put("owner@own.example", "carla@client.example", "q1", "Offer")
		odd := put("robot@gateway.example", "owner@own.example", "r1", "Re: Offer", ref, "Auto-Submitted: auto-replied\r\n")
		report := put("Mail System <mailer-daemon@gateway.example>", "owner@own.example", "r2", "Sorry")
		exchange := put("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@own.example", "owner@own.example", "r3", "Sorry")
		away := put("tom@gateway.example", "owner@own.example", "r4", "Automatische Antwort: Angebot")
		german := put("tom@gateway.example", "owner@own.example", "r5", "=?utf-8?q?R=C3=A9ponse_automatique_:_Offre?=")
		for i := range 40 {
			put("sam@elsewhere.example", "owner@own.example", fmt.Sprint("n", i), "Offer of the day")
		}
		for name, interest := range map[string][]string{"a domain": {"client.example"}, "nobody": {}} {
			got := idsOf(stream(t, w.open(t), "", provider.Walk{Only: true, Interest: interest}, 0))
			want := []provider.RemoteID{german, away, exchange, report}
			if len(interest) > 0 {
				want = append(want, odd, asked)
			}
			require.Equal(t, want, got, name)
		}
	})
}

// Where asking would cost more than reading, everything is read.
func TestWalkThatIsTooDearToNarrowReadsEverything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		messages int
		clients  int
		reads    int // gets
		limit    int // of a search
		list     int // price of a list call
	}{
		{"many clients, little mail", 60, 12_000, 60, 1500, 5},
		{"many clients, more than a page of mail", 600, 130, 0, 150, 50},
		{"few clients, little mail", 4, 10, 0, 1500, 5},
		{"few clients, hardly any mail", 1, 10, 1, 1500, 5},
		{"a pattern that cannot be searched for", 60, -1, 60, 1500, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				quota := unlimited.Quota
				quota.Prices = gmail.Prices{List: c.list, Get: 20, Threads: 40}
				w := quiet(t, gmail.Options{MaxQuery: c.limit, Quota: quota})
				ids := w.fill(c.messages)
				interest := []string{"client.example", "not a domain"}
				if c.clients >= 0 {
					interest = interest[:1]
				}
				for i := range max(c.clients, 0) {
					interest = append(interest, fmt.Sprintf("client%05d.example", i))
				}
				m := w.open(t)
				w.s.ResetStats()
				got := idsOf(stream(t, m, "", provider.Walk{Only: true, Bodies: provider.BodiesNever, Interest: interest}, 0))
				requests := w.s.Stats().Requests
				require.Equal(t, c.reads, requests["messages.get"])
				if c.reads > 0 {
					require.Equal(t, ids, got)
					require.Equal(t, 1, requests["messages.list"], "nothing was searched for")
				} else {
					require.Empty(t, got)
					require.Greater(t, requests["messages.list"], 1)
				}
				t.Logf("%d messages, %d patterns: %d list calls, %d gets", c.messages, len(interest), requests["messages.list"], requests["messages.get"])
			})
		})
	}
}

func TestWalkWhoseSearchesAreNotUnderstoodReadsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		ids := w.fill(60)
		w.s.Fail(gmailtest.Fault{Method: "messages.list", Times: -1, Match: func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Query().Get("q"), "{")
		}, Reply: &gmailtest.Reply{Status: 400, Body: `{"error":{"code":400,"message":"Invalid query"}}`}})
		got := stream(t, w.open(t), "", provider.Walk{Only: true, Interest: []string{"client.example"}, Bodies: provider.BodiesWith}, 0)
		require.Equal(t, ids, idsOf(got))
	})
}

func TestNoSearchIsLongerThanItMayBe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{MaxQuery: 400})
		w.fill(50)
		longest := 0
		w.s.Fail(gmailtest.Fault{Method: "messages.list", Times: -1, Match: func(r *http.Request) bool {
			longest = max(longest, len(r.URL.Query().Get("q")))
			return false
		}})
		var interest []string
		for i := range 40 {
			interest = append(interest, fmt.Sprintf("somebody.with.a.long.name.%d@department.client.example", i))
		}
		stream(t, w.open(t), "", provider.Walk{Only: true, Interest: interest, Since: noon.AddDate(0, 0, -30)}, 0)
		require.LessOrEqual(t, longest, 400)
		require.Greater(t, longest, 250)
	})
}

func TestNarrowedWalkGoesOnInAnotherProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 10})
		for i := range 1300 {
			from := "sam@elsewhere.example"
			if i%13 == 0 {
				from = "carla@client.example"
			}
			w.a.Deliver(mailOf(from, "owner@own.example", fmt.Sprint("m", i)),
				gmailtest.Delivery{Received: noon.Add(-time.Duration(i) * time.Minute)})
		}
		walk := provider.Walk{Only: true, Interest: []string{"client.example"}, Bodies: provider.BodiesWith}
		whole := stream(t, w.open(t), "", walk, 0)
		require.Len(t, idsOf(whole), 100)
		for n := 1; n < len(whole); n++ {
			rest := stream(t, w.open(t), whole[n-1].Next, walk, 0)
			require.Equal(t, idsOf(whole[n:]), idsOf(rest), "after batch %d", n)
		}
	})
}

func TestCountIsWhatAWalkYields(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		truth := w.generated(t, mailgen.Config{Seed: 5, Messages: 1200, MeanBytes: 2000, AttachmentShare: -1})
		m := w.open(t)
		for name, walk := range map[string]provider.Walk{
			"everything":    {},
			"half":          {Since: time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)},
			"of interest":   {Interest: []string{"acme.example", "northwind.example"}},
			"reports alone": {Interest: []string{}},
		} {
			walk.Only = true
			w.s.ResetStats()
			got, err := m.(provider.Counter).Count(t.Context(), walk)
			require.NoError(t, err, name)
			require.Zero(t, w.s.Stats().Requests["messages.get"], name)
			require.LessOrEqual(t, w.s.Stats().Requests["messages.list"], 8, name)
			walk.Bodies = provider.BodiesNever
			require.Equal(t, len(idsOf(stream(t, m, "", walk, 0))), got, name)
			if name == "everything" {
				require.Equal(t, len(truth), got)
			}
		}
	})
}
