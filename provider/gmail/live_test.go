package gmail_test

import (
	"fmt"
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

// live is a cursor behind a first walk.
func (w *world) live(t *testing.T) provider.Cursor {
	t.Helper()
	batches := stream(t, w.open(t), "", provider.Walk{Bodies: provider.BodiesNever}, 0)
	return batches[len(batches)-1].Next
}

func TestHistoryTellsWhatHappened(t *testing.T) {
	t.Parallel()
	arrive := func(w *world, labels ...string) string {
		return w.a.Deliver(mailOf("sam@elsewhere.example", "owner@own.example", "new"),
			gmailtest.Delivery{Received: noon.Add(time.Hour), Labels: labels})
	}
	for _, c := range []struct {
		name   string
		happen func(w *world, old string) string // returns the id it is about
		put    bool
		folder provider.Folder
		raw    bool // when bodies are wanted
		gone   bool
		units  int
	}{
		{"nothing", func(w *world, old string) string { return old }, false, "", false, false, 2},
		{"mail arrives", func(w *world, _ string) string { return arrive(w) }, true, "", true, false, 2 + 20},
		{"mail arrives, is read and starred", func(w *world, _ string) string {
			id := arrive(w)
			w.a.RemoveLabels(id, "UNREAD")
			w.a.AddLabels(id, "STARRED")
			return id
		}, true, "", true, false, 2 + 20},
		{"mail is sent elsewhere", func(w *world, _ string) string { return arrive(w, "SENT") }, true, "", true, false, 2 + 20},
		{"spam arrives", func(w *world, _ string) string { return arrive(w, "SPAM") }, false, "", false, false, 2},
		{"spam is rescued", func(w *world, _ string) string {
			id := arrive(w, "SPAM")
			w.a.Move(id, "INBOX")
			return id
		}, true, "", true, false, 2 + 20},
		{"old mail is spam", func(w *world, old string) string { w.a.Spam(old); return old }, true, provider.FolderSpam, false, false, 2 + 20},
		{"old mail to the trash", func(w *world, old string) string { w.a.Trash(old); return old }, true, provider.FolderTrash, false, false, 2 + 20},
		{"old mail is read", func(w *world, old string) string { w.a.RemoveLabels(old, "UNREAD"); return old }, true, "", false, false, 2 + 20},
		{"old mail is archived and starred", func(w *world, old string) string {
			w.a.RemoveLabels(old, "INBOX")
			w.a.AddLabels(old, "STARRED")
			return old
		}, false, "", false, false, 2},
		{"old mail is deleted", func(w *world, old string) string { w.a.Delete(old); return old }, false, "", false, true, 2},
		{"mail comes and goes", func(w *world, _ string) string {
			id := arrive(w)
			w.a.Delete(id)
			return id
		}, false, "", false, true, 2},
		{"a draft is saved again and again", func(w *world, _ string) string {
			draft := ""
			var id string
			for range 5 {
				draft, id = w.a.SaveDraft(draft, mailOf("owner@own.example", "carla@client.example", "draft"))
			}
			return id
		}, false, "", false, false, 2},
		{"a draft is sent", func(w *world, _ string) string {
			draft, _ := w.a.SaveDraft("", mailOf("owner@own.example", "carla@client.example", "draft"))
			return w.a.SendDraft(draft)
		}, true, "", true, false, 2 + 20},
	} {
		for _, bodies := range []provider.Bodies{provider.BodiesAsk, provider.BodiesWith} {
			t.Run(fmt.Sprint(c.name, ", bodies ", bodies), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := quiet(t, gmail.Options{})
					ids := w.fill(3)
					cursor := w.live(t)
					id := provider.RemoteID(c.happen(w, string(ids[1])))
					m, before := w.open(t), w.units()
					walk := provider.Walk{Bodies: bodies}
					batches := stream(t, m, cursor, walk, 0)
					require.Equal(t, c.units, w.units()-before, "units")
					var put []provider.Header
					var removed []provider.RemoteID
					for _, b := range batches {
						require.False(t, b.Walking)
						put, removed = append(put, b.Put...), append(removed, b.Removed...)
					}
					if c.put {
						require.Len(t, put, 1)
						require.Equal(t, id, put[0].ID)
						require.Equal(t, c.folder, put[0].Folder)
						require.NotEmpty(t, put[0].From)
						require.Equal(t, c.raw && bodies == provider.BodiesWith, put[0].Raw != nil, "raw bytes")
					} else {
						require.Empty(t, put)
					}
					require.Equal(t, c.gone, slices.Contains(removed, id), "removed")
					if c.name == "nothing" {
						require.Empty(t, batches)
					} else {
						require.Len(t, batches, 1, "the cursor moves on, whatever happened")
						cursor = batches[len(batches)-1].Next
					}
					before = w.units()
					require.Empty(t, stream(t, m, cursor, walk, 0), "a second look")
					require.Equal(t, 2, w.units()-before, "a second look is one call")
				})
			})
		}
	}
}

