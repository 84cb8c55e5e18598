package inbox_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/fake"
)

// The one that is slower finds its write refused, and puts the raw mail back before it sees that there is
// no mail any more.
func TestTwoWhoEraseAMailLeaveNothingOfIt(t *testing.T) { // R-TKT-05
	t.Parallel()
	for _, op := range []string{"Commit", "SyncState", "Messages", "Message", "OpenBlob", "DeleteBlob", "PutBlob"} {
		for nth := 1; nth <= 3; nth++ {
			t.Run(fmt.Sprint(op, " ", nth), func(t *testing.T) {
				t.Parallel()
				var store *faulty
				w := newWorld(t, fake.Options{}, breakable(&store))
				w.mailFrom("ann@acme.com", "secret", 3)
				w.mailFrom("ann@acme.com", "other", 2)
				in := w.open(true, filter.Rules{Mode: filter.All})
				w.sync(in.ID)
				secret, other := w.titled(in.ID, "secret")[0].ID, w.titled(in.ID, "other")[0].ID
				calls := 0
				store.onCall(func(called string, _ int) error {
					if called != op {
						return nil
					}
					if calls++; calls != nth {
						return nil
					}
					return w.svc.Erase(context.Background(), in.ID, secret)
				})
				require.NoError(t, w.svc.Erase(t.Context(), in.ID, secret, other))
				store.onCall(nil)
				require.Empty(t, w.messages(in.ID))
				w.requireRaw(in.ID, "after both")
			})
		}
	}
}
