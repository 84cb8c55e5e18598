package rfc822_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

type replyCase struct {
	Name    string
	Email   string
	Trimmed string
	Elided  string
}

func replyCases(tb testing.TB) []replyCase {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "replies", "expected.json"))
	require.NoError(tb, err)
	var cases []replyCase
	require.NoError(tb, json.Unmarshal(raw, &cases))
	require.NotEmpty(tb, cases)
	return cases
}

func fullLines(s string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n") {
		if line = strings.TrimRight(line, " \t"); strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// ourOwnWay names the samples we read differently, and why.
var ourOwnWay = map[string]string{
	"embedded_email_1.txt": "text below a quote may be an answer; it is shown, not taken for a signature",
}

func TestSplitTextReadsRealReplies(t *testing.T) {
	t.Parallel()
	cases, same := replyCases(t), 0
	for _, c := range cases {
		got, want := fullLines(rfc822.SplitText(c.Email).New), fullLines(c.Trimmed)
		_, differs := ourOwnWay[c.Name]
		switch {
		case slices.Equal(got, want):
			same++
			if differs {
				t.Errorf("%s: reads as expected, so it does not belong into the list of exceptions", c.Name)
			}
		case !differs:
			t.Errorf("%s: new text\ngot  %q\nwant %q", c.Name, got, want)
		}
	}
	t.Logf("%d of %d samples read as their authors expect", same, len(cases))
}

func TestSplitTextLosesNoLine(t *testing.T) {
	t.Parallel()
	for _, c := range replyCases(t) {
		checkSplit(t, c.Email)
	}
}

// checkSplit holds what must be true of any text.
func checkSplit(tb testing.TB, text string) {
	tb.Helper()
	body := rfc822.SplitText(text)
	got := slices.Concat(fullLines(body.New), fullLines(body.Quoted), fullLines(body.Signature))
	want := fullLines(text)
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(tb, want, got, "every line that is not blank is in exactly one part of %q", text)
	again := rfc822.SplitText(body.New)
	require.Equal(tb, body.New, again.New, "splitting the new text of %q again", text)
	require.Empty(tb, again.Quoted+again.Signature, "splitting the new text of %q again", text)
}

func TestSplitTextKnowsAttributions(t *testing.T) {
	t.Parallel()
	const quoted = "\n\n> old text\n"
	for _, c := range []struct{ name, attribution string }{
		{"Gmail, English", "On Wed, Jan 1, 2020 at 12:00 PM Ann Lee <ann@example.com> wrote:"},
		{"Gmail, wrapped", "On Wed, Jan 1, 2020 at 12:00 PM Ann Lee <\nann@example.com> wrote:"},
		{"Apple Mail", "On 1. Jan 2020, at 12:00, Ann Lee <ann@example.com> wrote:"},
		{"Thunderbird", "On 01.01.20 12:00, Ann Lee wrote:"},
		{"Thunderbird, German", "Am 01.01.20 um 12:00 schrieb Ann Lee:"},
		{"Gmail, German", "Am Mi., 1. Jan. 2020 um 12:00 Uhr schrieb Ann Lee <ann@example.com>:"},
		{"Gmail, French", "Le mer. 1 janv. 2020 à 12:00, Ann Lee <ann@example.com> a écrit\u00a0:"},
		{"Gmail, Spanish", "El mié, 1 ene 2020 a las 12:00, Ann Lee (<ann@example.com>) escribió:"},
		{
			"Gmail, Portuguese",
			"Em qua., 1 de jan. de 2020 às 12:00, Ann Lee <ann@example.com> escreveu:",
		},
		{
			"Gmail, Italian",
			"Il giorno mer 1 gen 2020 alle ore 12:00 Ann Lee <ann@example.com> ha scritto:",
		},
		{"Gmail, Dutch", "Op wo 1 jan. 2020 om 12:00 schreef Ann Lee <ann@example.com>:"},
		{"Gmail, Swedish", "Den ons 1 jan. 2020 kl 12:00 skrev Ann Lee <ann@example.com>:"},
		{"Gmail, Danish", "Den ons. 1. jan. 2020 kl. 12.00 skrev Ann Lee <ann@example.com>:"},
		{"Gmail, Norwegian", "ons. 1. jan. 2020 kl. 12:00 skrev Ann Lee <ann@example.com>:"},
		{"Gmail, Finnish", "ke 1. tammik. 2020 klo 12.00 Ann Lee (ann@example.com) kirjoitti:"},
		{"Gmail, Polish", "śr., 1 sty 2020 o 12:00 Ann Lee <ann@example.com> napisał(a):"},
		{"Gmail, Czech", "st 1. 1. 2020 v 12:00 odesílatel Ann Lee <ann@example.com> napsal:"},
		{
			"Gmail, Hungarian",
			"Ann Lee <ann@example.com> ezt írta (időpont: 2020. jan. 1., Sze, 12:00):",
		},
		{"Gmail, Turkish", "Ann Lee <ann@example.com>, 1 Oca 2020 Çar, 12:00 tarihinde şunu yazdı:"},
		{"Gmail, Russian", "ср, 1 янв. 2020 г. в 12:00, Ann Lee <ann@example.com>:"},
		{"Gmail, Ukrainian", "ср, 1 січ. 2020 р. о 12:00 Ann Lee <ann@example.com> пише:"},
		{"Gmail, Romanian", "În mie., 1 ian. 2020 la 12:00, Ann Lee <ann@example.com> a scris:"},
		{
			"Gmail, Greek",
			"Στις Τετ, 1 Ιαν 2020 στις 12:00 μ.μ., ο χρήστης Ann Lee <ann@example.com> έγραψε:",
		},
		{"Gmail, Chinese", "Ann Lee <ann@example.com> 于2020年1月1日周三 下午12:00写道："},
		{"Gmail, Japanese", "2020年1月1日(水) 12:00 Ann Lee <ann@example.com>:"},
		{"Gmail, Korean", "2020년 1월 1일 (수) 오후 12:00, Ann Lee <ann@example.com>님이 작성:"},
		{
			"Gmail, Hebrew",
			"\u202bבתאריך יום ד׳, 1 בינו׳ 2020 ב-12:00 מאת \u202aAnn Lee\u202c\u200f <\u202aann@example.com\u202c\u200f>:\u202c",
		},
		{"a name and no date", "Ann Lee wrote:"},
		{"a name and a bare date", "Ann Lee wrote on 2020-01-01 12:00:"},
		{"Zoho", "---- On Wed, 01 Jan 2020 12:00:00 +0000 Ann Lee <ann@example.com> wrote ----"},
		{
			"Outlook",
			"-----Original Message-----\nFrom: Ann Lee <ann@example.com>\nSent: Wednesday, January 1, 2020 12:00 PM\nTo: Bob\nSubject: Hello",
		},
		{
			"Outlook, no dashes",
			"From: Ann Lee <ann@example.com>\nSent: Wednesday, January 1, 2020 12:00 PM\nTo: Bob\nCc: Cyd\nSubject: Hello",
		},
		{
			"Outlook, Danish",
			"Fra: Ann Lee <ann@example.com>\nSendt: 1. januar 2020 12:00\nTil: Bob\nEmne: Hello",
		},
		{
			"Outlook, Japanese",
			"差出人: Ann Lee <ann@example.com>\n送信日時: 2020年1月1日 12:00\n宛先: Bob\n件名: Hello",
		},
		{
			"Apple, forwarded, German",
			"Anfang der weitergeleiteten Nachricht:\n\nVon: Ann Lee <ann@example.com>\nBetreff: Hello\nDatum: 1. Januar 2020\nAn: Bob",
		},
		{"QQ", "------------------ 原始邮件 ------------------"},
	} {
		body := rfc822.SplitText("Fine with me.\n\n" + c.attribution + quoted)
		require.Equal(t, "Fine with me.", body.New, "%s: new text above %q", c.name, c.attribution)
		require.Contains(t, body.Quoted, "> old text", "%s: quoted text", c.name)
	}
}

func TestSplitTextLeavesOrdinaryTextAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"empty", ""},
		{
			"a sentence that announces",
			"On 3 March 2020 at 10:00 we agreed on the following:\n\none price",
		},
		{"somebody wrote, long ago", "In 2019 she wrote:\n\nall is well"},
		{"somebody wrote, and no quote follows", "Ann wrote:\n\nall is well"},
		{"a journey", "From: Berlin\nTo: Munich\nDate: 5 May\n\nplease book"},
		{"one header word", "Subject: see above\n\nbye"},
		{"a heading", "Offer\n=====\n\n100 chairs"},
		{"a divider in a long text", "Intro\n\n----------\n" + strings.Repeat("point\n\n", 11) + "end"},
		{"a table", "| a | b |\n| 1 | 2 |"},
		{"code with a quote sign", "Try this:\n\n```\n> print\n-- comment\n```"},
		{"indented code", "Try this:\n\n    > print"},
		{"a prompt", "Run this:\n\nPS> Get-Item"},
		{"von meinem, in a sentence", "Hallo,\n\nVon meinem Chef soll ich gruessen"},
		{"a fence nobody closes", "```\ncode"},
		{"answers between quotes", "> first\n\nyes\n\n> second\n\nno"},
	} {
		body := rfc822.SplitText(c.text)
		require.Equal(t, strings.TrimRight(c.text, "\n"), body.New, "%s: new text of %q", c.name, c.text)
	}
}

