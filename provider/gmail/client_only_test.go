package gmail_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// decoys deliver mail that a search takes for what is asked for and the filter would not: n of every
// kind. They return their ids.
func (w *world) decoys(n int, truth map[provider.RemoteID]mailgen.Truth) map[provider.RemoteID]bool {
	ids := make(map[provider.RemoteID]bool)
	put := func(from, id, subject, more string) {
		raw := fmt.Appendf(nil, "From: %s\r\nTo: owner@own.example\r\nSubject: %s\r\nMessage-ID: <%s@d.example>\r\n%s\r\nHello.\r\n",
			from, subject, id, more)
		at := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC).Add(-time.Duration(len(ids)) * time.Minute)
		ids[provider.RemoteID(w.a.Deliver(raw, gmailtest.Delivery{Received: at}))] = true
	}
	talk := 0
	for _, id := range slices.Sorted(maps.Keys(truth)) {
		m := truth[id]
		if m.Client == mailgen.Company && m.Parent < 0 && talk < n {
			talk++
			put("anna@own.example", fmt.Sprint("talk", talk), "Re: between us",
				"In-Reply-To: <"+m.MessageID+">\r\nReferences: <"+m.MessageID+">\r\n")
		}
	}
	for i := range n {
		put("travel@offers.example", fmt.Sprint("v", i), "Your vacation in Spain", "")
		put("kim@shop.acme.example", fmt.Sprint("s", i), "From below a client's domain", "")
		put("postmaster@elsewhere.example", fmt.Sprint("p", i), "A person writes as postmaster", "")
	}
	return ids
}

// What importing the mail of clients alone costs beside importing everything, by the clock of the new
// price list.
func TestClientOnlyImportOfFiveThousandMessages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("walks 5,000 messages four times")
	}
	for _, share := range []float64{0.1, 0.45} {
		t.Run(fmt.Sprint(share), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, gmail.Options{}, gmailtest.Config{Limits: gmailtest.NewProject(), Pipe: true})
				c := mailgen.Config{Seed: 9, Messages: 5000, MeanBytes: 5000, AttachmentShare: -1, ClientShare: share}
				truth := w.generated(t, c)
				decoys := w.decoys(15, truth)
				box, err := mailgen.New(c)
				require.NoError(t, err)
				c = box.Config()
				type cost struct {
					units int
					bytes int64
					took  time.Duration
					ids   []provider.RemoteID
				}
				// The units of consent, and what was spent before, come back within two minutes.
				measure := func(walk provider.Walk) cost {
					time.Sleep(2 * time.Minute)
					w.s.ResetStats()
					before, began := w.units(), time.Now()
					walk.Only, walk.Bodies = true, provider.BodiesWith
					ids := idsOf(stream(t, w.open(t), "", walk, 0))
					return cost{w.units() - before, w.s.Stats().BytesOut, time.Since(began), ids}
				}
				whole := measure(provider.Walk{})
				narrow := measure(provider.Walk{Interest: append(c.Customers, c.Clients...)})
				require.Zero(t, w.s.Usage().Refused())
				require.Len(t, whole.ids, len(truth)+len(decoys))
				got := make(map[provider.RemoteID]bool)
				extra := 0
				for _, id := range narrow.ids {
					got[id] = true
					if decoys[id] || !asked(truth[id]) {
						extra++
					}
				}
				wanted := 0
				for id, m := range truth {
					if asked(m) {
						wanted++
						require.True(t, got[id], "class %s, client %s: not yielded", m.Class, m.Client)
					}
				}
				t.Logf("wanted=%.3f false_positives=%.3f units=%d/%d minutes=%.1f/%.1f MB=%.1f/%.1f ratio=%.3f",
					float64(wanted)/float64(len(whole.ids)), float64(extra)/float64(len(got)), narrow.units, whole.units,
					narrow.took.Minutes(), whole.took.Minutes(), float64(narrow.bytes)/1e6, float64(whole.bytes)/1e6,
					float64(narrow.units)/float64(whole.units))
				require.LessOrEqual(t, extra, len(decoys))
				if share == 0.1 {
					require.LessOrEqual(t, float64(narrow.units), 0.15*float64(whole.units))
				}
			})
		})
	}
}
