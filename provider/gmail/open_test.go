package gmail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestOpenManyOpensSeveralAndCallsOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		ids := append(w.fill(30), "18c1ffffffffffff")
		w.s.Fail(gmailtest.Fault{Method: "messages.get", Times: -1, Delay: time.Second})
		began := time.Now()
		var inside atomic.Int32
		seen := make(map[provider.RemoteID]int)
		err := w.open(t).(provider.BulkOpener).OpenMany(t.Context(), ids, func(id provider.RemoteID, r io.Reader, err error) error {
			require.EqualValues(t, 1, inside.Add(1))
			defer inside.Add(-1)
			time.Sleep(time.Millisecond)
			seen[id]++
			if id == ids[30] {
				require.ErrorIs(t, err, provider.ErrGone)
				return nil
			}
			require.NoError(t, err)
			raw, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Contains(t, string(raw), "Subject: Confidential")
			return nil
		})
		require.NoError(t, err)
		require.Len(t, seen, 31)
		require.Less(t, time.Since(began), 8*time.Second, "31 answers of a second each")
		require.LessOrEqual(t, w.s.Stats().MaxInFlight, 8)
	})
}

func TestOpenManyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		ids := w.fill(30)
		w.s.Fail(gmailtest.Fault{Method: "messages.get", Times: -1, Skip: 5, Break: gmailtest.Hang})
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err := w.open(t).(provider.BulkOpener).OpenMany(ctx, ids, func(_ provider.RemoteID, _ io.Reader, err error) error {
			if n++; n == 5 {
				cancel()
			}
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 5, n)
	})
}

func TestFetchEndsWithItsContextAndWithItsFirstError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault gmailtest.Fault
		want  error
	}{
		{"the context ends", gmailtest.Fault{Method: "messages.get", Times: -1, Skip: 60, Break: gmailtest.Hang}, context.DeadlineExceeded},
		{"the scope is gone", gmailtest.Fault{Method: "messages.get", Times: -1, Skip: 60, Reply: gmailtest.InsufficientScope()}, provider.ErrInsufficientScope},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				ids := w.fill(200)
				m := w.open(t)
				w.s.Fail(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var got []provider.RemoteID
				var last error
				for b, err := range m.Changes(ctx, "", provider.Walk{Bodies: provider.BodiesWith}) {
					got, last = append(got, idsOf([]provider.Batch{b})...), err
				}
				require.ErrorIs(t, last, c.want)
				require.Equal(t, ids[:50], got, "the batch that was whole")
			})
		})
	}
}

// The bytes of a large mail are held once, whatever the answer looks like on the wire.
func TestOpenOfALargeMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, unlimited, gmailtest.Config{Limits: gmailtest.Unlimited()})
	raw := append(mailOf("big@elsewhere.example", "owner@own.example", "giant"), bytes.Repeat([]byte("0123456789abcdef\r\n"), 1<<20)...)
	id := provider.RemoteID(w.a.Deliver(raw, gmailtest.Delivery{Received: noon}))
	r, err := w.open(t).Open(t.Context(), id)
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	require.True(t, bytes.Equal(raw, got))
}

func TestOpenOfWhatIsNoID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, unlimited, gmailtest.Config{Limits: gmailtest.Unlimited()})
	for _, id := range []provider.RemoteID{"../labels", "a/b?c=d#e", "ä ö", "%2e%2e"} {
		_, err := w.open(t).Open(t.Context(), id)
		require.Error(t, err, fmt.Sprint(id))
	}
	require.Zero(t, w.s.Stats().Requests["labels.list"], "an id must not lead elsewhere")
}
