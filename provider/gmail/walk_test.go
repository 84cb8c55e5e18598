package gmail_test

import (
	"bytes"
	"fmt"
	"io"
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
)

// noon is when the newest mail of these tests comes.
var noon = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

// quiet starts a server without limits whose connections are in memory.
func quiet(t *testing.T, o gmail.Options) *world {
	t.Helper()
	if o.Quota == (gmail.Quota{}) {
		o.Quota = unlimited.Quota
	}
	return newWorld(t, o, gmailtest.Config{Limits: gmailtest.Unlimited(), Pipe: true})
}

// mailOf makes a small message. Further lines end with CRLF.
func mailOf(from, to, id string, fields ...string) []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: Confidential %s\r\nMessage-ID: <%s@l.example>\r\n%s\r\nHello.\r\n",
		from, to, id, id, strings.Join(fields, ""))
}

// fill delivers n messages a minute apart, the last at noon, and returns their ids, newest first.
func (w *world) fill(n int) []provider.RemoteID {
	ids := make([]provider.RemoteID, n)
	for i := n - 1; i >= 0; i-- {
		ids[i] = provider.RemoteID(w.a.Deliver(mailOf("sam@elsewhere.example", "owner@own.example", fmt.Sprint("m", i)),
			gmailtest.Delivery{Received: noon.Add(-time.Duration(i) * time.Minute)}))
	}
	return ids
}

// stream reads batches from a cursor, n of them or all with 0.
func stream(t *testing.T, m provider.Mailbox, from provider.Cursor, w provider.Walk, n int) (all []provider.Batch) {
	t.Helper()
	for b, err := range m.Changes(t.Context(), from, w) {
		require.NoError(t, err)
		if all = append(all, b); len(all) == n {
			break
		}
	}
	return all
}

// idsOf lists the ids that batches put, in order.
func idsOf(batches []provider.Batch) (ids []provider.RemoteID) {
	for _, b := range batches {
		for _, h := range b.Put {
			ids = append(ids, h.ID)
		}
	}
	return ids
}

// units are what the account has used since before.
func (w *world) units() int { return w.s.AccountUsage(w.a.Address()).Units }

func TestFrugalWalkPaysOneGetForHeaderAndBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 100})
		ids := w.fill(1100)
		m, before := w.open(t), w.units()
		batches := stream(t, m, "", provider.Walk{Bodies: provider.BodiesWith, Only: true}, 0)
		require.Equal(t, ids, idsOf(batches), "newest first, each once")
		for i, b := range batches {
			require.True(t, b.Walking)
			for _, h := range b.Put {
				require.Contains(t, string(h.Raw), "Subject: Confidential", "batch %d", i)
			}
		}
		// The profile, three pages of the list, the search for giants.
		require.Equal(t, 1+3*5+5+1100*20, w.units()-before)
	})
}

func TestStrictWalkReadsThreadsWhereThatIsCheaper(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		o      gmail.Options
		limits gmailtest.Limits
		units  int
	}{
		// A thread of four, one of two, one alone; the profile and one page of the list.
		{"new prices", gmail.Options{}, gmailtest.NewProject(), 1 + 5 + 40 + 2*20 + 20},
		{"legacy prices", gmail.Options{Quota: gmail.LegacyProject()}, gmailtest.LegacyProject(), 1 + 5 + 10 + 2*5 + 5},
		{"pages of two", gmail.Options{PageSize: 2}, gmailtest.NewProject(), 1 + 5 + 7*20},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, c.o, gmailtest.Config{Limits: c.limits, Pipe: true})
				for i, refs := range []string{"", "m0", "m0", "m0", "", "m4", ""} {
					var fields []string
					if refs != "" {
						fields = []string{"In-Reply-To: <" + refs + "@l.example>\r\nReferences: <" + refs + "@l.example>\r\n"}
					}
					root := refs
					if root == "" {
						root = fmt.Sprint("m", i)
					}
					raw := bytes.Replace(mailOf("sam@elsewhere.example", "owner@own.example", fmt.Sprint("m", i), fields...),
						fmt.Appendf(nil, "Confidential m%d", i), []byte("Confidential "+root), 1)
					w.a.Deliver(raw, gmailtest.Delivery{Received: noon.Add(time.Duration(i) * time.Minute)})
				}
				m, before := w.open(t), w.units()
				batches := stream(t, m, "", provider.Walk{Only: true}, 0)
				require.Equal(t, c.units, w.units()-before)
				var got []string
				for _, b := range batches {
					for _, h := range b.Put {
						require.Nil(t, h.Raw)
						require.Equal(t, "sam@elsewhere.example", h.From[0].Address)
						got = append(got, h.MessageID)
					}
				}
				require.Equal(t, []string{"m6@l.example", "m5@l.example", "m4@l.example", "m3@l.example",
					"m2@l.example", "m1@l.example", "m0@l.example"}, got, "in the order of the list")
			})
		})
	}
}

