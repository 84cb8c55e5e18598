package rfc822_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// multipart builds a message of the given parts, each with its own header.
func multipart(kind string, parts ...string) string {
	return "From: ann@a.example\nContent-Type: multipart/" + kind + "; boundary=b\n\n" + parts2(parts, "b")
}

func parts2(parts []string, boundary string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\n" + p + "\n")
	}
	return b.String() + "--" + boundary + "--\n"
}

func TestParseTellsTextFromAttachments(t *testing.T) {
	t.Parallel()
	const (
		plain  = "Content-Type: text/plain\n\nplain"
		page   = "Content-Type: text/html\n\n<p>page</p>"
		file   = "Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\nfile"
		inline = "Content-Type: image/png; name=i.png\nContent-ID: <i1>\n\nx"
		footer = "Content-Type: text/plain\n\nfooter & more"
		named  = "Content-Type: text/plain; name=log.txt\n\nlog"
	)
	nested := "Content-Type: multipart/alternative; boundary=c\n\n" + parts2([]string{plain, page}, "c")
	related := "Content-Type: multipart/related; boundary=d\n\n" + parts2([]string{page, inline}, "d")
	for _, c := range []struct {
		name, raw, text, html string
		parts                 []string // path name inline
	}{
		{"no header but text", "\nhello\n", "hello\n", "", nil},
		{"plain", "From: a\n\nhello\n", "hello\n", "", nil},
		{"html alone", "Content-Type: text/html\n\n<b>hello</b>", "hello\n", "<b>hello</b>", nil},
		{"alternative", multipart("alternative", plain, page), "plain", "<p>page</p>", nil},
		{"alternative with an empty text", multipart("alternative", "\n", page), "page\n",
			"<p>page</p>", nil},
		{"attachment", multipart("mixed", plain, file), "plain", "", []string{"2 a.txt false"}},
		{"named text after text", multipart("mixed", plain, named), "plain", "",
			[]string{"2 log.txt false"}},
		{"nested", multipart("mixed", nested, file), "plain", "<p>page</p>", []string{"2 a.txt false"}},
		{"related", multipart("mixed", related, file), "page\n", "<p>page</p>",
			[]string{"1.2 i.png true", "2 a.txt false"}},
		{"related inside alternative", multipart("alternative", plain, related), "plain", "<p>page</p>",
			[]string{"2.2 i.png true"}},
		{"footer of a list", multipart("mixed", nested, footer), "plain\nfooter & more",
			`<p>page</p><div style="white-space:pre-wrap">footer &amp; more</div>`, nil},
		{"attached message", multipart("mixed",
			plain, "Content-Type: message/rfc822\n\nSubject: inner\n\ninner"),
			"plain", "", []string{"2  false"}},
		{"digest", multipart("digest", "\nSubject: one\n\n1", "\nSubject: two\n\n2"), "", "",
			[]string{"1  false", "2  false"}},
		{"picture alone", "Content-Type: image/png; name=i.png\n\nx", "", "", []string{"1 i.png false"}},
	} {
		m := parse(t, []byte(c.raw))
		var parts []string
		for _, p := range m.Parts {
			parts = append(parts, fmt.Sprintf("%s %s %t", p.Path, p.Name, p.Inline))
		}
		require.Equal(t, c.text, m.Text, "%s: text", c.name)
		require.Equal(t, c.html, m.HTML, "%s: HTML", c.name)
		require.Equal(t, c.parts, parts, "%s: parts", c.name)
		require.Equal(t, int64(len(c.raw)), m.Size, "%s: size", c.name)
	}
}

func TestParseEmptyMessage(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "\n\n", "\r\n", "   ", "\x00"} {
		m := parse(t, []byte(raw))
		require.Equal(t, raw != "\x00", m.Unreadable, "message %q", raw)
		require.Contains(t, m.Damage, rfc822.DamageNoHeader, "message %q", raw)
	}
}