func TestSplitTextKeepsTheThreeApart(t *testing.T) {
	t.Parallel()
	body := rfc822.SplitText("Yes.\r\n\r\n-- \r\nAnn\r\nSales\r\n\r\n" +
		"On Wed, 1 Jan 2020 at 12:00, Bob <bob@example.com> wrote:\r\n> May we?\r\n> -- \r\n> Bob\r\n")
	require.Equal(t, rfc822.Body{
		New:       "Yes.",
		Signature: "-- \nAnn\nSales",
		Quoted:    "On Wed, 1 Jan 2020 at 12:00, Bob <bob@example.com> wrote:\n> May we?\n> -- \n> Bob",
	}, body)
}

// Anything slower than linear would run into the timeout of the test here.
func TestSplitTextIsLinearOnHostileText(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{">", "> ", "-", "On ", "On 1 Jan 2020 at 10:00 ", "From: ", "wrote: ", "<a@b>"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		body := rfc822.SplitText(text + ":")
		require.Equal(t, len(text)+1, len(body.New)+len(body.Quoted), "1 MB of %q in a line", unit)
	}
	const size = 1 << 16
	for _, unit := range []string{
		"On\n", "x:\n", ">\n", "wrote:\n", "On 1 Jan 2020\n", "From: x\n", "--\n", "```\n",
		"On 1 Jan 2020 at 10:00\nwrote:\n", "<\n\n", "Sent from my phone\n", "a>\n", "____\n\n",
		"On 1 Jan 2020, a@b\nwrote:\n\n> q\ntext\n", "2020-01-01 <a@b>\n",
	} {
		text := strings.Repeat(unit, size/len(unit))
		checkSplit(t, text)
	}
	// Nested so that each round uncovers the next attribution.
	text := strings.Repeat("On 1 Jan 2020 at 10:00 x\n", 1000) + strings.Repeat("wrote:\n", 1000)
	checkSplit(t, text)
}

func TestPreviewIsOneShortLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		limit      int
		want       string
	}{
		{
			"new text only",
			"Yes,\n\n  please. \n\nOn 1 Jan 2020 at 12:00, Bob <b@example.com> wrote:\n> ok?", 80,
			"Yes, please.",
		},
		{"cut", "one two three", 7, "one tw…"},
		{"just fits", "one two", 7, "one two"},
		{
			"only a quote below an attribution",
			"On 1 Jan 2020 at 12:00, Bob <b@example.com> wrote:\n> ok?", 20, "On 1 Jan 2020 at 12…",
		},
		{"padding of newsletters", "Sale\u034f\u200c \u00ad\u200b now", 20, "Sale now"},
		{"not UTF-8", "a\xffb", 20, "a\ufffdb"},
		{"nothing", " \n", 20, ""},
		{"no room", "text", 0, ""},
		{"wide characters count as one", "日本語です", 3, "日本…"},
	} {
		got := rfc822.Preview(c.text, c.limit)
		require.Equal(t, c.want, got, "%s: preview of %q in %d runes", c.name, c.text, c.limit)
	}
}

func FuzzSplitText(f *testing.F) {
	for _, c := range replyCases(f) {
		f.Add(c.Email)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkSplit(t, text)
		line := rfc822.Preview(text, 40)
		require.True(t, utf8.ValidString(line), "preview of %q is valid UTF-8", text)
		require.LessOrEqual(t, utf8.RuneCountInString(line), 40, "preview of %q", text)
		require.NotContains(t, line, "\n", "preview of %q", text)
	})
}

func BenchmarkSplitText(b *testing.B) {
	cases, size := replyCases(b), 0
	for _, c := range cases {
		size += len(c.Email)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range cases {
			rfc822.SplitText(c.Email)
		}
	}
}
