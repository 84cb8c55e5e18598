package gmailtest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// BenchmarkGetRaw is what a get of a whole mail costs, the client included.
func BenchmarkGetRaw(b *testing.B) {
	for _, pipe := range []bool{false, true} {
		b.Run(fmt.Sprintf("pipe=%v", pipe), func(b *testing.B) {
			s, a := open(b, gmailtest.Config{Pipe: pipe})
			box, err := mailgen.New(mailgen.Config{Seed: 1, Messages: 500})
			require.NoError(b, err)
			var ids []string
			for m := range box.Oldest() {
				ids = append(ids, a.Deliver(m.Raw, gmailtest.Delivery{Received: m.Received}))
			}
			users := service(b, s, a, scopeReadonly)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, err := users.Messages.Get("me", ids[i%len(ids)]).Format("raw").
					Fields("id,threadId,labelIds,historyId,internalDate,sizeEstimate,raw").Do()
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkList is the first page of 500 out of 5,000 messages.
func BenchmarkList(b *testing.B) {
	s, a := open(b, gmailtest.Config{})
	for n := range 5000 {
		a.Deliver(hello(n), gmailtest.Delivery{})
	}
	users := service(b, s, a, scopeReadonly)
	for b.Loop() {
		_, err := users.Messages.List("me").MaxResults(500).Q("from:other.example -in:drafts").Do()
		require.NoError(b, err)
	}
}
