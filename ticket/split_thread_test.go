package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

func TestAnAnswerFromAPartLeavesTheThreadWhereItWas(t *testing.T) { // R-TKT-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "lunch", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	part := w.splitOff(offer.ID, "lunch")
	_, err := w.svc.Reply(t.Context(), w.actor("carl"), part.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	w.pull()
	w.advance(time.Minute)
	w.account.Deliver(mailText("Ann <ann@acme.com>", w.account.Address(), "third", "Message-ID: <three@acme.com>"), fake.Delivery{Thread: w.stored(offer.ID).Threads[0]})
	w.pull()
	require.Contains(t, w.subjects("carl", offer.ID), "third")
}
