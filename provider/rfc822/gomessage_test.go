package rfc822_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// The tests of this file hold the reasons for each piece of MIME that is our own code. A row that
// fails because go-message has learned it means that our code for it can go.

// written is a header as go-message writes it.
func written(t *testing.T, h gomail.Header) string {
	t.Helper()
	var b bytes.Buffer
	w, err := message.CreateWriter(&b, h.Header)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func longestLine(s string) int {
	n := 0
	for line := range strings.SplitSeq(s, "\r\n") {
		n = max(n, len(line))
	}
	return n
}

func TestGoMessageCannotWriteOurHeaders(t *testing.T) {
	t.Parallel()
	ids := make([]string, 12)
	for i := range ids {
		ids[i] = fmt.Sprintf("AM0PR04MB%050d@AM0PR04MB1234.eurprd04.prod.outlook.com", i)
	}
	var h gomail.Header
	h.SetMsgIDList("References", ids)
	require.Greater(t, longestLine(written(t, h)), 900, "go-message folds ids that are longer than a line")
	d := draft()
	d.References = ids
	require.Less(t, longestLine(build(t, d)), 120, "one id a line")

	cyrillic := strings.TrimSpace(strings.Repeat("Предложение по договору ", 9))
	h = gomail.Header{}
	h.SetSubject(cyrillic)
	require.Greater(t, longestLine(written(t, h)), 900, "go-message bounds lines of encoded words")
	d = draft()
	d.Subject = cyrillic
	require.LessOrEqual(t, longestLine(build(t, d)), 78)

	for _, subject := range []string{
		"=?utf-8?q?fake?=",        // looks encoded
		strings.Repeat("x", 1200), // cannot be folded
	} {
		h = gomail.Header{}
		h.SetSubject(subject)
		e, err := message.Read(strings.NewReader(written(t, h)))
		require.NoError(t, err)
		got, err := e.Header.Text("Subject")
		require.NoError(t, err)
		require.NotEqual(t, subject, got, "go-message gives the subject back")
		d.Subject = subject
		m := parse(t, []byte(build(t, d)))
		require.Equal(t, subject, m.Envelope.Subject)
	}
}

func TestGoMessageCannotWriteOurFiles(t *testing.T) {
	t.Parallel()
	var h gomail.AttachmentHeader
	h.SetFilename("Angebot für Müller.pdf")
	require.Contains(t, h.Get("Content-Disposition"), `"=?utf-8?q?Angebot`,
		"go-message writes the name as RFC 2231 has it")

	h = gomail.AttachmentHeader{}
	h.SetContentType("text/csv", map[string]string{"charset": "windows-1252"})
	_, err := message.CreateWriter(io.Discard, h.Header)
	require.ErrorContains(t, err, "unhandled charset", "go-message writes a file in another charset")
	d := draft()
	d.Attachments = []rfc822.Attachment{file("a.csv", "text/csv; charset=windows-1252", "caf\xe9")}
	require.Equal(t, "windows-1252", parse(t, []byte(build(t, d))).Parts[0].Charset)
}

// goMessageText is all that go-message gives of the bodies of a message until it stops.
func goMessageText(raw string) (text string, err error) {
	e, err := message.Read(strings.NewReader(raw))
	if e == nil {
		return "", err
	}
	walkErr := e.Walk(func(_ []int, part *message.Entity, partErr error) error {
		if part == nil || part.MultipartReader() != nil {
			return partErr
		}
		b, readErr := io.ReadAll(part.Body)
		text += string(b) + "\n"
		return readErr
	})
	return text, walkErr
}

func TestGoMessageCannotSalvage(t *testing.T) {
	t.Parallel()
	const last = "\nlast words"
	for _, c := range []struct{ name, raw, lost string }{
		{"a line without a colon", "garbage\nSubject: x\n\nlast words", "last words"},
		{"an mbox line", "From ann@a.example Tue Nov 15\nSubject: x\n\nlast words", "last words"},
		{"a space before the first field", " Subject: x\nTo: y\n\nlast words", "last words"},
		{
			"a malformed header in a part",
			multipart("mixed", "Content-Type: text/plain\ngarbage\nX: y\n\nfirst", last), "last words",
		},
		{
			"a character that is not base64",
			"Content-Transfer-Encoding: base64\n\naGVs!bG8g\nbGFzdCB3b3Jkcw==", "last words",
		},
		{
			"a control character in quoted-printable",
			"Content-Transfer-Encoding: quoted-printable\n\npage=0A\f\nlast words", "last words",
		},
		{
			"a long line of quoted-printable",
			"Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("x ", 4000) + "last words",
			"last words",
		},
		{
			"Korean in ISO-2022-KR",
			"Content-Type: text/plain; charset=iso-2022-kr\n\n\x1b$)C\x0eGQ\x0f last words", "last words",
		},
		{
			"quotation marks of Windows called Latin-1",
			"Content-Type: text/plain; charset=iso-8859-1\n\n\x93last words\x94", "“last words”",
		},
		{
			"a multipart without its boundary",
			"Content-Type: multipart/mixed\n\n--b\nX: y\n\nlast words\n--b--\n", "last words",
		},
	} {
		text, err := goMessageText(c.raw)
		require.False(t, err == nil && strings.Contains(text, c.lost), "%s: go-message reads it", c.name)
		require.Contains(t, parse(t, []byte(c.raw)).Text, c.lost, "%s: what Parse reads", c.name)
	}
}

func TestGoMessageCannotReadEveryEncodedWord(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"=?utf-8?b?Q2Fm?= =?utf-8?b?w6k?=":             "Café", // base64 without its padding
		"=?utf-8? Q?spaced?=":                          "spaced",
		"=?utf-8?q?100=_sure?=":                        "100= sure",
		"=?cp932?b?k/qWe4zq?=":                         "日本語",
		"=?iso-8859-1?q?=93quoted=94?=":                "“quoted”",
		"=?utf-7?q?Hi_Mom_+Jjo-!?=":                    "Hi Mom ☺!",
		"=?iso-2022-jp-2?b?GyRCRnxLXDhsGyhC?=":         "日本語",
		"=?unknown-8bit?q?caf=E9_cr=E8me_br=FBl=E9e?=": "café crème brûlée",
	} {
		raw := "Subject: " + value + "\n\n"
		e, err := message.Read(strings.NewReader(raw))
		require.NoError(t, err, value)
		got, _ := e.Header.Text("Subject")
		require.NotEqual(t, want, got, "value %q: go-message reads it", value)
		require.Equal(t, want, parse(t, []byte(raw)).Envelope.Subject, "value %q", value)
	}
}

