package gmailtest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
)

// flow is one table of the matrix, short.
type flow struct {
	what, call string // the call's method, and which of its calls
	match      func(*http.Request) bool
	strict     bool
	mishaps    []mishap
	prepare    func(*enginetest.Engine)
	act        func(*enginetest.Engine)
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
func flows() (all []enginetest.Flow) {
	for _, f := range []flow{
		{what: "connect", call: "token", mishaps: tokens, prepare: enginetest.Written,
			act: enginetest.Consenting},
		{what: "connect", call: "getProfile", mishaps: api, prepare: enginetest.Written,
			act: enginetest.Consenting},
		{what: "connect", call: "settings.sendAs.list", mishaps: api, prepare: enginetest.Written,
			act: enginetest.Consenting},

		{what: "import", call: "token", mishaps: tokens, prepare: enginetest.ConnectedLongAgo},
		{what: "import", call: "getProfile", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "messages.list", mishaps: lists, prepare: enginetest.Connected},
		{what: "import", call: "messages.list search", match: searching, mishaps: lists, prepare: enginetest.Connected},
		{what: "import", call: "messages.get raw", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "messages.get metadata", mishaps: api, prepare: enginetest.Connected, strict: true},
		{what: "import", call: "threads.get", mishaps: api, prepare: enginetest.Connected, strict: true},
		{what: "import", call: "history.list", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "watch", mishaps: api, prepare: enginetest.Connected},

		{what: "incremental", call: "token", mishaps: tokens, prepare: enginetest.Then(enginetest.News, enginetest.Later(2*time.Hour))},
		{what: "incremental", call: "history.list", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "messages.get raw", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "messages.get metadata", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "threads.get", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "getProfile", mishaps: api, prepare: enginetest.Then(enginetest.News, enginetest.Expired)},
		{what: "incremental", call: "messages.list", mishaps: lists, prepare: enginetest.Then(enginetest.News, enginetest.Expired)},
		{what: "incremental", call: "watch", mishaps: api, prepare: enginetest.Then(enginetest.Later(13*time.Hour), enginetest.News)},

		{what: "send", call: "token", mishaps: tokens, prepare: enginetest.Then(enginetest.Imported, enginetest.Later(2*time.Hour)),
			act: enginetest.Replying},
		{what: "send", call: "messages.send", match: uploaded(false), mishaps: api, prepare: enginetest.Imported,
			act: enginetest.Replying},
		{what: "send", call: "messages.send upload", match: uploaded(true), mishaps: api, prepare: enginetest.Imported,
			act: enginetest.ReplyingBig},
		{what: "send", call: "messages.get metadata", mishaps: api, prepare: enginetest.Imported,
			act: enginetest.Replying},
		{what: "send, answer lost", call: "threads.get", mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("messages.send", gmailtest.CloseServed)),
			act:     enginetest.Replying},
		{what: "send, request lost", call: "messages.list", mishaps: lists,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("messages.send", gmailtest.CloseUnserved)),
			act:     enginetest.Replying},
		{what: "send, request lost", call: "messages.get metadata", mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("messages.send", gmailtest.CloseUnserved)),
			act:     enginetest.ReplyingBeside},
	} {
		all = append(all, f.full())
	}
	return all
}

func (f flow) full() enginetest.Flow {
	method, kind, _ := strings.Cut(f.call, " ")
	if kind == "raw" || kind == "metadata" {
		f.match = format(kind)
	}
	return enginetest.Flow{
		What: f.what, Call: f.call, Method: method, Match: f.match, Mishaps: f.mishaps, Prepare: f.prepare, Act: f.act,
		Open: func(t *testing.T) *enginetest.Engine {
			return newEngine(t, engineConfig{strict: f.strict, rules: enginetest.OfClients}).Engine
		},
	}
}
