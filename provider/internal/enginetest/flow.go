package enginetest

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Flow is one table of a Matrix: a call the library makes, and what it makes it for.
type Flow struct {
	What, Call string // as people read it
	// Method and Match are the calls that go wrong, as in a testserver.Fault.
	Method string
	Match  func(*http.Request) bool
	// Raw says that the call answers a mail as it is: nobody can tell when it is cut short.
	Raw bool

	// Open makes the engine, whose inbox takes the mail of Bob's firm.
	Open    func(*testing.T) *Engine
	Mishaps []Mishap
	Prepare func(*Engine) // before the fault
	Act     func(*Engine) // when it has begun; nil leaves it to the next round
}

// Mishap is one row: a way in which a call goes wrong.
type Mishap struct {
	Name string
	// Make is called when it begins, as some answers name a time.
	Make func() testserver.Fault
	// Gone says that the answer says of what is asked for that it is gone.
	Gone bool
	// Short says that half of the answer comes and looks whole.
	Short bool
}

// Answers is a mishap in which the service answers something else than was asked for.
func Answers(name string, reply func() *testserver.Reply) Mishap {
	return Mishap{Name: name, Make: func() testserver.Fault { return testserver.Fault{Reply: reply()} }}
}

// Breaks is a mishap in which the exchange breaks.
func Breaks(name string, how testserver.Break) Mishap {
	return Mishap{Name: name, Make: func() testserver.Fault { return testserver.Fault{Break: how} }}
}

// Slow is a mishap in which the call takes that long.
func Slow(name string, d time.Duration) Mishap {
	return Mishap{Name: name, Make: func() testserver.Fault { return testserver.Fault{Delay: d} }}
}

// DoneBut504 is the mishap of a gateway in front of the service that gives up too early.
func DoneBut504() Mishap {
	return Mishap{Name: "504, done", Make: func() testserver.Fault {
		return testserver.Fault{Break: testserver.Replace, Reply: &testserver.Reply{
			Status: http.StatusGatewayTimeout, Header: http.Header{"Content-Type": {"text/html"}},
			Body: "<title>Error 504</title>",
		}}
	}}
}

// Broken are the ways in which any exchange breaks.
func Broken() []Mishap {
	return []Mishap{
		Breaks("truncated", testserver.Truncate),
		{Name: "cut short, looks whole", Short: true, Make: func() testserver.Fault {
			return testserver.Fault{Break: testserver.Shorten}
		}},
		Breaks("200 and empty", testserver.Empty),
		Breaks("hangs, nothing done", testserver.Hang),
		Breaks("hangs, done", testserver.HangServed),
		Breaks("reset before the body", testserver.CloseEarly),
		Breaks("reset behind the body", testserver.CloseUnserved),
		Breaks("answer lost", testserver.CloseServed),
	}
}

// Then prepares one thing after the other.
func Then(first, second func(*Engine)) func(*Engine) {
	return func(e *Engine) { first(e); second(e) }
}

// Later lets time pass after the import.
func Later(d time.Duration) func(*Engine) {
	return func(e *Engine) {
		if e.Health().LastSync.IsZero() {
			Imported(e)
		}
		time.Sleep(d)
	}
}

// Written delivers the mail of before the connection: a conversation of three, three mails alone, and
// one in the spam folder.
func Written(e *Engine) {
	e.thread(1, 2*time.Hour)
	for i := range 3 {
		e.Letter(11+i, time.Duration(3+24*i)*time.Hour)
	}
	e.c.Account.Spam(e.Letter(21, 5*time.Hour))
}

// Connected is the set-up of an inbox that has mail.
func Connected(e *Engine) {
	Written(e)
	e.Connect()
}

// ConnectedLongAgo is Connected, and the access token has ended since.
func ConnectedLongAgo(e *Engine) {
	Connected(e)
	time.Sleep(2 * time.Hour)
}

// Imported is an inbox whose import is over.
func Imported(e *Engine) {
	Connected(e)
	require.NoError(e.t, e.Step())
	time.Sleep(time.Minute)
}

// News is what happens after the import: mail comes, a conversation and a mail alone are read, one
// mail is moved to the trash.
func News(e *Engine) {
	if e.Health().LastSync.IsZero() {
		Imported(e)
	}
	a := e.c.Account
	all := a.Mail()
	e.Letter(31, 0)
	e.Letter(32, 0, "Subject: Re: Zebra offer", "In-Reply-To: <quagga-3@other.example>",
		"References: <quagga-3@other.example>")
	for _, m := range all {
		if bytes.Contains(m.Raw, []byte("Zebra offer")) || bytes.Contains(m.Raw, []byte("number 11")) {
			a.MarkRead(string(m.ID))
		}
		if bytes.Contains(m.Raw, []byte("number 12")) {
			a.Trash(string(m.ID))
		}
	}
	a.Star(e.Letter(33, 0))
}

// Expired makes every cursor too old.
func Expired(e *Engine) { e.c.Account.Expire() }

// Failing makes another call go wrong before.
func Failing(f testserver.Fault) func(*Engine) {
	return func(e *Engine) { e.c.Server.Fail(f) }
}

// Losing makes the next call of that name end without an answer.
func Losing(method string, how testserver.Break) func(*Engine) {
	return Failing(testserver.Fault{Method: method, Break: how})
}

// Consenting is carl at the consent page.
func Consenting(e *Engine) {
	if e.consent() == nil {
		e.finish()
	}
}

// Replying sends a mail.
func Replying(e *Engine) { e.Reply() }

// ReplyingBig sends a mail of more than goes into one piece of JSON.
func ReplyingBig(e *Engine) { e.Reply(4 << 20) }

// ReplyingBeside sends a mail while the owner sends another.
func ReplyingBeside(e *Engine) {
	e.c.Account.Deliver(mail("Okapi.\r\n", "From: "+Ann, "To: "+Bob, "Subject: Zebra, own",
		"Message-ID: <quagga-41@acme.example>"), time.Now(), true)
	e.Reply()
}

// aim completes a fault with the calls it is meant for.
func (f Flow) aim(fault testserver.Fault) testserver.Fault {
	fault.Method, fault.Match = f.Method, f.Match
	return fault
}

// name is how a cell is called.
func (f Flow) name(m Mishap) string { return strings.Join([]string{f.What, f.Call, m.Name}, "/") }
