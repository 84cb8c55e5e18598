package rfc822_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestSplitHTMLKnowsMailPrograms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, source, fresh, quoted string }{
		{
			"nothing quoted",
			`<p>Hello</p>`, `<p>Hello</p>`, ``,
		},
		{
			"Gmail",
			`<div dir="ltr">Yes</div><br><div class="gmail_quote"><div class="gmail_attr">On x wrote:</div><blockquote class="gmail_quote">May we?</blockquote></div>`,
			`<div dir="ltr">Yes</div><br>`,
			`<div class="gmail_quote"><div class="gmail_attr">On x wrote:</div><blockquote class="gmail_quote">May we?</blockquote></div>`,
		},
		{
			"Gmail, answered below",
			`<div class="gmail_quote"><div class="gmail_attr">On x wrote:</div><blockquote class="gmail_quote">May we?</blockquote><div>Yes</div></div>`,
			`<div class="gmail_quote"><div>Yes</div></div>`,
			`<div class="gmail_attr">On x wrote:</div><blockquote class="gmail_quote">May we?</blockquote>`,
		},
		{
			"Gmail, answered in between",
			`<div class="gmail_quote"><blockquote class="gmail_quote">A?</blockquote><div>a</div><blockquote class="gmail_quote">B?</blockquote><div>b</div><blockquote class="gmail_quote">bye</blockquote></div>`,
			`<div class="gmail_quote"><blockquote class="gmail_quote">A?</blockquote><div>a</div><blockquote class="gmail_quote">B?</blockquote><div>b</div></div>`,
			`<blockquote class="gmail_quote">bye</blockquote>`,
		},
		{
			"Gmail, with the footer of a list",
			`<p>Yes</p><div class="gmail_quote">old</div><p>list footer</p>`,
			`<p>Yes</p><p>list footer</p>`, `<div class="gmail_quote">old</div>`,
		},
		{
			"Outlook on the web",
			`<html><body><div><p>Yes</p></div><div id="appendonsend"></div><hr style="width:98%"><div id="divRplyFwdMsg"><b>From:</b> x</div><div>old</div></body></html>`,
			`<html><body><div><p>Yes</p></div></body></html>`,
			`<html><body><div id="appendonsend"></div><hr style="width:98%"><div id="divRplyFwdMsg"><b>From:</b> x</div><div>old</div></body></html>`,
		},
		{
			"Outlook, the ruler goes with the quote",
			`<div>Yes</div><hr><div id="divRplyFwdMsg">From</div>old`,
			`<div>Yes</div>`, `<hr><div id="divRplyFwdMsg">From</div>old`,
		},
		{
			"Outlook for Windows",
			`<div class=WordSection1><p>Ja</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p><b>Von:</b> x<br><b>Betreff:</b> y</p></div><p>alt</p></div>`,
			`<div class=WordSection1><p>Ja</p></div>`,
			`<div class=WordSection1><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p><b>Von:</b> x<br><b>Betreff:</b> y</p></div><p>alt</p></div>`,
		},
		{
			"a border above ordinary text",
			`<p>Ja</p><div style='border-top:solid 1pt'><p>Preise</p></div>`,
			`<p>Ja</p><div style='border-top:solid 1pt'><p>Preise</p></div>`, ``,
		},
		{
			"Apple Mail",
			`<body>Yes<br><div><br><blockquote type="cite"><div>On x wrote:</div>old</blockquote></div></body>`,
			`<body>Yes<br><div><br></div></body>`,
			`<blockquote type="cite"><div>On x wrote:</div>old</blockquote>`,
		},
		{
			"Thunderbird",
			`<p>Yes</p><div class="moz-cite-prefix">Am x schrieb y:</div><blockquote type="cite" cite="mid:1">old</blockquote>`,
			`<p>Yes</p>`,
			`<div class="moz-cite-prefix">Am x schrieb y:</div><blockquote type="cite" cite="mid:1">old</blockquote>`,
		},
		{
			"Thunderbird, answered below",
			`<div class="moz-cite-prefix">Am x schrieb y:</div><blockquote type="cite">old</blockquote><p>Yes</p>`,
			`<p>Yes</p>`,
			`<div class="moz-cite-prefix">Am x schrieb y:</div><blockquote type="cite">old</blockquote>`,
		},
		{
			"Yahoo",
			`<div>Yes</div><div id="ydp1yahoo_quoted_1" class="ydp1yahoo_quoted">old</div>`,
			`<div>Yes</div>`, `<div id="ydp1yahoo_quoted_1" class="ydp1yahoo_quoted">old</div>`,
		},
		{
			"a separator in plain words",
			`<p>Yes<br>-----Original Message-----<br>old</p>`,
			`<p>Yes<br></p>`, `<p>-----Original Message-----<br>old</p>`,
		},
		{
			"a forwarded mail and nothing else",
			`<div class="gmail_quote">Forwarded</div>`, `<div class="gmail_quote">Forwarded</div>`, ``,
		},
		{
			"an image is something to see",
			`<img src="cid:a"><blockquote type="cite">old</blockquote>`,
			`<img src="cid:a">`, `<blockquote type="cite">old</blockquote>`,
		},
		{
			"quotes inside a script are text",
			`<script>'<blockquote type="cite">'</script>Yes`, `<script>'<blockquote type="cite">'</script>Yes`, ``,
		},
		{
			"a quote nobody closes",
			`Yes<blockquote type="cite">old`, `Yes`, `<blockquote type="cite">old`,
		},
	} {
		fresh, quoted := rfc822.SplitHTML(c.source)
		require.Equal(t, c.fresh, fresh, "%s: new part of %q", c.name, c.source)
		require.Equal(t, c.quoted, quoted, "%s: quoted part of %q", c.name, c.source)
	}
}

