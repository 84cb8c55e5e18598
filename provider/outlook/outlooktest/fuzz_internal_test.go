package outlooktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"
)

var fuzzMessage = &message{
	owner: &Account{}, raw: []byte("From: a@b.example\r\nSubject: Hi\r\n\r\nbody"), folder: &folder{},
}

// FuzzFilter states that any text is either refused or gives a filter that can be asked.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"receivedDateTime ge 2026-10-01T00:00:00Z and (isDraft eq false or not contains(subject,'x''y'))",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'a' and ep/value eq 'b')",
		"from/emailAddress/address eq 'a@b'", "((((", "'", "subject eq", "not not not isRead eq true",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, refusal := parseFilter(s)
		if (got == nil) == (refusal == nil) {
			t.Fatalf("%q: neither a filter nor a refusal, or both", s)
		}
		if got != nil {
			got.match(fuzzMessage)
		}
	})
}

// FuzzKQL states the same of searches, and that the same search finds the same.
func FuzzKQL(f *testing.F) {
	for _, s := range []string{
		`participants:acme.com AND received>=2026-10-01`, `(from:a OR "b c") NOT d*`, `subject:"x y"`,
		`((`, `:`, `received>=`, `a:=<>"`, `AND`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		match, ok := parseKQL(s)
		if !ok {
			return
		}
		if first, second := match(fuzzMessage), match(fuzzMessage); first != second {
			t.Fatalf("%q: not the same twice", s)
		}
	})
}

// FuzzSafeHTML states that what was cleaned has no element and no attribute that cleaning takes out,
// as a tokenizer reads it.
func FuzzSafeHTML(f *testing.F) {
	for _, s := range []string{
		`<p onclick="x">a</p><script>b</script>`, `<a href=" javascript:x">`, `<<script`, `<iframe/>`,
		`<form><script></form></script>`, `<title><script></title>`,
		`<a href="JAVASCRIPT:x" on=1>`, `<a href=&#106;avascript:x>`, `<a
onx>`, `<p>on = 1 and on</p>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		z := nethtml.NewTokenizer(strings.NewReader(safeHTML(s)))
		for z.Next() != nethtml.ErrorToken {
			tag := z.Token()
			opens := tag.Type == nethtml.StartTagToken || tag.Type == nethtml.SelfClosingTagToken
			if opens && (slices.Contains(unsafeElements, tag.Data) || slices.ContainsFunc(tag.Attr, unsafeAttribute)) {
				t.Fatalf("%q: %s is left", s, tag.Data)
			}
		}
	})
}

// FuzzPrefer states that any header is read without harm.
func FuzzPrefer(f *testing.F) {
	f.Add(`IdType="ImmutableId", odata.maxpagesize=50, outlook.body-content-type="text"`)
	f.Fuzz(func(_ *testing.T, s string) { preferred(http.Header{"Prefer": {s}}) })
}

// FuzzPath states that any path is a call or none.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		"/v1.0/me/mailFolders('in''box')/messages/delta()", "/v1.0/users/a%2Fb/messages('", "/v1.0/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil {
			return
		}
		rt, _, _, known := match(&http.Request{Method: http.MethodGet, URL: u})
		if rt != nil && !known {
			t.Fatalf("%q: a call that is not known", s)
		}
	})
}

// FuzzExpand states that any $expand is refused or read to its end.
func FuzzExpand(f *testing.F) {
	f.Add("attachments($select=id),singleValueExtendedProperties($filter=id eq 'a' or id eq 'b')")
	f.Fuzz(func(_ *testing.T, s string) {
		c := &call{query: url.Values{"$expand": {s}}, scopes: []string{scopeRead}}
		_, _ = c.view()
	})
}
