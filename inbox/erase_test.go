package inbox_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

// titled returns the stored messages of that subject, newest first.
func (w *world) titled(id inbox.ID, subject string) []inbox.Message {
	w.t.Helper()
	return slices.DeleteFunc(w.messages(id), func(m inbox.Message) bool { return m.Subject != subject })
}

// requireRaw checks that every stored mail has its raw bytes and that there are no others.
func (w *world) requireRaw(id inbox.ID, why string) {
	w.t.Helper()
	var want, got []inbox.BlobKey
	for _, m := range w.messages(id) {
		if !slices.Contains(want, m.Blob) {
			want = append(want, m.Blob)
		}
	}
	for b, err := range w.store.Blobs(w.t.Context(), id) {
		require.NoError(w.t, err)
		got = append(got, b.Key)
	}
	require.ElementsMatch(w.t, want, got, "%s: raw mails that are kept", why)
}

func TestAnErasedMailLeavesNothingOfItself(t *testing.T) { // R-TKT-05, R-IMP-11
	t.Parallel()
	w := newWorld(t, fake.Options{})
	remote := w.mailFrom("ann@acme.com", "secret", 3)
	w.mailFrom("ann@acme.com", "other", 2)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	ctx := t.Context()
	m := w.titled(in.ID, "secret")[0]
	require.NoError(t, w.svc.Erase(ctx, in.ID, m.ID, m.ID, "never was"))
	_, err := w.store.Message(ctx, m.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.store.Content(ctx, m.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.store.OpenBlob(ctx, m.Blob)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.svc.View(ctx, w.actor("carl"), m.ID, htmlsafe.Options{})
	require.ErrorIs(t, err, storage.ErrNotFound)
	fate, err := w.svc.Fate(ctx, w.actor("carl"), in.ID, remote)
	require.NoError(t, err)
	require.Equal(t, inbox.Seen{State: inbox.SeenRejected, Reason: inbox.ReasonPurged, Thread: m.Thread, Received: m.Received}, fate)
	require.Equal(t, []string{"other"}, w.stored(in.ID))
	w.requireRaw(in.ID, "after it was erased")

	before, err := w.store.SyncState(ctx, in.ID)
	require.NoError(t, err)
	require.NoError(t, w.svc.Erase(ctx, in.ID, m.ID), "again")
	after, err := w.store.SyncState(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing was left to do")
}

func TestErasingMailOfAnotherInboxErasesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "offer", 3)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	w.inboxOf("in-zoe", site)
	m := w.titled(in.ID, "offer")[0]
	require.ErrorIs(t, w.svc.Erase(t.Context(), "in-zoe", m.ID), storage.ErrNotFound)
	require.Equal(t, []string{"offer"}, w.stored(in.ID))
	w.requireRaw(in.ID, "refused")
}

func TestErasedMailNeverComesBack(t *testing.T) { // R-TKT-05, R-CON-07, R-CHG-06, R-FLT-10
	t.Parallel()
	for name, again := range map[string]func(w *world, id inbox.ID, remote provider.RemoteID){
		"expired cursor": func(w *world, _ inbox.ID, _ provider.RemoteID) { w.account.ExpireCursors() },
		"expired cursor, deletions mirrored": func(w *world, id inbox.ID, _ provider.RemoteID) {
			settings := inbox.InboxSettings{MirrorDeletes: true}
			_, err := w.svc.Edit(w.t.Context(), w.actor("carl"), id, inbox.Edit{Settings: &settings})
			require.NoError(w.t, err)
			w.account.ExpireCursors()
		},
		"reapply": func(w *world, id inbox.ID, _ provider.RemoteID) {
			require.NoError(w.t, w.svc.Reapply(w.t.Context(), w.actor("carl"), id))
		},
		"other rules": func(w *world, id inbox.ID, _ provider.RemoteID) {
			for _, mode := range []filter.Mode{filter.All, filter.ClientAssociated, filter.All} {
				_, err := w.svc.SetRules(w.t.Context(), w.actor("carl"), id, filter.Rules{Mode: mode})
				require.NoError(w.t, err)
				w.sync(id)
			}
		},
		"backfill": func(w *world, id inbox.ID, _ provider.RemoteID) {
			require.NoError(w.t, w.svc.Backfill(w.t.Context(), w.actor("carl"), id, time.Time{}))
		},
		"moved and read": func(w *world, _ inbox.ID, remote provider.RemoteID) {
			w.account.MarkRead(remote)
			w.account.Move(remote, provider.FolderTrash)
			w.account.Move(remote, provider.FolderMail)
		},
		"older mail opens its thread": func(w *world, _ inbox.ID, _ provider.RemoteID) {
			w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "first", "Message-ID: <first@acme.com>"),
				fake.Delivery{Received: connected.Add(-20 * time.Hour), Thread: "t"})
		},
		"disconnected and connected": func(w *world, id inbox.ID, _ provider.RemoteID) {
			_, err := w.svc.Disconnect(w.t.Context(), w.actor("carl"), id, inbox.KeepMail)
			require.NoError(w.t, err)
			_, err = w.consent(id)
			require.NoError(w.t, err)
			w.account.ExpireCursors()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{PageSize: 2})
			w.client("Acme", "acme.com")
			w.mailFrom("ann@acme.com", "other", 9)
			remote := w.account.Deliver(mailText("lawyer@law.org", "me@firm.example", "purged", "Cc: ann@acme.com"),
				fake.Delivery{Received: connected.Add(-5 * time.Hour), Thread: "t"})
			w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "opens"),
				fake.Delivery{Received: connected.Add(-6 * time.Hour), Thread: "t"})
			in := w.open(true, filter.Rules{})
			w.sync(in.ID)
			w.advance(time.Hour)
			require.Len(t, w.titled(in.ID, "purged"), 1)
			require.NoError(t, w.svc.Erase(t.Context(), in.ID, w.titled(in.ID, "purged")[0].ID))
			again(w, in.ID, remote)
			for range 3 {
				w.sync(in.ID)
				w.advance(7 * time.Hour)
			}
			require.Empty(t, w.titled(in.ID, "purged"))
			require.Len(t, w.titled(in.ID, "other"), 1)
			fate, err := w.svc.Fate(t.Context(), w.actor("carl"), in.ID, remote)
			require.NoError(t, err)
			require.Equal(t, inbox.ReasonPurged, fate.Reason)
			w.requireRaw(in.ID, name)
		})
	}
}

