package gmailtest_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

var report = bytes.Repeat([]byte{0, 1, 2, 3, 0xff, '\n'}, 1000)

// withReport is a mail with two texts, a file and an attached mail.
func withReport() []byte {
	return []byte(strings.Join([]string{
		"From: =?utf-8?q?J=C3=B6rg?= <bob@other.example>", "To: " + ann,
		"Subject: =?utf-8?b?w5xiZXI=?= uns", "MIME-Version: 1.0",
		`Content-Type: multipart/mixed; boundary="out"`, "", "preamble", "--out",
		`Content-Type: multipart/alternative; boundary=in`, "", "--in",
		"Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable", "",
		"Gr=FC=DFe", "--in", "Content-Type: text/html; charset=utf-8", "", "<p>Grüße</p>", "--in--", "--out",
		"Content-Type: application/octet-stream; name=old.bin", "Content-Transfer-Encoding: base64",
		`Content-Disposition: attachment; filename*=utf-8''B%C3%A4r.bin`, "",
		base64.StdEncoding.EncodeToString(report), "--out",
		"Content-Type: message/rfc822", "Content-Disposition: attachment; filename=a.eml", "",
		"Subject: inner", "", "inner text", "--out--", "epilogue", "",
	}, "\r\n"))
}

func TestFullIsTheTreeWithLargePartsApart(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a, scopeReadonly)
	id := a.Deliver(withReport(), gmailtest.Delivery{})
	m, err := users.Messages.Get("me", id).Do()
	require.NoError(t, err)
	require.Equal(t, "multipart/mixed", m.Payload.MimeType)
	fields := map[string]string{}
	for _, h := range m.Payload.Headers {
		fields[h.Name] = h.Value
	}
	require.Equal(t, "Über uns", fields["Subject"])
	require.Equal(t, "Jörg <bob@other.example>", fields["From"])

	require.Len(t, m.Payload.Parts, 3)
	texts, file, inner := m.Payload.Parts[0], m.Payload.Parts[1], m.Payload.Parts[2]
	require.Equal(t, "0.0", texts.Parts[0].PartId)
	require.Equal(t, "Grüße", string(unraw(t, texts.Parts[0].Body.Data)))
	require.Equal(t, "<p>Grüße</p>", string(unraw(t, texts.Parts[1].Body.Data)))
	require.Equal(t, "Bär.bin", file.Filename)
	require.Empty(t, file.Body.Data)
	require.EqualValues(t, len(report), file.Body.Size)
	require.Equal(t, "a.eml", inner.Filename)

	got, err := users.Messages.Attachments.Get("me", id, file.Body.AttachmentId).Do()
	require.NoError(t, err)
	require.Equal(t, report, unraw(t, got.Data))
	_, err = users.Messages.Attachments.Get("me", id, "ANGjnothing").Do()
	requireStatus(t, err, 400, "invalidArgument")
	_, err = users.Messages.Attachments.Get("me", "18c0", file.Body.AttachmentId).Do()
	requireStatus(t, err, 404, "notFound")
}

func TestFormats(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a, scopeReadonly)
	received := time.Date(2026, 11, 2, 3, 4, 5, 678_000_000, time.UTC)
	id := a.Deliver(hello(1), gmailtest.Delivery{Received: received})

	minimal, err := users.Messages.Get("me", id).Format("minimal").Do()
	require.NoError(t, err)
	require.Nil(t, minimal.Payload)
	require.Empty(t, minimal.Raw)
	require.Equal(t, "Hello.", minimal.Snippet)
	require.Equal(t, received.UnixMilli(), minimal.InternalDate)
	require.EqualValues(t, len(hello(1)), minimal.SizeEstimate)

	meta, err := users.Messages.Get("me", id).Format("metadata").MetadataHeaders("message-id", "Nothing").Do()
	require.NoError(t, err)
	require.Len(t, meta.Payload.Headers, 1)
	require.Equal(t, "<1@other.example>", meta.Payload.Headers[0].Value)
	all, err := users.Messages.Get("me", id).Format("metadata").Do()
	require.NoError(t, err)
	require.Len(t, all.Payload.Headers, 5)
	require.Nil(t, all.Payload.Body)

	odd := hello(3)
	for len(odd)%3 != 1 {
		odd = append(odd, 'x')
	}
	padded := 0
	for range 2 {
		id := a.Deliver(odd, gmailtest.Delivery{})
		raw, err := users.Messages.Get("me", id).Format("RAW").Do()
		require.NoError(t, err)
		require.Equal(t, odd, unraw(t, raw.Raw))
		padded += strings.Count(raw.Raw, "=")
	}
	require.Equal(t, 2, padded, "one is padded, the other is not")

	_, err = users.Messages.Get("me", id).Format("loud").Do()
	requireStatus(t, err, 400, "invalidArgument")
	_, err = users.Messages.Get("me", "18c0").Do()
	requireStatus(t, err, 404, "notFound")
}

