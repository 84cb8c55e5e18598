package outlook_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// A team whose mail was built from lists downloads the original of a mail when it asks for it.
func TestOriginalIsFetchedWhenItIsAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{})
		for _, id := range w.fill(3, time.Hour) {
			require.NotEmpty(t, id)
		}
		tm := w.connect(t, false, []string{"client.example"})
		w.s.ResetStats()
		_, err := tm.svc.Sync(t.Context(), tm.in.ID)
		require.NoError(t, err)
		require.Zero(t, w.s.Stats().Requests["messages.value"]+w.s.Stats().Requests["messages.get"])
		n := 0
		for m, err := range tm.svc.Messages(t.Context(), tm.who, inbox.MessageQuery{Inbox: tm.in.ID}) {
			require.NoError(t, err)
			n++
			r, err := tm.svc.Raw(t.Context(), tm.who, m.ID)
			require.Contains(t, opened(t, r, err), provider.BuiltHeader)
			r, err = tm.svc.Original(t.Context(), tm.who, m.ID)
			name, _, _ := strings.Cut(m.RFCID, "@")
			require.Equal(t, string(letter(name)), opened(t, r, err))
			w.a.Delete(string(m.Remote))
			_, err = tm.svc.Original(t.Context(), tm.who, m.ID)
			require.ErrorIs(t, err, provider.ErrGone)
		}
		require.Equal(t, 3, n)
		require.Equal(t, 6, w.s.Stats().Requests["messages.value"])
	})
}

// What is stored does not depend on what raw messages are.
func TestBuiltMailIsStoredAsTheOriginalsAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)))
		var stored []map[string]int
		var values []int
		for _, raw := range []outlook.Raw{outlook.RawOriginal, outlook.RawBuilt} {
			w := newWorld(t, outlook.Options{Raw: raw}, outlooktest.Config{})
			box, err := mailgen.New(mailgen.Config{Seed: 17, Messages: 300, MeanBytes: 4000, DuplicateShare: -1, Owner: w.a.Address()})
			require.NoError(t, err)
			for m := range box.Oldest() {
				w.a.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received, Sent: m.Outbound})
			}
			tm := w.connect(t, false, box.Config().Clients)
			_, err = tm.svc.Sync(t.Context(), tm.in.ID)
			require.NoError(t, err)
			stored = append(stored, tm.stored(t))
			values = append(values, w.s.Stats().Requests["messages.value"])
		}
		require.Greater(t, len(stored[0]), 50)
		require.Equal(t, stored[0], stored[1])
		require.Less(t, values[1], values[0]/2)
	})
}
