package outlooktest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func TestListPagesNewestFirst(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	want := g.fill(25)
	slices.Reverse(want)
	first := g.get("/me/mailFolders/inbox/messages", "Prefer", immutable)
	require.Len(t, first.items(), 10, "the default page")
	require.Equal(t, immutable, first.header.Get("Preference-Applied"))
	items, _, pages := g.pages("/me/mailFolders/inbox/messages"+query("$top", "7"), "Prefer", immutable)
	require.Equal(t, want, ids(items))
	require.Equal(t, 4, pages)
	require.Len(t, g.get("/me/messages", "Prefer", "odata.maxpagesize=20").items(), 20)
}

func TestListSwitchesIDFormatWithTheHeader(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	want := g.fill(4)
	first := g.get("/me/messages"+query("$top", "2"), "Prefer", immutable)
	second := g.get(first.text("@odata.nextLink"))
	require.Equal(t, []string{want[3], want[2]}, ids(first.items()))
	require.Equal(t, 1, g.s.Stats().DefaultIDs)
	for _, id := range ids(second.items()) {
		require.NotContains(t, want, id, "without the header the ids are default ids")
		require.Equal(t, 200, g.do("GET", "/me/messages/"+id, "").status)
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.a.Deliver(mail("x", "From: Bob <bob@other.example>", "Message-ID: <a+b@x>", "Subject: One"),
		outlooktest.Delivery{Received: day(1)})
	g.a.Deliver(mail("x", "From: eve@eve.example", "Message-ID: <c@x>", "Subject: It's two"),
		outlooktest.Delivery{Received: day(2), Read: true})
	conversation := g.a.Messages()[1].ConversationID
	for _, test := range []struct {
		name, filter string
		want         []string
	}{
		{"from a time on", "receivedDateTime ge 2026-10-02T12:00:00Z", []string{"It's two"}},
		{"after a time", "receivedDateTime gt 2026-10-02T12:00:00Z", []string{}},
		{"before a time", "receivedDateTime lt 2026-10-02T12:00:00Z", []string{"One"}},
		{"a span", "receivedDateTime ge 2026-10-01T00:00:00Z and receivedDateTime le 2026-10-02T12:00:00Z", []string{"It's two", "One"}},
		{"sender in another case", "from/emailAddress/address eq 'BOB@other.example'", []string{"One"}},
		{"message id", "internetMessageId eq '<a+b@x>'", []string{"One"}},
		{"conversation", "conversationId eq '" + conversation + "'", []string{"It's two"}},
		{"draft", "isDraft eq true", []string{}},
		{"either", "subject eq 'One' or subject eq 'It''s two'", []string{"It's two", "One"}},
		{"not and parentheses", "not (isRead eq true)", []string{"One"}},
		{"beginning", "startswith(subject,'it')", []string{"It's two"}},
		{"a part", "contains(subject,'tw')", []string{"It's two"}},
		{"no such property set", "singleValueExtendedProperties/Any(ep: ep/id eq 'String {00020329-0000-0000-C000-000000000046} Name x' and ep/value eq '1')", []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := graph{t, g.s, g.a, g.client}.get("/me/messages" + query("$filter", test.filter))
			require.Equal(t, test.want, a.texts("subject"))
		})
	}
}

func TestListRefusals(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.fill(1)
	const since = "receivedDateTime ge 2026-10-01T00:00:00Z"
	for _, test := range []struct {
		name, query, code string
	}{
		{"page too large", query("$top", "1001"), "ErrorInvalidUrlQuery"},
		{"page of nothing", query("$top", "0"), "ErrorInvalidUrlQuery"},
		{"page of a word", query("$top", "x"), "BadRequest"},
		{"negative skip", query("$skip", "-1"), "BadRequest"},
		{"unknown property", query("$select", "id,wellKnownName"), "BadRequest"},
		{"unknown property filtered", query("$filter", "colour eq 'red'"), "BadRequest"},
		{"property that is no filter", query("$filter", "toRecipients/any(r: r/emailAddress/address eq 'a@b')"), "ErrorInvalidUrlQueryFilter"},
		{"quoted time", query("$filter", "receivedDateTime ge '2026-10-01T00:00:00Z'"), "BadRequest"},
		{"open quote", query("$filter", "subject eq 'x"), "BadRequest"},
		{"sorted by what is not filtered", query("$filter", "isRead eq false", "$orderby", "receivedDateTime desc"), "InefficientFilter"},
		{"sorted by what is filtered second", query("$filter", "isRead eq false and "+since, "$orderby", "receivedDateTime desc"), "InefficientFilter"},
		{"sorted in another order", query("$filter", since+" and isRead eq false", "$orderby", "isRead,receivedDateTime"), "InefficientFilter"},
		{"search and filter", query("$search", `"x"`, "$filter", since), "SearchWithFilter"},
		{"search and order", query("$search", `"x"`, "$orderby", "receivedDateTime"), "SearchWithOrderBy"},
		{"search and count", query("$search", `"x"`, "$count", "true"), "SearchWithCount"},
		{"search without quotes", query("$search", "from:x"), "BadRequest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := graph{t, g.s, g.a, g.client}
			g.refused(g.do("GET", "/me/messages"+test.query, ""), 400, test.code)
		})
	}
	g.get("/me/messages" + query("$filter", since+" and isRead eq false", "$orderby", "receivedDateTime desc,isRead"))
}

