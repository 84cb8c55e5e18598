package outlook_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// prismEnv switches on the tests behind Prism, which need node, npm and a registry.
const prismEnv = "WORKINBOX_TEST_PRISM"

// TestPrism holds the provider and its test server against the schema of Graph by other hands than
// ours: npm @stoplight/prism-cli (https://stoplight.io/open-source/prism) between them checks every
// request and every answer against openapi.json, whose types and enums are those of Graph's CSDL. What
// it cannot see: parts of a batch but for the shape of their answers, what goes to the token endpoint,
// and bytes of raw mail, which it passes on as UTF-8.
func TestPrism(t *testing.T) {
	t.Parallel()
	if os.Getenv(prismEnv) != "1" {
		t.Skip("set " + prismEnv + "=1 to run behind npm @stoplight/prism-cli; it needs node, npm and a registry")
	}
	dir := installPrism(t)
	for name, check := range map[string]func(*testing.T, string){
		"import": prismImports, "changes": prismFollows, "built": prismBuilds, "batches": prismBatches,
		"send": prismSends, "send at once": prismSendsAtOnce, "subscriptions": prismSubscribes,
		"notices": prismNotices,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, dir)
		})
	}
}

// behindPrism is a world by the real clock whose provider reaches Graph through Prism alone. When the
// test ends nothing may have been found.
func behindPrism(t *testing.T, dir string, o outlook.Options, c outlooktest.Config) (*world, *prism) {
	t.Helper()
	w, p := prismWorld(t, dir, o, c)
	t.Cleanup(func() {
		require.Empty(t, p.found(), "violations of the schema")
		t.Log(p.called())
	})
	return w, p
}

func prismWorld(t *testing.T, dir string, o outlook.Options, c outlooktest.Config) (*world, *prism) {
	t.Helper()
	if c.Push.Handler == nil {
		c.Push.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
		})
	}
	s := outlooktest.New(t, c)
	p := startPrism(t, dir, s.URL())
	o.ClientID, o.ClientSecret = outlooktest.ClientID, outlooktest.ClientSecret
	o.NotificationURL = "https://host.example/push"
	o.Endpoints = outlook.Endpoints{Authority: s.Endpoints().LoginURL, Graph: p.url + "/v1.0"}
	w := &world{s: s, a: s.Account("owner@own.example"), o: o}
	w.consent(t)
	return w, p
}

// arrived delivers letters, an hour apart, the newest now.
func (w *world) arrived(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = w.a.Deliver(letter(fmt.Sprint("m", i)), outlooktest.Delivery{
			Received: time.Now().Add(-time.Duration(i) * time.Hour)})
	}
	return ids
}

// A mailbox of all kinds of mail is imported by a host, and followed.
func prismImports(t *testing.T, dir string) {
	w, _ := behindPrism(t, dir, outlook.Options{PageSize: 40}, outlooktest.Config{})
	now := time.Now()
	box, err := mailgen.New(mailgen.Config{Seed: 7, Messages: 150, MeanBytes: 3000, Owner: w.a.Address(),
		Start: now.Add(-20 * 24 * time.Hour), End: now})
	require.NoError(t, err)
	for m := range box.Oldest() {
		w.a.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received, Sent: m.Outbound})
	}
	tm := w.connect(t, false, box.Config().Clients)
	_, err = tm.svc.Sync(t.Context(), tm.in.ID)
	require.NoError(t, err)
	first := len(tm.stored(t))
	require.NotZero(t, first)
	w.a.Deliver([]byte("From: kim@"+box.Config().Clients[0]+"\r\nTo: owner@own.example\r\nMessage-ID: <late@c.example>\r\n\r\nHi\r\n"),
		outlooktest.Delivery{})
	_, err = tm.svc.Sync(t.Context(), tm.in.ID)
	require.NoError(t, err)
	require.Len(t, tm.stored(t), first+1)
}

