package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// Op names a call that a mailbox takes. Changes counts once for every batch it asks for.
type Op string

// The calls.
const (
	OpChanges     Op = "changes"
	OpOpen        Op = "open"
	OpOpenMany    Op = "open_many"
	OpAccount     Op = "account"
	OpSend        Op = "send"
	OpFind        Op = "find"
	OpSubscribe   Op = "subscribe"
	OpRenew       Op = "renew"
	OpUnsubscribe Op = "unsubscribe"
	OpWait        Op = "wait"
	OpCount       Op = "count"
)

// script is what goes wrong with an account, and what was asked of it.
type script struct {
	token      int // number of the present token
	revoked    bool
	refuses    bool
	needsAdmin bool
	readOnly   bool
	bulk       bool

	latency    time.Duration
	beforeCall func(op Op, n int) error
	throttled  int
	after      time.Duration
	faults     []fault
	loseAnswer int
	loseSend   int
	findLate   int

	calls map[Op]int
	total int
	opens map[provider.RemoteID]int
}

type fault struct {
	op     Op
	id     provider.RemoteID
	err    error
	always bool
}

// Latency makes every call take d from now on. It is a timer, so that it works in a bubble of
// testing/synctest, and ends with the context.
func (a *Account) Latency(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency = d
}

// BeforeCall sets a function that is called before every call, with its op and number, counted from
// 1 over all calls of the account. Its error is the answer; it is called outside of all locks.
func (a *Account) BeforeCall(f func(op Op, n int) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.beforeCall = f
}

// Throttle makes the service refuse the next n calls with a *provider.RetryError that asks to wait
// after.
func (a *Account) Throttle(n int, after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.throttled, a.after = n, after
}

// FailOnce makes the next call of that op about that message answer err. An empty id stands for
// every message and for calls that are about none.
func (a *Account) FailOnce(op Op, id provider.RemoteID, err error) { a.fail(op, id, err, false) }

// FailAlways is FailOnce for every call until Heal.
func (a *Account) FailAlways(op Op, id provider.RemoteID, err error) { a.fail(op, id, err, true) }

func (a *Account) fail(op Op, id provider.RemoteID, err error, always bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, fault{op, id, err, always})
}

// Heal ends all scripted errors and the throttling.
func (a *Account) Heal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults, a.throttled = nil, 0
}

// ExpireCursors makes all cursors handed out so far answer ErrCursorExpired.
func (a *Account) ExpireCursors() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.epoch++
}

// LoseAnswerOfSend makes the next send happen, and answer ErrAmbiguous.
func (a *Account) LoseAnswerOfSend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loseAnswer++
}

// FailSendBefore makes the next send answer ErrAmbiguous, and not happen.
func (a *Account) FailSendBefore() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loseSend++
}

// FindLate hides each mail sent from now on from the first n calls of Find that would see it: the
// copy in the sent folder is late.
func (a *Account) FindLate(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.findLate = n
}

// ReadOnly takes the right to send from the grant: Send and Find answer errors.ErrUnsupported until
// called with false.
func (a *Account) ReadOnly(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readOnly = on
}

// Bulk says whether mailboxes opened from now on are a provider.BulkOpener too.
func (a *Account) Bulk(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bulk = on
}

func (a *Account) isBulk() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bulk
}

// Calls returns how often each op was called, refused calls included.
func (a *Account) Calls() map[Op]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.calls)
}

// TotalCalls returns how many calls there were.
func (a *Account) TotalCalls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

// Opens returns how often the raw message was handed out: by Open, OpenMany or with its header.
func (a *Account) Opens(id provider.RemoteID) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.opens[id]
}

// OpenedIDs returns the ids of all messages that were handed out, each with how often.
func (a *Account) OpenedIDs() map[provider.RemoteID]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.opens)
}

// ForgetCalls sets all counters of calls and opens to zero.
func (a *Account) ForgetCalls() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls, a.total, a.opens = nil, 0, nil
}

// call is what every call of a mailbox meets first.
func (m *mailbox) call(ctx context.Context, op Op, id provider.RemoteID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := m.a
	a.mu.Lock()
	if a.calls == nil {
		a.calls = make(map[Op]int)
	}
	a.calls[op]++
	a.total++
	latency, hook, n := a.latency, a.beforeCall, a.total
	a.mu.Unlock()
	if err := sleep(ctx, latency); err != nil {
		return err
	}
	if hook != nil {
		if err := hook(op, n); err != nil {
			return fmt.Errorf("fake: %s: %w", op, err)
		}
	}
	if err := m.authorised(ctx); err != nil {
		return fmt.Errorf("fake: %s: %w", op, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.scripted(op, id)
}

func (a *Account) scripted(op Op, id provider.RemoteID) error {
	if a.throttled > 0 {
		a.throttled--
		return &provider.RetryError{After: a.after, Err: fmt.Errorf("fake: %s: too many requests", op)}
	}
	if err := a.faulty(op, id); err != nil {
		return fmt.Errorf("fake: %s: %w", op, err)
	}
	return nil
}

// faulty takes the first scripted error that is meant for a call.
func (a *Account) faulty(op Op, id provider.RemoteID) error {
	for i, f := range a.faults {
		if f.op != op || f.id != "" && f.id != id {
			continue
		}
		if !f.always {
			a.faults = slices.Delete(a.faults, i, i+1)
		}
		return f.err
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// opened counts a raw message that leaves.
func (a *Account) opened(id provider.RemoteID) {
	if a.opens == nil {
		a.opens = make(map[provider.RemoteID]int)
	}
	a.opens[id]++
}
