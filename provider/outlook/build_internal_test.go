package outlook

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// wholePage is a page of n messages that can be built.
func wholePage(n int) []byte {
	return bytes.ReplaceAll(listPage(n, 10_000), []byte(`"isDraft":false`), []byte(`"isDraft":false,"hasAttachments":false`))
}

// With its body and its raw bytes too, a message costs at most 40 allocations.
func TestWholePagesDecodeLean(t *testing.T) {
	raw := wholePage(100)
	per := testing.AllocsPerRun(20, func() {
		var p page[whole]
		if json.Unmarshal(raw, &p) != nil {
			t.Fatal("no page")
		}
		lean := leanPage(p)
		for i := range lean.Value {
			if lean.Value[i].header(kindMail).Raw == nil {
				t.Fatal("not built")
			}
		}
	}) / 100
	t.Logf("%.1f allocations a message", per)
	require.LessOrEqual(t, per, 40.0)
}

func BenchmarkWholePage(b *testing.B) {
	raw := wholePage(100)
	b.Run("built", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var p page[whole]
			if err := json.Unmarshal(raw, &p); err != nil {
				b.Fatal(err)
			}
			lean := leanPage(p)
			for i := range lean.Value {
				_ = lean.Value[i].header(kindMail)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var p page[whole]
			if err := json.Unmarshal(raw, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Whatever a message says of itself, what is built has one header, with lines of a mail, and the body.
func FuzzBuild(f *testing.F) {
	for i, header := range []string{"Subject", "X-A\r\nBcc", "content-type", "Message-ID"} {
		f.Add(header, "value\r\n folded", strings.Repeat("line\r\n", i), i%2 == 0)
	}
	f.Add("References", strings.Repeat("<a@b> ", 400), "\x00 "+strings.Repeat("x", 2000), true)
	f.Add("Content-Type", "text/html", "<p>x</p>\n\n.\n", true)
	f.Fuzz(func(t *testing.T, name, value, content string, html bool) {
		kind := map[bool]string{true: "html", false: "text"}[html]
		text, err := json.Marshal(map[string]any{"id": "a", "body": map[string]string{"contentType": kind, "content": content},
			"internetMessageHeaders": []map[string]string{{"name": "From", "value": "kim@client.example"}, {"name": name, "value": value}}})
		require.NoError(t, err)
		var x whole
		require.NoError(t, json.Unmarshal(text, &x))
		raw := x.build()
		if raw == nil {
			return
		}
		p, err := rfc822.Parse(bytes.NewReader(raw), rfc822.Limits{})
		require.NoError(t, err)
		n := 0
		for range p.Header.All() {
			n++
		}
		if n < 5 || n > 6 {
			t.Errorf("%d header fields: %q", n, raw)
		}
		head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n\x00") {
				t.Errorf("a line of the header has a line end: %q", line)
			}
		}
		if p.Header.Get("From") != "kim@client.example" {
			t.Errorf("the author is gone: %q", raw)
		}
	})
}
