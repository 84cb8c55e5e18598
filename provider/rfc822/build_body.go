package rfc822

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"unicode/utf8"
)

// entity is a node of the MIME tree: a multipart with children, or content.
type entity struct {
	header   []string // complete lines, without CRLF; folded ones hold CRLF inside
	boundary string
	children []entity
	content  func(w *bufio.Writer) error
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
	multipart := func(kind, param string, children []entity) entity {
		n++
		b := d.boundary(n)
		line := "Content-Type: multipart/" + kind + ";" + param + "\r\n boundary=\"" + b + "\""
		return entity{header: []string{line}, boundary: b, children: children}
	}
	body, param := versions[0], ` type="text/html";`
	if len(versions) > 1 {
		body, param = multipart("alternative", "", versions), ` type="multipart/alternative";`
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
		body = multipart("related", param, append([]entity{body}, inline...))
	}
	if len(files) > 0 {
		body = multipart("mixed", "", append([]entity{body}, files...))
	}
	return body, nil
}

func (e entity) writeTo(w *bufio.Writer) error {
	for _, line := range e.header {
		w.WriteString(line + "\r\n")
	}
	w.WriteString("\r\n")
	if e.boundary == "" {
		return e.content(w)
	}
	for _, child := range e.children {
		w.WriteString("--" + e.boundary + "\r\n")
		if err := child.writeTo(w); err != nil {
			return err
		}
		w.WriteString("\r\n")
	}
	_, err := w.WriteString("--" + e.boundary + "--\r\n")
	return err
}

// textEntity picks the encoding that is short and safe for the text.
func textEntity(kind, text string) entity {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	body := wireLines(text)
	encoding := "quoted-printable"
	content := func(w *bufio.Writer) error {
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write(body); err != nil {
			return err
		}
		return q.Close()
	}
	high := 0
	for _, c := range body {
		if c >= 0x80 {
			high++
		}
	}
	switch {
	case isPlainText(body):
		encoding = "7bit"
		content = func(w *bufio.Writer) error {
			_, err := w.Write(body)
			return err
		}
	case high*4 > len(body):
		encoding = "base64"
		content = func(w *bufio.Writer) error { return writeBase64(w, bytes.NewReader(body), nil) }
	}
	open := encoding == "base64" || !bytes.HasSuffix(body, []byte("\r\n"))
	return entity{content: content, open: open, header: []string{
		"Content-Type: " + kind + "; charset=utf-8",
		"Content-Transfer-Encoding: " + encoding,
	}}
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
		e := entity{header: []string{
			"Content-Type: " + fileType(a.Type),
			"Content-Transfer-Encoding: base64",
			"Content-Disposition: " + disposition + fileParams(a.Name),
		}}
		if a.ContentID != "" {
			e.header = append(e.header, "Content-ID: <"+a.ContentID+">")
		}
		e.content = func(w *bufio.Writer) error {
			if err := a.writeTo(w); err != nil {
				return &DraftError{Field: name, Err: err}
			}
			return nil
		}
		files = append(files, e)
	}
	return files, nil
}

func (a Attachment) writeTo(w *bufio.Writer) (err error) {
	r, err := a.Open()
	if err != nil {
		return err
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
func writeBase64(w *bufio.Writer, r io.Reader, n *int64) error {
	const perLine = 57
	in := make([]byte, perLine*64)
	out := make([]byte, 76)
	for first := true; ; {
		got, err := io.ReadFull(r, in)
		if n != nil {
			*n += int64(got)
		}
		for line := range slices.Chunk(in[:got], perLine) {
			if !first {
				w.WriteString("\r\n")
			}
			first = false
			base64.StdEncoding.Encode(out, line)
			if _, werr := w.Write(out[:base64.StdEncoding.EncodedLen(len(line))]); werr != nil {
				return werr
			}
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
func fileType(s string) string {
	const unknown = "application/octet-stream"
	kind, params, err := mime.ParseMediaType(s)
	major, minor, slash := strings.Cut(kind, "/")
	if err != nil || !slash || !isToken(major) || !isToken(minor) || len(kind) > 100 ||
		major == "message" || major == "multipart" {
		return unknown
	}
	for _, key := range []string{"charset", "method"} {
		if v := params[key]; isToken(v) && len(v) <= 40 {
			kind += "; " + key + "=" + v
		}
	}
	return kind
}

// isToken knows a token of RFC 2045 section 5.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}