func TestSearch(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.a.Deliver(mail("the offer", "From: Bob <bob@eu.acme.com>", "To: "+ann, "Subject: Big plans"),
		outlooktest.Delivery{Received: day(3)})
	g.a.Deliver(mail("nothing", "From: eve@notacme.com", "To: "+ann, "Cc: carl@acme.com", "Subject: Plans, big"),
		outlooktest.Delivery{Received: day(5)})
	for _, test := range []struct {
		search string
		want   []string
	}{
		{`"participants:acme.com"`, []string{"Plans, big", "Big plans"}},
		{`"from:acme.com"`, []string{"Big plans"}},
		{`"cc:carl@acme.com"`, []string{"Plans, big"}},
		{`"to:ann"`, []string{"Plans, big", "Big plans"}},
		{`"subject:\"big plans\""`, []string{"Big plans"}},
		{`"big"`, []string{"Plans, big", "Big plans"}},
		{`"offer"`, []string{"Big plans"}},
		{`"off*"`, []string{"Big plans"}},
		{`"participants:acme.com AND received>=2026-10-05"`, []string{"Plans, big"}},
		{`"received<2026-10-05"`, []string{"Big plans"}},
		{`"(from:eve OR from:bob) NOT cc:carl"`, []string{"Big plans"}},
		{`"from:nobody"`, []string{}},
	} {
		t.Run(test.search, func(t *testing.T) {
			t.Parallel()
			a := graph{t, g.s, g.a, g.client}.get("/me/messages" + query("$search", test.search))
			require.Equal(t, test.want, a.texts("subject"), "newest first")
		})
	}
	first := g.get("/me/messages" + query("$search", `"plans"`, "$top", "1"))
	require.Contains(t, first.text("@odata.nextLink"), "%24skiptoken=")
	require.Equal(t, []string{"Big plans"}, g.get(first.text("@odata.nextLink")).texts("subject"))
}

func TestCounts(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.fill(12)
	require.Equal(t, "12", string(g.get("/me/mailFolders/inbox/messages/$count").body))
	require.InDelta(t, 12, g.get("/me/messages" + query("$count", "true", "$top", "1")).json["@odata.count"], 0)
}

func TestFoldersAreListedByLevel(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.a.AddFolder("inbox", "Clients")
	g.a.AddFolder("Inbox/Clients", "ACME")
	top := g.get("/me/mailFolders" + query("$top", "50"))
	require.Equal(t, []string{"Archive", "Conversation History", "Deleted Items", "Drafts", "Inbox",
		"Junk Email", "Outbox", "Sent Items"}, top.texts("displayName"))
	hidden := g.get("/me/mailFolders" + query("$top", "50", "includeHiddenFolders", "true"))
	require.Contains(t, hidden.texts("displayName"), "Sync Issues")
	children := g.get("/me/mailFolders('inbox')/childFolders")
	require.Equal(t, []string{"Clients"}, children.texts("displayName"))
	require.InDelta(t, 1, children.items()[0]["childFolderCount"], 0)
	flat, _, _ := g.pages("/me/mailFolders/delta")
	require.Contains(t, ids(flat), g.a.Folder("Inbox/Clients/ACME"))
	require.Equal(t, g.a.Folder("sentitems"), g.get("/me/mailFolders/sentitems").text("id"))
	_, _, pages := g.pages("/me/mailFolders" + query("$top", "3"))
	require.Equal(t, 3, pages)
	g.refused(g.do("GET", "/me/mailFolders/nonesuch", ""), 404, "ErrorItemNotFound")
}

func TestIDsDifferInCaseAlone(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	seen := make(map[string]string)
	twins := 0
	for _, id := range g.fill(10) {
		key := toLower(id)
		if other := seen[key]; other != "" {
			require.NotEqual(t, other, id)
			twins++
		}
		seen[key] = id
	}
	require.Positive(t, twins)
}

func toLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

