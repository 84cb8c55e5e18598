package providertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

func errorChecks() []Check {
	return []Check{
		{"Errors/Auth", can[Revoker](), errorsAuth},
		{"Errors/ThrottledLosesNothing", can[Throttler](), throttledLosesNothing},
		{"Errors/NoAddressInText", nil, noAddressInText},
	}
}

func errorsAuth(t T, h Harness) {
	ids := deliver(t, h, 3)
	m := h.Open(t)
	cursor := must(t, m, "", provider.Walk{}).next("")
	h.(Revoker).Revoke(t)
	for name, err := range failures(t, m, ids[0], cursor) {
		if !errors.Is(err, provider.ErrAuth) {
			t.Errorf("%s after the grant ended: got error %v, want ErrAuth", name, err)
		}
	}
	h.(Revoker).Reconnect(t)
	id := h.Deliver(t, letter{id: "missed@elsewhere.example", received: base.Add(time.Minute)}.mail())
	must(t, h.Open(t), cursor, provider.Walk{}).all(t, []provider.RemoteID{id},
		"from the old cursor, with a new grant")
}

// failures makes every call that reads, and collects its error.
func failures(
	t T, m provider.Mailbox, id provider.RemoteID, cursor provider.Cursor,
) map[string]error {
	t.Helper()
	all := map[string]error{
		"a first walk": read(t, m, "", provider.Walk{}, 0).err,
		"Changes":      read(t, m, cursor, provider.Walk{}, 0).err,
	}
	_, all["Open"] = open(t, m, id)
	if a, ok := provider.As[provider.Addresses](m); ok {
		_, all["Account"] = a.Account(t.Context())
	}
	if c, ok := provider.As[provider.Counter](m); ok {
		_, all["Count"] = c.Count(t.Context(), provider.Walk{})
	}
	if s, ok := provider.As[provider.Sender](m); ok {
		_, all["Send"] = s.Send(t.Context(), outgoing("mark-fail", letter{id: "fail@own.example"}, ""))
	}
	return all
}

// throttledLosesNothing takes both for right: a provider that waits and asks again, and one that
// passes the refusal on.
func throttledLosesNothing(t T, h Harness) {
	ids := deliver(t, h, 60)
	m := h.Open(t)
	var all told
	cursor := provider.Cursor("")
	for try := 0; ; try++ {
		h.(Throttler).Throttle(t, 1, time.Millisecond)
		part := read(t, m, cursor, provider.Walk{}, 2)
		all.batches = append(all.batches, part.batches...)
		cursor = part.next(cursor)
		if part.err == nil && len(part.batches) == 0 {
			break
		}
		if part.err != nil && !errors.Is(part.err, provider.ErrRetry) {
			t.Fatalf("refused for too many calls: got error %v, want none or ErrRetry", part.err)
		}
		if part.err != nil {
			more := read(t, m, cursor, provider.Walk{}, 1)
			if more.err != nil && !errors.Is(more.err, provider.ErrRetry) {
				t.Fatalf("the call after a refusal: got error %v, want none or ErrRetry", more.err)
			}
			all.batches = append(all.batches, more.batches...)
			if cursor = more.next(cursor); more.err == nil && len(more.batches) == 0 {
				break
			}
		}
		if try == 500 {
			t.Fatalf("refused once between calls: no end after %d tries", try)
		}
	}
	all.all(t, ids, "with refusals in between")
}

func noAddressInText(t T, h Harness) {
	id := h.Deliver(t, letter{id: "secret@client.example", from: client, cc: stranger}.mail())
	kept := h.Deliver(t, letter{id: "kept@client.example", from: client, cc: stranger}.mail())
	m := h.Open(t)
	secrets := []string{client, stranger, subject, "owner@own.example"}
	if a, ok := provider.As[provider.Addresses](m); ok {
		account, err := a.Account(t.Context())
		if err != nil {
			t.Fatalf("Account: got error %v, want none", err)
		}
		if account.Address != "" {
			secrets = append(secrets, account.Own()...)
		}
	}
	cursor := must(t, m, "", provider.Walk{}).next("")
	tell := func(when, name string, err error) {
		for _, secret := range secrets {
			if err != nil && strings.Contains(strings.ToLower(fmt.Sprintf("%v %+v", err, err)),
				strings.ToLower(secret)) {
				t.Errorf("%s, %s: the error's text holds an address or the subject", when, name)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Open(ctx, id)
	tell("context cancelled", "Open", err)
	_, err = open(t, m, "no-such-message")
	tell("unknown message", "Open", err)
	if f, ok := provider.As[provider.Finder](m); ok {
		_, err = f.Find(t.Context(), "mark-never", "", base)
		tell("nothing sent", "Find", err)
	}
	if r, ok := h.(Remover); ok {
		r.Remove(t, id)
		_, err = open(t, m, id)
		tell("message removed", "Open", err)
	}
	for _, s := range troubles(t, h) {
		if s.make() {
			for name, err := range failures(t, m, kept, cursor) {
				tell(s.name, name, err)
			}
		}
	}
}

// trouble is a state of the service in which every call fails.
type trouble struct {
	name string
	make func() bool // false where the harness cannot
}

// troubles lists what a harness can bring about, the worst last.
func troubles(t T, h Harness) []trouble {
	return []trouble{
		{"throttled", func() bool {
			r, ok := h.(Throttler)
			if ok {
				r.Throttle(t, 3, time.Millisecond)
			}
			return ok
		}},
		{"cursors expired", func() bool {
			r, ok := h.(Expirer)
			if ok {
				r.ExpireCursors(t)
			}
			return ok
		}},
		{"grant ended", func() bool {
			r, ok := h.(Revoker)
			if ok {
				r.Revoke(t)
			}
			return ok
		}},
	}
}
