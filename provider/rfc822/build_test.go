package rfc822_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	gomail "github.com/emersion/go-message/mail"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func file(name, kind, content string) rfc822.Attachment {
	return rfc822.Attachment{
		Name: name, Type: kind, Size: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}

func inlineFile(id, name, kind, content string) rfc822.Attachment {
	f := file(name, kind, content)
	f.ContentID = id
	return f
}

// draft is a small mail that can be sent; tests change it.
func draft() rfc822.Draft {
	return rfc822.Draft{
		From:      rfc822.Address{Name: "Ann Lee", Address: "ann@example.com"},
		To:        []rfc822.Address{{Name: "Bob", Address: "bob@example.org"}},
		Subject:   "Offer",
		MessageID: "1@example.com",
		Date:      time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)),
		Text:      "Hello Bob,\n\nhere it is.\n",
	}
}

func drafts() map[string]rfc822.Draft {
	long := strings.Repeat("Предложение по договору и ещё немного слов ", 5)
	picture := "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\xff", 90)
	plain, named, html, full, files, bare := draft(), draft(), draft(), draft(), draft(), draft()

	named.From.Name = "Müller, Jürgen"
	named.Sender = rfc822.Address{Name: `Desk "A"`, Address: "desk@example.com"}
	named.To = []rfc822.Address{
		{Name: strings.Repeat("Очень длинное имя ", 6), Address: "a@bücher.example"},
		{Name: "O'Neil", Address: `"strange address"@example.org`},
		{Name: "日本語の名前", Address: "c@example.org"},
	}
	named.Cc = []rfc822.Address{{Name: "=?utf-8?q?fake?=", Address: "d@example.org"}}
	named.Bcc = []rfc822.Address{{Address: "hidden@example.org"}}
	named.ReplyTo = []rfc822.Address{{Address: "team@example.com"}}
	named.Subject = long
	named.InReplyTo = []string{"parent@example.org"}
	for range 25 {
		named.References = append(named.References, "reference-with-some-length@mail.example.org")
	}
	named.Headers = []rfc822.HeaderField{
		{Name: "Auto-Submitted", Value: "auto-replied"},
		{Name: "X-Note", Value: "für später"},
	}
	named.Text = "Grüße\n-- \nJürgen\nFrom here on.\n.\n" + strings.Repeat("long ", 40) + "\n"

	html.HTML = "<p>Hello Bob,</p><p>" + strings.Repeat("wide ", 30) + "</p>"

	full.HTML = `<p>Hi <img src="cid:logo@example.com"></p>`
	full.Inline = []rfc822.Attachment{inlineFile("logo@example.com", "logo.png", "image/png", picture)}
	full.Attachments = []rfc822.Attachment{
		file("Angebot für Müller.pdf", "application/pdf", "%PDF-1.4\n"),
		file(strings.Repeat("очень длинное имя ", 4)+".txt", "text/plain; charset=utf-8", "привет\n"),
		file("mail.eml", "message/rfc822", "Subject: x\r\n\r\ny\r\n"),
		file("", "", ""),
		file(`C:\secret place\a"b%c.txt`, "text/calendar; method=REQUEST; x=y", "BEGIN:VCALENDAR\r\n"),
	}

	files.Text = ""
	files.Attachments = []rfc822.Attachment{file("a.bin", "application/x-thing", strings.Repeat("0123456789", 600))}

	bare.Text, bare.Subject, bare.MessageID = "日本語のテキスト\n", "", ""
	return map[string]rfc822.Draft{
		"plain": plain, "named": named, "alternative": html, "related": full, "attachment": files, "bare": bare,
	}
}

func build(tb testing.TB, d rfc822.Draft) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, rfc822.Build(&b, d))
	return b.String()
}

func TestBuildMatchesGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, d := range drafts() {
		path := filepath.Join("testdata", "build", name+".golden")
		got := build(t, d)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "%s: the message built", name)
		require.Equal(t, got, build(t, d), "%s: built a second time", name)
		checkWire(t, got)
	}
}