// TestParseKnowsTheCharsetsOfGoMessage: what go-message/charset reads well, Parse reads the same way.
func TestParseKnowsTheCharsetsOfGoMessage(t *testing.T) {
	t.Parallel()
	labels := strings.Fields("iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-7 iso-8859-10 iso-8859-13 " +
		"iso-8859-14 iso-8859-15 iso-8859-16 windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 " +
		"windows-1256 windows-1257 windows-1258 windows-874 tis-620 koi8-r koi8-u macintosh x-mac-cyrillic " +
		"ibm866 cp866 cp437 ibm437 cp850 ibm850 cp852 cp855 cp860 cp862 cp863 cp865 ibm00858 " +
		"gb2312 gbk gb18030 cp936 ms936 big5 big5-hkscs euc-jp shift_jis windows-31j ms932 euc-kr ks_c_5601-1987")
	for _, label := range labels {
		raw := "Content-Type: text/plain; charset=" + label + "\n\ntext \xb0\xa7 and \xb3\xa7"
		want, err := goMessageText(raw)
		require.NoError(t, err, label)
		m := parse(t, []byte(raw))
		require.Equal(t, strings.TrimSuffix(want, "\n"), m.Text, label)
		require.Empty(t, m.Damage, label)
	}
}

// BenchmarkNesting: each level of go-message scans all that lies within it, so that twice the levels
// take four times as long and more.
func BenchmarkNesting(b *testing.B) {
	for _, levels := range []int{500, 1000} {
		raw := nestedMessage(levels)
		b.Run(fmt.Sprintf("go-message/%d", levels), func(b *testing.B) {
			for b.Loop() {
				if err := floorWalk(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("parse/%d", levels), func(b *testing.B) {
			for b.Loop() {
				m, err := rfc822.Parse(bytes.NewReader(raw), rfc822.Limits{Depth: levels, Parts: levels + 1})
				if err != nil || m.Text != "innermost" {
					b.Fatal("the innermost text is missing")
				}
			}
		})
	}
}
