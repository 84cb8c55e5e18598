package outlooktest_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func to(address string) string {
	return `[{"emailAddress":{"address":"` + address + `"}}]`
}

func (g graph) draft(body string) answer {
	g.t.Helper()
	a := g.do("POST", "/me/messages", body, "Prefer", immutable)
	require.Equal(g.t, 201, a.status, "%s", a.body)
	return a
}

func (g graph) accepted(a answer) {
	g.t.Helper()
	require.Equal(g.t, 202, a.status, "%s", a.body)
	require.Empty(g.t, a.body)
}

func TestDraftIsChangedAndSent(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	other := g.as(bob)
	a := g.draft(`{"subject":"Offer","body":{"contentType":"html","content":"<p>One</p>"},"toRecipients":` +
		to(bob) + `,"internetMessageHeaders":[{"name":"x-mark","value":"7"}]}`)
	require.Equal(t, true, a.json["isDraft"])
	require.Equal(t, g.a.Folder("drafts"), a.text("parentFolderId"))
	require.Contains(t, a.header.Get("Location"), a.text("id"))
	require.NotEmpty(t, a.text("internetMessageId"))
	require.NotContains(t, a.json, "from", "not before it is sent")
	at := "/me/messages/" + a.text("id")
	patched := g.do("PATCH", at, `{"internetMessageId":"<mine@acme.example>","subject":"Offer 2",`+
		`"body":{"contentType":"text","content":"Two"},"bccRecipients":`+to("hidden@x.example")+`}`)
	require.Equal(t, 200, patched.status, "%s", patched.body)
	require.Equal(t, "<mine@acme.example>", patched.text("internetMessageId"))
	found := g.get("/me/messages"+query("$filter", "internetMessageId eq '<mine@acme.example>'"), "Prefer", immutable)
	require.Equal(t, []string{a.text("id")}, ids(found.items()))

	g.accepted(g.do("POST", at+"/send", ""))
	sent := g.a.Sent()
	require.Len(t, sent, 1)
	require.Equal(t, []string{bob, "hidden@x.example"}, sent[0].To)
	require.Equal(t, "<mine@acme.example>", sent[0].MessageID)
	raw := string(sent[0].Raw)
	require.Contains(t, raw, "Message-ID: <mine@acme.example>")
	require.Contains(t, raw, "x-mark: 7")
	require.NotContains(t, strings.ToLower(raw), "hidden@x.example")
	g.refused(g.do("POST", at+"/send", ""), 404, "ErrorItemNotFound")
	copied := g.get(at)
	require.Equal(t, false, copied.json["isDraft"])
	require.Equal(t, g.a.Folder("sentitems"), copied.text("parentFolderId"))
	require.Equal(t, ann, copied.json["from"].(map[string]any)["emailAddress"].(map[string]any)["address"])
	require.Equal(t, "<mine@acme.example>", copied.text("internetMessageId"))
	received := other.a.Messages()
	require.Len(t, received, 1)
	require.Equal(t, "inbox", received[0].Folder)
	require.Equal(t, "<mine@acme.example>", received[0].MessageID)
	g.refused(g.do("PATCH", at, `{"subject":"late"}`), 400, "ErrorInvalidPropertySet")
	require.Equal(t, 200, g.do("PATCH", at, `{"isRead":false}`).status)
	require.Contains(t, string(g.get(at+"/$value").body), "Message-ID: <mine@acme.example>")
}

func TestSentMailLeavesDraftsLater(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		send outlooktest.Send
		same bool
	}{
		{"documented id", outlooktest.Send{Delay: time.Minute}, true},
		{"other id", outlooktest.Send{Delay: time.Minute, NewID: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, outlooktest.Config{Send: test.send}, func(t *testing.T, g graph) {
				_, link, _ := g.pages("/me/mailFolders/drafts/messages/delta")
				a := g.draft(`{"subject":"x","toRecipients":` + to(bob) + `}`)
				at := "/me/messages/" + a.text("id")
				g.accepted(g.do("POST", at+"/send", ""))
				require.Equal(t, true, g.get(at).json["isDraft"])
				g.refused(g.do("POST", at+"/send", ""), 404, "ErrorItemNotFound")
				g.refused(g.do("PATCH", at, `{"subject":"y"}`), 404, "ErrorItemNotFound")
				items, link, _ := g.pages(link, "Prefer", immutable)
				require.Equal(t, []string{"+x"}, summary(items), "the draft shows for a while")
				require.Empty(t, g.a.Sent())
				time.Sleep(time.Minute)
				items, _, _ = g.pages(link, "Prefer", immutable)
				require.Equal(t, []string{"-" + a.text("id")}, summary(items))
				require.Len(t, g.a.Sent(), 1)
				require.Equal(t, test.same, g.do("GET", at, "").status == 200)
				found := g.get("/me/messages" + query("$filter", "internetMessageId eq '"+a.text("internetMessageId")+"'"))
				require.Equal(t, []string{g.a.Folder("sentitems")}, found.texts("parentFolderId"))
			})
		})
	}
}