func TestACopyGoesWithItsMailAndNotTheOtherWayRound(t *testing.T) { // R-IMP-06
	t.Parallel()
	for _, row := range []struct {
		name string
		copy bool
		left int
	}{{"the mail", false, 0}, {"its copy", true, 1}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			for range 2 {
				w.mailFrom("ann@acme.com", "same", 5, "Message-ID: <x@acme.com>")
			}
			w.mailFrom("ann@acme.com", "other", 4, "Message-ID: <x@acme.com>")
			in := w.open(true, filter.Rules{Mode: filter.All}, reader)
			w.sync(in.ID)
			same := w.titled(in.ID, "same")
			require.Len(t, same, 2)
			require.Equal(t, same[0].Blob, same[1].Blob, "the same bytes")
			i := slices.IndexFunc(same, func(m inbox.Message) bool { return (m.CopyOf != "") == row.copy })
			require.NoError(t, w.svc.Erase(t.Context(), in.ID, same[i].ID))
			require.Len(t, w.titled(in.ID, "same"), row.left)
			require.Len(t, w.titled(in.ID, "other"), 1, "another mail that has the same Message-ID")
			w.requireRaw(in.ID, row.name)
			w.account.ExpireCursors()
			w.sync(in.ID)
			require.Len(t, w.titled(in.ID, "same"), row.left)
		})
	}
}

// nameless is a mail without a Message-ID: two of the same bytes are two mails.
var nameless = []byte("From: ann@acme.com\r\nTo: me@firm.example\r\nSubject: twin\r\n\r\nhello\r\n")

func TestMailOfTheSameBytesKeepsThem(t *testing.T) { // R-IMP-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	for i := range 2 {
		w.account.Deliver(nameless, fake.Delivery{Received: connected.Add(-time.Duration(i+1) * time.Hour)})
	}
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	twins := w.titled(in.ID, "twin")
	require.Len(t, twins, 2)
	for i, m := range twins {
		require.Equal(t, twins[0].Blob, m.Blob)
		require.Empty(t, m.CopyOf)
		require.NoError(t, w.svc.Erase(t.Context(), in.ID, m.ID))
		require.Len(t, w.titled(in.ID, "twin"), 1-i)
		w.requireRaw(in.ID, fmt.Sprint(i+1, " of 2 erased"))
	}
}