// checkWire holds what any server expects of a message.
func checkWire(tb testing.TB, msg string) {
	tb.Helper()
	header, _, found := strings.Cut(msg, "\r\n\r\n")
	require.True(tb, found, "an empty line below the header of %q", msg)
	require.True(tb, strings.HasSuffix(msg, "\r\n"), "the end of %q", msg)
	require.NotContains(tb, strings.ReplaceAll(msg, "\r\n", ""), "\r", "line ends of %q", msg)
	require.NotContains(tb, strings.ReplaceAll(msg, "\r\n", ""), "\n", "line ends of %q", msg)
	require.NotContains(tb, msg, "\nFrom ", "a line that mailboxes in files change, in %q", msg)
	for line := range strings.SplitSeq(msg, "\r\n") {
		require.LessOrEqual(tb, len(line), 998, "length of line %q", line)
		for i := range len(line) {
			require.True(tb, line[i] == '\t' || line[i] >= ' ' && line[i] < 0x7f, "byte %d of line %q", i, line)
		}
	}
	for line := range strings.SplitSeq(header, "\r\n") {
		require.NotEmpty(tb, strings.TrimSpace(line), "a blank line in the header %q", header)
		if strings.Contains(line, "=?utf-8?") {
			require.LessOrEqual(tb, len(line), 78, "line with an encoded word: %q", line)
		}
		for word := range strings.FieldsSeq(line) {
			if strings.HasPrefix(word, "=?utf-8?") {
				require.LessOrEqual(tb, len(strings.TrimSuffix(word, ",")), 75, "encoded word %q", word)
				_, err := new(mime.WordDecoder).Decode(strings.TrimSuffix(word, ","))
				require.NoError(tb, err, "encoded word %q", word)
			}
		}
	}
}

