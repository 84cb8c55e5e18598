package htmlsafe_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/workinbox/workinbox/inbox/htmlsafe"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func samples(tb testing.TB) map[string]string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.html"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	found := map[string]string{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(tb, err)
		found[filepath.Base(path)] = string(raw)
	}
	return found
}

var allOptions = map[string]htmlsafe.Options{
	"strict": {},
	"inline": {InlineURL: func(id string) string { return "/parts/" + id }},
	"remote": {RemoteImages: true, DataImages: true, InlineURL: func(string) string { return "" }},
}

// checkSafe holds what must be true of everything Clean gives out. It reads the result with the
// HTML parser, which works as browsers do, not with the tokenizer Clean is built on.
func checkSafe(tb testing.TB, src string) {
	tb.Helper()
	for name, o := range allOptions {
		got := htmlsafe.Clean(src, o).String()
		require.True(tb, utf8.ValidString(got), "%s: result of %q is valid UTF-8", name, src)
		require.Equal(tb, got, htmlsafe.Clean(got, o).String(), "%s: cleaning the result of %q again", name, src)
		// Mail must stay inside the element it is put into.
		page := `<!DOCTYPE html><body><div id="host">` + got + `</div><p id="after"></p></body>`
		doc, err := html.Parse(strings.NewReader(page))
		require.NoError(tb, err, "%s: result of %q parses", name, src)
		checkNode(tb, doc, name, src, o.RemoteImages)
		host, after := byID(doc, "host"), byID(doc, "after")
		require.NotNil(tb, host, "%s: the place of %q", name, src)
		require.NotNil(tb, after, "%s: what stands behind %q", name, src)
		require.Same(tb, host.Parent, after.Parent, "%s: result %q of %q reaches out of its place", name, got, src)
	}
}

var forbidden = []string{"script", "style", "iframe", "object", "embed", "form", "input", "button", "meta", "link",
	"base", "svg", "math", "template", "textarea", "title", "select", "video", "audio", "source", "frame", "frameset",
	"applet", "noscript", "area", "map", "xmp", "plaintext"}

