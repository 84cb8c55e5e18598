package gmailtest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestBadRequestsAreRefusedAsGoogleDoes(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{MaxJSON: 1000})
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	client := a.Client(scopeAll)
	long := `{"raw":"` + string(make([]byte, 1000)) + `"}`
	for _, c := range []struct {
		name, verb, path, body string
		status                 int
	}{
		{"page size", http.MethodGet, "messages?maxResults=-1", "", 400},
		{"page size of threads", http.MethodGet, "threads?maxResults=x", "", 400},
		{"page size of drafts", http.MethodGet, "drafts?maxResults=x", "", 400},
		{"page size of history", http.MethodGet, "history?startHistoryId=1&maxResults=x", "", 400},
		{"label of drafts", http.MethodGet, "drafts?labelIds=None", "", 400},
		{"page of history", http.MethodGet, "history?startHistoryId=1001&pageToken=x", "", 400},
		{"page before the start", http.MethodGet, "history?startHistoryId=1037&pageToken=aDE", "", 400},
		{"kind of history", http.MethodGet, "history?startHistoryId=1037&historyTypes=none", "", 400},
		{"history id", http.MethodGet, "history?startHistoryId=x", "", 400},
		{"label", http.MethodGet, "labels/None", "", 404},
		{"thread", http.MethodGet, "threads/18c0", "", 404},
		{"draft", http.MethodGet, "drafts/r-1", "", 404},
		{"format of a draft", http.MethodGet, "drafts/r-1?format=x", "", 400},
		{"modify nothing", http.MethodPost, "messages/" + id + "/modify", "", 400},
		{"modify without JSON", http.MethodPost, "messages/" + id + "/modify", "x", 400},
		{"modify what is not there", http.MethodPost, "messages/18c0/modify", `{"addLabelIds":["STARRED"]}`, 404},
		{"trash what is not there", http.MethodPost, "messages/18c0/trash", "", 404},
		{"modify no ids", http.MethodPost, "messages/batchModify", "{}", 400},
		{"modify to no label", http.MethodPost, "messages/batchModify", `{"ids":["1"],"addLabelIds":["None"]}`, 400},
		{"delete no ids", http.MethodPost, "messages/batchDelete", "{}", 400},
		{"delete without JSON", http.MethodPost, "messages/batchDelete", "[]", 400},
		{"send without JSON", http.MethodPost, "messages/send", "x", 400},
		{"send too much", http.MethodPost, "messages/send", long, 413},
		{"watch without JSON", http.MethodPost, "watch", "x", 400},
		{"watch too much", http.MethodPost, "watch", long, 413},
		{"send no draft", http.MethodPost, "drafts/send", "{}", 404},
		{"send a draft without JSON", http.MethodPost, "drafts/send", "x", 400},
		{"send a draft of no base64", http.MethodPost, "drafts/send", `{"id":"r-1","message":{"raw":"?"}}`, 400},
		{"save a draft of no base64", http.MethodPost, "drafts", `{"message":{"raw":"?"}}`, 400},
		{"save a draft into no thread", http.MethodPost, "drafts", `{"message":{"raw":"eA","threadId":"18c0"}}`, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, got := ask(t, s, client, c.verb, c.path, c.body)
			require.Equal(t, c.status, status, "%v", got)
		})
	}
}

func TestWhatGmailDoesNotHaveIsAPage(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	for _, path := range []string{"nothing", "messages/1/2/3/4", "settings"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			s.URL()+"/gmail/v1/users/me/"+path, nil)
		require.NoError(t, err)
		resp, err := a.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusNotFound, resp.StatusCode)
		require.Contains(t, resp.Header.Get("Content-Type"), "text/html")
	}
}

func TestClosedServersTakeNoConnections(t *testing.T) {
	t.Parallel()
	for _, pipe := range []bool{false, true} {
		s := gmailtest.New(nil, gmailtest.Config{Pipe: pipe})
		resp, err := s.Client().Get(s.Endpoints().CertsURL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		s.Close()
		s.Close()
		_, err = s.Client().Get(s.Endpoints().CertsURL)
		require.Error(t, err)
	}
}