// words lists the words of a page, in no order.
func words(page string) map[string]int {
	found := map[string]int{}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return found
		case html.TextToken:
			for word := range strings.FieldsSeq(string(z.Text())) {
				found[word]++
			}
		}
	}
}

// wellNested says whether every element that is opened is closed in turn.
func wellNested(page string) bool {
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return len(open) == 0
		}
		tag, _ := z.TagName()
		name := string(tag)
		switch kind {
		case html.StartTagToken:
			if !slices.Contains([]string{"br", "hr", "img", "input", "meta", "link", "base"}, name) {
				open = append(open, name)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != name {
				return false
			}
			open = open[:len(open)-1]
		}
	}
}

func TestSplitHTMLIsLinearOnHostilePages(t *testing.T) {
	t.Parallel()
	const n = 1 << 13
	for _, unit := range []string{
		"<div>", "</div>", "<blockquote type=cite>", "<div class=gmail_quote>x", "<hr>", "<div><hr>",
		"<div style='border-top:solid'>", "<b></i>", "<div class=gmail_quote><blockquote type=cite>a</blockquote>b</div>",
	} {
		fresh, quoted := rfc822.SplitHTML(strings.Repeat(unit, n))
		require.GreaterOrEqual(t, len(fresh)+len(quoted), n*len(unit), "length of %q repeated", unit)
	}
}

func FuzzSplitHTML(f *testing.F) {
	f.Add(`<body>Yes<br><div><blockquote type="cite"><div>On x wrote:</div>old</blockquote></div></body>`)
	f.Add(`<p>a</p><hr><div id="divRplyFwdMsg">b</div>`)
	f.Add(`<div class="gmail_quote"><blockquote type=cite>a</blockquote>b<blockquote type=cite>c</blockquote>d</div>`)
	f.Add(`a<div><div style="border-top:solid">From: b</div>c`)
	f.Fuzz(func(t *testing.T, source string) {
		fresh, quoted := rfc822.SplitHTML(source)
		for _, raw := range []string{"script", "style", "title", "textarea", "iframe", "no", "plaintext", "xmp", "<!", "<?"} {
			if strings.Contains(strings.ToLower(source), raw) {
				return
			}
		}
		if strings.Count(source, "<") != strings.Count(source, ">") {
			return
		}
		got := words(fresh)
		for word, n := range words(quoted) {
			got[word] += n
		}
		whole := 0
		for word, n := range words(source) {
			whole += n * len(word)
		}
		for word, n := range got {
			whole -= n * len(word)
		}
		require.Zero(t, whole, "text lost or doubled in splitting %q into %q and %q", source, fresh, quoted)
		if wellNested(source) {
			require.True(t, wellNested(fresh), "new part %q of %q", fresh, source)
			require.True(t, wellNested(quoted), "quoted part %q of %q", quoted, source)
		}
	})
}
