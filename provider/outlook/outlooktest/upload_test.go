package outlooktest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func (g graph) put(target string, first int, b []byte, size int) answer {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodPut, target, bytes.NewReader(b))
	require.NoError(g.t, err)
	r.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, first+len(b)-1, size))
	return graph{g.t, g.s, g.a, g.s.Client()}.send(r)
}

func session(name string, size int) string {
	return fmt.Sprintf(`{"AttachmentItem":{"attachmentType":"file","name":%q,"size":%d,"contentType":"application/pdf"}}`, name, size)
}

func TestUploadSession(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	draft := g.draft(`{"subject":"x","toRecipients":` + to(bob) + `}`)
	at := "/me/messages/" + draft.text("id") + "/attachments"
	const size, chunk = 7 << 20, 3 << 20
	content := bytes.Repeat([]byte("workinbox"), size/9+1)[:size]
	a := g.do("POST", at+"/createUploadSession", session("big.pdf", size))
	require.Equal(t, 201, a.status, "%s", a.body)
	require.Equal(t, []any{"0-"}, a.json["nextExpectedRanges"])
	target := a.text("uploadUrl")
	withToken := g.do("PUT", target, "x", "Content-Range", "bytes 0-0/"+fmt.Sprint(size))
	require.Equal(t, 401, withToken.status, "the address takes no Authorization")
	require.Equal(t, 416, g.put(target, chunk, content[chunk:2*chunk], size).status, "out of order")
	require.Equal(t, 413, g.put(target, 0, content[:4<<20+1], size).status)
	require.Equal(t, 400, g.put(target, 0, content[:chunk], size+1).status)
	require.Equal(t, 404, g.put(strings.Split(target, "?")[0], 0, content[:chunk], size).status)
	for first := 0; first < 2*chunk; first += chunk {
		a = g.put(target, first, content[first:first+chunk], size)
		require.Equal(t, 200, a.status)
		require.Equal(t, []any{fmt.Sprintf("%d-", first+chunk)}, a.json["nextExpectedRanges"])
	}
	status := graph{t, g.s, g.a, g.s.Client()}.do("GET", target, "")
	require.Equal(t, []any{fmt.Sprintf("%d-", 2*chunk)}, status.json["nextExpectedRanges"])
	a = g.put(target, 2*chunk, content[2*chunk:], size)
	require.Equal(t, 201, a.status)
	require.Contains(t, a.header.Get("Location"), "/Attachments('")
	list := g.get(at + query("$select", "id,name,size")).items()
	require.Len(t, list, 1)
	require.InDelta(t, size, list[0]["size"], 0)
	require.Equal(t, content, g.get(at+"/"+list[0]["id"].(string)+"/$value").body)
	g.accepted(g.do("POST", "/me/messages/"+draft.text("id")+"/send", ""))
	require.Greater(t, len(g.a.Sent()[0].Raw), size)
	require.Equal(t, 404, g.put(target, 0, content[:1], size).status, "the session is over")
}

func TestSmallAttachments(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	draft := g.draft(`{"subject":"x"}`)
	at := "/me/messages/" + draft.text("id") + "/attachments"
	file := func(kind, content string) string {
		return `{"@odata.type":"#microsoft.graph.` + kind + `","name":"a.txt","contentBytes":"` + content + `"}`
	}
	a := g.do("POST", at, file("fileAttachment", "QUJD"))
	require.Equal(t, 201, a.status, "%s", a.body)
	require.Equal(t, true, g.get("/me/messages/" + draft.text("id")).json["hasAttachments"])
	g.refused(g.do("POST", at, file("fileAttachment", "%")), 400, "BadRequest")
	g.refused(g.do("POST", at, file("referenceAttachment", "QUJD")), 400, "BadRequest")
	require.Equal(t, 413, g.do("POST", at, file("fileAttachment", base64Of(make([]byte, 3<<20+1)))).status)
	g.refused(g.do("POST", at+"/createUploadSession", session("small", 100)), 400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize")
	g.refused(g.do("POST", at+"/createUploadSession", session("large", 151<<20)), 400, "ErrorAttachmentSizeLimitExceeded")
	require.Equal(t, 204, g.do("DELETE", at+"/"+a.text("id"), "").status)
	require.Empty(t, g.get(at).items())
	received := g.fill(1)[0]
	g.refused(g.do("POST", "/me/messages/"+received+"/attachments", file("fileAttachment", "QUJD")), 403, "ErrorAccessDenied")
}

func TestUploadSessionEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{}, func(t *testing.T, g graph) {
		draft := g.draft(`{"subject":"x"}`)
		at := "/me/messages/" + draft.text("id") + "/attachments/createUploadSession"
		one := g.do("POST", at, session("a", 3<<20)).text("uploadUrl")
		two := g.do("POST", at, session("b", 3<<20)).text("uploadUrl")
		anonymous := graph{t, g.s, g.a, g.s.Client()}
		require.Equal(t, 204, anonymous.do("DELETE", one, "").status)
		require.Equal(t, 404, anonymous.do("GET", one, "").status)
		time.Sleep(24 * time.Hour)
		require.Equal(t, 404, anonymous.do("GET", two, "").status)
	})
}
