package outlook_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// walked is a world whose first walk is over.
func walked(t *testing.T, o outlook.Options, d outlooktest.Delta, n int) (*world, []string, provider.Cursor) {
	t.Helper()
	w := newWorld(t, o, outlooktest.Config{Delta: d})
	ids := w.fill(n, time.Hour)
	got := follow(t.Context(), w.open(t), "", provider.Walk{})
	require.NoError(t, got.err)
	require.Len(t, got.put, n)
	return w, ids, got.last
}

// next reads on in another process.
func (w *world) next(t *testing.T, from provider.Cursor) stream {
	t.Helper()
	got := follow(t.Context(), w.open(t), from, provider.Walk{})
	require.NoError(t, got.err)
	return got
}

func TestMovesAreNoDeletions(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]outlooktest.Delta{
		"as documented": {KeepReturns: true}, "as observed": {}, "destination lost": {LoseMoves: true},
		"reason changed": {LoseMoves: true, MoveReason: "changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// Mail from before and after the received time the delta queries began with.
				w, ids, cursor := walked(t, outlook.Options{}, d, 120)
				own := w.a.AddFolder("inbox", "Clients")
				there, back, trashed, spam := 0, 1, 118, 119
				w.a.Move(ids[there], own)
				w.a.Move(ids[back], own)
				w.a.Move(ids[back], "inbox")
				w.a.Move(ids[trashed], "deleteditems")
				w.a.Move(ids[spam], "junkemail")
				got := w.next(t, cursor)
				require.Empty(t, got.removed)
				require.Equal(t, provider.FolderMail, got.put[ids[there]].Folder)
				require.Equal(t, provider.FolderTrash, got.put[ids[trashed]].Folder)
				require.Equal(t, provider.FolderSpam, got.put[ids[spam]].Folder)

				w.a.Move(ids[trashed], "archive")
				w.a.Move(ids[spam], own)
				got = w.next(t, got.last)
				require.Empty(t, got.removed)
				for _, i := range []int{trashed, spam} {
					require.Contains(t, got.put, ids[i])
					require.Equal(t, provider.FolderMail, got.put[ids[i]].Folder)
				}
				require.Zero(t, w.next(t, got.last).batches, "nothing changed")
			})
		})
	}
}

func TestChangesOfOldMailAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, ids, cursor := walked(t, outlook.Options{}, outlooktest.Delta{}, 200)
		w.a.MarkRead(ids[199], true)
		w.a.Delete(ids[198])
		got := w.next(t, cursor)
		require.False(t, got.put[ids[199]].Unread)
		require.Equal(t, map[string]bool{ids[198]: true}, got.removed)
		require.Len(t, got.put, 1)
	})
}

func TestFoldersComeGoAndMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, cursor := walked(t, outlook.Options{}, outlooktest.Delta{}, 3)
		own := w.a.AddFolder("inbox", "Clients")
		inner := w.a.AddFolder(own, "Acme")
		id := w.a.Deliver(letter("new"), outlooktest.Delivery{Folder: inner})
		got := w.next(t, cursor)
		require.Contains(t, got.put, id)

		w.a.RenameFolder(own, "Customers")
		require.Empty(t, w.next(t, got.last).order, "a name changes nothing")

		w.a.MoveFolder(own, "deleteditems")
		got = w.next(t, got.last)
		require.Equal(t, provider.FolderTrash, got.put[id].Folder, "mail of a folder in the trash")

		w.a.MoveFolder(own, "archive")
		got = w.next(t, got.last)
		require.Equal(t, provider.FolderMail, got.put[id].Folder)

		w.a.DeleteFolder(inner)
		got = w.next(t, got.last)
		require.NotContains(t, got.put, id)
		late := w.a.Deliver(letter("late"), outlooktest.Delivery{Folder: own})
		require.Contains(t, w.next(t, got.last).put, late)
	})
}

