package inbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
)

// plan is one mail of a made-up mailbox.
type plan struct {
	at      int // minutes before the connection
	subject string
	raw     []byte
	sent    bool
	thread  string
}

// madeUp draws threads among clients, third parties, colleagues, strangers and the owner.
func madeUp(r *rand.Rand) []plan {
	clients := []string{"ann@acme.com", "bo@eu.beta.org"}
	others := []string{"law@third.net", "eve@stranger.io", "rita@firm.example", "no-reply@shop.io"}
	var all []plan
	for th := range 6 + r.IntN(6) {
		n := 1 + r.IntN(5)
		var refs []string
		for range n {
			from := others[r.IntN(len(others))]
			to, cc := "me@firm.example", ""
			sent := false
			switch r.IntN(4) {
			case 0:
				from = clients[r.IntN(len(clients))]
			case 1:
				from, to, sent = "me@firm.example", others[r.IntN(len(others))], true
				if r.IntN(2) == 0 {
					to = clients[r.IntN(len(clients))]
				}
			}
			if r.IntN(2) == 0 {
				cc = "Cc: " + clients[r.IntN(len(clients))]
			}
			subject := fmt.Sprintf("t%d-%d", th, len(all))
			id := subject + "@made.up"
			lines := []string{"Message-ID: <" + id + ">"}
			if cc != "" {
				lines = append(lines, cc)
			}
			if len(refs) > 0 {
				lines = append(lines, "References: <"+strings.Join(refs, "> <")+">")
			}
			switch {
			case strings.HasPrefix(from, "no-reply") && r.IntN(2) == 0:
				lines = append(lines, "Precedence: bulk")
			case !sent && r.IntN(5) == 0:
				lines = append(lines, "Auto-Submitted: auto-replied")
			}
			refs = append(refs, id)
			all = append(all, plan{at: 1 + r.IntN(40000), subject: subject, sent: sent, thread: fmt.Sprint("th-", th),
				raw: mailText(from, to, subject, lines...)})
			if r.IntN(6) == 0 { // a delivery report of this mail
				all = append(all, plan{at: 1 + r.IntN(40000), subject: "bounce of " + subject, thread: "b-" + subject,
					raw: []byte(strings.Replace(string(bounce(id, "x@acme.com")),
						"Undelivered Mail Returned to Sender", "bounce of "+subject, 1))})
			}
		}
	}
	return all
}

// accepted imports a mailbox and returns the subjects that came in, sorted.
func accepted(t *testing.T, mails []plan, rules filter.Rules, o fake.Options, crashes *rand.Rand) []string {
	t.Helper()
	w := newWorld(t, o)
	w.client("Acme", "acme.com")
	w.client("Beta", "*.beta.org")
	for _, p := range mails {
		w.account.Deliver(p.raw, fake.Delivery{Received: connected.Add(-time.Duration(p.at) * time.Minute),
			Sent: p.sent, Thread: inbox.ThreadID(p.thread)})
	}
	in := w.open(true, rules)
	for round := 0; ; round++ {
		ctx, cancel := context.WithCancel(t.Context())
		if crashes != nil && round < 4 { // cut off at a random call, then run again
			at := int64(1 + crashes.IntN(12))
			var calls atomic.Int64
			w.account.BeforeCall(func(fake.Op, int) error {
				if calls.Add(1) >= at {
					cancel()
				}
				return ctx.Err()
			})
		} else {
			w.account.BeforeCall(nil)
		}
		run, err := w.svc.Sync(ctx, in.ID)
		cancel()
		require.NoError(t, run.Balance())
		if err == nil && round >= 4 {
			break
		}
		require.Less(t, round, 10, "last error: %v", err)
	}
	got := w.stored(in.ID)
	slices.Sort(got)
	return got
}

func TestTheAcceptedSetDependsOnNothingButTheMail(t *testing.T) { // R-FLT-10
	t.Parallel()
	for seed := range uint64(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 10))
			mails := madeUp(r)
			rules := filter.Rules{}
			switch seed % 5 {
			case 3:
				rules.Classes = map[filter.Class]filter.ClassPolicy{filter.AutoReply: filter.PolicyReject}
			case 4:
				rules.Exclude = []filter.Exclusion{exclusion(t, "third.net")}
			}
			want := accepted(t, mails, rules, fake.Options{PageSize: 1000, SearchOff: true}, nil)
			for name, o := range map[string]fake.Options{
				"small pages":        {PageSize: 1 + r.IntN(4), SearchOff: true},
				"narrowed":           {PageSize: 1 + r.IntN(9)},
				"narrowed, with raw": {PageSize: 1 + r.IntN(9), RawWithHeaders: true, Sloppy: true},
			} {
				require.Equal(t, want, accepted(t, mails, rules, o, nil), name)
				require.Equal(t, want, accepted(t, mails, rules, o, r), name+", with crashes")
			}
		})
	}
}