func TestReplyDrafts(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	parent := g.a.Deliver(mail("--b\r\nContent-Type: text/plain\r\n\r\nQuestion?\r\n--b\r\n"+
		"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nPDF\r\n--b--\r\n",
		"From: Bob <bob@other.example>", "To: "+ann+", carl@other.example", "Cc: dora@other.example",
		"Subject: Deal", "Message-ID: <2@x>", "References: <1@x>", "Date: Sun, 01 Nov 2026 10:00:00 +0000",
		"Content-Type: multipart/mixed; boundary=b"), outlooktest.Delivery{})
	original := g.get("/me/messages/" + parent)
	for _, test := range []struct {
		action, body, subject string
		to, cc                []string
		attached              bool
	}{
		{"createReply", `{"comment":"Yes"}`, "RE: Deal", []string{bob}, nil, false},
		{"createReplyAll", `{}`, "RE: Deal", []string{bob}, []string{"carl@other.example", "dora@other.example"}, false},
		{"createForward", `{"toRecipients":` + to("eve@x.example") + `}`, "FW: Deal", []string{"eve@x.example"}, nil, true},
		{"createReply", `{"message":{"subject":"RE: Other","toRecipients":` + to("f@x.example") + `}}`, "RE: Other", []string{"f@x.example"}, nil, false},
	} {
		t.Run(test.action, func(t *testing.T) {
			t.Parallel()
			g := graph{t, g.s, g.a, g.client}
			a := g.do("POST", "/me/messages/"+parent+"/"+test.action, test.body, "Prefer", immutable)
			require.Equal(t, 201, a.status, "%s", a.body)
			require.Equal(t, test.subject, a.text("subject"))
			require.Equal(t, test.to, people(a.json["toRecipients"]))
			require.Equal(t, test.cc, people(a.json["ccRecipients"]))
			require.Equal(t, original.text("conversationId"), a.text("conversationId"))
			index, err := base64.StdEncoding.DecodeString(a.text("conversationIndex"))
			require.NoError(t, err)
			require.Len(t, index, 27)
			require.Contains(t, a.json["body"].(map[string]any)["content"], "Question?")
			require.Equal(t, test.attached, a.json["hasAttachments"])
			raw := string(g.get("/me/messages/" + a.text("id") + "/$value").body)
			require.Contains(t, raw, "In-Reply-To: <2@x>")
			require.Contains(t, raw, "References: <1@x> <2@x>")
		})
	}
	t.Run("comment and body", func(t *testing.T) {
		t.Parallel()
		g := graph{t, g.s, g.a, g.client}
		a := g.do("POST", "/me/messages/"+parent+"/createReply", `{"comment":"a","message":{"body":{"contentType":"text","content":"b"}}}`)
		g.refused(a, 400, "ErrorInvalidRequest")
	})
}

func people(list any) []string {
	var out []string
	for _, r := range list.([]any) {
		out = append(out, r.(map[string]any)["emailAddress"].(map[string]any)["address"].(string))
	}
	return out
}

func TestReplyAtOnceJoinsTheConversation(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	other := g.as(bob)
	parent := g.fill(1)[0]
	g.accepted(g.do("POST", "/me/messages/"+parent+"/reply", `{"comment":"Fine"}`))
	require.Equal(t, g.a.Messages()[0].ConversationID, g.a.Messages()[1].ConversationID)
	got := other.a.Messages()[0]
	require.Contains(t, string(got.Raw), "Thread-Index: ")
	require.Contains(t, string(got.Raw), "In-Reply-To: <0@other.example>")
	g.accepted(other.do("POST", "/me/messages/"+got.ImmutableID+"/reply", `{"comment":"Good"}`))
	last := g.a.Messages()[2]
	require.Equal(t, g.a.Messages()[0].ConversationID, last.ConversationID, "by its references")
}

