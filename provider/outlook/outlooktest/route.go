package outlooktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// method names one call: "messages.list", "messages.delta", "drafts.send", ..., "token". Stats,
// latencies and faults go by it.
type method string

// The calls that are no calls of Graph.
const (
	methodToken  method = "token"
	methodBatch  method = "batch"
	methodUpload method = "uploadSession.put"
)

// Scopes of the calls.
//
// Source: https://learn.microsoft.com/graph/permissions-reference
const (
	scopeUser      = "User.Read"
	scopeBasic     = "Mail.ReadBasic"
	scopeRead      = "Mail.Read"
	scopeReadWrite = "Mail.ReadWrite"
	scopeSend      = "Mail.Send"
)

var (
	basicScopes = []string{scopeBasic, scopeRead, scopeReadWrite}
	readScopes  = []string{scopeRead, scopeReadWrite}
	writeScopes = []string{scopeReadWrite}
	sendScopes  = []string{scopeSend}
)

// route is one call of Graph.
type route struct {
	method method
	verb   string
	path   string // below v1.0; "me" stands for users/{id} too, "*" for one segment
	scopes []string
	do     func(*call) (any, *apiError)
	// lockOff says that do takes the lock itself.
	lockOff bool
}

var routes = []route{
	{"user.get", "GET", "me", []string{scopeUser}, getUser, false},
	{"folders.list", "GET", "me/mailFolders", basicScopes, listFolders, false},
	{"folders.create", "POST", "me/mailFolders", writeScopes, createFolder, true},
	{"folders.delta", "GET", "me/mailFolders/delta", basicScopes, deltaFolders, false},
	{"folders.get", "GET", "me/mailFolders/*", basicScopes, getFolder, false},
	{"folders.update", "PATCH", "me/mailFolders/*", writeScopes, updateFolder, true},
	{"folders.delete", "DELETE", "me/mailFolders/*", writeScopes, deleteFolder, false},
	{"folders.children", "GET", "me/mailFolders/*/childFolders", basicScopes, listFolders, false},
	{"folders.create", "POST", "me/mailFolders/*/childFolders", writeScopes, createFolder, true},

	{"messages.list", "GET", "me/mailFolders/*/messages", basicScopes, listMessages, false},
	{"messages.count", "GET", "me/mailFolders/*/messages/$count", basicScopes, countMessages, false},
	{"messages.delta", "GET", "me/mailFolders/*/messages/delta", basicScopes, deltaMessages, false},
	{"messages.get", "GET", "me/mailFolders/*/messages/*", basicScopes, getMessage, false},
	{"messages.value", "GET", "me/mailFolders/*/messages/*/$value", readScopes, notSupported, false},
	{"drafts.create", "POST", "me/mailFolders/*/messages", writeScopes, createDraft, true},

	{"messages.list", "GET", "me/messages", basicScopes, listMessages, false},
	{"messages.count", "GET", "me/messages/$count", basicScopes, countMessages, false},
	{"messages.delta", "GET", "me/messages/delta", basicScopes, noDelta, false},
	{"drafts.create", "POST", "me/messages", writeScopes, createDraft, true},
	{"messages.get", "GET", "me/messages/*", basicScopes, getMessage, false},
	{"messages.update", "PATCH", "me/messages/*", writeScopes, updateMessage, true},
	{"messages.delete", "DELETE", "me/messages/*", writeScopes, deleteMessage, false},
	{"messages.value", "GET", "me/messages/*/$value", readScopes, getValue, false},
	{"messages.permanentDelete", "POST", "me/messages/*/permanentDelete", writeScopes, purgeMessage, false},
	{"messages.move", "POST", "me/messages/*/move", writeScopes, moveMessage, true},
	{"drafts.send", "POST", "me/messages/*/send", sendScopes, sendDraft, false},
	{"drafts.createReply", "POST", "me/messages/*/createReply", writeScopes, createReply, true},
	{"drafts.createReplyAll", "POST", "me/messages/*/createReplyAll", writeScopes, createReply, true},
	{"drafts.createForward", "POST", "me/messages/*/createForward", writeScopes, createReply, true},
	{"messages.reply", "POST", "me/messages/*/reply", sendScopes, replyNow, true},
	{"messages.replyAll", "POST", "me/messages/*/replyAll", sendScopes, replyNow, true},
	{"messages.forward", "POST", "me/messages/*/forward", sendScopes, replyNow, true},
	{"sendMail", "POST", "me/sendMail", sendScopes, sendMail, true},

	{"attachments.list", "GET", "me/messages/*/attachments", readScopes, listAttachments, false},
	{"attachments.create", "POST", "me/messages/*/attachments", writeScopes, addAttachment, true},
	{
		"attachments.createUploadSession", "POST", "me/messages/*/attachments/createUploadSession",
		writeScopes, createUploadSession, true,
	},
	{"attachments.get", "GET", "me/messages/*/attachments/*", readScopes, getAttachment, false},
	{"attachments.value", "GET", "me/messages/*/attachments/*/$value", readScopes, getAttachmentValue, false},
	{"attachments.delete", "DELETE", "me/messages/*/attachments/*", writeScopes, deleteAttachment, false},

	{"subscriptions.list", "GET", "subscriptions", basicScopes, listSubscriptions, false},
	{"subscriptions.create", "POST", "subscriptions", basicScopes, createSubscription, true},
	{"subscriptions.get", "GET", "subscriptions/*", basicScopes, getSubscription, false},
	{"subscriptions.update", "PATCH", "subscriptions/*", basicScopes, updateSubscription, true},
	{"subscriptions.delete", "DELETE", "subscriptions/*", basicScopes, deleteSubscription, false},
	{"subscriptions.reauthorize", "POST", "subscriptions/*/reauthorize", basicScopes, reauthorize, false},
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/attachments/{session}", s.serveUpload)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.serveConsent)
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.serveToken)
	mux.HandleFunc("GET /{tenant}/v2.0/adminconsent", s.serveAdminConsent)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.settle()
		switch {
		case r.URL.Path == "/v1.0/$batch" && r.Method == http.MethodPost:
			s.serveBatch(w, r)
		case strings.HasPrefix(r.URL.Path, "/v1.0/"):
			s.serveAPI(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// segments cuts the path below v1.0 and writes keys in parentheses, mailFolders('inbox'), as
// segments of their own (OData 4.01 URL conventions section 4.3).
func segments(r *http.Request) []string {
	var out []string
	for part := range strings.SplitSeq(strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0/"), "/") {
		if u, err := url.PathUnescape(part); err == nil {
			part = u
		}
		name, key, ok := strings.Cut(part, "('")
		if ok && strings.HasSuffix(key, "')") {
			out = append(out, name, strings.ReplaceAll(strings.TrimSuffix(key, "')"), "''", "'"))
			continue
		}
		name, empty := strings.CutSuffix(part, "()")
		if empty {
			part = name
		}
		out = append(out, strings.TrimPrefix(part, "microsoft.graph."))
	}
	return out
}

// match returns the route of a request, what stands in its path, and the user that it names.
func match(r *http.Request) (rt *route, user string, ids [2]string, known bool) {
	path := segments(r)
	user = "me"
	if len(path) > 1 && path[0] == "users" {
		user = path[1]
		path = append([]string{"me"}, path[2:]...)
	}
	for i := range routes {
		got, ok := matchPath(strings.Split(routes[i].path, "/"), path)
		if ok && routes[i].verb == r.Method {
			return &routes[i], user, got, true
		}
		known = known || ok
	}
	return nil, user, ids, known
}

func matchPath(pattern, path []string) (ids [2]string, ok bool) {
	if len(pattern) != len(path) {
		return ids, false
	}
	n := 0
	for i, p := range pattern {
		switch {
		case p == "*" && n < len(ids):
			ids[n] = path[i]
			n++
		case !strings.EqualFold(p, path[i]):
			return ids, false
		}
	}
	return ids, true
}

// granted says whether one of the scopes is among those that were granted.
func granted(have, want []string) bool {
	return slices.ContainsFunc(want, func(s string) bool { return slices.Contains(have, s) })
}