// Every place in a long history can be gone on from, and nothing is lost or told in the wrong order.
func TestHistoryGoesOnInAnotherProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 100})
		old := w.fill(20)
		cursor := w.live(t)
		want := make(map[provider.RemoteID]bool)
		for i := range 700 { // more than a page of records
			id := w.a.Deliver(mailOf("sam@elsewhere.example", "owner@own.example", fmt.Sprint("n", i)),
				gmailtest.Delivery{Received: noon.Add(time.Duration(i) * time.Second)})
			want[provider.RemoteID(id)] = true
			if i%3 == 0 {
				w.a.RemoveLabels(id, "UNREAD")
			}
			if i%40 == 0 {
				w.a.Delete(string(old[i/40]))
			}
		}
		walk := provider.Walk{Bodies: provider.BodiesNever}
		w.s.ResetStats()
		whole := stream(t, w.open(t), cursor, walk, 0)
		require.Equal(t, 2, w.s.Stats().Requests["history.list"])
		require.Less(t, w.s.Stats().Requests["messages.get"], 700+50, "a message that is changed often is asked for once a page")
		check := func(batches []provider.Batch, from int) {
			got := make(map[provider.RemoteID]bool)
			removed := 0
			for _, b := range batches {
				removed += len(b.Removed)
				require.LessOrEqual(t, len(b.Put)+len(b.Removed), 100)
			}
			for _, id := range idsOf(batches) {
				got[id] = true
			}
			if from == 0 {
				require.Equal(t, want, got)
				require.Equal(t, 18, removed)
			}
		}
		check(whole, 0)
		for n := 1; n < len(whole); n++ {
			rest := stream(t, w.open(t), whole[n-1].Next, walk, 0)
			check(append(slices.Clone(whole[:n]), rest...), 0)
			seen := idsOf(whole[:n])
			again := 0
			for _, id := range idsOf(rest) {
				if slices.Contains(seen, id) {
					again++
				}
			}
			require.Less(t, again, 60, "told again after batch %d: changed later, or in the record at the cut", n)
		}
		require.Empty(t, stream(t, w.open(t), whole[len(whole)-1].Next, walk, 0))
	})
}

func TestMessageThatComesLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		times int
		there bool
	}{{"four seconds later it is there", 1, true}, {"it never comes", 2, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				cursor := w.live(t)
				id := w.fill(1)[0]
				w.s.Fail(gmailtest.Fault{Method: "messages.get", Times: c.times, Reply: gmailtest.NotFound()})
				began := time.Now()
				batches := stream(t, w.open(t), cursor, provider.Walk{Bodies: provider.BodiesWith}, 0)
				require.GreaterOrEqual(t, time.Since(began), 3*time.Second)
				require.LessOrEqual(t, time.Since(began), 5*time.Second)
				if c.there {
					require.Equal(t, []provider.RemoteID{id}, idsOf(batches))
					return
				}
				require.Empty(t, idsOf(batches))
				require.Equal(t, []provider.RemoteID{id}, batches[0].Removed)
			})
		})
	}
}

func TestExpiredHistoryIsToldApartFromADeadAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		happen func(w *world)
		want   error
	}{
		{"too old", func(w *world) { w.a.ExpireHistory() }, provider.ErrCursorExpired},
		{"never an id of this account", func(w *world) {
			w.s.Fail(gmailtest.Fault{Method: "history.list", Reply: &gmailtest.Reply{Status: 400,
				Body: `{"error":{"code":400,"message":"Invalid startHistoryId","errors":[{"reason":"invalidArgument"}]}}`}})
		}, provider.ErrCursorExpired},
		{"the account is gone", func(w *world) {
			w.s.Fail(gmailtest.Fault{Times: -1, Reply: gmailtest.NotFound()})
		}, provider.ErrAuth},
		{"the grant is gone", func(w *world) { w.a.Revoke() }, provider.ErrAuth},
		{"the service is busy", func(w *world) {
			w.s.Fail(gmailtest.Fault{Times: -1, Reply: gmailtest.BackendError(503)})
		}, provider.ErrRetry},
		{"the history is there, the profile not", func(w *world) {
			w.a.ExpireHistory()
			w.s.Fail(gmailtest.Fault{Method: "getProfile", Times: -1, Reply: gmailtest.BackendError(503)})
		}, provider.ErrRetry},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				w.fill(3)
				cursor := w.live(t)
				w.fill(1)
				m := w.open(t)
				c.happen(w)
				pairs := 0
				for b, err := range m.Changes(t.Context(), cursor, provider.Walk{}) {
					pairs++
					require.ErrorIs(t, err, c.want)
					require.Empty(t, b.Put)
					require.Empty(t, b.Removed)
					if c.want != provider.ErrCursorExpired {
						require.NotErrorIs(t, err, provider.ErrCursorExpired)
					}
					require.False(t, strings.Contains(err.Error(), "owner@"), "an address")
				}
				require.Equal(t, 1, pairs)
			})
		})
	}
}

func TestRefusedPageOfHistoryIsAskedForFromTheLastRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{PageSize: 500})
		cursor := w.live(t)
		ids := w.fill(1200)
		w.s.Fail(gmailtest.Fault{Method: "history.list", Skip: 1, Reply: &gmailtest.Reply{Status: 400,
			Body: `{"error":{"code":400,"message":"Invalid pageToken"}}`}})
		got := idsOf(stream(t, w.open(t), cursor, provider.Walk{Bodies: provider.BodiesNever}, 0))
		slices.Reverse(got)
		require.Equal(t, ids, got, "each once, oldest first")
	})
}