func TestMIMEDraftAndReply(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	raw := mail("Hi\r\n", "To: "+bob, "Subject: Mime", "Message-ID: <m@acme.example>", "In-Reply-To: <0@other.example>",
		"References: <0@other.example>", "Auto-Submitted: auto-replied", "X-Mark: 7", "List-Id: <x.y>")
	parent := g.fill(1)[0]
	for _, target := range []string{"/me/messages", "/me/messages/" + parent + "/createReply"} {
		a := g.do("POST", target, base64Of(raw), "Content-Type", "text/plain")
		require.Equal(t, 201, a.status, "%s", a.body)
		require.Equal(t, g.a.Messages()[0].ConversationID, a.text("conversationId"))
		require.Equal(t, "<m@acme.example>", a.text("internetMessageId"))
		value := string(g.get("/me/messages/" + a.text("id") + "/$value").body)
		require.Contains(t, value, "In-Reply-To: <0@other.example>")
		require.Contains(t, value, "X-Mark: 7")
		require.NotContains(t, value, "Auto-Submitted")
		require.NotContains(t, value, "List-Id")
	}
	a := g.do("POST", "/me/messages", "%%%", "Content-Type", "text/plain")
	g.refused(a, 400, "ErrorMimeContentInvalidBase64String")
}

func TestSendMail(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"subject":"J","body":{"contentType":"text","content":"x"},"toRecipients":`+
		to(bob)+`,"attachments":[{"@odata.type":"#microsoft.graph.fileAttachment","name":"a.txt","contentType":"text/plain","contentBytes":"QUJD"}]},"saveToSentItems":false}`))
	require.Empty(t, g.a.Messages(), "no copy was asked for")
	require.Contains(t, string(g.a.Sent()[0].Raw), "QUJD")
	raw := mail("Hi\r\n", "To: "+bob, "Bcc: eve@x.example", "Subject: M", "Message-ID: <m@acme.example>")
	g.accepted(g.do("POST", "/me/sendMail", base64Of(raw), "Content-Type", "text/plain"))
	sent := g.a.Sent()[1]
	require.Equal(t, "<m@acme.example>", sent.MessageID)
	require.Equal(t, []string{bob, "eve@x.example"}, sent.To)
	require.Contains(t, string(sent.Raw), "From: "+ann)
	require.NotContains(t, string(sent.Raw), "eve@x.example")
	require.Equal(t, "sentitems", g.a.Messages()[0].Folder)
}

func TestSendRefusals(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{Send: outlooktest.Send{MaxMessage: 2 << 20}})
	headers := func(names ...string) string {
		var list []string
		for _, n := range names {
			list = append(list, fmt.Sprintf(`{"name":%q,"value":"1"}`, n))
		}
		return `{"message":{"toRecipients":` + to(bob) + `,"internetMessageHeaders":[` + strings.Join(list, ",") + `]}}`
	}
	for _, test := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"header without x-", headers("In-Reply-To"), 400, "InvalidInternetMessageHeader"},
		{"six headers", headers("x-1", "x-2", "x-3", "x-4", "x-5", "x-6"), 400, "InvalidInternetMessageHeaderCollection"},
		{"no recipient", `{"message":{"subject":"x"}}`, 400, "ErrorInvalidRecipients"},
		{"no address", `{"message":{"toRecipients":` + to("nobody") + `}}`, 400, "ErrorInvalidRecipients"},
		{"foreign sender", `{"message":{"from":{"emailAddress":{"address":"` + bob + `"}},"toRecipients":` + to(bob) + `}}`, 403, "ErrorSendAsDenied"},
		{"no message", `{}`, 400, "ErrorInvalidRequest"},
		{"too large", `{"message":{"subject":"` + strings.Repeat("x", 4<<20) + `"}}`, 413, "BadRequest"},
		{"larger than a mail may be", `{"message":{"toRecipients":` + to(bob) + `,"body":{"contentType":"text","content":"` + strings.Repeat("x", 3<<20) + `"}}}`, 400, "ErrorMessageSizeExceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := graph{t, g.s, g.a, g.client}
			g.refused(g.do("POST", "/me/sendMail", test.body), test.status, test.code)
		})
	}
	t.Cleanup(func() { require.Empty(t, g.a.Sent()) })
}

func TestOddWaysOfSending(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{Send: outlooktest.Send{LearnX: true, SwallowAbove: 2000}})
	raw := func(subject string) string {
		return base64Of(mail("Hi\r\n", "To: "+bob, "Subject: "+subject, "X-Mark: 7"))
	}
	g.accepted(g.do("POST", "/me/sendMail", raw("a"), "Content-Type", "text/plain"))
	require.NotContains(t, string(g.a.Sent()[0].Raw), "X-Mark")
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"toRecipients":`+to(bob)+`,"internetMessageHeaders":[{"name":"x-mark","value":"1"}]}}`))
	g.accepted(g.do("POST", "/me/sendMail", raw("b"), "Content-Type", "text/plain"))
	require.Contains(t, string(g.a.Sent()[2].Raw), "X-Mark: 7")
	swallowed := g.do("POST", "/me/sendMail", raw(strings.Repeat("x", 3000)), "Content-Type", "text/plain")
	require.Equal(t, 200, swallowed.status)
	require.Len(t, g.a.Sent(), 3)
}

