package rfc822_test

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"strings"
	"testing"

	gomail "github.com/emersion/go-message/mail"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func FuzzBuildHeader(f *testing.F) {
	f.Add("Offer", "Ann", "ann@example.com", "1@x", "X-A", "v", "a.txt", "text/plain")
	f.Add("a\r\nBcc: x", "=?utf-8?q?=0D=0A?=", "\"a b\"@example.com", "a@b", "Auto-Submitted", "é", "ü\"\\.pdf", "image/png; name=x")
	f.Add(strings.Repeat("é", 300), strings.Repeat("x", 500), "a@bücher.example", "", "X", strings.Repeat("a ", 99), strings.Repeat("%", 99), "message/rfc822")
	f.Fuzz(func(t *testing.T, subject, name, address, id, field, value, filename, kind string) {
		d := draft()
		d.Subject, d.MessageID, d.References = subject, id, []string{id}
		d.From = rfc822.Address{Name: name, Address: address}
		d.To = []rfc822.Address{{Name: name, Address: "a@example.com"}, {Name: value, Address: address}}
		d.Headers = []rfc822.HeaderField{{Name: field, Value: value}}
		d.Attachments = []rfc822.Attachment{file(filename, kind, value)}
		if id == "" {
			d.References = nil
		}
		var b bytes.Buffer
		if err := rfc822.Build(&b, d); err != nil {
			var de *rfc822.DraftError
			require.ErrorAs(t, err, &de)
			require.Zero(t, b.Len(), "bytes written before the error %v", err)
			return
		}
		msg := b.String()
		checkWire(t, msg)
		header, body, _ := strings.Cut(msg, "\r\n\r\n")
		allowed := map[string]bool{"date": true, "from": true, "to": true, "subject": true, "message-id": true,
			"references": true, "mime-version": true, "content-type": true, strings.ToLower(field): true}
		seen := map[string]bool{}
		for line := range strings.SplitSeq(header, "\r\n") {
			if line[0] == ' ' {
				continue
			}
			key, _, _ := strings.Cut(strings.ToLower(line), ":")
			require.True(t, allowed[key] && !seen[key], "header line %q was added", line)
			seen[key] = true
		}
		require.Equal(t, 2, strings.Count(body, "\r\nContent-Type: ")+strings.Count(body, "--\r\nContent-Type: ")+
			boolInt(strings.HasPrefix(body, "Content-Type: ")), "parts of %q", msg)
		m, err := rfc822.Parse(strings.NewReader(msg), rfc822.Limits{})
		require.NoError(t, err)
		require.Len(t, m.Parts, 1, "attachments of %q", msg)
		require.EqualValues(t, len(value), m.Parts[0].Size)
		std, err := mail.ReadMessage(strings.NewReader(msg))
		require.NoError(t, err, "net/mail reads %q", msg)
		to, err := std.Header.AddressList("To")
		require.NoError(t, err, "net/mail reads To of %q", msg)
		require.Len(t, to, 2, "recipients of %q", msg)
	})
}

func FuzzBuildBody(f *testing.F) {
	f.Add("Hello\n", "<p>Hello</p>", []byte("file"))
	f.Add("--=_\r\n.\r\nFrom me \n\tü\n", "", []byte{0, 255})
	f.Add("", "x\n--=_", []byte{})
	f.Fuzz(func(t *testing.T, text, html string, data []byte) {
		d := draft()
		d.Text, d.HTML = text, html
		d.Attachments = []rfc822.Attachment{file("f", "application/x-f", string(data))}
		msg := build(t, d)
		checkWire(t, msg)
		r, err := gomail.CreateReader(strings.NewReader(msg))
		require.NoError(t, err)
		want := []string{wireText(text)}
		if html != "" && text != "" {
			want = []string{wireText(text), wireText(html)}
		} else if html != "" {
			want = []string{wireText(html)}
		}
		want = append(want, string(data))
		var got []string
		for {
			p, err := r.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			content, err := io.ReadAll(p.Body)
			require.NoError(t, err)
			got = append(got, string(content))
		}
		require.Equal(t, want, got, "parts of %q", msg)
	})
}

// wireText is what a text becomes on the wire: valid UTF-8 with CRLF.
func wireText(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n", "\r\n")
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