// What happens to the place where a walk was left, before it goes on in another process.
func TestWalkGoesOnWhereItWasLeft(t *testing.T) {
	t.Parallel()
	gone := func(w *world, last provider.RemoteID) { w.a.Delete(string(last)) }
	refuse := func(w *world, _ provider.RemoteID) {
		w.s.Fail(gmailtest.Fault{Method: "messages.list", Match: func(r *http.Request) bool {
			return r.URL.Query().Get("pageToken") != ""
		}, Reply: &gmailtest.Reply{Status: 400, Body: `{"error":{"code":400,"message":"Invalid pageToken","status":"INVALID_ARGUMENT"}}`}})
	}
	for _, c := range []struct {
		name   string
		happen func(w *world, last provider.RemoteID)
		again  int // messages yielded twice at most
	}{
		{"nothing", func(*world, provider.RemoteID) {}, 0},
		{"a page of mail comes on top", func(w *world, _ provider.RemoteID) {
			for i := range 510 {
				w.a.Deliver(mailOf("new@elsewhere.example", "owner@own.example", fmt.Sprint("n", i)),
					gmailtest.Delivery{Received: noon.Add(48 * time.Hour)})
			}
		}, 600},
		{"the last message is deleted", gone, 600},
		{"the token of the page is refused", refuse, 600},
		{"both", func(w *world, last provider.RemoteID) { gone(w, last); refuse(w, last) }, 1200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1, 4, 5} { // the first page of the list ends with batch 5
				synctest.Test(t, func(t *testing.T) {
					w := quiet(t, gmail.Options{PageSize: 100})
					ids := w.fill(600)
					walk := provider.Walk{Since: noon.AddDate(0, 0, -30), Bodies: provider.BodiesNever, Only: true}
					first := stream(t, w.open(t), "", walk, n)
					had := idsOf(first)
					c.happen(w, had[len(had)-1])
					rest := idsOf(stream(t, w.open(t), first[n-1].Next, walk, 0))
					var again int
					for _, id := range rest {
						if slices.Contains(had, id) {
							again++
						}
					}
					for _, id := range ids[len(had):] {
						require.Contains(t, rest, id, "after batch %d", n)
					}
					require.Subset(t, ids, rest, "what came meanwhile is told by the history")
					require.LessOrEqual(t, again, c.again, "yielded twice, after batch %d", n)
				})
			}
		})
	}
}

// A list that begins again repeats a day, not the walk.
func TestRefusedTokenCostsADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 100})
		ids := make([]provider.RemoteID, 700)
		for i := len(ids) - 1; i >= 0; i-- {
			ids[i] = provider.RemoteID(w.a.Deliver(mailOf("sam@elsewhere.example", "owner@own.example", fmt.Sprint("m", i)),
				gmailtest.Delivery{Received: noon.Add(-time.Duration(i) * time.Hour)}))
		}
		w.s.Fail(gmailtest.Fault{Method: "messages.list", Match: func(r *http.Request) bool {
			return r.URL.Query().Get("pageToken") != ""
		}, Reply: &gmailtest.Reply{Status: 400, Body: `{"error":{"code":400,"message":"Invalid pageToken"}}`}})
		got := idsOf(stream(t, w.open(t), "", provider.Walk{Bodies: provider.BodiesNever, Only: true}, 0))
		require.Len(t, got, 700+25, "a day is 25 messages, the last one included")
		slices.Sort(got)
		slices.Sort(ids)
		require.Equal(t, ids, slices.Compact(got))
	})
}

func TestWalkWhoseTokensAreAlwaysRefusedEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 100})
		w.fill(1200)
		w.s.Fail(gmailtest.Fault{Method: "messages.list", Times: -1, Match: func(r *http.Request) bool {
			return r.URL.Query().Get("pageToken") != ""
		}, Reply: &gmailtest.Reply{Status: 400, Body: `{"error":{"code":400,"message":"Invalid pageToken"}}`}})
		var last error
		n := 0
		for b, err := range w.open(t).Changes(t.Context(), "", provider.Walk{Only: true}) {
			n, last = n+len(b.Put), err
		}
		require.ErrorIs(t, last, provider.ErrRetry)
		require.Less(t, n, 1200)
	})
}

