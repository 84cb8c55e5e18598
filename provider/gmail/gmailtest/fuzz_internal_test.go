package gmailtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// FuzzFields: a selection never panics, and keeps only what the whole answer has.
func FuzzFields(f *testing.F) {
	for _, s := range []string{"id", "id,payload/headers(name,value)", "*", "payload/parts/body/data", "a(b", "(", "/"} {
		f.Add(s)
	}
	name, id := "", "0"
	whole := messageJSON{ID: "1", LabelIDs: []string{"INBOX"}, Payload: &partJSON{
		PartID: &id, Filename: &name, Headers: []headerJSON{{Name: "A", Value: "B"}},
		Parts: []partJSON{{MimeType: "text/plain"}},
	}}
	f.Fuzz(func(t *testing.T, fields string) {
		got, err := selectFields(whole, fields)
		if err != nil || fields == "" {
			return
		}
		b, err := json.Marshal(got)
		require.NoError(t, err)
		var into messageJSON
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&into))
	})
}

// FuzzTree: any mail has a tree that JSON can hold, its attachments can be had by their ids, and a
// copy without Bcc has none and the same body.
func FuzzTree(f *testing.F) {
	f.Add([]byte("Subject: x\r\n\r\nbody"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain; name=f\n" +
		"Content-Transfer-Encoding: base64\n\nSGk=\n--a--"))
	f.Add([]byte("Bcc: a@b,\r\n c@d\r\nTo: x@y\r\n\r\n\r\n"))
	f.Add([]byte("Content-Type: multipart/x; boundary=\"\"\n\n----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := &message{id: "18c0", raw: raw}
		p := fullPayload(m)
		b, err := json.Marshal(p)
		require.NoError(t, err)
		require.True(t, json.Valid(b))
		var walk func(p *partJSON)
		walk = func(p *partJSON) {
			if p.Body != nil && p.Body.AttachmentID != "" {
				content, ok := m.attachment(p.Body.AttachmentID)
				require.True(t, ok)
				require.Len(t, content, p.Body.Size)
			}
			for i := range p.Parts {
				walk(&p.Parts[i])
			}
		}
		walk(p)
		out := withoutBcc(raw)
		_, want := splitHeader(raw)
		_, body := splitHeader(out)
		require.True(t, bytes.Equal(want, body) || len(want) == 0)
		h, err := rfc822.ReadHeader(bytes.NewReader(out), rfc822.Limits{})
		require.NoError(t, err)
		require.False(t, h.Has("Bcc"))
	})
}

// FuzzContentRange: what is accepted fits the body.
func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-9/20", 10)
	f.Add("bytes */20", 0)
	f.Add("bytes 5-/", 3)
	f.Fuzz(func(t *testing.T, v string, length int) {
		from, total, err := parseContentRange(v, int64(length))
		if err != nil || length < 0 {
			return
		}
		require.GreaterOrEqual(t, from, int64(0))
		require.GreaterOrEqual(t, total, int64(-1))
	})
}

// FuzzBatch: a batch has at most a hundred requests, each with a path of this host.
func FuzzBatch(f *testing.F) {
	f.Add("--b\r\nContent-Type: application/http\r\n\r\nGET /x\r\n--b--")
	f.Add("--b\nContent-Type: application/http\n\nPOST /x HTTP/1.1\nA: b\n\n{}\n--b--")
	f.Add("--b\r\nContent-Type: application/http\r\n\r\nGET /%zz\r\n--b--")
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/batch", strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/mixed; boundary=b")
		parts, refusal := readBatch(r)
		if refusal != nil {
			return
		}
		require.NotEmpty(t, parts)
		require.LessOrEqual(t, len(parts), maxBatch)
		for _, p := range parts {
			require.NotNil(t, p.request.URL)
			find(p.request) // must not panic
		}
	})
}