func TestThreads(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a, scopeReadonly)
	at := time.Now().Add(-time.Hour)
	first := a.Deliver(hello(1), gmailtest.Delivery{Received: at})
	alone := a.Deliver(hello(2), gmailtest.Delivery{Received: at.Add(time.Minute)})
	reply := a.Deliver(mail("x", "From: "+bob, "Subject: Re: Hello 1", "In-Reply-To: <1@other.example>"),
		gmailtest.Delivery{Received: at.Add(2 * time.Minute)})
	var got []string
	require.NoError(t, users.Threads.List("me").MaxResults(1).Pages(t.Context(),
		func(r *gmail.ListThreadsResponse) error {
			for _, th := range r.Threads {
				got = append(got, th.Id)
			}
			return nil
		}))
	require.Equal(t, []string{first, alone}, got)
	th, err := users.Threads.Get("me", first).Format("metadata").MetadataHeaders("Subject").Do()
	require.NoError(t, err)
	require.Len(t, th.Messages, 2)
	require.Equal(t, reply, th.Messages[1].Id)
	require.Len(t, th.Messages[0].Payload.Headers, 1)
	_, err = users.Threads.Get("me", first).Format("raw").Do()
	requireStatus(t, err, 400, "invalidArgument")
	_, err = users.Threads.Get("me", reply).Do()
	requireStatus(t, err, 404, "notFound")
}

func TestFieldsCutTheAnswer(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	client := a.Client()
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	get := func(fields string) (int, string) {
		status, v := ask(t, s, client, http.MethodGet, "messages/"+id+"?format=full&fields="+fields, "")
		return status, shape(v)
	}
	for fields, want := range map[string]string{
		"id":                                   "{id:string}",
		"id,labelIds":                          "{id:string labelIds:[string]}",
		"payload/headers/name":                 "{payload:{headers:[{name:string}]}}",
		"payload(mimeType,body/size),id":       "{id:string payload:{body:{size:number} mimeType:string}}",
		"payload/body/size,payload/body(data)": "{payload:{body:{data:string size:number}}}",
		"payload/headers(*)":                   "{payload:{headers:[{name:string value:string}]}}",
		"raw":                                  "{}",
	} {
		status, got := get(fields)
		require.Equal(t, 200, status)
		require.Equal(t, want, got, fields)
	}
	for _, fields := range []string{"nothing", "id/x", "payload(", "payload/headers/none", "id,,id", "id)"} {
		status, _ := get(fields)
		require.Equal(t, 400, status, fields)
	}
}

func TestListsFilter(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a, scopeReadonly)
	in := a.Deliver(hello(1), gmailtest.Delivery{})
	spam := a.Deliver(hello(2), gmailtest.Delivery{})
	trash := a.Deliver(hello(3), gmailtest.Delivery{})
	a.Spam(spam)
	a.Trash(trash)
	draft, text := a.SaveDraft("", hello(4))
	require.NotEmpty(t, draft)
	list := func(change func(*gmail.UsersMessagesListCall)) []string {
		call := users.Messages.List("me")
		change(call)
		r, err := call.Do()
		require.NoError(t, err)
		ids := []string{}
		for _, m := range r.Messages {
			ids = append(ids, m.Id)
		}
		return ids
	}
	q := func(q string) []string { return list(func(c *gmail.UsersMessagesListCall) { c.Q(q) }) }
	require.Equal(t, []string{text, in}, q(""))
	require.Equal(t, []string{in}, q("-in:drafts"))
	require.Equal(t, []string{spam}, q("in:spam"))
	require.Equal(t, []string{text, trash, spam, in}, q("in:anywhere"))
	require.Equal(t, []string{text, in}, q("-in:spam"))
	require.Equal(t, []string{trash}, list(func(c *gmail.UsersMessagesListCall) { c.LabelIds("TRASH") }))
	require.Equal(t, []string{text, trash, spam, in},
		list(func(c *gmail.UsersMessagesListCall) { c.IncludeSpamTrash(true) }))
	require.Equal(t, []string{in}, list(func(c *gmail.UsersMessagesListCall) { c.LabelIds("INBOX", "UNREAD") }))
	require.Empty(t, list(func(c *gmail.UsersMessagesListCall) { c.LabelIds("STARRED") }))
	_, err := users.Messages.List("me").LabelIds("None").Do()
	requireStatus(t, err, 400, "invalidArgument")
	_, err = users.Messages.List("me").PageToken("no token").Do()
	requireStatus(t, err, 400, "invalidArgument")

	_, empty := ask(t, s, a.Client(), http.MethodGet, "messages?q=subject:nothing", "")
	require.Equal(t, "{resultSizeEstimate:number}", shape(empty))
}

