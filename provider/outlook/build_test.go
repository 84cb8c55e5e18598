package outlook_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// opened reads a message.
func opened(t *testing.T, r io.ReadCloser, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(raw)
}

// What a list tells of a mail is enough to build it, and where it is not, the mail is what it was.
func TestBuiltMail(t *testing.T) {
	t.Parallel()
	const head = "From: Kim <kim@client.example>\r\nTo: owner@own.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
		"Message-ID: <x@client.example>\r\nReferences: <a@b>\r\n <c@d>\r\nDate: Sun, 01 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
	part := func(head, body string) string { return "--b\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	for name, c := range map[string]struct {
		fields, body string
		built        bool
	}{
		"plain text":            {"Content-Type: text/plain; charset=utf-8\r\n", "a line\r\n> quoted\r\n", true},
		"no content type":       {"", "a line\r\n", true},
		"another charset":       {"Content-Type: text/plain; charset=iso-8859-1\r\n", "Gr\xfc\xdfe\r\n", true},
		"HTML":                  {"Content-Type: text/html\r\n", "<p>one <script>x()</script>two</p>\r\n", true},
		"HTML, a long line":     {"Content-Type: text/html\r\n", "<p>" + strings.Repeat("word ", 4000) + "</p>\r\n", true},
		"text and HTML":         {"Content-Type: multipart/alternative; boundary=b\r\n", part("Content-Type: text/plain", "x") + part("Content-Type: text/html", "<p>x</p>") + "--b--\r\n", true},
		"a field nobody closes": {"X-Odd: \"a\r\nContent-Type: text/plain; =\r\n", "x\r\n", true},
		"its own mark":          {provider.BuiltHeader + ": me\r\n", "x\r\n", true},
		"many fields":           {strings.Repeat("X-Long: "+strings.Repeat("word ", 400)+"\r\n", 3), "x\r\n", true},

		"an attachment":    {"Content-Type: multipart/mixed; boundary=b\r\n", part("Content-Type: text/plain", "x") + part("Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf", "%PDF") + "--b--\r\n", false},
		"mixed":            {"Content-Type: multipart/mixed; boundary=b\r\n", part("Content-Type: text/plain", "x") + "--b--\r\n", false},
		"an inline image":  {"Content-Type: multipart/related; boundary=b\r\n", part("Content-Type: text/html", `<img src="cid:i">`) + part("Content-Type: image/png\r\nContent-ID: <i>\r\nContent-Disposition: inline", "x") + "--b--\r\n", false},
		"shows a part":     {"Content-Type: text/html\r\n", `<img src="CID:i">`, false},
		"signed":           {"Content-Type: multipart/signed; boundary=b\r\n", part("Content-Type: text/plain", "x") + "--b--\r\n", false},
		"a report":         {"Content-Type: multipart/report; boundary=b\r\n", part("Content-Type: text/plain", "x") + "--b--\r\n", false},
		"an invitation":    {"Content-Type: text/calendar; method=REQUEST\r\n", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", false},
		"nothing but data": {"Content-Type: application/pdf\r\n", "%PDF", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{})
				want := head + c.fields + "\r\n" + c.body
				id := provider.RemoteID(w.a.Deliver([]byte(want), outlooktest.Delivery{Received: noon.Add(-time.Hour)}))
				m := w.open(t)
				w.s.ResetStats()
				listed := follow(t.Context(), m, "", provider.Walk{Only: true, Bodies: provider.BodiesWith}).put[string(id)]
				r, err := m.Open(t.Context(), id)
				got := opened(t, r, err)
				r, err = m.(provider.Originals).Original(t.Context(), id)
				require.Equal(t, want, opened(t, r, err))
				if !c.built {
					require.Nil(t, listed.Raw)
					require.Equal(t, want, got)
					require.Zero(t, w.s.Stats().Requests["messages.get"], "the list has told that it cannot be built")
					return
				}
				require.Equal(t, got, string(listed.Raw))
				require.Equal(t, 1, strings.Count(strings.ToLower(got), strings.ToLower(provider.BuiltHeader)+": graph\r\n"))
				for line := range strings.SplitSeq(got, "\r\n") {
					require.LessOrEqual(t, len(line), 998)
					require.NotContains(t, line, "\n")
				}
				a, err := rfc822.Parse(strings.NewReader(want), rfc822.Limits{})
				require.NoError(t, err)
				b, err := rfc822.Parse(strings.NewReader(got), rfc822.Limits{})
				require.NoError(t, err)
				require.Equal(t, a.Envelope, b.Envelope)
				require.Equal(t, strings.Fields(a.Text), strings.Fields(b.Text))
				require.Equal(t, strings.Fields(a.HTML), strings.Fields(b.HTML))
				require.Empty(t, b.Parts)
			})
		})
	}
}

