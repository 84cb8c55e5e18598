package outlook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	kjson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
)

// listPage is a page as Graph sends it, of n messages with bodies of that many bytes.
func listPage(n, body int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('x')/messages","value":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"@odata.etag":"W/\"CQAAABYAAAA%[1]d\"","id":"AAkALg%[1]d%[2]s","receivedDateTime":"2026-10-01T10:00:00Z",`+
			`"internetMessageId":"<%[1]d@client.example>","parentFolderId":"AAMk%[2]s","conversationId":"AAQk%[2]s","isRead":false,"isDraft":false,`+
			`"sender":{"emailAddress":{"name":"Kim","address":"kim@client.example"}},"from":{"emailAddress":{"name":"Kim","address":"kim@client.example"}},`+
			`"toRecipients":[{"emailAddress":{"name":"Olga","address":"olga@own.example"}},{"emailAddress":{"name":"Sam","address":"sam@own.example"}}],`+
			`"ccRecipients":[],"bccRecipients":[],"replyTo":[],"internetMessageHeaders":[{"name":"Received","value":"from a by b"},`+
			`{"name":"Authentication-Results","value":"spf=pass"},{"name":"Content-Type","value":"text/html"},{"name":"List-Id","value":"<l.client.example>"}]`,
			i, strings.Repeat("x", 100))
		if body > 0 {
			content, _ := json.Marshal("<html><body>" + strings.Repeat("<p>word word word</p>\r\n", body/23) + "</body></html>")
			fmt.Fprintf(&b, `,"body":{"contentType":"html","content":%s}`, content)
		}
		b.WriteByte('}')
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// A message of a page costs at most 40 allocations, from the bytes to the Header.
func TestPagesDecodeLean(t *testing.T) {
	raw := listPage(100, 0)
	per := testing.AllocsPerRun(20, func() {
		var p page[message]
		if json.Unmarshal(raw, &p) != nil {
			t.Fatal("no page")
		}
		for i := range p.Value {
			_ = p.Value[i].header(kindMail)
		}
	}) / 100
	t.Logf("%.1f allocations a message", per)
	require.LessOrEqual(t, per, 40.0)
}

func BenchmarkPage(b *testing.B) {
	raw := listPage(100, 10_000)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var p page[message]
			if err := json.Unmarshal(raw, &p); err != nil {
				b.Fatal(err)
			}
			for i := range p.Value {
				_ = p.Value[i].header(kindMail)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var p page[message]
			if err := json.Unmarshal(raw, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("models of the SDK", func(b *testing.B) {
		register()
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			node, err := kjson.NewJsonParseNodeFactory().GetRootParseNode("application/json", raw)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := node.GetObjectValue(models.CreateMessageCollectionResponseFromDiscriminatorValue); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestHeaderOfAMessage(t *testing.T) {
	t.Parallel()
	var p page[message]
	require.NoError(t, json.Unmarshal(listPage(1, 0), &p))
	h := p.Value[0].header(kindSent)
	require.Equal(t, provider.MarkSent, h.Sent)
	require.Equal(t, "0@client.example", h.MessageID)
	require.True(t, h.Unread)
	require.Len(t, h.To, 2)
	require.Zero(t, h.Sender, "Graph repeats the author")
	require.Equal(t, []provider.Field{{Name: "Authentication-Results", Value: "spf=pass"}, {Name: "Content-Type", Value: "text/html"},
		{Name: "List-Id", Value: "<l.client.example>"}}, h.Fields)
	require.Equal(t, provider.MarkNotSent, p.Value[0].header(kindMail).Sent)
	require.Equal(t, provider.MarkUnknown, (&message{ID: "a"}).header(kindMail).Sent)
	require.Equal(t, provider.FolderDraft, (&message{ID: "a", Draft: true}).header(kindMail).Folder)
	require.Equal(t, provider.ThreadID("a"), (&message{ID: "a"}).header(kindMail).Thread)
}

// Whatever a page holds, reading it does not panic and no header names nobody.
func FuzzPage(f *testing.F) {
	f.Add(listPage(2, 100))
	f.Add([]byte(`{"value":[{"id":"a","@removed":{"reason":"deleted"}},{"id":"b","isRead":true}],"@odata.deltaLink":"x"}`))
	f.Add([]byte(`{"value":[{"from":null,"toRecipients":[{"emailAddress":null}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p page[message]
		if json.Unmarshal(raw, &p) != nil {
			return
		}
		for i := range p.Value {
			h := p.Value[i].header(kindMail)
			if p.Value[i].ID != "" && h.Thread == "" {
				t.Errorf("a header without a thread: %v", h)
			}
			for _, x := range h.Fields {
				if strings.ContainsAny(x.Value, "\r\n") {
					t.Errorf("a field of more than one line: %q", x.Value)
				}
			}
		}
	})
}

func FuzzNotifications(f *testing.F) {
	f.Add([]byte(`{"value":[{"subscriptionId":"s","clientState":"t/o.AAAA","lifecycleEvent":"missed"}]}`))
	f.Add([]byte(`{"value":null}`))
	p, err := New(Options{ClientID: "c", ClientSecret: "s"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := readNotifications(body)
		if err != nil {
			return
		}
		for _, n := range all {
			if account, ok := p.accountOf(n.State); ok && p.clientState(account) != n.State {
				t.Errorf("%q is taken for signed", n.State)
			}
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"1", "-1", "999999999999", "Sun, 01 Mar 2026 12:00:00 GMT", "", " 7 "} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, field string) {
		if after, _ := retryAfter(field, now); after < 0 {
			t.Errorf("%q: got a wait of %v", field, after)
		}
	})
}

// What the scanner of header fields reads is what encoding/json reads.
func FuzzFields(f *testing.F) {
	f.Add([]byte(`[{"name":"List-Id","value":"<a>"},{"value":"b\r\n c","name":"precedence"}]`))
	f.Add([]byte(`[ { "name" : "Auto-Submitted" , "value" : "\u006eo" } , {"name":"name","value":"value"} ]`))
	f.Add([]byte(`[{"name":"X","value":"\"name\":\"List-Id\""}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []struct {
			Name  *string `json:"name"`
			Value *string `json:"value"`
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if d.Decode(&all) != nil || d.More() || bytes.Contains(bytes.ToLower(text), []byte(`\u`)) || !utf8.Valid(text) ||
			bytes.Count(text, []byte(`:`)) > 2*len(all) ||
			bytes.Count(text, []byte(`"name"`)) < len(all) || bytes.Count(text, []byte(`"value"`)) < len(all) {
			t.Skip("not as Graph writes it")
		}
		var got fields
		if err := json.Unmarshal(text, &got); err != nil {
			t.Skip(err)
		}
		var want []provider.Field
		for _, x := range all {
			if x.Name == nil || x.Value == nil {
				t.Skip("a member is missing")
			}
			if k := canonical([]byte(*x.Name)); k != "" {
				want = append(want, provider.Field{Name: k, Value: unfold(*x.Value)})
			}
		}
		if !slices.Equal(got.kept, want) || got.some != (len(all) > 0) {
			t.Errorf("got %q, want %q", got.kept, want)
		}
	})
}
