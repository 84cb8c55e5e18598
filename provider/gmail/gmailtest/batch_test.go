package gmailtest_test

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// batch sends request lines as a batch and returns the answers by Content-ID.
func batch(t testing.TB, s *gmailtest.Server, client *http.Client, requests ...string) (int, map[string]*http.Response) {
	t.Helper()
	var body strings.Builder
	for i, r := range requests {
		fmt.Fprintf(&body, "--b1\r\nContent-Type: application/http\r\nContent-ID: <item-%d>\r\n\r\n%s\r\n", i, r)
	}
	body.WriteString("--b1--\r\n")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/batch/gmail/v1",
		strings.NewReader(body.String()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "multipart/mixed; boundary=b1")
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	out := map[string]*http.Response{}
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, out
	}
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/mixed", kind)
	for mr := multipart.NewReader(resp.Body, params["boundary"]); ; {
		p, err := mr.NextPart()
		if err == io.EOF {
			return resp.StatusCode, out
		}
		require.NoError(t, err)
		require.Equal(t, "application/http", p.Header.Get("Content-Type"))
		content, err := io.ReadAll(p)
		require.NoError(t, err)
		inner, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(content))), nil)
		require.NoError(t, err)
		out[p.Header.Get("Content-ID")] = inner
	}
}

func TestBatchAnswersEachPart(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	status, parts := batch(t, s, a.Client(scopeModify),
		"GET /gmail/v1/users/me/messages/"+id+"?format=minimal\r\n",
		"GET /gmail/v1/users/me/messages/18c0 HTTP/1.1\r\nAccept: application/json\r\n",
		"POST /gmail/v1/users/me/messages/"+id+"/modify\r\nContent-Type: application/json\r\n\r\n"+
			`{"removeLabelIds":["UNREAD"]}`,
		"GET /gmail/v1/users/me/profile\r\nAuthorization: Bearer none\r\n",
		"GET /nowhere\r\n")
	require.Equal(t, 200, status)
	require.Len(t, parts, 5)
	for i, want := range []int{200, 404, 200, 401, 404} {
		require.Equal(t, want, parts[fmt.Sprintf("<response-item-%d>", i)].StatusCode, "part %d", i)
	}
	require.Equal(t, []string{"INBOX"}, find(t, a, id).Labels)
	got := s.Stats().Requests
	require.Equal(t, 1, got["batch"])
	require.Equal(t, 2, got["messages.get"])
}

func TestBatchHasAtMostAHundredParts(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	client := a.Client()
	many := strings.Split(strings.TrimSpace(strings.Repeat("GET /gmail/v1/users/me/profile\n", 101)), "\n")
	status, _ := batch(t, s, client, many...)
	require.Equal(t, 400, status)
	status, parts := batch(t, s, client, many[:100]...)
	require.Equal(t, 200, status)
	require.Len(t, parts, 100)
	for _, broken := range []string{"", "GET", "GET http://elsewhere/gmail/v1/users/me/profile"} {
		status, _ = batch(t, s, client, broken)
		require.Equal(t, 400, status, broken)
	}
}

// TestWideBatchesAreRefusedInPart shows the concurrency limit inside a batch.
func TestWideBatchesAreRefusedInPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := gmailtest.Unlimited()
		limits.Concurrent = 10
		s := gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: limits})
		a := s.Account(ann)
		s.Fail(gmailtest.Fault{Delay: 50 * time.Millisecond, Times: -1})
		requests := strings.Split(strings.TrimSpace(strings.Repeat("GET /gmail/v1/users/me/profile\n", 25)), "\n")
		_, parts := batch(t, s, a.Client(), requests...)
		refused := 0
		for _, p := range parts {
			if p.StatusCode == http.StatusTooManyRequests {
				refused++
			}
		}
		require.Equal(t, 15, refused)
	})
}