// Header fields with line ends of their own end no header.
func TestBuiltMailKeepsItsHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{})
		id := w.a.Deliver(letter("evil"), outlooktest.Delivery{Received: noon.Add(-time.Hour)})
		w.s.Fail(outlooktest.Fault{Method: "messages.get", Times: -1, Reply: &outlooktest.Reply{Status: 200,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: fmt.Sprintf(`{"id":%q,"body":{"contentType":"text","content":"x"},
			"internetMessageHeaders":[{"name":"X-A","value":"1\r\n\r\nBcc: eve@evil.example"},{"name":"X-B: y\r\nZ","value":"2"},
			{"name":"","value":"3"},{"name":"Subject","value":"a\u0000\rb\nc"}]}`, id)}})
		r, err := w.open(t).Open(t.Context(), provider.RemoteID(id))
		raw := opened(t, r, err)
		m, err := mail.ReadMessage(bytes.NewBufferString(raw))
		require.NoError(t, err)
		require.Equal(t, "", m.Header.Get("Bcc"))
		require.Equal(t, "1Bcc: eve@evil.example", m.Header.Get("X-A"))
		require.Equal(t, "a b c", m.Header.Get("Subject"))
		require.Len(t, m.Header, 6)
	})
}

// A generated mailbox of all kinds of mail: the walk lists what Open opens, and most of it costs no call.
func TestListModeWalksAtTheSpeedOfLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)))
		w := newWorld(t, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{})
		box, err := mailgen.New(mailgen.Config{Seed: 3, Messages: 500, MeanBytes: 4000, Owner: w.a.Address()})
		require.NoError(t, err)
		for m := range box.Oldest() {
			w.a.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received, Sent: m.Outbound})
		}
		m := w.open(t)
		walk := provider.Walk{Only: true, Bodies: provider.BodiesWith}
		w.s.ResetStats()
		got := follow(t.Context(), m, "", walk)
		require.NoError(t, got.err)
		require.Len(t, got.put, 500)
		require.Zero(t, w.s.Stats().Requests["messages.get"]+w.s.Stats().Requests["messages.value"])
		built := 0
		for id, h := range got.put {
			r, err := m.Open(t.Context(), provider.RemoteID(id))
			raw := opened(t, r, err)
			if h.Raw != nil {
				built++
				require.Equal(t, raw, string(h.Raw))
			}
			p, err := rfc822.Parse(strings.NewReader(raw), rfc822.Limits{})
			require.NoError(t, err)
			require.Equal(t, h.MessageID, p.Envelope.MessageID)
		}
		t.Logf("%d of %d mails are built", built, len(got.put))
		require.Greater(t, built, 200)

		w.s.ResetStats()
		for id, h := range follow(t.Context(), m, "", provider.Walk{Only: true}).put {
			require.Nil(t, h.Raw, "%s: nobody asked for its body", id)
		}
		require.Zero(t, w.s.Stats().Requests["messages.get"]+w.s.Stats().Requests["messages.value"])
	})
}

// Whether lists have header fields is not documented: without them every mail is opened.
func TestListModeWithoutHeaderFieldsInLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{NoListHeaders: true})
		ids := w.fill(5, time.Hour)
		m := w.open(t)
		got := follow(t.Context(), m, "", provider.Walk{Only: true, Bodies: provider.BodiesWith})
		require.NoError(t, got.err)
		for _, id := range ids {
			require.Nil(t, got.put[id].Raw)
			r, err := m.Open(t.Context(), provider.RemoteID(id))
			require.Contains(t, opened(t, r, err), "\r\n\r\nHello.\r\n")
		}
	})
}