func checkNode(tb testing.TB, n *html.Node, name, src string, remote bool) {
	tb.Helper()
	if n.Type == html.ElementNode {
		require.NotContains(tb, forbidden, n.Data, "%s: element in the result of %q", name, src)
		for _, a := range n.Attr {
			at := name + ": attribute " + a.Key + "=" + a.Val + " in the result of"
			value := strings.ToLower(strings.Map(func(r rune) rune {
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val))
			require.False(tb, strings.HasPrefix(a.Key, "on"), "%s %q", at, src)
			require.NotContains(tb, []string{"srcset", "background", "poster", "action", "formaction", "ping", "srcdoc",
				"name", "class", "cite", "usemap", "xlink:href"}, a.Key, "%s %q", at, src)
			switch a.Key {
			case "href":
				require.Regexp(tb, `^(https?://|mailto:|tel:)`, value, "%s %q", at, src)
			case "src":
				allowed := `^(cid:|/parts/)`
				if remote {
					allowed = `^(https?://|data:image/(png|jpeg|gif|webp);base64,)`
				}
				require.Regexp(tb, allowed, value, "%s %q", at, src)
			case "style":
				for _, bad := range []string{"url(", "expression", "@", `\`, "javascript", "position", "/*", "image-set", "-moz-binding"} {
					require.NotContains(tb, value, bad, "%s %q", at, src)
				}
			case "id":
				require.Contains(tb, []string{"host", "after"}, a.Val, "%s %q", at, src)
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		checkNode(tb, c, name, src, remote)
	}
}

func byID(n *html.Node, id string) *html.Node {
	if n.Type == html.ElementNode && slices.Contains(n.Attr, html.Attribute{Key: "id", Val: id}) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := byID(c, id); found != nil {
			return found
		}
	}
	return nil
}

func TestCleanMatchesGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, src := range samples(t) {
		got := htmlsafe.Clean(src, allOptions["inline"]).String()
		path := filepath.Join("testdata", strings.TrimSuffix(name, ".html")+".golden")
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "%s: cleaned", name)
		checkSafe(t, src)
	}
}

func TestCleanKeepsTheLookOfMail(t *testing.T) {
	t.Parallel()
	const rel = ` rel="noopener noreferrer nofollow" target="_blank"`
	for _, c := range []struct{ name, src, want string }{
		{"empty", ``, ``},
		{"text", `a < b & c`, `a &lt; b &amp; c`},
		{"a document", `<html><head><title>x</title></head><body><p>y</p></body></html>`, `<p>y</p>`},
		{
			"colours and fonts", `<font color=red face="Arial, 'My Font'" size=+1>x</font>`,
			`<font color="red" face="Arial, &#39;My Font&#39;" size="+1">x</font>`,
		},
		{
			"style",
			`<p style="COLOR:Red !important;font-family:'My Font',serif;margin:1em 0;x:y">x</p>`,
			`<p style="color: red; font-family: &#39;My Font&#39;,serif; margin: 1em 0">x</p>`,
		},
		{
			"a background that is a colour", `<td style="background:#FFF">x`,
			`<td style="background-color: #fff">x</td>`,
		},
		{
			"a border",
			`<p style="border-top:solid #E1E1E1 1.0pt;border:1px solid rgb(1, 2, 3)">x</p>`,
			`<p style="border-top: solid #e1e1e1 1.0pt; border: 1px solid rgb(1, 2, 3)">x</p>`,
		},
		{
			"a table",
			`<table width=600px bgcolor=ffffff><tr><td align=center colspan=2 nowrap>x<td>y</table>`,
			`<table width="600" bgcolor="ffffff"><tr><td align="center" colspan="2" nowrap="nowrap">x</td><td>y</td></tr></table>`,
		},
		{
			"paragraphs nobody closes", `<p>a<p>b<ul><li>c<li>d`,
			`<p>a</p><p>b</p><ul><li>c</li><li>d</li></ul>`,
		},
		{
			"a row inside a cell", `<table><tr><td><p><b>a<tr><td>b</table>`,
			`<table><tr><td><p><b>a</b></p></td></tr><tr><td>b</td></tr></table>`,
		},
		{
			"an end that reaches out of its cell",
			`<div><table><tr><td>a</div>b</td></tr></table>c</div>`,
			`<div><table><tr><td>ab</td></tr></table>c</div>`,
		},
		{
			"a link", `<a href=" https://x.example/?a=1&b=2 " target=_top class=c>x</a>`,
			`<a href="https://x.example/?a=1&amp;b=2"` + rel + `>x</a>`,
		},
		{
			"a link with a space", `<a href="https://x.example/a b">x</a>`,
			`<a href="https://x.example/a%20b"` + rel + `>x</a>`,
		},
		{
			"a mail address", `<a href="mailto:a@x.example?subject=b">x</a>`,
			`<a href="mailto:a@x.example?subject=b"` + rel + `>x</a>`,
		},
		{
			"a link inside our own pages",
			`<a href="/logout">x</a><a href="#top">y</a><a name=z>z</a>`, `xyz`,
		},
		{"the end of something else", `a</div></td></body>b`, `ab`},
		{
			"an inline image", `<img src="cid:a@b" alt="Logo">`,
			`<img data-cid="a@b" src="cid:a@b" alt="Logo">`,
		},
		{
			"an inline image with angles", `<img src="CID:%3Ca@b%3E">`,
			`<img data-cid="a@b" src="cid:a@b">`,
		},
		{
			"a remote image", `<img src="http://x.example/a.png" alt=Logo width=10px>`,
			`<img alt="Logo" width="10">`,
		},
		{"a remote image and nothing else", `<img src="http://x.example/a.png">`, ``},
		{"a form", `<form action=x><input><button>Go</button></form>`, `Go`},
		{"comments", `a<!-- b --><!--[if mso]>c<![endif]-->d<![if !mso]>e<![endif]>`, `ade`},
		{
			"hidden text", `<div style="display:none;opacity:0">x</div>`,
			`<div style="display: none">x</div>`,
		},
	} {
		require.Equal(t, c.want, htmlsafe.Clean(c.src, htmlsafe.Options{}).String(), "%s: %q cleaned", c.name, c.src)
		checkSafe(t, c.src)
	}
}

func TestCleanImages(t *testing.T) {
	t.Parallel()
	const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
	remote := htmlsafe.Options{RemoteImages: true}
	ours := func(url string) bool { return url == "https://x.example/a.png" }
	data := htmlsafe.Options{DataImages: true}
	inline := func(url string) htmlsafe.Options {
		return htmlsafe.Options{InlineURL: func(string) string { return url }}
	}
	for _, c := range []struct {
		name    string
		src     string
		o       htmlsafe.Options
		want    string
		blocked int
	}{
		{
			"remote, allowed", `<img src="https://x.example/a.png">`, remote,
			`<img src="https://x.example/a.png">`, 0,
		},
		{
			"remote, unwanted", `<img alt=a src="https://x.example/a.png"><img src="https://y.example/b.png">`,
			htmlsafe.Options{RemoteImages: true, Unwanted: ours}, `<img alt="a"><img src="https://y.example/b.png">`, 0,
		},
		{
			"unwanted, by default", `<img alt=a src="https://x.example/a.png"><img alt=b src="https://y.example/b.png">`,
			htmlsafe.Options{Unwanted: ours}, `<img alt="a"><img alt="b">`, 1,
		},
		{
			"remote, never by srcset", `<img alt=a srcset="https://x.example/a.png 2x">`, remote,
			`<img alt="a">`, 0,
		},
		{"remote, without a scheme", `<img alt=a src="//x.example/a.png">`, remote, `<img alt="a">`, 1},
		{
			"remote, by default",
			`<img alt=a src="https://x.example/a.png"><table background="http://x.example/b">`,
			htmlsafe.Options{}, `<img alt="a"><table></table>`, 2,
		},
		{
			"remote, in a style", `<p style="background:url( 'http://x.example/b' )">`,
			htmlsafe.Options{}, `<p></p>`, 1,
		},
		{"remote, in the body", `<body background="http://x.example/b">`, htmlsafe.Options{}, ``, 1},
		{"from our own pages", `<img alt=a src="/logout">`, remote, `<img alt="a">`, 0},
		{"data, by default", `<img alt=a src="` + pixel + `">`, htmlsafe.Options{}, `<img alt="a">`, 0},
		{"data, allowed", `<img src="` + pixel + `">`, data, `<img src="` + pixel + `">`, 0},
		{
			"data, wrapped", "<img src=\" DATA:image/GIF;base64,R0lGOD\r\nlhAQABAAAAACw= \">", data,
			`<img src="` + pixel + `">`, 0,
		},
		{
			"data that is SVG", `<img alt=a src="data:image/svg+xml;base64,PHN2Zz4=">`, data,
			`<img alt="a">`, 0,
		},
		{
			"data that is HTML", `<img alt=a src="data:text/html;base64,PHN2Zz4=">`, data,
			`<img alt="a">`, 0,
		},
		{"data that is broken", `<img alt=a src="data:image/gif;base64,?">`, data, `<img alt="a">`, 0},
		{
			"inline", `<img src="cid:a@b">`, inline("https://h.example/p?x=1&y"),
			`<img data-cid="a@b" src="https://h.example/p?x=1&amp;y">`, 0,
		},
		{"inline, unknown", `<img src="cid:a@b">`, inline(""), `<img data-cid="a@b">`, 0},
		{
			"inline, to a script", `<img src="cid:a@b">`, inline("javascript:alert(1)"),
			`<img data-cid="a@b">`, 0,
		},
		{"inline, with quotes", `<img src="cid:a&quot;b">`, inline("/x"), ``, 0},
		{
			"an id of its own", `<img data-cid="a@b" src="https://x.example/a.png">`, inline("/x"),
			`<img data-cid="a@b" src="/x">`, 0,
		},
	} {
		got := htmlsafe.Clean(c.src, c.o)
		require.Equal(t, c.want, got.String(), "%s: %q cleaned", c.name, c.src)
		require.Equal(t, c.blocked, got.Blocked(), "%s: images left out of %q", c.name, c.src)
		require.Equal(t, c.want, htmlsafe.Clean(got.String(), c.o).String(), "%s: cleaned again", c.name)
	}
}

func TestHTMLInJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(htmlsafe.Clean(`<b onclick=x>a</b>`, htmlsafe.Options{}))
	require.NoError(t, err)
	var s string
	require.NoError(t, json.Unmarshal(got, &s))
	require.Equal(t, "<b>a</b>", s)
	require.Empty(t, htmlsafe.HTML{}.String())
}

// Anything slower than linear would run into the timeout of the test.
func TestCleanIsLinearOnHostileMail(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for _, unit := range []string{
		"<div>", "</div>", "<b></i>", "<p>", "<table><tr><td>", "<svg>", "<font>", "<a href=x>", "<!--", "<",
		"&", "<img src=cid:a style='a:b;'>", `<p style="`, "<object></object></object>",
	} {
		src := strings.Repeat(unit, n) + "end"
		got := htmlsafe.Clean(src, htmlsafe.Options{}).String()
		require.Equal(t, got, htmlsafe.Clean(got, htmlsafe.Options{}).String(), "%q repeated, cleaned again", unit)
	}
	src := "<p style=\"" + strings.Repeat("color:red;", n) + "\" title=\"" + strings.Repeat("a", n) + "\">"
	require.Equal(t, "<p></p>", htmlsafe.Clean(src, htmlsafe.Options{}).String())
	src = "<p " + strings.Repeat("a=b ", n) + ">"
	require.Equal(t, "<p></p>", htmlsafe.Clean(src, htmlsafe.Options{}).String())
	deep := htmlsafe.Clean(strings.Repeat("<div>", n)+"end", htmlsafe.Options{}).String()
	require.Equal(t, strings.Repeat("<div>", 200)+"end"+strings.Repeat("</div>", 200), deep)
}

func FuzzClean(f *testing.F) {
	for _, src := range samples(f) {
		f.Add(src)
	}
	for _, v := range vectors {
		f.Add(v)
	}
	f.Fuzz(checkSafeFuzz)
}

func checkSafeFuzz(t *testing.T, src string) { checkSafe(t, src) }

func BenchmarkClean(b *testing.B) {
	found, size := samples(b), 0
	for _, src := range found {
		size += len(src)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, src := range found {
			htmlsafe.Clean(src, htmlsafe.Options{})
		}
	}
}
