package outlook_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// letter is a mail with that Message-ID.
func letter(id string) []byte {
	return []byte("From: Kim <kim@client.example>\r\nTo: owner@own.example\r\nSubject: Plan\r\nMessage-ID: <" + id +
		"@client.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n")
}

// fill delivers mail to the inbox, one every so often, the newest an hour ago.
func (w *world) fill(n int, every time.Duration) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = w.a.Deliver(letter(fmt.Sprint("m", i)), outlooktest.Delivery{
			Received: noon.Add(-time.Hour - time.Duration(i)*every)})
	}
	return ids
}

// stream is what Changes told.
type stream struct {
	order   []string // ids as they were put, repetitions included
	put     map[string]provider.Header
	removed map[string]bool
	walked  int // of order, during the walk
	batches int
	last    provider.Cursor
	err     error
}

func follow(ctx context.Context, m provider.Mailbox, from provider.Cursor, w provider.Walk) stream {
	s := stream{put: map[string]provider.Header{}, removed: map[string]bool{}, last: from}
	for b, err := range m.Changes(ctx, from, w) {
		if err != nil {
			s.err = err
			break
		}
		s.batches++
		for _, h := range b.Put {
			s.order = append(s.order, string(h.ID))
			s.put[string(h.ID)] = h
			if b.Walking {
				s.walked++
			}
		}
		for _, id := range b.Removed {
			s.removed[string(id)] = true
		}
		s.last = b.Next
	}
	return s
}

// The list costs a call for a page, in any spread of mail, and several pages are on their way at once.
func TestWalkReachesTheCeiling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n     int
		every time.Duration
		since time.Duration
		most  time.Duration // one second a page of 100
		calls int
	}{
		// Four pages at once: 3,000 messages are 30 pages.
		"30 days":             {3000, 14 * time.Minute, 30 * 24 * time.Hour, 10 * time.Second, 36},
		"without a beginning": {3000, 14 * time.Minute, 0, 10 * time.Second, 36},
		"one page":            {90, 14 * time.Minute, 0, time.Second, 1},
		"all in one second":   {1000, 0, 30 * 24 * time.Hour, 11 * time.Second, 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{}, outlooktest.Config{
					Latency: func(method string, _ int) time.Duration {
						if method == "messages.list" {
							return time.Second
						}
						return 0
					}})
				ids := w.fill(c.n, c.every)
				walk := provider.Walk{Only: true}
				if c.since > 0 {
					walk.Since = noon.Add(-c.since)
				}
				m := w.open(t)
				w.s.ResetStats()
				began := time.Now()
				got := follow(t.Context(), m, "", walk)
				took := time.Since(began)
				require.NoError(t, got.err)
				require.Len(t, got.put, len(ids))
				require.Len(t, got.order, len(ids), "each once")
				calls := w.s.Stats().Requests["messages.list"]
				t.Logf("%d messages in %v, %d calls of messages.list", c.n, took, calls)
				require.LessOrEqual(t, took, c.most)
				require.LessOrEqual(t, calls, c.calls)
				require.Zero(t, w.a.Usage().Refused())
				require.LessOrEqual(t, w.a.Usage().MaxInFlight, 4)
			})
		})
	}
}

// Mail comes by day and not by night, and there are weekends.
func TestWalkOfOfficeHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{Latency: func(method string, _ int) time.Duration {
			if method == "messages.list" {
				return time.Second
			}
			return 0
		}})
		n := 0
		for day := range 30 {
			at := noon.AddDate(0, 0, -day)
			if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
				continue
			}
			for i := range 140 {
				n++
				w.a.Deliver(letter(fmt.Sprint("m", n)), outlooktest.Delivery{
					Received: time.Date(at.Year(), at.Month(), at.Day(), 8, i*4, 0, 0, time.UTC)})
			}
		}
		w.s.ResetStats()
		began := time.Now()
		got := follow(t.Context(), w.open(t), "", provider.Walk{Since: noon.AddDate(0, 0, -30), Only: true})
		require.NoError(t, got.err)
		require.Len(t, got.put, n)
		t.Logf("%d messages in %v, %d calls", n, time.Since(began), w.s.Stats().Requests["messages.list"])
		require.LessOrEqual(t, time.Since(began), time.Duration(n/100)*time.Second*2/3)
	})
}

// A mailbox whose pages take too long is asked for smaller ones.
func TestWalkAsksForSmallerPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		ids := w.fill(400, time.Hour)
		slow := func(r *http.Request) bool {
			var top int
			_, err := fmt.Sscan(r.URL.Query().Get("$top"), &top)
			return err == nil && top > 30
		}
		w.s.Fail(outlooktest.Fault{Method: "messages.list", Match: slow, Times: -1, Reply: outlooktest.Page(504)})
		got := follow(t.Context(), w.open(t), "", provider.Walk{Only: true})
		require.NoError(t, got.err)
		require.Len(t, got.put, len(ids))
	})
}

