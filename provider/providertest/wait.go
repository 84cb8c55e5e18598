package providertest

import (
	"context"
	"errors"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// waitLimit is when a Wait that should have returned is given up.
const waitLimit = 10 * time.Second

func accountChecks() []Check {
	return []Check{{"Account/SameEachTime", has[provider.Addresses](), accountSame}}
}

func accountSame(t T, h Harness) {
	var ids []string
	for range 2 {
		a, _ := provider.As[provider.Addresses](h.Open(t))
		got, err := a.Account(t.Context())
		if err != nil {
			t.Fatalf("Account: got error %v, want none", err)
		}
		ids = append(ids, got.ID)
	}
	if ids[0] == "" || ids[0] != ids[1] {
		t.Errorf("Account, asked twice: got ids %q and %q, want one that never changes", ids[0], ids[1])
	}
}

func waitChecks() []Check {
	return []Check{
		{"Wait/ReturnsAfterArrival", has[provider.Waiter](), waitReturns},
		{"Wait/EndsWithContext", has[provider.Waiter](), waitEnds},
		{"Subscribe/RenewAndEnd", has[provider.Subscriber](), subscribeRenew},
	}
}

func waitReturns(t T, h Harness) {
	deliver(t, h, 2)
	m := h.Open(t)
	cursor := must(t, m, "", provider.Walk{}).next("")
	w, _ := provider.As[provider.Waiter](m)
	// Mail that comes between the last look and the wait must not be slept over.
	id := h.Deliver(t, letter{id: "early@elsewhere.example"}.mail())
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := w.Wait(ctx); err != nil {
		t.Errorf("Wait after mail that nobody has read yet: got error %v, want none", err)
	}
	must(t, m, cursor, provider.Walk{}).all(t, []provider.RemoteID{id}, "after Wait")
}

func waitEnds(t T, h Harness) {
	deliver(t, h, 2)
	m := h.Open(t)
	must(t, m, "", provider.Walk{})
	w, _ := provider.As[provider.Waiter](m)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Wait(ctx) }()
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Wait whose context ended: got error %v, want context.Canceled", err)
	}
	if err := w.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with a cancelled context: got error %v, want context.Canceled", err)
	}
}

func subscribeRenew(t T, h Harness) {
	m := h.Open(t)
	s, _ := provider.As[provider.Subscriber](m)
	first, err := s.Subscribe(t.Context())
	if err != nil {
		t.Fatalf("Subscribe: got error %v, want none", err)
	}
	if first.Expires.IsZero() {
		t.Errorf("Subscribe: got no time when it expires")
	}
	renewed, err := s.Renew(t.Context(), first)
	if err != nil || renewed.Expires.Before(first.Expires) {
		t.Errorf("Renew: got expiry %v and error %v, want none before %v", renewed.Expires, err,
			first.Expires)
	}
	if err := s.Unsubscribe(t.Context(), renewed); err != nil {
		t.Errorf("Unsubscribe: got error %v, want none", err)
	}
}
