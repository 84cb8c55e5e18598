package providertest

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// original opens a message as the service has it.
func original(t T, m provider.Mailbox, id provider.RemoteID) (string, error) {
	o, ok := provider.As[provider.Originals](m)
	if !ok {
		return open(t, m, id)
	}
	r, err := o.Original(t.Context(), id)
	if err != nil {
		return "", err
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	return unix(raw), err
}

// forms are messages that are put together in ways of their own.
var forms = []struct{ name, fields, body string }{
	{"plain text", "", "First line.\r\n\r\n> quoted\r\nLast line.\r\n"},
	{"encoded header fields", "X-Note: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nComments: a\r\n  folded one\r\n", "Hello.\r\n"},
	{"HTML", "Content-Type: text/html; charset=utf-8\r\n", "<html><body><p>One <b>two</b></p><p>three</p></body></html>\r\n"},
	{"text and HTML", "Content-Type: multipart/alternative; boundary=alt\r\n", "--alt\r\nContent-Type: text/plain\r\n\r\n" +
		"one two\r\n--alt\r\nContent-Type: text/html\r\n\r\n<p>one two</p>\r\n--alt--\r\n"},
	{"an attachment", "Content-Type: multipart/mixed; boundary=mix\r\n", "--mix\r\nContent-Type: text/plain\r\n\r\nhere\r\n" +
		"--mix\r\nContent-Type: application/pdf; name=offer.pdf\r\nContent-Disposition: attachment; filename=offer.pdf\r\n\r\n" +
		"%PDF\r\n--mix--\r\n"},
	{"an inline image", "Content-Type: multipart/related; boundary=rel\r\n", "--rel\r\nContent-Type: text/html\r\n\r\n" +
		"<p>logo <img src=\"cid:logo@x\"></p>\r\n--rel\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\n" +
		"Content-Disposition: inline; filename=logo.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--rel--\r\n"},
	{"a delivery report", "Content-Type: multipart/report; report-type=delivery-status; boundary=rep\r\n", "--rep\r\n" +
		"Content-Type: text/plain\r\n\r\nfailed\r\n--rep\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n" +
		"\r\nFinal-Recipient: rfc822; bob@acme.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--rep--\r\n"},
	{"an invitation", "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n",
		"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"},
}

func saysWhatTheOriginalSays(t T, h Harness) {
	ids := make([]provider.RemoteID, len(forms))
	for i, f := range forms {
		ids[i] = h.Deliver(t, letter{from: `"Dunn, Clara" <clara@client.example>`, cc: "=?utf-8?q?J=C3=B6rg?= <joerg@third.example>",
			id: string(rune('a'+i)) + "@form.example", refs: []string{"r1@form.example", "r2@form.example"},
			fields: f.fields, body: f.body}.mail())
	}
	m := h.Open(t)
	must(t, m, "", provider.Walk{}).all(t, ids, "the walk")
	for i, f := range forms {
		raw, err := open(t, m, ids[i])
		if err != nil {
			t.Fatalf("Open of %s: got error %v, want none", f.name, err)
		}
		want, err := original(t, m, ids[i])
		if err != nil {
			t.Fatalf("Original of %s: got error %v, want none", f.name, err)
		}
		told, meant := gist(t, raw), gist(t, want)
		for k := range max(len(told), len(meant)) {
			got, want := at(told, k), at(meant, k)
			if got != want {
				t.Errorf("Open of %s: got %s, want what the original says: %s", f.name, got, want)
			}
		}
		marked := strings.Contains(raw, provider.BuiltHeader+":")
		if raw != want && !marked {
			t.Errorf("Open of %s: got other bytes than the original's without %s", f.name, provider.BuiltHeader)
		}
	}
}

func at(list []string, k int) string {
	if k < len(list) {
		return list[k]
	}
	return "nothing"
}

// gist is what a message says, whatever its bytes.
func gist(t T, raw string) []string {
	p, err := rfc822.Parse(strings.NewReader(raw), rfc822.Limits{})
	if err != nil {
		t.Fatalf("a raw message: got error %v from rfc822.Parse", err)
	}
	e := p.Envelope
	text := p.Text
	if text == "" {
		text = rfc822.HTMLToText(p.HTML)
	}
	out := []string{
		fmt.Sprintf("From %v, Sender %v, Reply-To %v", e.From, e.Sender, e.ReplyTo),
		fmt.Sprintf("To %v, Cc %v, Bcc %v", e.To, e.Cc, e.Bcc),
		fmt.Sprintf("Subject %q, Date %v", e.Subject, e.Date.UTC()),
		fmt.Sprintf("Message-ID %q, In-Reply-To %q, References %q", e.MessageID, e.InReplyTo, e.References),
		fmt.Sprintf("text %q", strings.Fields(text)),
		fmt.Sprintf("report %v", p.Report != nil),
	}
	for name, value := range p.Header.All() {
		if lower := strings.ToLower(name); !strings.HasPrefix(lower, "content-") && lower != strings.ToLower(provider.BuiltHeader) {
			out = append(out, fmt.Sprintf("field %s: %s", lower, strings.Join(strings.Fields(value), " ")))
		}
	}
	slices.Sort(out[6:])
	for _, part := range p.Parts {
		out = append(out, fmt.Sprintf("part %q of %s, %d bytes", part.Name, part.Type, part.Size))
	}
	return out
}
