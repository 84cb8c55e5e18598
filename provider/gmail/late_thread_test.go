package gmail_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// reply delivers a message of one thread.
func (w *world) reply(id string) string {
	return w.a.Deliver(fmt.Appendf(nil, "From: bob@client.example\r\nTo: owner@own.example\r\nSubject: Re: Offer\r\n"+
		"Message-ID: <%s@l.example>\r\nReferences: <first@l.example>\r\n\r\nHello.\r\n", id), gmailtest.Delivery{})
}

// A reply comes and its reader opens the thread: three old messages of it are read at the same time,
// whose headers are asked for by their thread.
func TestNewMessageOfAThreadThatIsReadArrives(t *testing.T) {
	t.Parallel()
	for name, bodies := range map[string]provider.Bodies{
		"with bodies": provider.BodiesWith, "strict": provider.BodiesAsk,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				m := w.open(t)
				old := []string{w.reply("first"), w.reply("second"), w.reply("third")}
				walk := provider.Walk{Bodies: bodies}
				walked := stream(t, m, "", walk, 0)

				reply := w.reply("reply")
				for _, id := range append(old, reply) {
					w.a.RemoveLabels(id, "UNREAD")
				}
				w.s.ResetStats()
				all := stream(t, m, walked[len(walked)-1].Next, walk, 0)
				for _, b := range all {
					require.Empty(t, b.Removed, "messages said to be gone")
				}
				require.ElementsMatch(t, []provider.RemoteID{
					provider.RemoteID(old[0]), provider.RemoteID(old[1]), provider.RemoteID(old[2]), provider.RemoteID(reply),
				}, idsOf(all))
			})
		})
	}
}
