package memory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/memory"
)

var start = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)

// filled returns a store with n messages in one inbox, committed a hundred at a time, newest first.
func filled(b *testing.B, n int) *memory.Store {
	b.Helper()
	s := memory.New()
	if _, err := s.CreateInbox(b.Context(), inbox.Inbox{ID: "in-1", Site: "acme"}); err != nil {
		b.Fatal(err)
	}
	st := inbox.SyncState{Inbox: "in-1"}
	for i := 0; i < n; i += 100 {
		var err error
		if st, err = s.Commit(b.Context(), inbox.Import{State: st, Put: hundred(n - i)}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func hundred(from int) []inbox.Put {
	puts := make([]inbox.Put, 100)
	for i := range puts {
		n := from - i
		puts[i] = inbox.Put{Message: inbox.Message{
			ID: inbox.MessageID(fmt.Sprintf("m-%08d", n)), Inbox: "in-1",
			Remote: provider.RemoteID(fmt.Sprintf("r-%08d", n)),
			Thread: inbox.ThreadID(fmt.Sprintf("t-%08d", n/4)), RFCID: fmt.Sprintf("%d@example.com", n),
			Received: start.Add(time.Duration(n) * time.Second),
		}}
	}
	return puts
}

// BenchmarkAtSize says how reads grow with the inbox: none should grow with its size.
func BenchmarkAtSize(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		s := filled(b, n)
		middle := &inbox.MessageKey{Received: start.Add(time.Duration(n/2) * time.Second)}
		var remotes []provider.RemoteID
		for i := range 100 {
			remotes = append(remotes, provider.RemoteID(fmt.Sprintf("r-%08d", i*n/100)))
		}
		b.Run(fmt.Sprintf("Messages50/%d", n), func(b *testing.B) {
			for b.Loop() {
				got := 0
				q := inbox.MessageQuery{Inbox: "in-1", After: middle, Limit: 50}
				for range s.Messages(b.Context(), q) {
					got++
				}
				if got != 50 {
					b.Fatalf("page in the middle: got %d messages, want 50", got)
				}
			}
		})
		b.Run(fmt.Sprintf("Thread/%d", n), func(b *testing.B) {
			for b.Loop() {
				q := inbox.MessageQuery{Inbox: "in-1", Thread: "t-00000100"}
				for range s.Messages(b.Context(), q) {
				}
			}
		})
		b.Run(fmt.Sprintf("Seen100/%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Seen(b.Context(), "in-1", remotes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCommit100(b *testing.B) {
	s := filled(b, 100)
	st, err := s.SyncState(b.Context(), "in-1")
	if err != nil {
		b.Fatal(err)
	}
	for n := 1_000; b.Loop(); n += 100 {
		if st, err = s.Commit(b.Context(), inbox.Import{State: st, Put: hundred(n)}); err != nil {
			b.Fatal(err)
		}
	}
}