func TestParseDecodesFileNames(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		`Content-Disposition: attachment; filename="a b.txt"`:                                 "a b.txt",
		`Content-Disposition: attachment; filename=a b.txt`:                                   "a b.txt",
		`Content-Disposition: attachment; filename*=utf-8''caf%C3%A9.txt`:                     "café.txt",
		`Content-Disposition: attachment; filename*0="very "; filename*1="long.txt"`:          "very long.txt",
		`Content-Disposition: attachment; filename*1*=%A9.txt; filename*0*=utf-8'en'caf%C3`:   "café.txt",
		`Content-Disposition: attachment; filename="x.txt"; filename*=iso-8859-1''caf%E9.txt`: "café.txt",
		`Content-Disposition: attachment; filename="=?utf-8?q?caf=C3=A9.txt?="`:               "café.txt",
		`Content-Disposition: attachment; filename="=?utf-8?q?ca?= =?utf-8?q?f=C3=A9.txt?="`:  "café.txt",
		`Content-Type: application/pdf; name="b.pdf"`:                                         "b.pdf",
		`Content-Type: application/pdf; name=b.pdf; charset="x`:                               "b.pdf",
		`Content-Disposition: attachment; filename="C:\dir\a.txt"`:                            "C:_dir_a.txt",
		`Content-Disposition: attachment; filename="../../etc/passwd"`:                        ".._.._etc_passwd",
		"Content-Disposition: attachment; filename=\"a\u202efdp.exe\"":                        "afdp.exe",
		`Content-Disposition: attachment; filename="` + strings.Repeat("é", 800) + `"`:        strings.Repeat("é", 512),
		`Content-Disposition: attachment`:                                                     "",
	} {
		m := parse(t, []byte(multipart("mixed", "\ntext", field+"\n\ndata")))
		require.Len(t, m.Parts, 1, field)
		require.Equal(t, want, m.Parts[0].Name, field)
	}
}