func TestModifyTrashDelete(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	one := a.Deliver(hello(1), gmailtest.Delivery{})
	two := a.Deliver(hello(2), gmailtest.Delivery{})
	m, err := users.Messages.Trash("me", one).Do()
	require.NoError(t, err)
	require.Equal(t, []string{"UNREAD", "TRASH"}, m.LabelIds)
	m, err = users.Messages.Untrash("me", one).Do()
	require.NoError(t, err)
	require.Equal(t, []string{"UNREAD"}, m.LabelIds)
	require.NoError(t, users.Messages.BatchModify("me", &gmail.BatchModifyMessagesRequest{
		Ids: []string{one, two, "18c0"}, AddLabelIds: []string{"STARRED"}, RemoveLabelIds: []string{"UNREAD"},
	}).Do())
	require.Equal(t, []string{"STARRED"}, find(t, a, one).Labels)
	require.Equal(t, []string{"STARRED", "INBOX"}, find(t, a, two).Labels)
	_, err = users.Messages.Modify("me", one, &gmail.ModifyMessageRequest{AddLabelIds: []string{"SENT"}}).Do()
	requireStatus(t, err, 400, "invalidArgument")
	label, err := users.Labels.Get("me", "STARRED").Do()
	require.NoError(t, err)
	require.EqualValues(t, 2, label.MessagesTotal)
	require.NoError(t, users.Messages.Delete("me", one).Do())
	require.Error(t, users.Messages.Delete("me", one).Do())
	require.NoError(t, users.Messages.BatchDelete("me", &gmail.BatchDeleteMessagesRequest{Ids: []string{two}}).Do())
	require.Empty(t, a.Messages())
}

func TestScopesAreChecked(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	meta := service(t, s, a, scopeMetadata)
	_, err := meta.Messages.List("me").Do()
	require.NoError(t, err)
	_, err = meta.Messages.List("me").Q("x").Do()
	requireStatus(t, err, 403, "forbidden")
	_, err = meta.Messages.Get("me", id).Format("raw").Do()
	requireStatus(t, err, 403, "forbidden")
	_, err = meta.Messages.Get("me", id).Format("metadata").Do()
	require.NoError(t, err)

	reads := service(t, s, a, scopeReadonly)
	_, err = reads.Messages.Send("me", &gmail.Message{Raw: raw64(hello(1))}).Do()
	requireStatus(t, err, 403, "insufficientPermissions")
	var e *googleapi.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Body, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
	_, err = reads.Messages.List(bob).Do()
	requireStatus(t, err, 403, "forbidden")
	_, err = reads.Messages.List(strings.ToUpper(ann)).Do()
	require.NoError(t, err)
	a.MailServiceOff(true)
	_, err = reads.GetProfile("me").Do()
	requireStatus(t, err, 400, "failedPrecondition")
	a.MailServiceOff(false)

	s.ResetStats()
	_, _ = reads.GetProfile("me").Do()
	_, _ = meta.Messages.Get("me", id).Format("raw").Do()
	got := s.Stats()
	require.Equal(t, map[string]int{"getProfile": 1, "messages.get": 1}, got.Requests)
	require.Equal(t, map[int]int{200: 1, 403: 1}, got.Statuses)
	require.Equal(t, 1, got.MaxInFlight)
	require.NotZero(t, got.BytesOut)
}
