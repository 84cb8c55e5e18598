package outlooktest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider/internal/enginetest"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// flow is one table of the matrix, short.
type flow struct {
	what, call string // the call's method, and which of its calls
	match      func(*http.Request) bool
	atOnce     bool        // mail is sent without a draft
	raw        outlook.Raw // what is stored
	far        bool        // calls take so long that raw mail comes in batches
	mishaps    []mishap
	prepare    func(*enginetest.Engine)
	act        func(*enginetest.Engine)
}

var (
	api    = slices.Concat(refusals, failures)
	tokens = slices.Concat(ofTokens, failures)
	// some is one of each kind, for the calls of mails that have megabytes.
	some = slices.DeleteFunc(slices.Clone(api), func(m mishap) bool { return alike[m.Name] })
)

// alike are the mishaps of which others are told the same way apart: by their status alone.
var alike = map[string]bool{
	"429 requests, a date": true, "429 without a time": true, "503 store unavailable": true, "409 mailbox stale": true,
	"401 claims": true, "403 privileges": true, "403 page": true, "404 blank": true, "410 page": true, "400 filter": true,
	"500 no message": true, "500 no code": true, "503 blank": true, "504 page": true, "slow": true,
	"hangs, nothing done": true, "reset before the body": true, "truncated": true,
}

// finding says whether a list looks for one mail.
func finding(by string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.Contains(r.URL.Query().Get("$filter"), by) }
}

// refusing makes the next call of that name be refused for good.
func refusing(method string) func(*enginetest.Engine) {
	return enginetest.Failing(outlooktest.Fault{
		Method: method, Reply: outlooktest.GraphError(403, "ErrorSendAsDenied", "Not allowed to send."),
	})
}

// flows are all calls of a connected mailbox.
func flows() (all []enginetest.Flow) {
	for _, f := range []flow{
		{what: "connect", call: "token", mishaps: tokens, prepare: enginetest.Written, act: enginetest.Consenting},
		{what: "connect", call: "user.get", mishaps: api, prepare: enginetest.Written, act: enginetest.Consenting},

		{what: "import", call: "token", mishaps: tokens, prepare: enginetest.ConnectedLongAgo},
		{what: "import", call: "folders.delta", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "folders.get", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "messages.delta", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "messages.list", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "messages.value", mishaps: api, prepare: enginetest.Connected},
		{what: "import", call: "subscriptions.create", mishaps: api, prepare: enginetest.Connected},

		{what: "incremental", call: "token", mishaps: tokens,
			prepare: enginetest.Then(enginetest.News, enginetest.Later(2*time.Hour))},
		{what: "incremental", call: "folders.delta", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "messages.delta", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "messages.get", mishaps: api, prepare: enginetest.News},
		{what: "incremental", call: "messages.value", mishaps: api, prepare: enginetest.News},
		{what: "incremental, expired", call: "folders.get", mishaps: api,
			prepare: enginetest.Then(enginetest.News, enginetest.Expired)},
		{what: "incremental, expired", call: "messages.list", mishaps: api,
			prepare: enginetest.Then(enginetest.News, enginetest.Expired)},
		{what: "incremental, looked at again", call: "batch", mishaps: some, prepare: enginetest.News},
		{what: "incremental, far away", call: "batch", far: true, mishaps: api, prepare: letters},
		{what: "incremental, far away", call: "messages.value", far: true, mishaps: some, prepare: letters},
		{what: "incremental", call: "subscriptions.update", mishaps: api,
			prepare: enginetest.Then(enginetest.Later(4*24*time.Hour), enginetest.News)},

		{what: "import, built", call: "messages.list", raw: outlook.RawBuilt, mishaps: some, prepare: enginetest.Connected},
		{what: "incremental, built", call: "messages.get whole", raw: outlook.RawBuilt, match: whole, mishaps: some,
			prepare: enginetest.News},

		{what: "send", call: "token", mishaps: tokens,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Later(2*time.Hour)), act: enginetest.Replying},
		{what: "send", call: "drafts.create", mishaps: api, prepare: enginetest.Imported, act: enginetest.Replying},
		{what: "send", call: "messages.update", mishaps: api, prepare: enginetest.Imported, act: enginetest.Replying},
		{what: "send", call: "drafts.send", mishaps: api, prepare: enginetest.Imported, act: enginetest.Replying},
		{what: "send", call: "messages.get", mishaps: api, prepare: enginetest.Imported, act: enginetest.Replying},
		{what: "send, refused", call: "messages.delete", mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, refusing("drafts.send")), act: enginetest.Replying},
		{what: "send, answer lost", call: "messages.list", mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("drafts.send", outlooktest.CloseServed)),
			act:     enginetest.Replying},
		{what: "send, request lost", call: "messages.list", mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("drafts.send", outlooktest.CloseUnserved)),
			act:     enginetest.ReplyingBeside},

		{what: "send in parts", call: "messages.list parent", match: finding("internetMessageId"), mishaps: some,
			prepare: enginetest.Imported, act: replyingBig},
		{what: "send in parts", call: "drafts.createReply", mishaps: some, prepare: enginetest.Imported, act: replyingBig},
		{what: "send in parts", call: "messages.update", mishaps: some, prepare: enginetest.Imported, act: replyingBig},
		{what: "send in parts", call: "attachments.create", mishaps: some, prepare: enginetest.Imported, act: replyingWithTwo},
		{what: "send in parts", call: "attachments.createUploadSession", mishaps: some,
			prepare: enginetest.Imported, act: replyingBig},
		{what: "send in parts", call: "uploadSession.put", mishaps: some, prepare: enginetest.Imported, act: replyingInRanges},
		{what: "send in parts", call: "drafts.send", mishaps: some, prepare: enginetest.Imported, act: replyingBig},

		{what: "send at once", call: "sendMail", atOnce: true, mishaps: api, prepare: enginetest.Imported, act: enginetest.Replying},
		{what: "send at once, answer lost", call: "messages.list", atOnce: true, mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("sendMail", outlooktest.CloseServed)),
			act:     enginetest.Replying},
		{what: "send at once, request lost", call: "messages.value", atOnce: true, mishaps: api,
			prepare: enginetest.Then(enginetest.Imported, enginetest.Losing("sendMail", outlooktest.CloseUnserved)),
			act:     enginetest.ReplyingBeside},
	} {
		all = append(all, f.full())
	}
	return all
}