// Whatever can happen to mail and folders between two looks, and a delta token that was forgotten.
func prismFollows(t *testing.T, dir string) {
	w, p := behindPrism(t, dir, outlook.Options{PageSize: 5}, outlooktest.Config{Delta: outlooktest.Delta{EmptyPageEvery: 3}})
	ids := w.arrived(30)
	w.a.Deliver([]byte(meeting), outlooktest.Delivery{})
	w.a.Deliver([]byte("To: a@b.example\r\nSubject: To be\r\n\r\n"), outlooktest.Delivery{Draft: true})
	n, err := w.open(t).(provider.Counter).Count(t.Context(), provider.Walk{Since: time.Now().Add(-365 * 24 * time.Hour)})
	require.NoError(t, err)
	require.Equal(t, 32, n)
	got := w.next(t, "")
	require.Len(t, got.put, 31, "all but the draft")

	own := w.a.AddFolder("inbox", "Clients")
	gone := w.a.AddFolder("inbox", "Old")
	w.a.Move(ids[0], own)
	w.a.Trash(ids[1])
	w.a.MarkRead(ids[2], true)
	w.a.Flag(ids[3], true)
	for _, id := range ids[10:20] {
		w.a.Delete(id)
	}
	got = w.next(t, got.last)
	require.Equal(t, provider.FolderTrash, got.put[ids[1]].Folder)
	require.Len(t, got.removed, 10)
	w.a.RenameFolder(own, "Customers")
	w.a.DeleteFolder(gone)
	w.a.EvictDelta("inbox")
	w.arrived(1)
	got = w.next(t, got.last)
	require.NotEmpty(t, got.put)
	require.NotZero(t, p.called()["POST /v1.0/$batch"])
}

const meeting = "From: Kim <kim@client.example>\r\nTo: owner@own.example\r\nSubject: Meeting\r\nMessage-ID: <meeting@client.example>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"

// Pages with bodies.
func prismBuilds(t *testing.T, dir string) {
	w, _ := behindPrism(t, dir, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{})
	ids := w.arrived(10)
	whole := w.a.Deliver([]byte("From: Kim <kim@client.example>\r\nTo: owner@own.example\r\n"+provider.MarkerHeader+": x\r\n"+
		"MIME-Version: 1.0\r\n"+withAttachment(1024)), outlooktest.Delivery{})
	m := w.open(t)
	got := follow(t.Context(), m, "", provider.Walk{Bodies: provider.BodiesWith})
	require.NoError(t, got.err)
	require.NotEmpty(t, got.put[ids[0]].Raw)
	for _, id := range []string{ids[1], whole} {
		r, err := m.Open(t.Context(), provider.RemoteID(id))
		require.NoError(t, err)
		require.NoError(t, r.Close())
	}
}

// Raw messages in batches, as where Graph is farther away than the quota of 16.7 calls a second.
func prismBatches(t *testing.T, dir string) {
	w, p := behindPrism(t, dir, outlook.Options{}, outlooktest.Config{
		Latency: func(method string, _ int) time.Duration {
			if method == "messages.value" {
				return 300 * time.Millisecond
			}
			return 0
		},
	})
	var ids []provider.RemoteID
	for _, id := range w.arrived(30) {
		ids = append(ids, provider.RemoteID(id))
	}
	ids = append(ids, "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AAAAA")
	read := 0
	m := w.open(t).(provider.BulkOpener)
	for range 2 { // the first calls tell how far away it is
		require.NoError(t, m.OpenMany(t.Context(), ids, func(id provider.RemoteID, _ io.Reader, err error) error {
			if err == nil {
				read++
			}
			return nil
		}))
	}
	require.Equal(t, 60, read)
	require.NotZero(t, p.called()["POST /v1.0/$batch"])
}

// Mail as it is, mail in parts with uploads, an answer, and what was sent is found.
func prismSends(t *testing.T, dir string) {
	w, p := behindPrism(t, dir, outlook.Options{}, outlooktest.Config{})
	w.arrived(1)
	s, f := sender(t, w)
	for marker, mail := range map[string]provider.Outgoing{
		"plain":   outgoing("plain", "", plain),
		"large":   outgoing("large", "Reply-To: desk@own.example\r\n", withAttachment(5<<20)),
		"parts":   outgoing("parts", "", withAttachments(1<<20, 2<<20)),
		"replied": outgoing("replied", "In-Reply-To: <m0@client.example>\r\n", withAttachment(4<<20)),
	} {
		sent, err := s.Send(t.Context(), mail)
		require.NoError(t, err, marker)
		found, err := f.Find(t.Context(), marker, sent.Thread, time.Time{})
		require.NoError(t, err, marker)
		require.Equal(t, sent, found)
	}
	_, err := f.Find(t.Context(), "none", "", time.Time{})
	require.ErrorIs(t, err, provider.ErrGone)
	require.Len(t, w.a.Sent(), 4)
	// What is asked where the answer to the last range of an upload was lost.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		p.url+"/v1.0/me/messages/"+w.a.Sent()[0].ID+"/attachments?$select=name,size", nil)
	require.NoError(t, err)
	r.Header.Set("Prefer", `IdType="ImmutableId"`)
	resp, err := w.a.Client(outlook.ScopeRead).Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	// A draft that cannot be sent is thrown away.
	w.s.Fail(outlooktest.Fault{Method: "drafts.send", Reply: outlooktest.AccessDenied()})
	w.s.Fail(outlooktest.Fault{Method: "drafts.send", Reply: outlooktest.AccessDenied()})
	_, err = s.Send(t.Context(), outgoing("refused", "", plain))
	require.Error(t, err)
	calls := p.called()
	for _, call := range []string{
		"POST /v1.0/me/messages/*/attachments", "POST /v1.0/me/messages/*/attachments/createUploadSession",
		"PUT /attachments/*", "POST /v1.0/me/messages/*/createReply", "DELETE /v1.0/me/messages/*",
	} {
		require.NotZero(t, calls[call], "%s among %v", call, calls)
	}
}