// A filter tells of 5,000 messages at most. A folder that comes out of the trash has more.
func TestAFolderWithMoreThanAFilterTellsOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{PageSize: 800}, outlooktest.Config{})
		thrown := w.a.AddFolder("deleteditems", "Clients")
		const n = 5010
		for i := range n {
			w.a.Deliver(letter(fmt.Sprint("m", i)), outlooktest.Delivery{Folder: thrown,
				Received: noon.Add(-time.Hour - time.Duration(i)*time.Minute)})
		}
		walk := provider.Walk{Since: noon.AddDate(0, 0, -30)}
		m := w.open(t)
		got := follow(t.Context(), m, "", walk)
		require.NoError(t, got.err)
		require.Empty(t, got.put)
		w.a.MoveFolder(thrown, "inbox")
		put := map[string]bool{}
		for range 3 {
			got = follow(t.Context(), m, got.last, walk)
			require.NoError(t, got.err)
			for id := range got.put {
				put[id] = true
			}
		}
		require.Equal(t, n, len(put))
		require.Empty(t, got.order, "it is read once")
	})
}

func TestOneLostLinkRestartsItsFolderAlone(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]bool{"with a location": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, ids, cursor := walked(t, outlook.Options{}, outlooktest.Delta{Location: location}, 100)
				w.a.EvictDelta("inbox")
				id := w.a.Deliver(letter("new"), outlooktest.Delivery{})
				w.s.ResetStats()
				got := w.next(t, cursor)
				require.Contains(t, got.put, id)
				require.LessOrEqual(t, len(got.put), 26, "a day is read again, not the window")
				require.NotContains(t, got.put, ids[99])
				require.Zero(t, w.next(t, got.last).batches)
			})
		})
	}
}

func TestAllLinksLostIsAnExpiredCursor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, cursor := walked(t, outlook.Options{}, outlooktest.Delta{}, 5)
		w.a.EvictDelta("")
		got := follow(t.Context(), w.open(t), cursor, provider.Walk{})
		require.ErrorIs(t, got.err, provider.ErrCursorExpired)
		require.Zero(t, got.batches)
	})
}

func TestManyChangesInSmallPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, ids, cursor := walked(t, outlook.Options{PageSize: 4}, outlooktest.Delta{EmptyPageEvery: 3, DuplicateEvery: 5}, 50)
		for i, id := range ids {
			switch i % 3 {
			case 0:
				w.a.MarkRead(id, true)
			case 1:
				w.a.Delete(id)
			}
		}
		var put, removed = map[string]bool{}, map[string]bool{}
		for steps := 0; ; steps++ {
			require.Less(t, steps, 100)
			n := 0
			for b, err := range w.open(t).Changes(t.Context(), cursor, provider.Walk{}) {
				require.NoError(t, err)
				n++
				for _, h := range b.Put {
					put[string(h.ID)] = true
				}
				for _, id := range b.Removed {
					removed[string(id)] = true
				}
				cursor = b.Next
				break // left behind every batch
			}
			if n == 0 {
				break
			}
		}
		for i, id := range ids {
			require.Equal(t, i%3 == 0, put[id], "message %d", i)
			require.Equal(t, i%3 == 1, removed[id], "message %d", i)
		}
	})
}

func TestDraftsAreNotTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, cursor := walked(t, outlook.Options{}, outlooktest.Delta{}, 3)
		id := w.a.Deliver(letter("draft"), outlooktest.Delivery{Folder: "drafts"})
		got := w.next(t, cursor)
		require.NotContains(t, got.put, id)
	})
}

// Quiet mailboxes cost a call for every folder and yield nothing, but for a fresh cursor now and then.
func TestQuietMailboxes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, cursor := walked(t, outlook.Options{}, outlooktest.Delta{}, 3)
		m := w.open(t)
		require.Zero(t, follow(t.Context(), m, cursor, provider.Walk{}).batches)
		time.Sleep(2 * time.Hour)
		got := follow(t.Context(), m, cursor, provider.Walk{})
		require.Equal(t, 1, got.batches)
		require.NotEqual(t, cursor, got.last)
		require.Zero(t, follow(t.Context(), m, got.last, provider.Walk{}).batches)
	})
}

// Hundreds of folders make a cursor that is stored compressed and still resumes.
func TestManyFolders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		var some []string
		for i := range 250 {
			some = append(some, w.a.AddFolder("inbox", fmt.Sprint("Client ", i)))
		}
		first := follow(t.Context(), w.open(t), "", provider.Walk{})
		require.NoError(t, first.err)
		require.Zero(t, w.a.Usage().Refused())
		t.Logf("cursor of %d folders: %d bytes", 250, len(first.last))
		id := w.a.Deliver(letter("new"), outlooktest.Delivery{Folder: some[249]})
		require.Contains(t, w.next(t, first.last).put, id)
	})
}
