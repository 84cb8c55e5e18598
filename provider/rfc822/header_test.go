package rfc822_test

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func fieldsOf(h rfc822.Header) []string {
	var all []string
	for name, value := range h.All() {
		all = append(all, name+"="+value)
	}
	return all
}

func TestReadHeaderSalvages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		want      []string
	}{
		{"as it should be", "A: 1\r\nB: 2\r\n 3\r\n\r\nbody: no\r\n", []string{"A=1", "B=2 3"}},
		{"empty", "", nil},
		{"line ends of Unix", "A: 1\nB: 2\n\nC: 3\n", []string{"A=1", "B=2"}},
		{"line ends of old Macs", "A: 1\rB: 2\r\rC: 3\r", []string{"A=1", "B=2"}},
		{"empty lines first", "\r\n\r\nA: 1\n\n", []string{"A=1"}},
		{"space first", "  A: 1\nB: 2\n\n", []string{"A=1", "B=2"}},
		{"mbox line", "From ann@a.example Tue Nov 15 08:12:31 1994\nA: 1\n\n", []string{"A=1"}},
		{"quoted mbox line", ">From ann@a.example Tue Nov 15\nA: 1\n\n", []string{"A=1"}},
		{"line without a colon", "A: 1\ngarbage here\nB: 2\n\n", []string{"A=1", "B=2"}},
		{"fold without a space", "A: 1\nof two\nand three\nFrom: b\n\n", []string{"A=1", "From=b"}},
		{"space before the colon", "A : 1\n\n", []string{"A=1"}},
		{"no empty line, then text", "A: 1\nHello Bob,\nhow are you\n", []string{"A=1"}},
		{"no empty line, then a boundary", "A: 1\n--b\nB: 2\n", []string{"A=1"}},
		{"blank fold", "A: 1\n \nB: 2\n\n", []string{"A=1", "B=2"}},
		{"blank line of spaces ends it", "A: 1\n  \nhello\n", []string{"A=1"}},
		{"empty value", "A:\nB: 2\n\n", []string{"A=", "B=2"}},
		{"no value but a fold", "A:\n 1\n\n", []string{"A=1"}},
		{"NUL", "A: a\x00b\n\n", []string{"A=a\uFFFDb"}},
		{"raw Latin-1", "A: caf\xe9 cr\xe8me\n\n", []string{"A=café crème"}},
		{"raw 8-bit in the charset of the body",
			"Content-Type: text/plain; charset=koi8-r\nA: \xf0\xf2\xe9\xf7\xe5\xf4\n\n",
			[]string{"Content-Type=text/plain; charset=koi8-r", "A=ПРИВЕТ"}},
		{"raw UTF-8", "A: caf\u00e9\n\n", []string{"A=café"}},
		{"no header at all", "Hello Bob\nhow are you\n", nil},
	} {
		h, err := rfc822.ReadHeader(strings.NewReader(c.raw), rfc822.Limits{})
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, fieldsOf(h), c.name)
	}
}

func TestReadHeaderStopsAtItsLimit(t *testing.T) {
	t.Parallel()
	raw := "A: 1\nB: " + strings.Repeat("x", 500) + "\nC: 3\n\n"
	h, err := rfc822.ReadHeader(strings.NewReader(raw), rfc822.Limits{HeaderBytes: 100})
	require.NoError(t, err)
	require.Equal(t, []string{"A=1", "C=3"}, fieldsOf(h))
}

func TestReadingFailsOnlyWithItsReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection lost")
	reader := func() io.Reader {
		return io.MultiReader(strings.NewReader("Subject: hello\n\nte"), iotest.ErrReader(broken))
	}
	h, err := rfc822.ReadHeader(io.MultiReader(strings.NewReader("Subject: hello\n"), iotest.ErrReader(broken)),
		rfc822.Limits{})
	require.ErrorIs(t, err, broken)
	require.Equal(t, "hello", h.Get("Subject"))
	m, err := rfc822.Parse(reader(), rfc822.Limits{})
	require.ErrorIs(t, err, broken)
	require.Equal(t, "te", m.Text)
	_, content, err := rfc822.OpenPart(reader(), "1", rfc822.Limits{})
	require.NoError(t, err)
	_, err = io.ReadAll(content)
	require.ErrorIs(t, err, broken)
	_, _, err = rfc822.OpenPart(reader(), "2", rfc822.Limits{})
	require.ErrorIs(t, err, broken)
}

func TestHeaderLooksFieldsUpWithoutCase(t *testing.T) {
	t.Parallel()
	h := rfc822.NewHeader(maps.All(map[string]string{"X-Test": " a\r\n b "}))
	require.Equal(t, "a b", h.Get("x-test"))
	require.True(t, h.Has("X-TEST"))
	require.False(t, h.Has("X-Tes"))
	require.Equal(t, 1, h.Len())
	h = readHeader(t, "Received: b\nReceived: a\nSubject: x\n")
	require.Equal(t, []string{"b", "a"}, h.Values("received"))
	require.Equal(t, "b", h.Get("received"))
	require.Empty(t, rfc822.Header{}.Get("Subject"))
}

