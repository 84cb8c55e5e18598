package gmailtest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/rfc822"
)

func header(t testing.TB, raw []byte) rfc822.Header {
	t.Helper()
	h, err := rfc822.ReadHeader(bytes.NewReader(raw), rfc822.Limits{})
	require.NoError(t, err)
	return h
}

func find(t testing.TB, a *gmailtest.Account, id string) gmailtest.Stored {
	t.Helper()
	for _, m := range a.Messages() {
		if m.ID == id {
			return m
		}
	}
	t.Fatalf("no message %s", id)
	return gmailtest.Stored{}
}

func TestSentMailIsRewrittenAndDelivered(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	b := s.Account(bob)
	users := service(t, s, a, scopeSend)
	raw := mail("Text.\r\n", "From: Ann <"+ann+">", "To: Bob <"+bob+">, x@far.example",
		"Bcc: hidden@far.example,", " other@far.example", "Subject: Hi", "Message-ID: <mine@acme.example>",
		"X-Workinbox-Send-Id: 42", "Date: Sun, 01 Nov 2026 10:00:00 +0000")
	m, err := users.Messages.Send("me", &gmail.Message{Raw: strings.TrimRight(raw64(raw), "=")}).Do()
	require.NoError(t, err)
	require.Equal(t, []string{"SENT"}, m.LabelIds)
	require.Equal(t, m.Id, m.ThreadId)
	require.Regexp(t, "^[0-9a-f]{16}$", m.Id)

	own := header(t, find(t, a, m.Id).Raw)
	require.Regexp(t, `^<[^<>]+@mail\.gmail\.com>$`, own.Get("Message-Id"))
	require.Len(t, own.Values("Message-ID"), 1)
	require.Equal(t, "42", own.Get("X-Workinbox-Send-Id"))
	require.Equal(t, "hidden@far.example, other@far.example", own.Get("Bcc"))
	require.Equal(t, "Ann <"+ann+">", own.Get("From"))
	require.Equal(t, "Sun, 01 Nov 2026 10:00:00 +0000", own.Get("Date"))

	sent := a.Sent()
	require.Len(t, sent, 1)
	require.Equal(t, []string{bob, "x@far.example", "hidden@far.example", "other@far.example"}, sent[0].To)
	require.False(t, header(t, sent[0].Raw).Has("Bcc"))
	require.NotContains(t, string(sent[0].Raw), "hidden")
	require.Contains(t, string(sent[0].Raw), "\r\n\r\nText.\r\n")

	got := b.Messages()
	require.Len(t, got, 1)
	require.Equal(t, []string{"UNREAD", "INBOX"}, got[0].Labels)
	require.Equal(t, own.Get("Message-Id"), header(t, got[0].Raw).Get("Message-Id"))
	require.NotContains(t, string(got[0].Raw), "hidden")
}

func TestFromIsThePrimaryAddressUnlessTheAliasIsVerified(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	a.AddSendAs(gmailtest.SendAs{Address: "team@acme.example", Verified: true})
	a.AddSendAs(gmailtest.SendAs{Address: "boss@acme.example"})
	users := service(t, s, a)
	for from, want := range map[string]string{
		"Team <TEAM@acme.example>": "Team <TEAM@acme.example>",
		"boss@acme.example":        ann, "stranger@far.example": ann, "": ann,
	} {
		raw := mail("x", "From: "+from, "To: "+bob, "Subject: Hi")
		m, err := users.Messages.Send("me", &gmail.Message{Raw: raw64(raw)}).Do()
		require.NoError(t, err)
		require.Equal(t, []string{want}, header(t, find(t, a, m.Id).Raw).Values("From"))
	}
	list, err := users.Settings.SendAs.List("me").Do()
	require.NoError(t, err)
	require.Len(t, list.SendAs, 3)
	require.True(t, list.SendAs[0].IsPrimary && list.SendAs[0].IsDefault)
	require.Equal(t, "accepted", list.SendAs[1].VerificationStatus)
	require.Equal(t, "pending", list.SendAs[2].VerificationStatus)
	one, err := users.Settings.SendAs.Get("me", "team@acme.example").Do()
	require.NoError(t, err)
	require.Equal(t, "team@acme.example", one.SendAsEmail)
	_, err = users.Settings.SendAs.Get("me", "none@acme.example").Do()
	requireStatus(t, err, 404, "notFound")
}

func TestAReplyJoinsItsThreadWhenEverythingAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, thread, subject, inReplyTo, references string
		joins                                        bool
	}{
		{"in reply to", "THREAD", "Re: Hello 1", "<1@other.example>", "", true},
		{"references", "THREAD", "AW: hello 1", "", "<0@far.example> <1@other.example>", true},
		{"no thread asked for", "", "Re: Hello 1", "<1@other.example>", "<1@other.example>", false},
		{"other subject", "THREAD", "Re: Goodbye", "<1@other.example>", "", false},
		{"no reference", "THREAD", "Re: Hello 1", "", "", false},
		{"other reference", "THREAD", "Re: Hello 1", "<2@other.example>", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, a := open(t, gmailtest.Config{})
			users := service(t, s, a)
			parent := a.Deliver(hello(1), gmailtest.Delivery{})
			fields := []string{"From: " + ann, "To: " + bob, "Subject: " + c.subject}
			if c.inReplyTo != "" {
				fields = append(fields, "In-Reply-To: "+c.inReplyTo)
			}
			if c.references != "" {
				fields = append(fields, "References: "+c.references)
			}
			m, err := users.Messages.Send("me", &gmail.Message{
				Raw: raw64(mail("x", fields...)), ThreadId: strings.ReplaceAll(c.thread, "THREAD", parent),
			}).Do()
			require.NoError(t, err)
			require.Equal(t, c.joins, m.ThreadId == parent)
		})
	}
}