// So is one whose answers do not come at all in the time a host gives them.
func TestWalkAsksForSmallerPagesWhenTheyDoNotCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		ids := w.fill(400, time.Hour)
		w.o.HTTP.Timeout = 20 * time.Second
		slow := func(r *http.Request) bool {
			var top int
			_, err := fmt.Sscan(r.URL.Query().Get("$top"), &top)
			return err == nil && top > 30
		}
		w.s.Fail(outlooktest.Fault{Method: "messages.list", Match: slow, Times: -1, Delay: 25 * time.Second})
		got := follow(t.Context(), w.open(t), "", provider.Walk{Only: true})
		require.NoError(t, got.err)
		require.Len(t, got.put, len(ids))
	})
}

// Without the number of messages the list is read from end to end.
func TestWalkWithoutACount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{PageSize: 20}, outlooktest.Config{})
		ids := w.fill(150, time.Hour)
		w.s.Fail(outlooktest.Fault{Method: "messages.list", Times: -1, Reply: outlooktest.GraphError(400, "BadRequest", "No."),
			Match: func(r *http.Request) bool { return r.URL.Query().Has("$count") }})
		got := follow(t.Context(), w.open(t), "", provider.Walk{Since: noon.AddDate(0, 0, -30)})
		require.NoError(t, got.err)
		require.Len(t, got.put, len(ids))
		require.Len(t, got.order, len(ids))
	})
}

// Next links count messages from the beginning: one that is deleted would hide another.
func TestDeletionsDuringTheWalkHideNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{PageSize: 10, Quota: outlook.Quota{InFlight: 1}}, outlooktest.Config{})
		ids := w.fill(200, time.Hour)
		m := w.open(t)
		got := map[string]bool{}
		n := 0
		for b, err := range m.Changes(t.Context(), "", provider.Walk{Only: true}) {
			require.NoError(t, err)
			for _, h := range b.Put {
				got[string(h.ID)] = true
			}
			w.a.Delete(ids[n]) // which was yielded
			n++
		}
		for _, id := range ids {
			require.True(t, got[id], "a message was hidden")
		}
	})
}

// Wherever a walk is left, another process goes on behind it, also inside one second.
func TestWalkGoesOnWhereItWasLeft(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"an hour apart": time.Hour, "in one second": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{PageSize: 7}, outlooktest.Config{})
				ids := w.fill(60, every)
				got := map[string]int{}
				cursor := provider.Cursor("")
				for steps := 0; ; steps++ {
					require.Less(t, steps, 40)
					more := false
					for b, err := range w.open(t).Changes(t.Context(), cursor, provider.Walk{Only: true}) {
						require.NoError(t, err)
						for _, h := range b.Put {
							got[string(h.ID)]++
						}
						cursor, more = b.Next, true
						break
					}
					if !more {
						break
					}
				}
				require.Len(t, got, len(ids))
				for id, n := range got {
					require.Equal(t, 1, n, "%s was yielded again", id)
				}
			})
		})
	}
}

func TestWalkLeavesOutWhatIsNoMail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		want := map[string]bool{}
		below := w.a.AddFolder("deleteditems", "Old project")
		own := w.a.AddFolder("inbox", "Clients")
		for _, f := range []struct {
			folder string
			mail   bool
		}{
			{"inbox", true}, {"archive", true}, {"sentitems", true}, {own, true}, {"clutter", true},
			{"junkemail", false}, {"deleteditems", false}, {"drafts", false}, {"outbox", false},
			{"conversationhistory", false}, {"syncissues", false}, {"conflicts", false}, {below, false}, {"scheduled", false},
		} {
			id := w.a.Deliver(letter("in-"+f.folder), outlooktest.Delivery{Folder: f.folder, Received: noon.Add(-time.Hour)})
			if f.mail {
				want[id] = true
			}
		}
		got := follow(t.Context(), w.open(t), "", provider.Walk{Only: true})
		require.NoError(t, got.err)
		require.Len(t, got.put, len(want))
		for id := range want {
			require.Contains(t, got.put, id)
		}
	})
}

// Every request asks for immutable ids, those that follow links too.
func TestEveryRequestAsksForImmutableIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{PageSize: 5}, outlooktest.Config{})
		w.fill(60, 0)
		m := w.open(t)
		got := follow(t.Context(), m, "", provider.Walk{})
		require.NoError(t, got.err)
		_, err := m.(provider.Sender).Send(t.Context(), outgoing("m1", "", withAttachment(3_500_000)))
		require.NoError(t, err)
		require.NoError(t, follow(t.Context(), m, got.last, provider.Walk{}).err)
		require.Zero(t, w.s.Stats().DefaultIDs)
	})
}
