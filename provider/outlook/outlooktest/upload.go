package outlooktest

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The limits of an upload session.
//
// Source: https://learn.microsoft.com/graph/outlook-large-attachments
const (
	maxAttachment = 150 << 20
	maxRange      = 4 << 20
	sessionLife   = 24 * time.Hour
)

// uploadSession is an attachment that comes in parts.
type uploadSession struct {
	a       *Account
	m       *message
	at      *attachment
	size    int
	data    []byte
	expires time.Time
}

func createUploadSession(c *call) (any, *apiError) {
	var req struct {
		Item *struct {
			Type        string `json:"attachmentType"`
			Name        string `json:"name"`
			Size        int    `json:"size"`
			ContentType string `json:"contentType"`
			ContentID   string `json:"contentId"`
			Inline      bool   `json:"isInline"`
		} `json:"AttachmentItem"`
	}
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	switch i := req.Item; {
	case i == nil || i.Type != "file" || i.Name == "":
		return nil, refuse(400, "ErrorInvalidRequest", "The AttachmentItem is missing or is not valid.")
	case i.Size < maxInline:
		return nil, refuse(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
			"Attachment size must be greater than the minimum size.")
	case i.Size > maxAttachment:
		return nil, refuse(400, "ErrorAttachmentSizeLimitExceeded",
			"The attachment exceeds the maximum supported size.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, refusal := c.draft()
	if refusal != nil {
		return nil, refusal
	}
	c.s.serial++
	key := guid("session", c.a.oid, strconv.FormatUint(c.s.serial, 10))
	media := req.Item.ContentType
	if media == "" {
		media = "application/octet-stream"
	}
	u := &uploadSession{
		a: c.a, m: m, size: req.Item.Size, expires: c.s.now().Add(sessionLife),
		at: &attachment{
			name: req.Item.Name, media: media, contentID: req.Item.ContentID, inline: req.Item.Inline,
		},
	}
	c.s.sessions[key] = u
	o := newObject()
	o.text("@odata.context", c.s.URL()+"/v1.0/$metadata#microsoft.graph.uploadSession")
	o.text("uploadUrl", c.s.URL()+"/attachments/"+key+"?authtoken="+guid("authtoken", key))
	o.instant("expirationDateTime", u.expires)
	o.texts("nextExpectedRanges", []string{"0-"})
	return created{body: o}, nil
}

// serveUpload is the pre-authenticated address of an upload session, which at Microsoft is another
// host.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	s.stats.Count(string(methodUpload))
	s.mu.Lock()
	u := s.sessions[r.PathValue("session")]
	s.mu.Unlock()
	name := ""
	if u != nil {
		name = u.a.address
	}
	s.faults.Serve(w, r, name, string(methodUpload), func(w http.ResponseWriter) {
		location, o, refusal := s.upload(r, u)
		switch {
		case refusal != nil:
			refusal.write(w, r, s.now())
		case location != "":
			w.Header().Set("Location", location)
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusCreated)
			s.push.kick()
		case o == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, http.StatusOK, o.bytes())
		}
	})
}

func (s *Server) upload(r *http.Request, u *uploadSession) (location string, o *object, refusal *apiError) {
	switch {
	case r.Header.Get("Authorization") != "":
		return "", nil, refuse(http.StatusUnauthorized, "InvalidAudience",
			"The address is authenticated by itself; it takes no Authorization.")
	case u == nil || r.URL.Query().Get("authtoken") != guid("authtoken", r.PathValue("session")):
		return "", nil, refuse(http.StatusNotFound, "ErrorItemNotFound", "The upload session was not found.")
	case !s.now().Before(u.expires):
		return "", nil, refuse(http.StatusNotFound, "ErrorUploadSessionExpired", "The upload session has expired.")
	}
	switch r.Method {
	case http.MethodGet:
		s.mu.Lock()
		defer s.mu.Unlock()
		return "", u.status(), nil
	case http.MethodDelete:
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, r.PathValue("session"))
		return "", nil, nil
	case http.MethodPut:
		if e := s.limiter.uploads(u.a.address, r.ContentLength); e != nil {
			return "", nil, e
		}
		b, err := io.ReadAll(io.LimitReader(r.Body, maxRange+1))
		if err != nil {
			return "", nil, badRequest("Unexpected end of the request body.")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.put(r, u, b)
	}
	return "", nil, refuse(http.StatusMethodNotAllowed, "ErrorInvalidRequest", "The request is not supported.")
}

// put takes one range.
func (s *Server) put(r *http.Request, u *uploadSession, b []byte) (string, *object, *apiError) {
	var first, last, size int
	n, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &size)
	switch {
	case err != nil || n != 3 || last < first || size != u.size:
		return "", nil, refuse(400, "ErrorInvalidRequest", "The Content-Range is missing or is not valid.")
	case len(b) > maxRange:
		return "", nil, tooLarge()
	case len(b) != last-first+1 || last >= size:
		return "", nil, refuse(400, "ErrorInvalidRequest", "The Content-Range does not fit the content.")
	case first != len(u.data):
		return "", nil, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange",
			"The range is not the one that is expected next.")
	case u.m.gone || u.m.sending || !u.m.draft:
		return "", nil, itemNotFound()
	}
	u.data = append(u.data, b...)
	if len(u.data) < u.size {
		return "", u.status(), nil
	}
	delete(s.sessions, r.PathValue("session"))
	u.at.data, u.at.size = u.data, u.size
	u.m.attach(u.at)
	u.a.note(u.m.folder, u.m, changeUpdated)
	return s.URL() + "/api/v2.0/Users('" + u.a.oid + "@" + u.a.tenant + "')/Messages('" + u.m.id +
		"')/Attachments('" + u.m.attachmentID(u.at, false) + "')", nil, nil
}

func (u *uploadSession) status() *object {
	o := newObject()
	o.instant("expirationDateTime", u.expires)
	o.texts("nextExpectedRanges", []string{strconv.Itoa(len(u.data)) + "-"})
	return o
}

// uploads counts bytes that come by an upload session.
func (l *limiter) uploads(account string, bytes int64) *apiError {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(account)
	e := l.upload(a, bytes, l.now())
	if e != nil {
		a.Refusals[RefusedUpload]++
	}
	return e
}