func TestArrivingMailFindsItsThread(t *testing.T) {
	t.Parallel()
	_, a := open(t, gmailtest.Config{})
	first := a.Deliver(hello(1), gmailtest.Delivery{})
	reply := a.Deliver(mail("x", "From: "+bob, "Subject: Re: Hello 1", "Message-ID: <r@x>",
		"In-Reply-To: <1@other.example>"), gmailtest.Delivery{})
	later := a.Deliver(mail("x", "From: "+bob, "Subject: RE: Re: hello 1",
		"References: <1@other.example> <r@x>"), gmailtest.Delivery{})
	stray := a.Deliver(mail("x", "From: "+bob, "Subject: Something else",
		"References: <1@other.example>"), gmailtest.Delivery{})
	require.Equal(t, first, find(t, a, reply).ThreadID)
	require.Equal(t, first, find(t, a, later).ThreadID)
	require.Equal(t, stray, find(t, a, stray).ThreadID)
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{MaxJSON: 1 << 20})
	users := service(t, s, a)
	foreign := s.Account(bob).Deliver(hello(1), gmailtest.Delivery{})
	many := strings.Repeat("x@far.example, ", 1) + manyAddresses(501)
	for _, c := range []struct {
		name   string
		m      gmail.Message
		status int
		reason string
	}{
		{"nobody to send to", gmail.Message{Raw: raw64(mail("x", "Subject: Hi"))}, 400, "invalidArgument"},
		{"nothing", gmail.Message{Raw: ""}, 400, "invalidArgument"},
		{"no base64", gmail.Message{Raw: "?"}, 400, "invalidArgument"},
		{"too many", gmail.Message{Raw: raw64(mail("x", "To: "+many))}, 400, "invalidArgument"},
		{"unknown thread", gmail.Message{Raw: raw64(hello(1)), ThreadId: "18c0"}, 404, "notFound"},
		{"foreign thread", gmail.Message{Raw: raw64(hello(1)), ThreadId: foreign}, 404, "notFound"},
		{"too long", gmail.Message{Raw: raw64(make([]byte, 1<<20))}, 413, "uploadTooLarge"},
	} {
		_, err := users.Messages.Send("me", &c.m).Do()
		requireStatus(t, err, c.status, c.reason)
	}
	require.Empty(t, a.Sent())
}

func manyAddresses(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.Repeat("a", i%40+1) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "@far.example")
	}
	return b.String()
}

func TestUploadsInEveryFashion(t *testing.T) {
	t.Parallel()
	big := append(hello(1), bytes.Repeat([]byte("0123456789abcde\n"), 100_000)...)
	for _, c := range []struct {
		name    string
		options []googleapi.MediaOption
	}{
		{"multipart", []googleapi.MediaOption{googleapi.ChunkSize(0), googleapi.ContentType("message/rfc822")}},
		{"resumable", []googleapi.MediaOption{googleapi.ChunkSize(256 << 10), googleapi.ContentType("message/rfc822")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, a := open(t, gmailtest.Config{})
			users := service(t, s, a, scopeSend)
			parent := a.Deliver(hello(1), gmailtest.Delivery{})
			raw := bytes.Replace(big, []byte("Message-ID: <1@"), []byte("In-Reply-To: <1@"), 1)
			m, err := users.Messages.Send("me", &gmail.Message{ThreadId: parent}).
				Media(bytes.NewReader(raw), c.options...).Do()
			require.NoError(t, err)
			require.Equal(t, parent, m.ThreadId)
			_, body, _ := bytes.Cut(find(t, a, m.Id).Raw, []byte("\r\n\r\n"))
			_, want, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
			require.True(t, bytes.Equal(want, body), "got %d bytes, want %d", len(body), len(want))
			require.Len(t, a.Sent(), 1)
		})
	}
}

