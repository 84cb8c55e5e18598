// Package providertest proves that a provider.Mailbox keeps the promises of package provider:
//
//	func TestMailbox(t *testing.T) {
//		providertest.Mailbox(t, func(t providertest.T) providertest.Harness { return start(t) })
//	}
//
// Every check begins with a harness of its own, that is with an account without mail, and all run
// in parallel. There are no switches. What a service cannot do (an archive cannot be revoked) its
// harness does not implement, and the checks that need it are not made; capabilities of the mailbox
// are found by provider.As in the same way. The names of the checks are stable.
//
// The suite asserts only what a comment of package provider promises.
package providertest

import (
	"context"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// T is what a check needs of *testing.T, so that the suite can be tested itself. Fatalf must not
// return.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	TempDir() string
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Harness is one account with nothing in it, and the service around it.
type Harness interface {
	// Open opens the account's mailbox as a new process would: with nothing kept in memory from a
	// mailbox opened before. It is called more than once.
	Open(t T) provider.Mailbox
	// Deliver makes a message arrive, and returns its id. The service must take Mail.Received as its
	// received time.
	Deliver(t T, m Mail) provider.RemoteID
}

// Mail is a message that arrives. Received is in whole seconds. Raw has CRLF line ends and no
// Received field.
type Mail struct {
	Raw      []byte
	Received time.Time
}

// Placer is a Harness whose service knows kinds of folder, marks what was sent, and knows read from
// unread.
type Placer interface {
	// DeliverTo is Deliver into a kind of folder, unread or not; sent says that the account's own
	// client sent it.
	DeliverTo(t T, m Mail, folder provider.Folder, unread, sent bool) provider.RemoteID
}

// Mover is a Harness that can move messages. Their ids stay.
type Mover interface {
	Move(t T, id provider.RemoteID, folder provider.Folder)
}

// Reader is a Harness that can mark messages as read. Their ids stay.
type Reader interface {
	MarkRead(t T, id provider.RemoteID)
}

// Remover is a Harness that can delete messages for good.
type Remover interface {
	Remove(t T, id provider.RemoteID)
}

// Expirer is a Harness that can make all cursors too old to resume.
type Expirer interface{ ExpireCursors(t T) }

// Revoker is a Harness that can end the grant, and give it again. After Reconnect it is Open that
// must work; mailboxes opened before may stay dead.
type Revoker interface {
	Revoke(t T)
	Reconnect(t T)
}

// Throttler is a Harness whose service can refuse the next calls because there were too many.
type Throttler interface {
	Throttle(t T, calls int, after time.Duration)
}

// AnswerLoser is a Harness that can lose the answer to the next send, which happens all the same.
type AnswerLoser interface{ LoseAnswerOfSend(t T) }

// Check is one promise.
type Check struct {
	// Name is stable.
	Name string
	// Needs says whether the harness and its mailbox can do what the check is about. Nil: always.
	Needs func(h Harness, m provider.Mailbox) bool
	// Run makes the check with a harness made for it alone.
	Run func(t T, h Harness)
}

// Checks lists all checks, in the order of their names.
func Checks() []Check {
	var all []Check
	for _, some := range [][]Check{
		accountChecks(), changesChecks(), walkChecks(), liveChecks(), errorChecks(), headerChecks(),
		openChecks(), sendChecks(), waitChecks(),
	} {
		all = append(all, some...)
	}
	return all
}

// Mailbox makes all checks that apply. start makes a harness for one check.
func Mailbox(t *testing.T, start func(T) Harness) {
	t.Helper()
	probe := start(t)
	m := probe.Open(t)
	for _, c := range Checks() {
		if c.Needs != nil && !c.Needs(probe, m) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, start(t))
		})
	}
}

// can makes a Needs of a type that the harness must have.
func can[H any]() func(Harness, provider.Mailbox) bool {
	return func(h Harness, _ provider.Mailbox) bool {
		_, ok := h.(H)
		return ok
	}
}

// has makes a Needs of a capability that the mailbox must have.
func has[C any]() func(Harness, provider.Mailbox) bool {
	return func(_ Harness, m provider.Mailbox) bool {
		_, ok := provider.As[C](m)
		return ok
	}
}

// both makes a Needs of two.
func both(a, b func(Harness, provider.Mailbox) bool) func(Harness, provider.Mailbox) bool {
	return func(h Harness, m provider.Mailbox) bool { return a(h, m) && b(h, m) }
}