func TestAnEraseThatBreaksIsRepeated(t *testing.T) {
	t.Parallel()
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprintf("crash %t", crash), func(t *testing.T) {
			t.Parallel()
			done := false
			for n := 1; !done; n++ {
				require.Less(t, n, 100)
				var store *faulty
				w := newWorld(t, fake.Options{}, breakable(&store))
				for i := range 2 {
					w.account.Deliver(nameless, fake.Delivery{Received: connected.Add(-time.Duration(i+1) * time.Hour)})
					w.mailFrom("ann@acme.com", "same", 5, "Message-ID: <x@acme.com>")
				}
				w.mailFrom("ann@acme.com", "big", 4)
				w.mailFrom("ann@acme.com", "other", 3)
				in := w.open(true, filter.Rules{Mode: filter.All})
				w.sync(in.ID)
				var ids []inbox.MessageID
				for _, m := range w.messages(in.ID) {
					if m.CopyOf == "" && m.Subject != "other" {
						ids = append(ids, m.ID)
					}
				}
				require.Len(t, ids, 4)
				ids = ids[1:] // one of the twins stays
				why := fmt.Sprintf("the store broken at call %d", n)
				store.onCall(func(_ string, call int) error {
					if call == n || crash && call > n {
						return errBroken
					}
					return nil
				})
				err := w.svc.Erase(t.Context(), in.ID, ids...)
				done = store.called() < n
				store.onCall(nil)
				if !done {
					if !crash && err != nil && len(w.messages(in.ID)) == 6 {
						w.requireRaw(in.ID, why+", nothing erased")
					}
					require.NoError(t, w.svc.Erase(t.Context(), in.ID, ids...), why)
				}
				require.ElementsMatch(t, []string{"twin", "other"}, w.stored(in.ID), why)
				w.requireRaw(in.ID, why)
				w.account.ExpireCursors()
				w.sync(in.ID)
				require.ElementsMatch(t, []string{"twin", "other"}, w.stored(in.ID), why)
			}
		})
	}
}

// deliverAt lets the nameless mail come in once more, and be synced, at the nth call of an operation of the
// store. What it returns says whether that happened.
func (w *world) deliverAt(store *faulty, id inbox.ID, op string, nth int) *bool {
	seen, synced := 0, new(bool)
	store.onCall(func(called string, _ int) error {
		if called != op || *synced {
			return nil
		}
		if seen++; seen < nth {
			return nil
		}
		*synced = true
		w.account.Deliver(nameless, fake.Delivery{})
		_, err := w.svc.Sync(context.Background(), id)
		return err
	})
	return synced
}

// meanwhile runs a test for each call at which deliverAt is asked to let the mail come in.
func meanwhile(t *testing.T, test func(t *testing.T, op string, nth int)) {
	for _, op := range []string{"Commit", "SyncState", "Messages", "OpenBlob", "DeleteBlob"} {
		for nth := 1; nth <= 2; nth++ {
			t.Run(fmt.Sprint(op, " ", nth), func(t *testing.T) {
				t.Parallel()
				test(t, op, nth)
			})
		}
	}
}

func TestMailOfTheSameBytesThatComesInMeanwhileKeepsThem(t *testing.T) { // R-IMP-06
	t.Parallel()
	meanwhile(t, func(t *testing.T, op string, nth int) {
		var store *faulty
		w := newWorld(t, fake.Options{}, breakable(&store))
		w.account.Deliver(nameless, fake.Delivery{Received: connected.Add(-time.Hour)})
		in := w.open(true, filter.Rules{Mode: filter.All})
		w.sync(in.ID)
		first := w.titled(in.ID, "twin")[0]
		synced := w.deliverAt(store, in.ID, op, nth)
		require.NoError(t, w.svc.Erase(t.Context(), in.ID, first.ID))
		store.onCall(nil)
		if !*synced {
			return
		}
		require.Len(t, w.titled(in.ID, "twin"), 1)
		w.requireRaw(in.ID, "the mail that came in")
	})
}