func TestParseDecodesText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, header, body, want string
		damage                   []rfc822.Damage
	}{
		{"quoted-printable", "Content-Transfer-Encoding: quoted-printable",
			"caf=C3=A9 =\r\nau lait  \r\n=3D", "café au lait\n=", nil},
		{"quoted-printable, broken", "Content-Transfer-Encoding: quoted-printable", "100=% =zz =",
			"100=% =zz ",
			[]rfc822.Damage{rfc822.DamageEncoding}},
		{"base64", "Content-Transfer-Encoding: BASE64", "aGVsbG8g\r\nd29y bGQ=\r\n", "hello world", nil},
		{"base64 with a footer below", "Content-Transfer-Encoding: base64",
			"aGVsbG8=\n\n____\nYour list, with love!\n", "hello",
			[]rfc822.Damage{rfc822.DamageEncoding}},
		{"base64 without padding", "Content-Transfer-Encoding: base64", "aGVsbG8", "hello", nil},
		{"base64 in two pieces", "Content-Transfer-Encoding: base64", "aGVsbA==bw==", "hello", nil},
		{"uuencode", "Content-Transfer-Encoding: x-uuencode", "begin 644 a\n%:&5L;&\\\n`\nend\n",
			"hello", nil},
		{"7bit with a semicolon", "Content-Transfer-Encoding: 7bit;", "hello", "hello", nil},
		{"unknown encoding", "Content-Transfer-Encoding: base9000", "hello", "hello",
			[]rfc822.Damage{rfc822.DamageEncoding}},
		{"Latin-1", "Content-Type: text/plain; charset=iso-8859-1", "caf\xe9 \x80", "café €", nil},
		{"UTF-8 called Latin-1", "Content-Type: text/plain; charset=iso-8859-1", "café", "café", nil},
		{"Shift JIS as cp932", "Content-Type: text/plain; charset=cp932", "\x93\xfa\x96\x7b", "日本", nil},
		{"Korean as cp949", "Content-Type: text/plain; charset=cp949", "\xc7\xd1\xb1\xdb", "한글", nil},
		{"646", "Content-Type: text/plain; charset=646", "hello", "hello", nil},
		{"UTF-7", "Content-Type: text/plain; charset=utf-7", "a+AOk- +ZeVnLIqe- 1+-1", "aé 日本語 1+1", nil},
		{"UTF-16 with its mark", "Content-Type: text/plain; charset=utf-16", "\xff\xfeh\x00i\x00",
			"hi", nil},
		{"mark of UTF-8", "Content-Type: text/plain; charset=utf-8", "\xef\xbb\xbfhello", "hello", nil},
		{"ISO-2022-JP undeclared", "Content-Type: text/plain", "\x1b$BF|K\\8l\x1b(B", "日本語", nil},
		{"unknown charset, ASCII", "Content-Type: text/plain; charset=x-nonsense", "hello", "hello", nil},
		{"unknown charset", "Content-Type: text/plain; charset=x-nonsense",
			"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0? \xcf\xee\xe3\xee\xe2\xee\xf0\xe8\xec \xe7\xe0\xe2\xf2\xf0\xe0",
			"Привет, как дела? Поговорим завтра", []rfc822.Damage{rfc822.DamageCharset}},
		{"NUL", "Content-Type: text/plain", "a\x00b", "a\uFFFDb", nil},
		{"flowed", "Content-Type: text/plain; format=flowed", "one \ntwo\n>q1 \n>q2\n> \n-- \nAnn",
			"one two\n> q1 q2\n> \n-- \nAnn", nil},
		{"flowed, spaces deleted", "Content-Type: text/plain; format=flowed; delsp=yes", "日 \n本", "日本",
			nil},
		{"enriched text alone", "Content-Type: text/enriched", "<bold>hello</bold>",
			"<bold>hello</bold>", nil},
	} {
		m := parse(t, []byte("From: ann@a.example\n"+c.header+"\n\n"+c.body))
		require.Equal(t, c.want, m.Text, c.name)
		require.Equal(t, c.damage, m.Damage, c.name)
	}
	m := parse(t, []byte("Content-Type: text/html\n\n<meta charset='koi8-r'><p>\xf0\xf2\xe9\xf7\xe5\xf4"))
	require.Equal(t, "ПРИВЕТ\n", m.Text, "charset named by the HTML itself")
}

// TestParseJoinsThePiecesOfALongLine: a line longer than the buffer comes in pieces that cut escapes.
func TestParseJoinsThePiecesOfALongLine(t *testing.T) {
	t.Parallel()
	const n = 70_000
	for encoding, body := range map[string]string{
		"quoted-printable": strings.Repeat("=C3=A9", n) + "=\n",
		"base64":           base64.StdEncoding.EncodeToString([]byte(strings.Repeat("é", n))),
		"8bit":             strings.Repeat("é", n),
	} {
		m := parse(t, []byte("From: ann@a.example\nContent-Transfer-Encoding: "+encoding+"\n\n"+body))
		require.Equal(t, strings.Repeat("é", n), m.Text, encoding)
		require.Empty(t, m.Damage, encoding)
	}
}

func TestParseIsBoundedByItsLimits(t *testing.T) {
	t.Parallel()
	many := multipart("mixed", strings.Split(strings.Repeat("Content-Type: image/png\n\nx|", 50), "|")...)
	m, err := rfc822.Parse(strings.NewReader(many), rfc822.Limits{Parts: 10})
	require.NoError(t, err)
	require.Len(t, m.Parts, 9, "ten parts, the multipart counted")
	require.Contains(t, m.Damage, rfc822.DamageParts)

	m, err = rfc822.Parse(strings.NewReader("A: b\n\n"+strings.Repeat("é", 1000)), rfc822.Limits{TextBytes: 101})
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("é", 50), m.Text)
	require.Equal(t, []rfc822.Damage{rfc822.DamageTextCut}, m.Damage)

	long := "Subject: hello\nX-Long: " + strings.Repeat("x", 1<<20) + "\nTo: bob@b.example\n\ntext"
	m = parse(t, []byte(long))
	require.Equal(t, "hello", m.Envelope.Subject)
	require.Len(t, m.Envelope.To, 1, "a field after the one that is too long")
	require.Equal(t, "text", m.Text)
	require.Equal(t, []rfc822.Damage{rfc822.DamageHeaderCut}, m.Damage)
}

