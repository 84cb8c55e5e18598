package gmailtest

import (
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// upload is a resumable upload under way.
//
// Source: https://developers.google.com/workspace/gmail/api/guides/uploads#resumable
type upload struct {
	account *Account
	meta    []byte
	raw     []byte
}

// related reads a multipart upload: metadata, then the mail (RFC 2387).
func (c *call) related() (meta, raw []byte, refusal *apiError) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" {
		return nil, nil, invalid("Missing end boundary in multipart body.")
	}
	r := multipart.NewReader(c.r.Body, params["boundary"])
	var read [2][]byte
	for i := range read {
		p, err := r.NextRawPart()
		if err != nil {
			return nil, nil, invalid("Missing end boundary in multipart body.")
		}
		if t := mediaType(http.Header(p.Header)); i == 1 && t != "message/rfc822" {
			return nil, nil, invalid("Media type '" + t + "' is not supported. Valid media types: [message/rfc822]")
		}
		if read[i], refusal = readUpload(p); refusal != nil {
			return nil, nil, refusal
		}
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		return nil, nil, invalid("Missing end boundary in multipart body.")
	}
	// A client that cannot read the mail to its end may close the last part all the same; then the
	// body breaks off behind it.
	if _, err := io.Copy(io.Discard, c.r.Body); err != nil {
		return nil, nil, invalid("Unexpected end of the request body.")
	}
	return read[0], read[1], nil
}

// startUpload answers the requests of a resumable upload that do not complete it: the first one,
// which gets the address for the others, chunks, and questions how far it came. more is false when
// the mail is complete, and for other uploads.
func (c *call) startUpload() (answer any, more bool) {
	if c.query.Get("uploadType") != "resumable" {
		return nil, false
	}
	id := c.query.Get("upload_id")
	if id == "" {
		return c.openUpload(), true
	}
	total, refusal := c.appendChunk(id)
	if refusal != nil {
		return rawAnswer(refusal.write), true
	}
	if total < 0 {
		return c.incomplete(id), true
	}
	return nil, false
}

// completes says whether a request of an upload may be the last one.
func completes(r *http.Request) bool {
	q := r.URL.Query()
	if q.Get("uploadType") != "resumable" {
		return true
	}
	span, whole, found := strings.Cut(r.Header.Get("Content-Range"), "/")
	if !found {
		return q.Get("upload_id") != ""
	}
	_, last, _ := strings.Cut(span, "-")
	end, err := strconv.ParseInt(last, 10, 64)
	return err == nil && strconv.FormatInt(end+1, 10) == whole
}

func (c *call) openUpload() any {
	declared := c.r.Header.Get("X-Upload-Content-Type")
	if declared != "message/rfc822" {
		return rawAnswer(invalid("Media type '" + declared +
			"' is not supported. Valid media types: [message/rfc822]").write)
	}
	if n, err := strconv.ParseInt(c.r.Header.Get("X-Upload-Content-Length"), 10, 64); err == nil && n > maxUpload {
		return rawAnswer(tooLarge().write)
	}
	meta, refusal := c.body(c.s.c.MaxJSON)
	if refusal != nil {
		return rawAnswer(refusal.write)
	}
	id := rand.Text()
	c.s.mu.Lock()
	c.s.uploads[id] = &upload{account: c.a, meta: meta}
	c.s.mu.Unlock()
	location := *c.r.URL
	q := location.Query()
	q.Set("upload_id", id)
	location.RawQuery = q.Encode()
	return rawAnswer(func(w http.ResponseWriter) {
		w.Header().Set("Location", c.s.URL()+location.RequestURI())
		w.Header().Set("X-GUploader-UploadID", id)
		w.WriteHeader(http.StatusOK)
	})
}

// appendChunk adds what this request carries. total is -1 while bytes are missing.
func (c *call) appendChunk(id string) (total int64, refusal *apiError) {
	chunk, refusal := readUpload(c.r.Body)
	if refusal != nil {
		return 0, refusal
	}
	from, total, err := parseContentRange(c.r.Header.Get("Content-Range"), int64(len(chunk)))
	if err != nil {
		return 0, invalid("Invalid Content-Range")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.s.uploads[id]
	switch {
	case u == nil || u.account != c.a:
		return 0, notFound()
	case from > int64(len(u.raw)):
		return 0, invalid("Invalid Content-Range")
	case len(u.raw)+len(chunk) > maxUpload:
		delete(c.s.uploads, id)
		return 0, tooLarge()
	}
	// A chunk that comes again repeats what is there already.
	if from+int64(len(chunk)) > int64(len(u.raw)) {
		u.raw = append(u.raw[:from], chunk...)
	}
	if total >= 0 && int64(len(u.raw)) >= total {
		return total, nil
	}
	return -1, nil
}

// parseContentRange reads "bytes 0-9/20", "bytes 0-9/*" and the question "bytes */20" (RFC 9110
// section 14.4). No field at all is the whole.
func parseContentRange(v string, length int64) (from, total int64, err error) {
	if v == "" {
		return 0, length, nil
	}
	span, whole, ok := strings.Cut(strings.TrimPrefix(v, "bytes "), "/")
	if !ok {
		return 0, 0, fmt.Errorf("content range %q", v)
	}
	total = -1
	if whole != "*" {
		if total, err = strconv.ParseInt(whole, 10, 64); err != nil || total < 0 {
			return 0, 0, fmt.Errorf("content range %q", v)
		}
	}
	if span == "*" {
		if length != 0 {
			return 0, 0, fmt.Errorf("content range %q with a body", v)
		}
		return 0, total, nil
	}
	begin, end, _ := strings.Cut(span, "-")
	from, err = strconv.ParseInt(begin, 10, 64)
	last, err2 := strconv.ParseInt(end, 10, 64)
	if err != nil || err2 != nil || from < 0 || last-from+1 != length {
		return 0, 0, fmt.Errorf("content range %q", v)
	}
	return from, total, nil
}

// incomplete says how far the upload came: 308, which Google's own clients ask to hide behind 200.
func (c *call) incomplete(id string) any {
	c.s.mu.Lock()
	u := c.s.uploads[id]
	var have int
	if u != nil {
		have = len(u.raw)
	}
	c.s.mu.Unlock()
	return rawAnswer(func(w http.ResponseWriter) {
		if have > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", have-1))
		}
		w.Header().Set("X-GUploader-UploadID", id)
		if c.r.Header.Get("X-GUploader-No-308") == "yes" {
			w.Header().Set("X-Http-Status-Code-Override", strconv.Itoa(http.StatusPermanentRedirect))
			w.WriteHeader(http.StatusOK)
			return
		}
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

// resumed takes the complete upload.
func (c *call) resumed() (meta, raw []byte, refusal *apiError) {
	id := c.query.Get("upload_id")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.s.uploads[id]
	if u == nil {
		return nil, nil, notFound()
	}
	delete(c.s.uploads, id)
	return u.meta, u.raw, nil
}

// headerOf makes the header of one part of an answer.
func headerOf(pairs ...string) textproto.MIMEHeader {
	h := make(textproto.MIMEHeader)
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}