func TestMoveChangesTheDefaultIDAlone(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.fill(1)[0]
	before := g.a.Messages()[0].ID
	g.a.Move(id, "archive")
	after := g.a.Messages()[0].ID
	require.NotEqual(t, before, after)
	require.Equal(t, g.a.Folder("archive"), g.get("/me/messages/"+id).text("parentFolderId"))
	require.Equal(t, g.a.Folder("archive"), g.get("/me/messages/"+after).text("parentFolderId"))
	g.refused(g.do("GET", "/me/messages/"+before, ""), 404, "ErrorItemNotFound")
	g.refused(g.do("GET", "/me/messages/nonsense", ""), 400, "ErrorInvalidIdMalformed")
}

func TestMessageIsReadWholeAndInPart(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	raw := mail("<p onclick=\"x()\">Hi</p><script>bad()</script>", "From: Bob <bob@other.example>",
		"To: "+ann, "Subject: Html", "List-Id: <l.x>", "Content-Type: text/html; charset=utf-8")
	id := g.a.Deliver(raw, outlooktest.Delivery{Received: day(1)})
	m := g.get("/me/messages/" + id)
	require.NotContains(t, m.json, "internetMessageHeaders")
	require.NotContains(t, m.json, "uniqueBody")
	require.Equal(t, map[string]any{"contentType": "html", "content": "<p>Hi</p>"}, m.json["body"])
	m = g.get("/me/messages/"+id, "Prefer", "outlook.allow-unsafe-html")
	require.Contains(t, m.json["body"].(map[string]any)["content"], "<script>")
	m = g.get("/me/messages/"+id, "Prefer", immutable, "Prefer", `outlook.body-content-type="text"`)
	require.Equal(t, "text", m.json["body"].(map[string]any)["contentType"])
	require.Equal(t, immutable+`, outlook.body-content-type="text"`, m.header.Get("Preference-Applied"))
	m = g.get("/me/messages/" + id + query("$select", "internetMessageHeaders"))
	require.Contains(t, m.json["internetMessageHeaders"], map[string]any{"name": "List-Id", "value": "<l.x>"})
	require.ElementsMatch(t, []string{"@odata.context", "@odata.etag", "id", "internetMessageHeaders"}, keys(m.json))
	v := g.get("/me/messages/" + id + "/$value")
	require.Equal(t, raw, v.body)
	require.Contains(t, v.header.Get("Content-Type"), "text/plain")
	g.refused(g.do("GET", "/me/mailFolders/inbox/messages/"+id+"/$value", ""), 405, "ErrorInvalidRequest")
	require.Equal(t, id, g.get("/me/mailFolders/inbox/messages/"+id, "Prefer", immutable).text("id"))
	g.refused(g.do("GET", "/me/mailFolders/archive/messages/"+id, ""), 404, "ErrorItemNotFound")
}

func keys(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestEmptyPagesAndLargePages(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{MaxPage: 100, Delta: outlooktest.Delta{EmptyPageEvery: 2}})
	g.fill(30)
	items, _, pages := g.pages("/me/messages" + query("$top", "10"))
	require.Len(t, items, 30)
	require.Greater(t, pages, 3)
	require.Equal(t, 504, g.do("GET", "/me/messages"+query("$top", "101"), "").status)
	g.get("/me/messages" + query("$top", "101", "$select", "id,subject"))
}

func TestAttachmentsAreReadOneByOne(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.a.Deliver(mail("--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\n"+
		"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\n",
		"From: Bob <bob@other.example>", "Subject: File", "Content-Type: multipart/mixed; boundary=b"),
		outlooktest.Delivery{Received: day(1)})
	require.Equal(t, true, g.get("/me/messages/" + id).json["hasAttachments"])
	list := g.get("/me/messages/" + id + "/attachments").items()
	require.Len(t, list, 1)
	require.Equal(t, "QUJD", list[0]["contentBytes"])
	require.Equal(t, "#microsoft.graph.fileAttachment", list[0]["@odata.type"])
	at := "/me/messages/" + id + "/attachments/" + list[0]["id"].(string)
	require.Equal(t, "a.pdf", g.get(at).text("name"))
	require.Equal(t, "ABC", string(g.get(at+"/$value").body))
	expanded := g.get("/me/messages/" + id + query("$expand", "attachments"))
	require.Len(t, expanded.json["attachments"], 1)
}

func TestLatencyHoldsAPlaceByItems(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Latency: func(method string, items int) time.Duration {
		if method != "messages.list" {
			return 0
		}
		return time.Duration(items) * 10 * time.Millisecond
	}}, func(t *testing.T, g graph) {
		g.fill(100)
		begin := time.Now()
		g.get("/me/messages" + query("$top", "100"))
		require.Equal(t, time.Second, time.Since(begin))
		g.get("/me/mailFolders")
		require.Equal(t, time.Second, time.Since(begin))
	})
}