func TestHeaderTextDecodesWords(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"plain":                                        "plain",
		"=?utf-8?q?Caf=C3=A9?=":                        "Café",
		"=?UTF-8?B?Q2Fmw6k=?= au lait":                 "Café au lait",
		"=?iso-8859-1?q?Caf=E9?=":                      "Café",
		"=?utf-8?b?Q2Fmww==?= =?utf-8?b?qQ?=":          "Café",
		"=?utf-8?q?Caf=C3?= =?utf-8?q?=A9?=":           "Café",
		"=?utf-8?q?a?= =?utf-8?q?b?= c":                "ab c",
		"=?utf-8?q?a?= b =?utf-8?q?c?=":                "a b c",
		"=?utf-8*en?q?hello?=":                         "hello",
		"=?utf-8?q?two words?=":                        "two words",
		"=?utf-8? Q?spaced?=":                          "spaced",
		"=?x-nonsense?q?abc?=":                         "abc",
		"=?utf-8?x?abc?=":                              "=?utf-8?x?abc?=",
		"=?utf-8?q?open":                               "=?utf-8?q?open",
		"=?utf-8?q?a=0D=0Ab=00c?=":                     "a  b\uFFFDc",
		"=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=":           "日本語",
		"=?cp932?B?k/qWe4zq?=":                         "日本語",
		"=?utf-7?q?Hi_Mom_+Jjo-!?=":                    "Hi Mom ☺!",
		"=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=":        "Привет",
		"=?gb2312?B?xOO6ww==?=":                        "你好",
		"=?unknown-8bit?q?caf=E9_cr=E8me_br=FBl=E9e?=": "café crème brûlée",
	} {
		require.Equal(t, want, readHeader(t, "Subject: "+value+"\n").Text("Subject"), "value %q", value)
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	e := readHeader(t, `Message-ID: <m1@a.example>
In-Reply-To: Your message of Monday <m0@a.example>
References: <r1@a.example>, junk <r 2> <r1@a.example>
	<m0@a.example>
From: Ann <ann@a.example>
From: second <second@a.example>
Sender: office@a.example
Reply-To: Desk <desk@a.example>
To: bob@b.example
To: eve@e.example
Cc: cy@c.example
Bcc: bo@c.example
Subject:
Subject: =?utf-8?q?hello?=
Date: Tue, 15 Nov 1994 08:12:31 +0200
`).Envelope()
	require.Equal(t, rfc822.Envelope{
		MessageID:  "m1@a.example",
		InReplyTo:  []string{"m0@a.example"},
		References: []string{"r1@a.example", "m0@a.example"},
		From:       []rfc822.Address{{Name: "Ann", Address: "ann@a.example"}},
		Sender:     rfc822.Address{Address: "office@a.example"},
		ReplyTo:    []rfc822.Address{{Name: "Desk", Address: "desk@a.example"}},
		To:         []rfc822.Address{{Address: "bob@b.example"}, {Address: "eve@e.example"}},
		Cc:         []rfc822.Address{{Address: "cy@c.example"}},
		Bcc:        []rfc822.Address{{Address: "bo@c.example"}},
		Subject:    "hello",
		Date:       time.Date(1994, 11, 15, 6, 12, 31, 0, time.UTC),
	}, e)
	require.Equal(t, "bare@a.example", readHeader(t, "Message-ID: bare@a.example\n").Envelope().MessageID)
	require.Empty(t, readHeader(t, "Message-ID: two words\n").Envelope().MessageID)
}

func TestScanIDsTakesOnlyWhatStandsInAngles(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 20 {
		many = append(many, "<"+strings.Repeat("x", i+1)+"@a>")
	}
	for value, want := range map[string][]string{
		"":                      nil,
		"a@b":                   nil,
		"<>":                    nil,
		"<a@b> <c@d>":           {"a@b", "c@d"},
		"<a@b>,<a@b>":           {"a@b"},
		"<a b@c> <d@e":          nil,
		"<<a@b>> text <c@d>":    {"a@b", "c@d"},
		strings.Join(many, " "): strings.Fields(strings.NewReplacer("<", "", ">", "").Replace(strings.Join(many, " "))),
	} {
		require.Equal(t, want, rfc822.ScanIDs(value), "value %q", value)
		require.Equal(t, want, rfc822.ScanIDs(value+value), "value %q twice", value)
	}
}

func TestReceivedTimesAreNewestFirst(t *testing.T) {
	t.Parallel()
	times := readHeader(t, "Received: by b; Tue, 15 Nov 1994 08:12:33 +0000\nReceived: by nobody\n"+
		"Received: from a (x; y) by b; Tue, 15 Nov 1994 08:12:31 +0000 (UTC)\nReceived: by c; never\n").Received()
	require.Len(t, times, 2)
	require.True(t, slices.IsSortedFunc(times, func(a, b time.Time) int { return b.Compare(a) }))
}