// letters is mail that comes after the import, and nothing else.
func letters(e *enginetest.Engine) {
	enginetest.Imported(e)
	for i := range 4 {
		e.Letter(31+i, 0)
	}
}

// whole says whether a message is read with its body.
func whole(r *http.Request) bool {
	return strings.Contains(r.URL.Query().Get("$select"), "hasAttachments")
}

// faraway is a service behind so long a way that calls one by one do not use the quota.
func faraway(string, int) time.Duration { return 400 * time.Millisecond }

// replyingWithTwo sends a mail in parts none of which is large.
func replyingWithTwo(e *enginetest.Engine) { e.Reply(1_200_000, 1_200_000) }

// replyingBig sends a mail in parts one of which needs an upload session.
func replyingBig(e *enginetest.Engine) { e.Reply(3 << 20) }

// replyingInRanges sends a mail one part of which is uploaded in two ranges.
func replyingInRanges(e *enginetest.Engine) { e.Reply(4 << 20) }

func (f flow) full() enginetest.Flow {
	method, _, _ := strings.Cut(f.call, " ")
	return enginetest.Flow{
		What: f.what, Call: f.call, Method: method, Match: f.match, Raw: method == "messages.value", Mishaps: f.mishaps,
		Prepare: f.prepare, Act: f.act,
		Open: func(t *testing.T) *enginetest.Engine {
			server := outlooktest.Config{Send: outlooktest.Send{Delay: 2 * time.Second}}
			if f.far {
				server.Latency = faraway
			}
			return newEngine(t, engineConfig{
				rules: enginetest.OfClients, o: outlook.Options{SendAtOnce: f.atOnce, Raw: f.raw}, server: server,
			}).Engine
		},
	}
}
