package gmailtest

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/workinbox/workinbox/provider/rfc822"
)

type partJSON struct {
	PartID   *string      `json:"partId,omitempty"`
	MimeType string       `json:"mimeType"`
	Filename *string      `json:"filename,omitempty"`
	Headers  []headerJSON `json:"headers,omitempty"`
	Body     *bodyJSON    `json:"body,omitempty"`
	Parts    []partJSON   `json:"parts,omitempty"`
}

type headerJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bodyJSON struct {
	AttachmentID string `json:"attachmentId,omitempty"`
	Size         int    `json:"size"`
	Data         string `json:"data,omitempty"`
}

// largePart is from how many bytes even a text comes by attachments.get alone.
const largePart = 1 << 20

// maxDepth is how deep parts may lie in each other.
const maxDepth = 50

// part is one node of the tree of a message as it came.
type part struct {
	id       string
	header   rfc822.Header
	media    string
	params   map[string]string
	filename string
	content  []byte // decoded; nil when there are parts
	parts    []part
}

// tree takes a message apart. Like all of Gmail it never refuses.
func tree(raw []byte, id string, depth int) part {
	head, body := splitHeader(raw)
	header, _ := rfc822.ReadHeader(bytes.NewReader(head), rfc822.Limits{}) // memory does not fail
	p := part{id: id, header: header}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil && media == "" {
		media = "text/plain"
	}
	p.media, p.params = media, params
	_, disposition, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	p.filename = disposition["filename"]
	if p.filename == "" {
		p.filename = params["name"]
	}
	p.filename = decodeWords(p.filename)
	boundary := params["boundary"]
	if strings.HasPrefix(media, "multipart/") && boundary != "" && depth < maxDepth {
		for i, section := range sections(body, boundary) {
			p.parts = append(p.parts, tree(section, childID(id, i), depth+1))
		}
		return p
	}
	p.content = decodeTransfer(body, header.Get("Content-Transfer-Encoding"))
	if strings.HasPrefix(media, "text/") && p.filename == "" {
		p.content = toUTF8(p.content, params["charset"])
	}
	return p
}

func childID(parent string, i int) string {
	if parent == "" {
		return strconv.Itoa(i)
	}
	return parent + "." + strconv.Itoa(i)
}

// splitHeader cuts a message at its first empty line.
func splitHeader(raw []byte) (header, body []byte) {
	for at := 0; at < len(raw); {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			break
		}
		line := bytes.TrimSuffix(raw[at:at+end], []byte("\r"))
		at += end + 1
		if len(line) == 0 {
			return raw[:at], raw[at:]
		}
	}
	return raw, nil
}

// sections cuts the body of a multipart at its boundaries (RFC 2046 section 5.1).
func sections(body []byte, boundary string) [][]byte {
	var out [][]byte
	delimiter := []byte("--" + boundary)
	begin := -1
	for at := 0; at < len(body); {
		end := len(body)
		if n := bytes.IndexByte(body[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		line := bytes.TrimRight(body[at:end], " \t\r\n")
		closing := bytes.Equal(line, append(slices.Clone(delimiter), "--"...))
		if closing || bytes.Equal(line, delimiter) {
			if begin >= 0 {
				// The line break before a boundary belongs to the boundary.
				section := bytes.TrimSuffix(body[begin:max(begin, at)], []byte("\n"))
				out = append(out, bytes.TrimSuffix(section, []byte("\r")))
			}
			begin = end
		}
		if closing {
			return out
		}
		at = end
	}
	if begin >= 0 && begin < len(body) {
		out = append(out, body[begin:])
	}
	return out
}

// decodeTransfer decodes as much as can be decoded.
func decodeTransfer(b []byte, encoding string) []byte {
	var r io.Reader
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		clean := bytes.Map(func(r rune) rune {
			if r == '=' || strings.ContainsRune(" \t\r\n", r) {
				return -1
			}
			return r
		}, b)
		r = base64.NewDecoder(base64.RawStdEncoding, bytes.NewReader(clean))
	case "quoted-printable":
		r = quotedprintable.NewReader(bytes.NewReader(b))
	default:
		return b
	}
	out, _ := io.ReadAll(r) // what came before the damage is what there is
	return out
}

func toUTF8(b []byte, charset string) []byte {
	if charset == "" || strings.EqualFold(charset, "utf-8") {
		return b
	}
	r, err := charsetReader(charset, bytes.NewReader(b))
	if err != nil {
		return b
	}
	out, err := io.ReadAll(r)
	if err != nil || !utf8.Valid(out) {
		return b
	}
	return out
}

func (p *part) external() bool {
	return p.parts == nil && (p.filename != "" || len(p.content) > largePart)
}

// attachmentID is opaque; it is no secret that it says which part it means.
func (p *part) attachmentID(m *message) string {
	return "ANGj" + base64.RawURLEncoding.EncodeToString([]byte(m.id+"/"+p.id))
}

func (p *part) json(m *message) partJSON {
	j := partJSON{
		PartID: &p.id, MimeType: p.media, Filename: &p.filename,
		Headers: headersJSON(p.header, nil), Body: &bodyJSON{Size: len(p.content)},
	}
	switch {
	case p.external():
		j.Body.AttachmentID = p.attachmentID(m)
	case len(p.content) > 0:
		j.Body.Data = encode(m.serial, p.content)
	}
	for i := range p.parts {
		j.Parts = append(j.Parts, p.parts[i].json(m))
	}
	return j
}

// headersJSON lists fields as they are named in the mail; with names, those alone.
func headersJSON(h rfc822.Header, names []string) []headerJSON {
	var out []headerJSON
	for name, value := range h.All() {
		if names == nil || slices.ContainsFunc(names, func(n string) bool {
			return strings.EqualFold(n, name)
		}) {
			out = append(out, headerJSON{Name: name, Value: decodeWords(value)})
		}
	}
	return out
}

func fullPayload(m *message) *partJSON {
	p := tree(m.raw, "", 0)
	j := p.json(m)
	return &j
}

func metadataPayload(m *message, names []string) *partJSON {
	media, _, err := mime.ParseMediaType(m.fields().Get("Content-Type"))
	if err != nil && media == "" {
		media = "text/plain"
	}
	return &partJSON{MimeType: media, Headers: headersJSON(m.fields(), names)}
}

// attachment returns the content of the part with that attachment id.
func (m *message) attachment(id string) ([]byte, bool) {
	var find func(p *part) *part
	find = func(p *part) *part {
		if p.external() && p.attachmentID(m) == id {
			return p
		}
		for i := range p.parts {
			if found := find(&p.parts[i]); found != nil {
				return found
			}
		}
		return nil
	}
	root := tree(m.raw, "", 0)
	if p := find(&root); p != nil {
		return p.content, true
	}
	return nil, false
}