func TestMailThatComesBack(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.s.Bounce("gone@x.example")
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"subject":"x","toRecipients":`+to("gone@x.example")+`}}`))
	last := g.get("/me/mailFolders/inbox/messages")
	require.Equal(t, []string{"Undeliverable: x"}, last.texts("subject"))
	raw := string(g.get("/me/messages/" + last.items()[0]["id"].(string) + "/$value").body)
	require.Contains(t, raw, "Final-Recipient: rfc822;gone@x.example")
	require.Contains(t, raw, "Message-ID: "+g.a.Sent()[0].MessageID)
}

func TestChangedMIMEDraftKeepsItsAttachments(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	raw := mail("--b\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"+
		"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\n",
		"To: "+bob, "Subject: One", "X-Mark: 7", "In-Reply-To: <0@x>", "Content-Type: multipart/mixed; boundary=b")
	a := g.do("POST", "/me/messages", base64Of(raw), "Content-Type", "text/plain", "Prefer", immutable)
	require.Equal(t, 201, a.status, "%s", a.body)
	at := "/me/messages/" + a.text("id")
	require.Equal(t, 200, g.do("PATCH", at, `{"subject":"Two"}`).status)
	list := g.get(at + "/attachments").items()
	require.Len(t, list, 1)
	require.Equal(t, "QUJD", list[0]["contentBytes"])
	g.accepted(g.do("POST", at+"/send", ""))
	got := string(g.a.Sent()[0].Raw)
	for _, want := range []string{"Subject: Two", "QUJD", "<p>Hi</p>", "X-Mark: 7", "In-Reply-To: <0@x>"} {
		require.Contains(t, got, want)
	}
}

func TestExtendedPropertyFindsTheMail(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	const name = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Mark"
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"toRecipients":`+to(bob)+`,"singleValueExtendedProperties":[{"id":"`+name+`","value":"42"}]}}`))
	filter := "singleValueExtendedProperties/Any(ep: ep/id eq '" + name + "' and ep/value eq '%s')"
	other := strings.ReplaceAll(fmt.Sprintf(filter, "42"), "ep: ", "x: ")
	g.refused(g.do("GET", "/me/messages"+query("$filter", other), ""), 400, "BadRequest")
	require.Len(t, g.get("/me/messages"+query("$filter", strings.ReplaceAll(fmt.Sprintf(filter, "42"), "ep: ", "ep:"))).items(), 1)
	found := g.get("/me/messages" + query("$filter", fmt.Sprintf(filter, "42"), "$expand", "singleValueExtendedProperties($filter=id eq '"+name+"')"))
	require.Len(t, found.items(), 1)
	require.Equal(t, []any{map[string]any{"id": name, "value": "42"}}, found.items()[0]["singleValueExtendedProperties"])
	require.Empty(t, g.get("/me/messages"+query("$filter", fmt.Sprintf(filter, "43"))).items())
}

func TestMessagesAreMovedAndDeleted(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.fill(1)[0]
	moved := g.do("POST", "/me/messages/"+id+"/move", `{"destinationId":"archive"}`, "Prefer", immutable)
	require.Equal(t, 201, moved.status)
	require.Equal(t, id, moved.text("id"))
	require.Equal(t, g.a.Folder("archive"), moved.text("parentFolderId"))
	require.Equal(t, 204, g.do("DELETE", "/me/messages/"+id, "").status)
	require.Equal(t, "deleteditems", g.a.Messages()[0].Folder)
	require.Equal(t, 204, g.do("POST", "/me/messages/"+id+"/permanentDelete", "").status)
	g.refused(g.do("GET", "/me/messages/"+id, ""), 404, "ErrorItemNotFound")
}

func TestFoldersAreMadeAndDeleted(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	a := g.do("POST", "/me/mailFolders/inbox/childFolders", `{"displayName":"Clients"}`)
	require.Equal(t, 201, a.status)
	g.refused(g.do("POST", "/me/mailFolders/inbox/childFolders", `{"displayName":"clients"}`), 409, "ErrorFolderExists")
	at := "/me/mailFolders/" + a.text("id")
	require.Equal(t, "Kunden", g.do("PATCH", at, `{"displayName":"Kunden"}`).text("displayName"))
	require.Equal(t, 204, g.do("DELETE", at, "").status)
	g.refused(g.do("DELETE", "/me/mailFolders/inbox", ""), 400, "ErrorDeleteDistinguishedFolder")
}