// TestBuildIsReadBackByOthers reads what we build with net/mail and go-message.
func TestBuildIsReadBackByOthers(t *testing.T) {
	t.Parallel()
	for name, d := range drafts() {
		msg := build(t, d)
		std, err := mail.ReadMessage(strings.NewReader(msg))
		require.NoError(t, err, name)
		from, err := std.Header.AddressList("From")
		require.NoError(t, err, name)
		require.Equal(t, d.From, *from[0], "%s: From of %q", name, msg)

		r, err := gomail.CreateReader(strings.NewReader(msg))
		require.NoError(t, err, name)
		subject, err := r.Header.Subject()
		require.NoError(t, err, name)
		require.Equal(t, strings.TrimSpace(d.Subject), subject, "%s: subject", name)
		refs, err := r.Header.MsgIDList("References")
		require.NoError(t, err, name)
		require.ElementsMatch(t, d.References, refs, "%s: References", name)
		var bodies []string
		var names []string
		for {
			p, err := r.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			content, err := io.ReadAll(p.Body)
			require.NoError(t, err, name)
			bodies = append(bodies, string(content))
			if h, ok := p.Header.(*gomail.AttachmentHeader); ok {
				n, err := h.Filename()
				require.NoError(t, err, name)
				names = append(names, n)
			}
		}
		for _, a := range d.Attachments {
			require.Contains(t, bodies, content(t, a), "%s: attachment %q", name, a.Name)
			base := a.Name[strings.LastIndexAny(a.Name, `/\`)+1:]
			require.Contains(t, names, strings.TrimSpace(base), "%s: names of attachments", name)
		}
		for _, a := range d.Inline {
			require.Contains(t, bodies, content(t, a), "%s: inline file %q", name, a.Name)
		}
		if d.HTML != "" {
			require.Contains(t, bodies, d.HTML, "%s: HTML", name)
		}
	}
}

func content(tb testing.TB, a rfc822.Attachment) string {
	tb.Helper()
	r, err := a.Open()
	require.NoError(tb, err)
	b, err := io.ReadAll(r)
	require.NoError(tb, err)
	return string(b)
}

func TestBuildIsReadBackByParse(t *testing.T) {
	t.Parallel()
	for name, d := range drafts() {
		msg := build(t, d)
		m, err := rfc822.Parse(strings.NewReader(msg), rfc822.Limits{})
		require.NoError(t, err, name)
		require.Empty(t, m.Damage, "%s: damage of %q", name, msg)
		require.Equal(t, strings.TrimSpace(d.Subject), m.Envelope.Subject, "%s: subject", name)
		require.Equal(t, d.MessageID, m.Envelope.MessageID, "%s: Message-ID", name)
		require.True(t, d.Date.Equal(m.Envelope.Date), "%s: date %v", name, m.Envelope.Date)
		require.Equal(t, trimNames(d.From), trimNames(m.Envelope.From...), "%s: From", name)
		require.Equal(t, len(d.To), len(m.Envelope.To), "%s: To", name)
		require.Equal(t, trimNames(d.Cc...), trimNames(m.Envelope.Cc...), "%s: Cc", name)
		require.Equal(t, trimNames(d.Bcc...), trimNames(m.Envelope.Bcc...), "%s: Bcc", name)
		if d.Text != "" {
			require.Equal(t, strings.TrimRight(d.Text, "\n"), strings.TrimRight(m.Text, "\n"), "%s: text", name)
		}
		require.Equal(t, d.HTML, m.HTML, "%s: HTML", name)
		var files []rfc822.Attachment
		files = append(append(files, d.Inline...), d.Attachments...)
		require.Len(t, m.Parts, len(files), "%s: parts", name)
		for i, p := range m.Parts {
			require.Equal(t, files[i].Size, p.Size, "%s: size of part %d", name, i)
			require.Equal(t, files[i].ContentID, p.ContentID, "%s: id of part %d", name, i)
		}
	}
}

func trimNames(list ...rfc822.Address) []rfc822.Address {
	out := []rfc822.Address{}
	for _, a := range list {
		out = append(out, rfc822.Address{Name: strings.TrimSpace(a.Name), Address: a.Address})
	}
	return out
}

func TestBuildRefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*rfc822.Draft)
		field  string
		err    error
	}{
		{"no date", func(d *rfc822.Draft) { d.Date = time.Time{} }, "Date", rfc822.ErrMissing},
		{"no sender", func(d *rfc822.Draft) { d.From = rfc822.Address{} }, "From", rfc822.ErrMissing},
		{"nobody to send to", func(d *rfc822.Draft) { d.To = nil }, "To", rfc822.ErrNoRecipients},
		{"a subject of two lines", func(d *rfc822.Draft) {
			d.Subject = "a\r\nBcc: x@example.com"
		}, "Subject", rfc822.ErrHeaderInjection},
		{"NUL", func(d *rfc822.Draft) { d.Subject = "a\x00" }, "Subject", rfc822.ErrHeaderInjection},
		{"a name of two lines", func(d *rfc822.Draft) {
			d.From.Name = "a\nb"
		}, "From", rfc822.ErrHeaderInjection},
		{"an address of two lines", func(d *rfc822.Draft) {
			d.To[0].Address = "a@b\n.example"
		}, "To", rfc822.ErrHeaderInjection},
		{"the second of two", func(d *rfc822.Draft) {
			d.To = append(d.To, rfc822.Address{Address: "nobody"})
		}, "To 2", rfc822.ErrBadAddress},
		{"no domain", func(d *rfc822.Draft) { d.To[0].Address = "a@" }, "To", rfc822.ErrBadAddress},
		{"no local part", func(d *rfc822.Draft) {
			d.To[0].Address = "@example.com"
		}, "To", rfc822.ErrBadAddress},
		{"two addresses in one", func(d *rfc822.Draft) {
			d.To[0].Address = "a@x.example, b@y.example"
		}, "To", rfc822.ErrBadAddress},
		{"a local part with a space", func(d *rfc822.Draft) {
			d.To[0].Address = "a b@y.example"
		}, "To", rfc822.ErrBadAddress},
		{"an address with its name", func(d *rfc822.Draft) {
			d.Cc = []rfc822.Address{{Address: "Eve <e@x.example>@y.example"}}
		}, "Cc", rfc822.ErrBadAddress},
		{"a domain with a space", func(d *rfc822.Draft) {
			d.To[0].Address = "a@exa mple.com"
		}, "To", rfc822.ErrBadAddress},
		{"a domain with an angle", func(d *rfc822.Draft) {
			d.To[0].Address = "a@example.com>"
		}, "To", rfc822.ErrBadAddress},
		{"a domain of dots", func(d *rfc822.Draft) {
			d.To[0].Address = "a@ex..com"
		}, "To", rfc822.ErrBadAddress},
		{"a domain IDNA refuses", func(d *rfc822.Draft) {
			d.To[0].Address = "a@b\u0301\u202e.example"
		}, "To", rfc822.ErrBadAddress},
		{"a local part in UTF-8", func(d *rfc822.Draft) {
			d.To[0].Address = "jürgen@example.com"
		}, "To", rfc822.ErrUnicodeLocal},
		{"an id with an angle", func(d *rfc822.Draft) {
			d.MessageID = "a>b@c"
		}, "Message-ID", rfc822.ErrBadID},
		{"an id of two lines", func(d *rfc822.Draft) {
			d.References = []string{"a@b", "c\n@d"}
		}, "References 2", rfc822.ErrHeaderInjection},
		{"a field of ours", func(d *rfc822.Draft) {
			d.Headers = []rfc822.HeaderField{{Name: "bcc", Value: "x"}}
		}, "Headers", rfc822.ErrBadField},
		{"a MIME field", func(d *rfc822.Draft) {
			d.Headers = []rfc822.HeaderField{{Name: "Content-Type", Value: "x"}}
		}, "Headers", rfc822.ErrBadField},
		{"a field name with a colon", func(d *rfc822.Draft) {
			d.Headers = []rfc822.HeaderField{{Name: "X: a", Value: "x"}}
		}, "Headers", rfc822.ErrBadField},
		{"a field of two lines", func(d *rfc822.Draft) {
			d.Headers = []rfc822.HeaderField{{Name: "X-A", Value: "x\ny"}}
		}, "X-A", rfc822.ErrHeaderInjection},
		{"a file name of two lines", func(d *rfc822.Draft) {
			d.Attachments = []rfc822.Attachment{file("a\nb", "", "")}
		}, "Attachments 1", rfc822.ErrHeaderInjection},
		{"a type of two lines", func(d *rfc822.Draft) {
			d.Attachments = []rfc822.Attachment{file("a", "text/plain\nX: y", "")}
		}, "Attachments 1", rfc822.ErrHeaderInjection},
		{"an inline file nobody can name", func(d *rfc822.Draft) {
			d.Inline = []rfc822.Attachment{file("a", "image/png", "")}
		}, "Inline 1", rfc822.ErrMissing},
		{"a content id with a space", func(d *rfc822.Draft) {
			d.Inline = []rfc822.Attachment{inlineFile("a b", "a", "", "")}
		}, "Inline 1", rfc822.ErrBadID},
		{"nothing to open", func(d *rfc822.Draft) {
			d.Attachments = []rfc822.Attachment{{Name: "a"}}
		}, "Attachments 1", rfc822.ErrMissing},
	} {
		d := draft()
		c.change(&d)
		var b bytes.Buffer
		err := rfc822.Build(&b, d)
		var de *rfc822.DraftError
		require.ErrorAs(t, err, &de, c.name)
		require.ErrorIs(t, err, c.err, c.name)
		require.Equal(t, c.field, de.Field, "%s: field", c.name)
		require.Zero(t, b.Len(), "%s: bytes written", c.name)
		require.NotContains(t, err.Error(), "example", "%s: nothing of the draft in the error", c.name)
	}
}

// TestBuildWritesOneRecipientForEach: what somebody put into quotes stays one address, and so does what
// only servers of phone companies take for one.
func TestBuildWritesOneRecipientForEach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, wire, read string }{
		{`"a@x, b"@example.com`, `<"a@x, b"@example.com>`, "a@x, b@example.com"},
		{"a..b.@example.com", `<"a..b."@example.com>`, "a..b.@example.com"},
	} {
		d := draft()
		d.To[0].Address = c.address
		msg := build(t, d)
		require.Contains(t, msg, "To: Bob "+c.wire+"\r\n")
		m, err := mail.ReadMessage(strings.NewReader(msg))
		require.NoError(t, err)
		to, err := m.Header.AddressList("To")
		require.NoError(t, err)
		require.Equal(t, []*mail.Address{{Name: "Bob", Address: c.read}}, to, "read by net/mail from %q", msg)
		ours, err := rfc822.Parse(strings.NewReader(msg), rfc822.Limits{})
		require.NoError(t, err)
		require.Equal(t, d.To, ours.Envelope.To)
	}
}

func TestBuildFailsWithItsAttachments(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	for _, c := range []struct {
		name string
		file rfc822.Attachment
		err  error
	}{
		{
			"cannot be opened",
			rfc822.Attachment{Open: func() (io.ReadCloser, error) { return nil, broken }}, broken,
		},
		{
			"cannot be read",
			rfc822.Attachment{Open: func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(broken)), nil }},
			broken,
		},
		{
			"shorter than announced", rfc822.Attachment{Size: 5, Open: file("", "", "1234").Open},
			rfc822.ErrSize,
		},
		{
			"longer than announced", rfc822.Attachment{Size: 3, Open: file("", "", "1234").Open},
			rfc822.ErrSize,
		},
	} {
		d := draft()
		d.Attachments = []rfc822.Attachment{c.file}
		err := rfc822.Build(io.Discard, d)
		require.ErrorIs(t, err, c.err, c.name)
	}
	d := draft()
	require.ErrorContains(t, rfc822.Build(failingWriter{}, d), "full")
	var b bytes.Buffer
	n, err := d.WriteTo(&b)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestBoundaryIsNotInTheText(t *testing.T) {
	t.Parallel()
	d := draft()
	d.HTML = "<p>x</p>"
	msg := build(t, d)
	_, after, found := strings.Cut(msg, `boundary="`)
	require.True(t, found)
	boundary, _, _ := strings.Cut(after, `"`)
	// The boundary depends on the text, so a text with all of it never occurs;
	// one that starts like it is still encoded.
	d.Text = "--" + boundary + "--\n--=_"
	m, err := rfc822.Parse(strings.NewReader(build(t, d)), rfc822.Limits{})
	require.NoError(t, err)
	require.Equal(t, d.Text, strings.TrimRight(m.Text, "\n"))
	require.NotContains(t, build(t, d), "\r\n--=_\r\n")
}

func TestNewMessageID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ domain, want string }{
		{"example.com", "wi.aebagbaf@example.com"},
		{"bücher.example", "wi.aebagbaf@xn--bcher-kva.example"},
		{"a b", "wi.aebagbaf@mail.invalid"},
		{"", "wi.aebagbaf@mail.invalid"},
		{"[::1]", "wi.aebagbaf@mail.invalid"},
	} {
		require.Equal(t, c.want, rfc822.NewMessageID([]byte{1, 2, 3, 4, 5}, c.domain), "domain %q", c.domain)
	}
}
