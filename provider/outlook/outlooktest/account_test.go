package outlooktest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func TestPersonHasAliasesAndAName(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.a.AddAlias("sales@acme.example")
	g.a.SetName("Ann Other")
	require.Equal(t, ann, g.a.Address())
	me := g.get("/me" + query("$select", "displayName,mail,userPrincipalName,proxyAddresses,otherMails,userType,accountEnabled"))
	require.Equal(t, []any{"SMTP:" + ann, "smtp:sales@acme.example"}, me.json["proxyAddresses"])
	require.Equal(t, "Ann Other", me.text("displayName"))
	other := g.as(bob)
	other.accepted(other.do("POST", "/me/sendMail", `{"message":{"toRecipients":`+to("SALES@acme.example")+`}}`))
	require.Len(t, g.a.Messages(), 1)
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"from":{"emailAddress":{"address":"sales@acme.example"}},"toRecipients":`+to(bob)+`}}`))
	require.Contains(t, string(g.a.Sent()[0].Raw), "From: <sales@acme.example>")
	require.Same(t, g.a, g.s.Account("ANN@acme.example"))
}

func TestPersonWritesADraft(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.a.Deliver(hello(1), outlooktest.Delivery{Draft: true})
	m := g.get("/me/messages/" + id)
	require.Equal(t, true, m.json["isDraft"])
	require.Equal(t, g.a.Folder("drafts"), m.text("parentFolderId"))
	g.a.Trash(id)
	require.Equal(t, "deleteditems", g.a.Messages()[0].Folder)
}

func TestListsWithoutHeaders(t *testing.T) {
	t.Parallel()
	for _, without := range []bool{false, true} {
		g := open(t, outlooktest.Config{NoListHeaders: without})
		id := g.fill(1)[0]
		q := query("$select", "internetMessageHeaders")
		for _, target := range []string{"/me/messages", inboxDelta} {
			_, there := g.get(target + q).items()[0]["internetMessageHeaders"]
			require.Equal(t, !without, there, target)
		}
		require.Contains(t, g.get("/me/messages/"+id+q).json, "internetMessageHeaders")
	}
}

func TestRequestsMayBeCompressed(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := io.WriteString(z, `{"subject":"small"}`)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for _, test := range []struct {
		body   []byte
		status int
	}{{packed.Bytes(), 201}, {[]byte(`{"subject":"plain, labelled gzip"}`), 400}} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", g.s.Endpoints().GraphURL+"/me/messages", bytes.NewReader(test.body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", "gzip")
		require.Equal(t, test.status, g.send(r).status)
	}
}

func TestOtherClock(t *testing.T) {
	t.Parallel()
	now := day(1)
	g := open(t, outlooktest.Config{
		Now: func() time.Time { return now }, Send: outlooktest.Send{Delay: time.Minute},
	})
	g.accepted(g.do("POST", "/me/sendMail", `{"message":{"toRecipients":`+to(bob)+`}}`))
	require.Equal(t, "drafts", g.a.Messages()[0].Folder)
	now = now.Add(time.Minute)
	require.Equal(t, "sentitems", g.a.Messages()[0].Folder)
	require.Equal(t, now, g.a.Sent()[0].At)
	now = now.Add(2 * time.Hour)
	g.refused(g.do("GET", "/me", ""), 401, "InvalidAuthenticationToken")
}

func TestUnknownCalls(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.refused(g.do("GET", "/me/calendars", ""), 400, "BadRequest")
	g.refused(g.do("PUT", "/me/messages", ""), 405, "ErrorInvalidRequest")
	require.Equal(t, 404, g.do("GET", g.s.URL()+"/elsewhere", "").status)
	g.refused(graph{t, g.s, g.a, g.s.Client()}.do("GET", "/me", ""), 401, "InvalidAuthenticationToken")
}

func TestSortsByWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	for i, s := range []string{"b", "c", "a"} {
		g.a.Deliver(mail("x", "Subject: "+s, "From: "+s+"@x.example"), outlooktest.Delivery{Received: day(i + 1), Read: s == "b"})
	}
	for _, test := range []struct {
		order string
		want  []string
	}{
		{"receivedDateTime", []string{"b", "c", "a"}},
		{"receivedDateTime desc", []string{"a", "c", "b"}},
		{"subject", []string{"a", "b", "c"}},
		{"from/emailAddress/address desc", []string{"c", "b", "a"}},
		{"isRead desc,subject desc", []string{"b", "c", "a"}},
		{"lastModifiedDateTime,receivedDateTime desc", []string{"a", "c", "b"}},
	} {
		require.Equal(t, test.want, g.get("/me/messages"+query("$orderby", test.order)).texts("subject"), test.order)
	}
	require.Equal(t, 400, g.do("GET", "/me/messages"+query("$orderby", "colour"), "").status)
	require.Equal(t, 400, g.do("GET", "/me/messages"+query("$orderby", "subject up"), "").status)
}

// TestPlaceIsFreeWhenTheAnswerIsThere keeps four calls in flight for long without a refusal.
func TestPlaceIsFreeWhenTheAnswerIsThere(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.fill(5)
	done := make(chan []int)
	for range 4 {
		go func() {
			var statuses []int
			defer func() { done <- statuses }()
			for range 200 {
				statuses = append(statuses, g.do("GET", "/me/messages", "").status)
			}
		}()
	}
	var all []int
	for range 4 {
		all = append(all, <-done...)
	}
	require.Len(t, all, 800)
	require.False(t, slices.ContainsFunc(all, func(s int) bool { return s != 200 }))
	require.LessOrEqual(t, g.s.Stats().MaxInFlight, 4)
	require.Positive(t, g.s.Stats().BytesOut)
	g.s.ResetStats()
	require.Empty(t, g.s.Stats().Requests)
}
