package gmailtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// shape writes what kind of JSON a value is: its keys and types, and the text of strings that are
// words of the protocol. Elements of lists are told once for each shape.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+":"+shape(v[k]))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			if s := shape(e); !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
		slices.Sort(parts)
		return "[" + strings.Join(parts, " ") + "]"
	case json.Number:
		return "number"
	default:
		return fmt.Sprintf("%T", v)
	}
}

func decode(t testing.TB, r io.Reader) any {
	t.Helper()
	d := json.NewDecoder(r)
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return v
}

func capture(t testing.TB, name string) any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "captures", name+".json"))
	require.NoError(t, err)
	return decode(t, bytes.NewReader(b))
}

// ask makes a call and returns the JSON of the answer, whatever the status.
func ask(t testing.TB, s *gmailtest.Server, client *http.Client, verb, path, body string) (int, any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), verb,
		s.Endpoints().APIURL+"gmail/v1/users/me/"+path, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, "application/json; charset=UTF-8", resp.Header.Get("Content-Type"))
	return resp.StatusCode, decode(t, resp.Body)
}

// TestAnswersHaveTheShapeOfRecordedOnes does what was done to the account that was recorded: mail to
// itself, a reply, labels, archive, trash, deletion.
func TestAnswersHaveTheShapeOfRecordedOnes(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	client := a.Client(scopeAll)
	label := a.CreateLabel("Fixture Label")
	require.Equal(t, "Label_1", label)
	send := func(thread string, raw []byte) string {
		m, err := users.Messages.Send("me", &gmail.Message{Raw: raw64(raw), ThreadId: thread}).Do()
		require.NoError(t, err)
		require.Equal(t, []string{"UNREAD", "SENT", "INBOX"}, m.LabelIds)
		return m.Id
	}
	same := func(name, verb, path, body string) any {
		t.Helper()
		_, got := ask(t, s, client, verb, path, body)
		require.Equal(t, shape(capture(t, name)), shape(got), "%s: got %v", name, got)
		return got
	}
	write := func(subject, body string, fields ...string) []byte {
		return mail(body, append(fields, "From: Test User <"+ann+">", "To: "+ann, "Subject: "+subject,
			"Content-Type: text/plain; charset=\"UTF-8\"")...)
	}

	start := a.HistoryID()
	first := send("", write("Fixture: first message", "The first fixture message body.\r\n",
		"Message-ID: <fixture-0001@example.test>"))
	headers := "&metadataHeaders=From&metadataHeaders=To&metadataHeaders=Subject" +
		"&metadataHeaders=message-id&metadataHeaders=Date&metadataHeaders=In-Reply-To&metadataHeaders=References"
	same("mail/message_metadata", http.MethodGet, "messages/"+first+"?format=metadata"+headers, "")
	same("mail/message_full", http.MethodGet, "messages/"+first+"?format=full", "")
	same("mail/message_raw", http.MethodGet, "messages/"+first+"?format=raw", "")

	// The recorded reply names the Message-ID that Gmail had replaced.
	second := send(first, write("Re: Fixture: first message", "The second fixture message, a reply.\r\n",
		"In-Reply-To: <fixture-0001@example.test>", "References: <fixture-0001@example.test>"))
	a.AddLabels(second, "IMPORTANT")
	_, err := users.Messages.Modify("me", second, &gmail.ModifyMessageRequest{
		AddLabelIds: []string{"STARRED", label}, RemoveLabelIds: []string{"UNREAD"},
	}).Do()
	require.NoError(t, err)
	got := same("mail/message_metadata_labeled", http.MethodGet,
		"messages/"+second+"?format=metadata"+headers, "").(map[string]any)
	require.Equal(t, first, got["threadId"])
	require.Equal(t, []any{label, "IMPORTANT", "STARRED", "SENT", "INBOX"}, got["labelIds"])
	same("mail/history_delta", http.MethodGet, fmt.Sprintf("history?startHistoryId=%d", start), "")

	before := a.HistoryID()
	third := send("", write("Fixture: third", "Third.\r\n"))
	require.NoError(t, users.Messages.Delete("me", third).Do())
	same("mail/history_deleted", http.MethodGet, fmt.Sprintf("history?startHistoryId=%d", before), "")

	fourth := send("", write("Fixture: fourth", "Fourth.\r\n"))
	same("mail/modify_archived", http.MethodPost, "messages/"+fourth+"/modify", `{"removeLabelIds":["INBOX"]}`)
	got = same("mail/trash", http.MethodPost, "messages/"+fourth+"/trash", "").(map[string]any)
	require.Equal(t, []any{"UNREAD", "TRASH", "SENT"}, got["labelIds"])

	same("mail/profile", http.MethodGet, "profile", "")
	same("mail/messages_list", http.MethodGet, "messages", "")
	got = same("mail/labels", http.MethodGet, "labels", "").(map[string]any)
	require.Equal(t, capture(t, "mail/labels").(map[string]any)["labels"], got["labels"])
}

func TestRefusalsAreThoseRecorded(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	a.ExpireHistory() // 1 is a good start of a young account
	for _, c := range []struct {
		name, recorded string
		client         *http.Client
		verb, path     string
		body           string
	}{
		{"scope", "error/forbidden", a.Client(scopeSend), http.MethodGet, "messages", ""},
		{"history", "error/history_gone", a.Client(), http.MethodGet, "history?startHistoryId=1", ""},
		{
			"label", "error/invalid_label", a.Client(scopeModify), http.MethodPost,
			"messages/" + id + "/modify", `{"addLabelIds":["ALL_MAIL"]}`,
		},
		{"no token", "error/unauthorized", s.Client(), http.MethodGet, "messages", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, got := ask(t, s, c.client, c.verb, c.path, c.body)
			want := capture(t, c.recorded).(map[string]any)["error"].(map[string]any)
			have := got.(map[string]any)["error"].(map[string]any)
			delete(have, "details") // younger than the recording
			require.Equal(t, want, have)
			require.Equal(t, json.Number(fmt.Sprint(status)), want["code"])
		})
	}
}