// nestedMessage has levels multiparts inside each other and a text in the innermost.
func nestedMessage(levels int) []byte {
	var b bytes.Buffer
	b.WriteString("From: ann@a.example\n")
	for i := range levels {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	b.WriteString("\ninnermost\n")
	for i := levels - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\n", i)
	}
	return b.Bytes()
}

func TestParseReadsDeepNestingInProportion(t *testing.T) {
	t.Parallel()
	m := parse(t, nestedMessage(40))
	require.Equal(t, "innermost", m.Text)
	require.Empty(t, m.Damage)
	raw := nestedMessage(5000)
	m = parse(t, raw)
	require.Equal(t, []rfc822.Damage{rfc822.DamageDepth}, m.Damage)
	require.Len(t, m.Parts, 1)
	require.Equal(t, "multipart/mixed", m.Parts[0].Type)
	require.Less(t, growth(2500, func(levels int) { parse(t, nestedMessage(levels)) }), float64(moreWork))
}

// endless yields a message with an attachment of the given size without holding it.
func endless(size int) io.Reader {
	line := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'x'}, 57)) + "\r\n"
	return io.MultiReader(
		strings.NewReader("From: ann@a.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n"+
			"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
		io.LimitReader(&repeat{line: line}, int64(size/57*len(line))),
		strings.NewReader("--b--\r\n"))
}

type repeat struct {
	line string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := copy(p[n:], r.line[r.at:])
		n += k
		r.at = (r.at + k) % len(r.line)
	}
	return n, nil
}

func TestParseHoldsNoAttachment(t *testing.T) { // not parallel: it measures the memory of the process
	const size = 10 << 20 / 57 * 57
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := rfc822.Parse(endless(size), rfc822.Limits{})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, "hello", m.Text)
	require.Equal(t, int64(size), m.Parts[0].Size)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "bytes for 10 MB")

	part, content, err := rfc822.OpenPart(endless(size), "2", rfc822.Limits{})
	require.NoError(t, err)
	require.Equal(t, "a.pdf", part.Name)
	n, err := io.Copy(io.Discard, content)
	require.NoError(t, err)
	require.Equal(t, int64(size), n)
}

func TestOpenPart(t *testing.T) {
	t.Parallel()
	raw := multipart("mixed", "\ntext", "Content-Transfer-Encoding: base64\n\naGVsbG8=",
		"Content-Type: multipart/mixed; boundary=c\n\n"+parts2([]string{"\none", "\ntwo"}, "c"))
	for path, want := range map[string]string{"1": "text", "2": "hello", "3.1": "one", "3.2": "two"} {
		_, content, err := rfc822.OpenPart(strings.NewReader(raw), path, rfc822.Limits{})
		require.NoError(t, err, path)
		got, err := io.ReadAll(content)
		require.NoError(t, err, path)
		require.Equal(t, want, string(got), path)
		n, err := content.Read(make([]byte, 1))
		require.Zero(t, n)
		require.ErrorIs(t, err, io.EOF)
	}
	for _, path := range []string{"", "0", "3", "3.3", "4", "1.1"} {
		_, _, err := rfc822.OpenPart(strings.NewReader(raw), path, rfc822.Limits{})
		require.ErrorIs(t, err, rfc822.ErrNoPart, "path %q", path)
	}
}
