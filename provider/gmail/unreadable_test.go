package gmail_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// gets matches calls for one message that ask for more than where it lies.
func gets(id string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/"+id) && r.URL.Query().Get("format") != "minimal"
	}
}

// A message is listed before get knows it, as with mail people send to themselves.
func TestAListedMessageThatIsTooEarlyIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, bodies := range map[string]provider.Bodies{"with bodies": provider.BodiesWith, "strict": provider.BodiesAsk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				want := w.fill(3)
				w.s.Fail(gmailtest.Fault{Method: "messages.get", Match: gets(string(want[1])), Reply: gmailtest.NotFound()})
				got, err := readAll(t, w.open(t), provider.Walk{Bodies: bodies})
				require.NoError(t, err)
				require.Equal(t, want, idsOf(got))
			})
		})
	}
}

// One message that Gmail cannot hand over holds up no other, waits, and comes when it can be had.
func TestAMessageThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for name, strict := range map[string]bool{"frugal": false, "strict": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				var bad string
				came := time.Now().Add(-3 * time.Hour).Truncate(time.Millisecond)
				for i := range 6 {
					id := w.a.Deliver(mailOf("bob@client.example", "owner@own.example", fmt.Sprint("m", i)),
						gmailtest.Delivery{Received: time.Now().Add(-time.Duration(i+1) * time.Hour)})
					if i == 2 {
						bad = id
					}
				}
				w.s.Fail(gmailtest.Fault{Method: "messages.get", Match: gets(bad), Times: -1, Reply: gmailtest.BackendError(503)})
				tm := w.connect(t, strict, []string{"client.example"})
				run, err := tm.svc.Sync(t.Context(), tm.in.ID)
				require.NoError(t, err)
				require.NoError(t, run.Balance())
				require.Equal(t, 5, run.Stored)
				require.Equal(t, 1, run.Queued)
				waiting := 0
				for q, err := range tm.svc.Waiting(t.Context(), tm.who, tm.in.ID) {
					require.NoError(t, err)
					require.Equal(t, provider.RemoteID(bad), q.Remote)
					waiting++
				}
				require.Equal(t, 1, waiting)

				w.s.Heal()
				time.Sleep(time.Hour)
				run, err = tm.svc.Sync(t.Context(), tm.in.ID)
				require.NoError(t, err)
				require.NoError(t, run.Balance())
				require.Equal(t, 1, run.Stored)
				require.Len(t, tm.stored(t), 6)
				m := messageOf(t, tm, bad)
				require.True(t, m.Received.Equal(came), "received %v, want %v as Gmail says", m.Received, came)
				require.True(t, m.Unread)
			})
		})
	}
}

func messageOf(t *testing.T, tm *team, remote string) inbox.Message {
	t.Helper()
	for m, err := range tm.svc.Messages(t.Context(), tm.who, inbox.MessageQuery{Inbox: tm.in.ID, Remotes: []provider.RemoteID{provider.RemoteID(remote)}}) {
		require.NoError(t, err)
		return m
	}
	require.Fail(t, "not stored")
	return inbox.Message{}
}