// withAttachments is a body with attachments of that many bytes.
func withAttachments(sizes ...int) string {
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear Carla.\r\n")
	for i, n := range sizes {
		fmt.Fprintf(&b, "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=offer%d.pdf\r\n\r\n%s\r\n",
			i, strings.Repeat("0123456789abcde\n", n/16))
	}
	return b.String() + "--b--\r\n"
}

// Mail without a draft.
func prismSendsAtOnce(t *testing.T, dir string) {
	w, _ := behindPrism(t, dir, outlook.Options{SendAtOnce: true}, outlooktest.Config{})
	s, f := sender(t, w)
	since := time.Now()
	_, err := s.Send(t.Context(), outgoing("once", "", plain))
	require.NoError(t, err)
	_, err = f.Find(t.Context(), "once", "", since)
	require.NoError(t, err)
}

// A subscription from its beginning to its end, and after it.
func prismSubscribes(t *testing.T, dir string) {
	w, _ := behindPrism(t, dir, outlook.Options{}, outlooktest.Config{Push: outlooktest.Push{MaxLife: 4_230 * time.Minute}})
	s := w.open(t).(provider.Subscriber)
	sub, err := s.Subscribe(t.Context())
	require.NoError(t, err)
	sub, err = s.Renew(t.Context(), sub)
	require.NoError(t, err)
	require.NoError(t, s.Unsubscribe(t.Context(), sub))
	require.NoError(t, s.Unsubscribe(t.Context(), sub))
	_, err = s.Renew(t.Context(), sub)
	require.ErrorIs(t, err, provider.ErrGone)
}

// What is not like Graph is found, in answers and in requests.
func prismNotices(t *testing.T, dir string) {
	w, p := prismWorld(t, dir, outlook.Options{}, outlooktest.Config{})
	client := w.a.Client(outlook.ScopeRead)
	for _, row := range []struct{ name, answer, finds string }{
		{"fine", `{"value":[{"id":"x","subject":"Plan"}]}`, ""},
		{"a property of another type", `{"value":[{"id":"x","subject":7}]}`, "subject"},
		{"an unknown property", `{"value":[{"id":"x","colour":"red"}]}`, "colour"},
		{"a value out of an enum", `{"value":[{"id":"x","importance":"Low"}]}`, "importance"},
		{"no id", `{"value":[{"subject":"Plan"}]}`, "id"},
		{"a time that is none", `{"value":[{"id":"x","receivedDateTime":"today"}]}`, "receivedDateTime"},
		{"a link of another call", `{"value":[],"@odata.deltaLink":"https://graph.invalid/x"}`, "not"},
	} {
		in := w.s.Fail(outlooktest.Fault{Method: "messages.list", Reply: &outlooktest.Reply{Status: 200, Body: row.answer}})
		before := len(p.found())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/v1.0/me/messages", nil)
		require.NoError(t, err)
		r.Header.Set("Prefer", `IdType="ImmutableId"`)
		resp, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		in.Remove()
		fresh := p.found()[before:]
		if row.finds == "" {
			require.Empty(t, fresh, row.name)
			require.Equal(t, http.StatusOK, resp.StatusCode, row.name)
			continue
		}
		require.Len(t, fresh, 1, row.name)
		require.Contains(t, fresh[0], row.finds, row.name)
		require.Equal(t, http.StatusInternalServerError, resp.StatusCode, row.name)
	}
	before := len(p.found())
	resp, err := client.Get(p.url + "/v1.0/me/messages?$top=5000")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	fresh := p.found()[before:]
	require.Len(t, fresh, 1)
	require.Contains(t, strings.ToLower(fresh[0]), "prefer")
	require.Contains(t, fresh[0], "$top")
}