func TestAnEraseStopsTheSyncUnderWay(t *testing.T) { // R-IMP-06
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 1})
	w.account.Deliver(nameless, fake.Delivery{Received: connected.Add(-9 * time.Hour)})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	first := w.titled(in.ID, "twin")[0]
	w.advance(time.Hour)
	w.account.Deliver(nameless, fake.Delivery{})
	for i := range 4 {
		w.account.Deliver(mailText("ann@acme.com", "me@firm.example", fmt.Sprint("mail ", i)), fake.Delivery{})
	}
	erased := false
	w.account.BeforeCall(func(op fake.Op, _ int) error {
		if op != fake.OpOpen || erased {
			return nil
		}
		erased = true
		return w.svc.Erase(context.Background(), in.ID, first.ID)
	})
	_, err := w.svc.Sync(t.Context(), in.ID)
	w.account.BeforeCall(nil)
	require.True(t, erased)
	require.ErrorIs(t, err, storage.ErrConflict)
	w.settleDown(in.ID, "after it was erased")
	require.Len(t, w.stored(in.ID), 5)
	_, err = w.store.Message(t.Context(), first.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	w.requireRaw(in.ID, "after it was erased")
}

// lostAnswer is a store whose commit that erases is done, but its outcome is not known.
type lostAnswer struct {
	*memory.Store
	deaf *bool
}

func (s lostAnswer) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	st, err := s.Store.Commit(ctx, imp, ev...)
	if err == nil && len(imp.Erase) > 0 {
		*s.deaf = true
		return inbox.SyncState{}, storage.ErrAmbiguous
	}
	return st, err
}

func (s lostAnswer) SyncState(ctx context.Context, id inbox.ID) (inbox.SyncState, error) {
	if *s.deaf {
		return inbox.SyncState{}, errBroken
	}
	return s.Store.SyncState(ctx, id)
}

func TestAnEraseOfUnknownOutcomePutsNothingBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := false
		w := newWorld(t, fake.Options{}, func(c *inbox.Config) { c.Store = lostAnswer{c.Store.(*memory.Store), &deaf} })
		w.mailFrom("ann@acme.com", "secret", 3)
		in := w.open(true, filter.Rules{Mode: filter.All})
		w.sync(in.ID)
		m := w.titled(in.ID, "secret")[0]
		require.Error(t, w.svc.Erase(t.Context(), in.ID, m.ID))
		deaf = false
		require.NoError(t, w.svc.Erase(t.Context(), in.ID, m.ID))
		r, err := w.store.OpenBlob(t.Context(), m.Blob)
		if err == nil {
			raw, _ := io.ReadAll(r)
			t.Errorf("raw mail that nothing names: %q", raw)
		}
	})
}

func TestAnEraseThatDiesHasStoppedTheSyncUnderWay(t *testing.T) { // R-IMP-06
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	w.account.Deliver(nameless, fake.Delivery{Received: connected.Add(-time.Hour)})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	first := w.titled(in.ID, "twin")[0]
	w.account.Deliver(nameless, fake.Delivery{})
	erasing, deleted := false, false
	store.onCall(func(op string, _ int) error {
		switch {
		case op == "SyncBlobs" && !erasing: // the sync has put the same bytes and not stored the mail
			erasing = true
			require.ErrorIs(t, w.svc.Erase(context.Background(), in.ID, first.ID), errBroken)
			store.onCall(nil)
		case op == "DeleteBlob":
			deleted = true
		case deleted:
			return errBroken
		}
		return nil
	})
	_, err := w.svc.Sync(t.Context(), in.ID)
	require.True(t, deleted)
	require.ErrorIs(t, err, storage.ErrConflict)
	require.NoError(t, w.svc.Erase(t.Context(), in.ID, first.ID))
	w.sync(in.ID)
	require.Len(t, w.titled(in.ID, "twin"), 1)
	w.requireRaw(in.ID, "the mail that came in")
}

func TestRawMailThatCannotBeReadNowIsNotLost(t *testing.T) { // what is refused leaves everything as it was
	t.Parallel()
	for name, row := range map[string]struct {
		unread error
		want   error
		left   []string
	}{
		"cannot be read now": {errBroken, errBroken, []string{"secret"}},
		"is damaged":         {storage.ErrDamaged, nil, nil},
		"is not there":       {storage.ErrNotFound, nil, nil},
	} {
		var store *faulty
		w := newWorld(t, fake.Options{}, breakable(&store))
		w.mailFrom("ann@acme.com", "secret", 3)
		in := w.open(true, filter.Rules{Mode: filter.All})
		w.sync(in.ID)
		store.onCall(func(op string, _ int) error {
			if op == "OpenBlob" {
				return row.unread
			}
			return nil
		})
		err := w.svc.Erase(t.Context(), in.ID, w.titled(in.ID, "secret")[0].ID)
		require.ErrorIs(t, err, row.want, name)
		store.onCall(nil)
		require.Equal(t, row.left, w.stored(in.ID), name)
		w.requireRaw(in.ID, name)
	}
}
