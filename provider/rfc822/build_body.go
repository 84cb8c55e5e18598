package rfc822

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
)

// entity is a node of the MIME tree: a multipart with children, or content. Its
// header grows at the top, so the last field is added first.
type entity struct {
	header   message.Header
	boundary string
	children []entity
	content  func(w io.Writer) error
	open     bool // the content does not end with a line end
}

// body arranges the parts of the draft.
func (d Draft) body() (entity, error) {
	var versions []entity
	if d.Text != "" || d.HTML == "" {
		versions = append(versions, textEntity("text/plain", d.Text))
	}
	if d.HTML != "" {
		versions = append(versions, textEntity("text/html", d.HTML))
	}
	n := 0
	multipart := func(kind, root string, children []entity) entity {
		n++
		e := entity{boundary: d.boundary(n), children: children}
		params := map[string]string{"boundary": e.boundary}
		if root != "" {
			params["type"] = root
		}
		e.header.SetContentType("multipart/"+kind, params)
		return e
	}
	body, root := versions[0], "text/html"
	if len(versions) > 1 {
		body, root = multipart("alternative", "", versions), "multipart/alternative"
	}
	inline, err := fileEntities("Inline", "inline", d.Inline)
	if err != nil {
		return entity{}, err
	}
	files, err := fileEntities("Attachments", "attachment", d.Attachments)
	if err != nil {
		return entity{}, err
	}
	if len(inline) > 0 && d.HTML == "" {
		files, inline = append(inline, files...), nil
	}
	if len(inline) > 0 {
		body = multipart("related", root, append([]entity{body}, inline...))
	}
	if len(files) > 0 {
		body = multipart("mixed", "", append([]entity{body}, files...))
	}
	return body, nil
}

// writeTo writes the body below the header. The parts are written by
// go-message's textproto and not by its message.Writer, which refuses to write
// a part in any charset but UTF-8, and a file has the charset it has.
func (e entity) writeTo(w io.Writer) error {
	if e.boundary == "" {
		return e.content(w)
	}
	parts := textproto.NewMultipartWriter(w)
	if err := parts.SetBoundary(e.boundary); err != nil {
		return err
	}
	for _, child := range e.children {
		part, err := parts.CreatePart(child.header.Header)
		if err != nil {
			return err
		}
		if err := child.writeTo(part); err != nil {
			return err
		}
	}
	return parts.Close()
}

// textEntity picks the encoding that is short and safe for the text.
func textEntity(kind, text string) entity {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	body := wireLines(text)
	high := 0
	for _, c := range body {
		if c >= 0x80 {
			high++
		}
	}
	var e entity
	encoding := "quoted-printable"
	switch {
	case isPlainText(body):
		encoding = "7bit"
		e.content = func(w io.Writer) error {
			_, err := w.Write(body)
			return err
		}
	case high*4 > len(body):
		encoding = "base64"
		e.content = func(w io.Writer) error { return writeBase64(w, bytes.NewReader(body), nil) }
	default:
		e.content = func(w io.Writer) error { return writeQuoted(w, body) }
	}
	e.open = encoding == "base64" || !bytes.HasSuffix(body, []byte("\r\n"))
	e.header.Set("Content-Transfer-Encoding", encoding)
	e.header.SetContentType(kind, map[string]string{"charset": "utf-8"})
	return e
}

// writeQuoted writes quoted-printable in which no line begins with "From ":
// programs that keep a mailbox in one file put a ">" before it, which breaks
// signatures.
func writeQuoted(w io.Writer, body []byte) error {
	var b bytes.Buffer
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	if _, err := q.Write(body); err != nil {
		return err
	}
	if err := q.Close(); err != nil {
		return err
	}
	// With a soft line end, because the line may be full.
	safe := bytes.ReplaceAll(b.Bytes(), []byte("\r\nFrom "), []byte("\r\n=46rom=\r\n "))
	_, err := w.Write(safe[2:])
	return err
}

// isPlainText says whether text passes any server unchanged: printable ASCII,
// short lines, no space at their ends, and nothing like a boundary.
func isPlainText(body []byte) bool {
	for line := range bytes.SplitSeq(body, []byte("\r\n")) {
		if len(line) > maxFolded || bytes.HasPrefix(line, []byte("--=_")) {
			return false
		}
		// Mailboxes in files write ">From".
		if bytes.HasPrefix(line, []byte("From ")) {
			return false
		}
		for _, c := range line {
			if c < ' ' && c != '\t' || c >= 0x7f {
				return false
			}
		}
		if n := len(line); n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
			return false
		}
	}
	return true
}

func fileEntities(field, disposition string, list []Attachment) ([]entity, error) {
	var files []entity
	for i, a := range list {
		name := numbered(field, i, max(len(list), 2))
		switch {
		case hasBreak(a.Name) || hasBreak(a.Type) || hasBreak(a.ContentID):
			return nil, &DraftError{Field: name, Err: ErrHeaderInjection}
		case a.ContentID != "" && !isMessageID(a.ContentID):
			return nil, &DraftError{Field: name, Err: ErrBadID}
		case a.ContentID == "" && disposition == "inline":
			return nil, &DraftError{Field: name, Err: fmt.Errorf("content id: %w", ErrMissing)}
		case a.Open == nil:
			return nil, &DraftError{Field: name, Err: ErrMissing}
		}
		var e entity
		if a.ContentID != "" {
			e.header.AddRaw([]byte("Content-ID: <" + a.ContentID + ">\r\n"))
		}
		e.header.AddRaw([]byte("Content-Disposition: " + disposition + fileParams(a.Name) + "\r\n"))
		e.header.Set("Content-Transfer-Encoding", "base64")
		e.header.SetContentType(fileType(a.Type))
		e.content = func(w io.Writer) error {
			if err := a.writeTo(w); err != nil {
				return &DraftError{Field: name, Err: err}
			}
			return nil
		}
		files = append(files, e)
	}
	return files, nil
}

func (a Attachment) writeTo(w io.Writer) (err error) {
	r, err := a.Open()
	if err != nil {
		return err
	}
	if r == nil {
		return ErrMissing
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	var n int64
	if err := writeBase64(w, r, &n); err != nil {
		return err
	}
	if a.Size > 0 && n != a.Size {
		return fmt.Errorf("%d bytes instead of %d: %w", n, a.Size, ErrSize)
	}
	return nil
}

// writeBase64 writes lines of 76 characters, the last without CRLF.
func writeBase64(w io.Writer, r io.Reader, n *int64) error {
	const perLine, lines = 57, 64
	in := make([]byte, perLine*lines)
	out := make([]byte, 0, lines*(76+2))
	for first := true; ; {
		got, err := io.ReadFull(r, in)
		if n != nil {
			*n += int64(got)
		}
		out = out[:0]
		for line := range slices.Chunk(in[:got], perLine) {
			if !first {
				out = append(out, "\r\n"...)
			}
			first = false
			out = base64.StdEncoding.AppendEncode(out, line)
		}
		if _, werr := w.Write(out); werr != nil {
			return werr
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}

// fileType returns a media type that may be sent as base64, with its charset
// and method.
func fileType(s string) (kind string, params map[string]string) {
	kind, all, err := mime.ParseMediaType(s)
	major, _, slash := strings.Cut(kind, "/")
	if err != nil || !slash || len(kind) > 100 || major == "message" || major == "multipart" {
		return "application/octet-stream", nil
	}
	params = map[string]string{}
	for _, key := range []string{"charset", "method"} {
		if v := all[key]; isPlain(v) && len(v) <= 40 {
			params[key] = v
		}
	}
	return kind, params
}
