package gmailtest_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// flow is one column of the matrix: a call the library makes, and what it makes it for.
type flow struct {
	what, call string
	match      func(*http.Request) bool
	strict     bool
	mishaps    []mishap
	prepare    func(*engine) // before the fault
	act        func(*engine) // when it has begun; nil leaves it to the next round
}

var (
	api    = slices.Concat(refusals, failures)
	lists  = slices.Concat(api, ofLists)
	tokens = slices.Concat(ofTokens, failures)
)

func format(f string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Query().Get("format") == f }
}

func uploaded(is bool) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/upload/") == is }
}

// searching says whether a list is narrowed to people, whom the address names.
func searching(r *http.Request) bool {
	return strings.Contains(r.URL.Query().Get("q"), "from:other.example")
}

// flows are all calls of a connected mailbox. threads.get is asked for where a thread has three
// messages whose headers are wanted.
var flows = []flow{
	{what: "connect", call: "token", mishaps: tokens, prepare: written, act: consenting},
	{what: "connect", call: "getProfile", mishaps: api, prepare: written, act: consenting},
	{what: "connect", call: "settings.sendAs.list", mishaps: api, prepare: written, act: consenting},

	{what: "import", call: "token", mishaps: tokens, prepare: connectedLongAgo},
	{what: "import", call: "getProfile", mishaps: api, prepare: connected},
	{what: "import", call: "messages.list", mishaps: lists, prepare: connected},
	{what: "import", call: "messages.list search", match: searching, mishaps: lists, prepare: connected},
	{what: "import", call: "messages.get raw", mishaps: api, prepare: connected},
	{what: "import", call: "messages.get metadata", mishaps: api, prepare: connected, strict: true},
	{what: "import", call: "threads.get", mishaps: api, prepare: connected, strict: true},
	{what: "import", call: "history.list", mishaps: api, prepare: connected},
	{what: "import", call: "watch", mishaps: api, prepare: connected},

	{what: "incremental", call: "token", mishaps: tokens, prepare: then(news, later(2*time.Hour))},
	{what: "incremental", call: "history.list", mishaps: api, prepare: news},
	{what: "incremental", call: "messages.get raw", mishaps: api, prepare: news},
	{what: "incremental", call: "messages.get metadata", mishaps: api, prepare: news},
	{what: "incremental", call: "threads.get", mishaps: api, prepare: news},
	{what: "incremental", call: "getProfile", mishaps: api, prepare: then(news, expired)},
	{what: "incremental", call: "messages.list", mishaps: lists, prepare: then(news, expired)},
	{what: "incremental", call: "watch", mishaps: api, prepare: then(later(13*time.Hour), news)},

	{what: "send", call: "token", mishaps: tokens, prepare: then(imported, later(2*time.Hour)), act: replying},
	{what: "send", call: "messages.send", match: uploaded(false), mishaps: api, prepare: imported, act: replying},
	{what: "send", call: "messages.send upload", match: uploaded(true), mishaps: api, prepare: imported, act: replyingBig},
	{what: "send", call: "messages.get metadata", mishaps: api, prepare: imported, act: replying},
	{what: "send, answer lost", call: "threads.get", mishaps: api,
		prepare: then(imported, losing(gmailtest.CloseServed)), act: replying},
	{what: "send, request lost", call: "messages.list", mishaps: lists,
		prepare: then(imported, losing(gmailtest.CloseUnserved)), act: replying},
	{what: "send, request lost", call: "messages.get metadata", mishaps: api,
		prepare: then(imported, losing(gmailtest.CloseUnserved)), act: replyingBeside},
}

// aim completes a fault with the calls it is meant for.
func (f flow) aim(fault gmailtest.Fault) gmailtest.Fault {
	method, kind, _ := strings.Cut(f.call, " ")
	fault.Method, fault.Match = method, f.match
	if kind == "raw" || kind == "metadata" {
		fault.Match = format(kind)
	}
	return fault
}

// paths are what the paths of the calls end in, where it is not their method's last word.
var paths = map[string]string{
	"token": "/token", "getProfile": "/profile", "settings.sendAs.list": "/settings/sendAs",
	"messages.list": "/messages", "messages.send": "/messages/send", "history.list": "/history", "watch": "/watch",
}

// is says whether a request is the call of the flow.
func (f flow) is(r *http.Request) bool {
	method, _, _ := strings.Cut(f.call, " ")
	aim := f.aim(gmailtest.Fault{}).Match
	if aim != nil && !aim(r) {
		return false
	}
	if end, fixed := paths[method]; fixed {
		return strings.HasSuffix(r.URL.Path, end)
	}
	noun, _, _ := strings.Cut(method, ".")
	return strings.Contains(r.URL.Path, "/"+noun+"/")
}

func then(first, second func(*engine)) func(*engine) {
	return func(e *engine) { first(e); second(e) }
}

func later(d time.Duration) func(*engine) {
	return func(e *engine) {
		if e.health().LastSync.IsZero() {
			imported(e)
		}
		time.Sleep(d)
	}
}

// written delivers the mail of before the connection: a conversation of three, three mails alone, and
// one in the spam folder.
func written(e *engine) {
	e.thread(1, 2*time.Hour)
	for i := range 3 {
		e.letter(11+i, time.Duration(3+24*i)*time.Hour)
	}
	e.a.Spam(e.letter(21, 5*time.Hour))
}

func connected(e *engine) {
	written(e)
	e.connect()
}

func connectedLongAgo(e *engine) {
	connected(e)
	time.Sleep(2 * time.Hour)
}

func imported(e *engine) {
	connected(e)
	require.NoError(e.t, e.step())
	time.Sleep(time.Minute)
}

// news is what happens after the import: mail comes, a conversation and a mail alone are read, one
// mail is moved to the trash.
func news(e *engine) {
	if e.health().LastSync.IsZero() {
		imported(e)
	}
	all := e.a.Messages()
	e.letter(31, 0)
	e.letter(32, 0, "Subject: Re: Zebra offer", "In-Reply-To: <quagga-3@other.example>",
		"References: <quagga-3@other.example>")
	for _, m := range all {
		n := strings.Count(string(m.Raw), "Zebra offer")
		if n > 0 || bytes.Contains(m.Raw, []byte("number 11")) {
			e.a.RemoveLabels(m.ID, "UNREAD")
		}
		if bytes.Contains(m.Raw, []byte("number 12")) {
			e.a.Trash(m.ID)
		}
	}
	e.a.AddLabels(e.letter(33, 0), "STARRED")
}

func expired(e *engine) { e.a.ExpireHistory() }

func consenting(e *engine) {
	if e.consent() == nil {
		e.finish()
	}
}

func replying(e *engine) { e.reply(0) }

// replyingBig sends more than goes into JSON.
func replyingBig(e *engine) { e.reply(4 << 20) }

// replyingBeside sends a mail while the owner sends another.
func replyingBeside(e *engine) {
	e.a.Deliver(mail("Okapi.\r\n", "From: "+ann, "To: "+bob, "Subject: Zebra, own",
		"Message-ID: <quagga-41@acme.example>"), gmailtest.Delivery{Sent: true})
	e.reply(0)
}

// losing makes the next send end without an answer.
func losing(how gmailtest.Break) func(*engine) {
	return func(e *engine) { e.s.Fail(gmailtest.Fault{Method: "messages.send", Break: how}) }
}

func attachment(size int) []rfc822.Attachment {
	return []rfc822.Attachment{{
		Name: "plan.bin", Type: "application/octet-stream", Size: int64(size),
		Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(bytes.Repeat([]byte("x"), size))), nil
		},
	}}
}
