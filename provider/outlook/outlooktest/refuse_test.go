package outlooktest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func TestBadRequestsAreRefusedAsGraphDoes(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{Limits: outlooktest.Unlimited()})
	id := g.fill(1)[0]
	draft := g.do("POST", "/me/messages", `{"subject":"x"}`, "Prefer", immutable).text("id")
	const none = "/me/messages/AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AAAAA"
	for _, c := range []struct {
		name, verb, path, body string
		status                 int
	}{
		{"page size", "GET", "/me/messages" + query("$top", "x"), "", 400},
		{"page size below one", "GET", "/me/messages" + query("$top", "0"), "", 400},
		{"page size above the most", "GET", "/me/messages" + query("$top", "1001"), "", 400},
		{"unknown property selected", "GET", "/me/messages" + query("$select", "nothing"), "", 400},
		{"unknown property sorted by", "GET", "/me/messages" + query("$orderby", "nothing"), "", 400},
		{"filter that is none", "GET", "/me/messages" + query("$filter", "receivedDateTime"), "", 400},
		{"filter with a quoted time", "GET", "/me/messages" + query("$filter", "receivedDateTime ge '2026-10-01T00:00:00Z'"), "", 400},
		{"sorted by what is not filtered", "GET", "/me/messages" + query("$filter", "isRead eq true", "$orderby", "receivedDateTime desc"), "", 400},
		{"search and filter", "GET", "/me/messages" + query("$search", `"x"`, "$filter", "isRead eq true"), "", 400},
		{"search and order", "GET", "/me/messages" + query("$search", `"x"`, "$orderby", "receivedDateTime desc"), "", 400},
		{"delta of the whole mailbox", "GET", "/me/messages/delta", "", 400},
		{"delta with another filter", "GET", inboxDelta + query("$filter", "isRead eq true"), "", 400},
		{"delta with a filter without the dollar", "GET", inboxDelta + query("filter", "receivedDateTime ge 2026-10-01T00:00:00Z"), "", 400},
		{"delta with a search", "GET", inboxDelta + query("$search", `"x"`), "", 400},
		{"delta with a made-up token", "GET", inboxDelta + query("$deltatoken", "x"), "", 400},
		{"message of a malformed id", "GET", "/me/messages/x", "", 400},
		{"message that is not there", "GET", none, "", 404},
		{"raw message by its folder", "GET", "/me/mailFolders/inbox/messages/" + id + "/$value", "", 405},
		{"raw message that is not there", "GET", none + "/$value", "", 404},
		{"attachments of what is not there", "GET", none + "/attachments", "", 404},
		{"attachment that is not there", "GET", "/me/messages/" + id + "/attachments/x", "", 404},
		{"folder that is not there", "GET", "/me/mailFolders/nothing", "", 404},
		{"folder without a name", "POST", "/me/mailFolders", `{}`, 400},
		{"folder twice", "POST", "/me/mailFolders", `{"displayName":"Inbox"}`, 409},
		{"delete a well-known folder", "DELETE", "/me/mailFolders/inbox", "", 400},
		{"change without JSON", "PATCH", "/me/messages/" + draft, "x", 400},
		{"change the text of received mail", "PATCH", "/me/messages/" + id, `{"body":{"contentType":"text","content":"x"}}`, 400},
		{"move to nowhere", "POST", "/me/messages/" + id + "/move", `{"destinationId":"nothing"}`, 404},
		{"draft without JSON", "POST", "/me/messages", "{", 400},
		{"draft of no base64", "POST", "/me/messages", "???", 400},
		{"draft with a header of its own", "POST", "/me/messages", `{"internetMessageHeaders":[{"name":"In-Reply-To","value":"<a@b>"}]}`, 400},
		{"send a draft to nobody", "POST", "/me/messages/" + draft + "/send", "", 400},
		{"send received mail", "POST", "/me/messages/" + id + "/send", "", 404},
		{"send what is not there", "POST", none + "/send", "", 404},
		{"send mail to nobody", "POST", "/me/sendMail", `{"message":{"subject":"x"}}`, 400},
		{"send mail without JSON", "POST", "/me/sendMail", "{", 400},
		{"reply to what is not there", "POST", none + "/createReply", "", 404},
		{"session without a size", "POST", "/me/messages/" + draft + "/attachments/createUploadSession", `{"AttachmentItem":{"name":"x","attachmentType":"file"}}`, 400},
		{"attachment without a type", "POST", "/me/messages/" + draft + "/attachments", `{"name":"x"}`, 400},
		{"subscription to nothing", "POST", "/subscriptions", `{}`, 400},
		{"subscription that is not there", "PATCH", "/subscriptions/x", `{"expirationDateTime":"2030-01-01T00:00:00Z"}`, 404},
		{"delete a subscription that is not there", "DELETE", "/subscriptions/x", "", 404},
		{"another person's mailbox", "GET", "/users/" + bob + "/messages", "", 403},
		{"segment there is not", "GET", "/me/nothing", "", 400},
		{"verb there is not", "PUT", "/me/messages", "", 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := g.do(c.verb, c.path, c.body, "Prefer", immutable)
			require.Equal(t, c.status, got.status, "%s", got.body)
			require.NotEmpty(t, got.code())
			require.Contains(t, got.header.Get("Content-Type"), "application/json")
		})
	}
}

func TestClosedServersTakeNoConnections(t *testing.T) {
	t.Parallel()
	for _, pipe := range []bool{false, true} {
		s := outlooktest.New(nil, outlooktest.Config{Pipe: pipe})
		resp, err := s.Client().Get(s.Endpoints().GraphURL + "/me")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		s.Close()
		s.Close()
		_, err = s.Client().Get(s.Endpoints().GraphURL + "/me")
		require.Error(t, err)
	}
}