func TestExpiredHistoryIsToldBeforeAWalkGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 5})
		ids := w.fill(20)
		first := stream(t, w.open(t), "", provider.Walk{}, 2)
		w.a.ExpireHistory()
		for b, err := range w.open(t).Changes(t.Context(), first[1].Next, provider.Walk{}) {
			require.ErrorIs(t, err, provider.ErrCursorExpired)
			require.Empty(t, b.Put)
		}
		rest := stream(t, w.open(t), first[1].Next, provider.Walk{Only: true}, 0)
		require.Equal(t, ids[10:], idsOf(rest), "a walk without live changes needs no history")
	})
}

func TestGiantsComeWithoutTheirBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		w.fill(3)
		giant := append(mailOf("big@elsewhere.example", "owner@own.example", "giant"), bytes.Repeat([]byte("0123456789abcdef\r\n"), 250_000)...)
		id := provider.RemoteID(w.a.Deliver(giant, gmailtest.Delivery{Received: noon.Add(time.Minute)}))
		w.s.ResetStats()
		m := w.open(t)
		batches := stream(t, m, "", provider.Walk{Bodies: provider.BodiesWith, Only: true}, 0)
		require.Less(t, w.s.Stats().BytesOut, int64(1<<20), "the giant was not downloaded")
		for i, h := range batches[0].Put {
			require.Equal(t, i == 0, h.Raw == nil, "message %d", i)
		}
		require.Equal(t, id, batches[0].Put[0].ID)
		require.Equal(t, "big@elsewhere.example", batches[0].Put[0].From[0].Address)
		require.Greater(t, batches[0].Put[0].Size, int64(4<<20))
		r, err := m.Open(t.Context(), id)
		require.NoError(t, err)
		raw, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.True(t, bytes.Equal(giant, raw))
	})
}

func TestBatchHoldsNoMoreThanItsBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		body := bytes.Repeat([]byte("0123456789abcdef\r\n"), 150_000) // 2.7 MB, no giant
		for i := range 20 {
			w.a.Deliver(append(mailOf("big@elsewhere.example", "owner@own.example", fmt.Sprint("b", i)), body...),
				gmailtest.Delivery{Received: noon.Add(time.Duration(i) * time.Minute)})
		}
		for _, b := range stream(t, w.open(t), "", provider.Walk{Bodies: provider.BodiesWith, Only: true}, 0) {
			require.Len(t, b.Put, 20)
			held := 0
			for _, h := range b.Put {
				held += len(h.Raw)
				require.Equal(t, "big@elsewhere.example", h.From[0].Address)
			}
			require.LessOrEqual(t, held, 32<<20)
			require.Greater(t, held, 28<<20)
		}
	})
}

// One message that cannot be handed over does not hold up the others.
func TestMessageWithoutReadableBodyComesWithItsHeader(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]*gmailtest.Reply{
		"always busy":   gmailtest.BackendError(500),
		"a bad request": {Status: 400, Body: `{"error":{"code":400,"message":"Precondition check failed."}}`},
		"no base64":     {Status: 200, Body: `{"id":"x","raw":"!!!"}`},
		"no body":       {Status: 200, Body: `{"id":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				ids := w.fill(5)
				w.s.Fail(gmailtest.Fault{Method: "messages.get", Times: -1, Reply: reply, Match: func(r *http.Request) bool {
					return strings.HasSuffix(r.URL.Path, string(ids[2])) && r.URL.Query().Get("format") == "raw"
				}})
				m := w.open(t)
				batches := stream(t, m, "", provider.Walk{Bodies: provider.BodiesWith, Only: true}, 0)
				require.Equal(t, ids, idsOf(batches))
				for i, h := range batches[0].Put {
					require.Equal(t, i == 2, h.Raw == nil, "message %d", i)
					require.NotEmpty(t, h.From)
				}
				_, err := m.Open(t.Context(), ids[2])
				require.Error(t, err)
				require.NotErrorIs(t, err, provider.ErrGone)
			})
		})
	}
}

func TestWalkLeavesOutWhatIsNoMail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		var want []provider.RemoteID
		for i, l := range [][]string{{"INBOX"}, {"DRAFT"}, {"SPAM"}, {"TRASH"}, {"CHAT"}, {"SENT"}, {}} {
			id := w.a.Deliver(mailOf("sam@elsewhere.example", "owner@own.example", fmt.Sprint("m", i)),
				gmailtest.Delivery{Received: noon.Add(-time.Duration(i) * time.Minute), Labels: l})
			if i == 0 || i > 4 {
				want = append(want, provider.RemoteID(id))
			}
		}
		before := w.units()
		got := stream(t, w.open(t), "", provider.Walk{Bodies: provider.BodiesNever, Only: true}, 0)
		require.Equal(t, want, idsOf(got))
		require.Equal(t, 1+5+3*20, w.units()-before, "what is no mail was not even asked for")
	})
}
