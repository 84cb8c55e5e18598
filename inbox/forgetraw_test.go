package inbox_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

// keep puts raw mail into the blobs of an inbox, as what waits to be sent.
func (w *world) keep(id inbox.ID, raw []byte) inbox.BlobInfo {
	w.t.Helper()
	b, err := w.store.PutBlob(context.Background(), id, bytes.NewReader(raw))
	require.NoError(w.t, err)
	return b
}

func TestForgottenRawMailIsGoneButForWhatStoredMailHas(t *testing.T) { // R-TKT-05
	t.Parallel()
	w := newWorld(t, fake.Options{})
	named := mailText("ann@acme.com", "me@firm.example", "named", "Message-ID: <named@acme.com>")
	other := mailText("ann@acme.com", "me@firm.example", "other", "Message-ID: <named@acme.com>")
	w.account.Deliver(named, fake.Delivery{Received: connected.Add(-time.Hour)})
	w.account.Deliver(nameless, fake.Delivery{Received: connected.Add(-2 * time.Hour)})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	ctx := t.Context()
	raws := []inbox.BlobInfo{w.keep(in.ID, named), w.keep(in.ID, nameless), w.keep(in.ID, other),
		w.keep(in.ID, append([]byte("X-Sent: 1\r\n"), nameless...))}
	require.NoError(t, w.svc.ForgetRaw(ctx, in.ID, raws...))
	w.requireRaw(in.ID, "after raw mail was forgotten")
	before, err := w.store.SyncState(ctx, in.ID)
	require.NoError(t, err)
	require.NoError(t, w.svc.ForgetRaw(ctx, in.ID, raws...), "again")
	after, err := w.store.SyncState(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing was left to do")

	lone := w.keep("in-gone", other)
	require.NoError(t, w.svc.ForgetRaw(ctx, "in-gone", lone), "the inbox is gone")
	_, err = w.store.OpenBlob(ctx, lone.Key)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestRawMailThatComesBackWhileItIsForgottenIsKept(t *testing.T) {
	t.Parallel()
	meanwhile(t, func(t *testing.T, op string, nth int) {
		var store *faulty
		w := newWorld(t, fake.Options{}, breakable(&store))
		in := w.open(true, filter.Rules{Mode: filter.All})
		w.sync(in.ID)
		raw := w.keep(in.ID, nameless)
		w.deliverAt(store, in.ID, op, nth)
		require.NoError(t, w.svc.ForgetRaw(t.Context(), in.ID, raw))
		store.onCall(nil)
		w.requireRaw(in.ID, "the mail that came in")
	})
}

func TestForgettingRawMailThatBreaksIsRepeated(t *testing.T) {
	t.Parallel()
	done := false
	for n := 1; !done; n++ {
		require.Less(t, n, 50)
		var store *faulty
		w := newWorld(t, fake.Options{}, breakable(&store))
		w.account.Deliver(nameless, fake.Delivery{})
		in := w.open(true, filter.Rules{Mode: filter.All})
		w.sync(in.ID)
		raws := []inbox.BlobInfo{w.keep(in.ID, nameless),
			w.keep(in.ID, mailText("me@firm.example", "ann@acme.com", "sent"))}
		store.failAt(n)
		err := w.svc.ForgetRaw(t.Context(), in.ID, raws...)
		done = store.called() < n
		store.onCall(nil)
		if !done && err != nil {
			require.NoError(t, w.svc.ForgetRaw(t.Context(), in.ID, raws...))
		}
		w.requireRaw(in.ID, fmt.Sprintf("the store broken at call %d", n))
	}
}