func uploadRequest(t testing.TB, s *gmailtest.Server, client *http.Client, verb, url, body string, fields ...string) *http.Response {
	t.Helper()
	if !strings.HasPrefix(url, "http") {
		url = s.URL() + "/upload/gmail/v1/users/me/messages/send?uploadType=" + url
	}
	req, err := http.NewRequestWithContext(t.Context(), verb, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp
}

func TestUploadsByHand(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	client := a.Client()
	raw := string(hello(1))
	const kind = "Content-Type"
	require.Equal(t, 200, uploadRequest(t, s, client, "POST", "media", raw, kind, "message/rfc822").StatusCode)
	require.Equal(t, 400, uploadRequest(t, s, client, "POST", "media", raw, kind, "text/plain").StatusCode)
	require.Equal(t, 400, uploadRequest(t, s, client, "POST", "other", raw, kind, "message/rfc822").StatusCode)
	require.Equal(t, 400, uploadRequest(t, s, client, "POST", "multipart", raw, kind, "message/rfc822").StatusCode)
	require.Equal(t, 413, uploadRequest(t, s, client, "POST", "media",
		raw+strings.Repeat("x", 36_700_160), kind, "message/rfc822").StatusCode)
	require.Len(t, a.Sent(), 1)

	begun := uploadRequest(t, s, client, "POST", "resumable", "", "X-Upload-Content-Type", "message/rfc822")
	require.Equal(t, 200, begun.StatusCode)
	at := begun.Header.Get("Location")
	n := len(raw)
	more := uploadRequest(t, s, client, "PUT", at, raw[:100], "Content-Range", "bytes 0-99/"+itoa(n))
	require.Equal(t, 308, more.StatusCode)
	require.Equal(t, "bytes=0-99", more.Header.Get("Range"))
	asked := uploadRequest(t, s, client, "PUT", at, "", "Content-Range", "bytes */"+itoa(n))
	require.Equal(t, "bytes=0-99", asked.Header.Get("Range"))
	require.Equal(t, 400, uploadRequest(t, s, client, "PUT", at, "x", "Content-Range", "bytes 120-120/"+itoa(n)).StatusCode)
	require.Len(t, a.Sent(), 1)
	// From an earlier place than the server has: the repeated bytes count once.
	done := uploadRequest(t, s, client, "PUT", at, raw[50:], "Content-Range", "bytes 50-"+itoa(n-1)+"/"+itoa(n))
	require.Equal(t, 200, done.StatusCode)
	sent := a.Sent()
	require.Len(t, sent, 2)
	require.True(t, strings.HasSuffix(string(sent[1].Raw), "\r\n\r\nHello.\r\n"))
	require.Equal(t, 404, uploadRequest(t, s, client, "PUT", at, raw).StatusCode)
	require.Equal(t, 4, s.Stats().Requests["upload"], "chunks are not charged as sending")
}

func TestTheLastChunkIsTheSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the client waits before it repeats a chunk
		s, a := open(t, gmailtest.Config{Pipe: true})
		s.Fail(gmailtest.Fault{Method: "messages.send", Break: gmailtest.CloseServed})
		users := service(t, s, a, scopeSend)
		raw := append(hello(1), make([]byte, 600<<10)...)
		_, err := users.Messages.Send("me", &gmail.Message{}).Media(bytes.NewReader(raw),
			googleapi.ChunkSize(256<<10), googleapi.ContentType("message/rfc822")).Do()
		require.Error(t, err)
		require.Len(t, a.Sent(), 1)
	})
}

func TestDraftsByTheAPI(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	text := func(body string) *gmail.Draft {
		return &gmail.Draft{Message: &gmail.Message{Raw: raw64(mail(body, "To: "+bob, "Subject: Plan"))}}
	}
	d, err := users.Drafts.Create("me", text("one")).Do()
	require.NoError(t, err)
	require.Equal(t, []string{"DRAFT"}, d.Message.LabelIds)
	list, err := users.Drafts.List("me").Do()
	require.NoError(t, err)
	require.Len(t, list.Drafts, 1)
	up, err := users.Drafts.Update("me", d.Id, text("two")).Do()
	require.NoError(t, err)
	require.Equal(t, d.Id, up.Id)
	require.NotEqual(t, d.Message.Id, up.Message.Id)
	got, err := users.Drafts.Get("me", d.Id).Format("raw").Do()
	require.NoError(t, err)
	require.Contains(t, string(unraw(t, got.Message.Raw)), "two")
	m, err := users.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do()
	require.NoError(t, err)
	require.Equal(t, []string{"SENT"}, m.LabelIds)
	_, err = users.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do()
	requireStatus(t, err, 404, "notFound")
	require.Len(t, a.Sent(), 1)

	e, err := users.Drafts.Create("me", text("three")).
		Media(bytes.NewReader(hello(3)), googleapi.ContentType("message/rfc822")).Do()
	require.NoError(t, err)
	require.NoError(t, users.Drafts.Delete("me", e.Id).Do())
	require.Error(t, users.Drafts.Delete("me", e.Id).Do())
	require.Len(t, a.Messages(), 1)
	_, err = users.Drafts.Update("me", e.Id, text("x")).Do()
	requireStatus(t, err, 404, "notFound")
}

func TestADraftThatRepliesIsSentIntoItsThread(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	parent := a.Deliver(hello(1), gmailtest.Delivery{})
	d, err := users.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{
		ThreadId: parent,
		Raw:      raw64(mail("x", "To: "+bob, "Subject: Re: Hello 1", "In-Reply-To: <1@other.example>")),
	}}).Do()
	require.NoError(t, err)
	require.Equal(t, parent, d.Message.ThreadId)
	m, err := users.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do()
	require.NoError(t, err)
	require.Equal(t, parent, m.ThreadId)
}
