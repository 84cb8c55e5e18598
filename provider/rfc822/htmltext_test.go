package rfc822_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestHTMLToText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, html, want string }{
		{"empty", "", ""},
		{"white space", " \n <br> ", ""},
		{"words", "a  b\r\n c", "a b c\n"},
		{"paragraphs", "<p>one</p><p>two</p>", "one\n\ntwo\n"},
		{"blocks", "<div>one</div><div>two<div>three</div></div>", "one\ntwo\nthree\n"},
		{"line breaks", "one<br>two<br><br>three<br/><br/><br/>four", "one\ntwo\n\nthree\n\nfour\n"},
		{"break at the end of a block", "<div>one<br></div><div>two</div>", "one\ntwo\n"},
		{"empty line of Outlook", "<div>one</div><div><br></div><div>two</div>", "one\n\ntwo\n"},
		{"table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a\tb\nc\td\n"},
		{"list", "<ul><li>one</li><li>two</li></ul>", "* one\n* two\n"},
		{"quote", "yes<blockquote>are you<br>sure?<blockquote>yes</blockquote></blockquote>no",
			"yes\n\n> are you\n> sure?\n\n> > yes\n\nno\n"},
		{"heading", "<h1>title</h1>text", "title\n\ntext\n"},
		{"rule", "one<hr>two", "one\n---\ntwo\n"},
		{"pre", "<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc\n"},
		{"entities", "a &lt;b&gt; &amp;&nbsp;&eacute; &#8364;", "a <b> & é €\n"},
		{"link", `<a href="https://a.example/x">here</a>`, "here <https://a.example/x>\n"},
		{"link that shows itself", `<a href="https://a.example/x">a.example/x</a>`, "a.example/x\n"},
		{"link without text", `<a href="https://a.example/x"><img src="x"></a>`, ""},
		{"link to run", `<a href="javascript:alert(1)">here</a>`, "here\n"},
		{"picture with words", `<img alt="Logo" src=x>text`, "Logo text\n"},
		{"script and style", "a<script>x<b>y</b></script><style>p{}</style>b", "ab\n"},
		{"title", "<html><head><title>t</title></head><body>b", "b\n"},
		{"comment", "a<!-- x -->b", "ab\n"},
		{"comment of Office", "a<!--[if mso]><table><tr><td>hidden</td></tr></table><![endif]-->b", "ab\n"},
		{"revealed comment of Office", "a<![if !mso]>b<![endif]>c", "abc\n"},
		{"noscript", "<noscript><p>shown</p></noscript>", "shown\n"},
		{"invisible characters", "a\u200bb\u00adc\ufeffd", "abcd\n"},
		{"invalid UTF-8", "a\xffb", "a\uFFFDb\n"},
		{"unclosed tag", "text <b", "text\n"},
	} {
		require.Equal(t, c.want, rfc822.HTMLToText(c.html), c.name)
	}
}

func TestHTMLToTextReadsDeepNesting(t *testing.T) {
	t.Parallel()
	read := func(n int) {
		got := rfc822.HTMLToText(strings.Repeat("<div><blockquote>", n) + "deep")
		require.True(t, strings.HasSuffix(got, "deep\n"), "got %.60q", got)
	}
	require.Less(t, growth(12_500, read), float64(moreWork), "work on 200,000 open elements, of that on 25,000")
}

// FuzzHTMLToText: the text is valid UTF-8 without carriage returns and has no blank edge, and plain
// words without markup come back as they are.
func FuzzHTMLToText(f *testing.F) {
	for _, s := range everything(f) {
		if m := parse(f, s.raw); m.HTML != "" && len(m.HTML) < 20<<10 {
			f.Add(m.HTML)
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		got := rfc822.HTMLToText(source)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\r\x00") {
			t.Fatalf("%q: got %q", source, got)
		}
		if got != "" && (got[0] == '\n' || got[len(got)-1] != '\n') {
			t.Fatalf("%q: got %q", source, got)
		}
		if !strings.ContainsAny(source, "<>&") && utf8.ValidString(source) && isPlainWords(source) &&
			strings.Join(strings.Fields(source), " ") != strings.TrimSuffix(got, "\n") {
			t.Fatalf("%q: got %q", source, got)
		}
	})
}

func isPlainWords(s string) bool {
	for _, r := range s {
		if r != ' ' && r != '\n' && (r < '0' || r > 'z') {
			return false
		}
	}
	return true
}
