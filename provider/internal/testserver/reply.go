package testserver

import (
	"net/http"
	"strconv"
	"time"
)

// Reply is an answer that is given instead of serving a call. A Body without a Content-Type in the
// Header is JSON.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

func (p *Reply) write(w http.ResponseWriter) {
	for k, v := range p.Header {
		w.Header()[k] = v
	}
	if w.Header().Get("Content-Type") == "" && p.Body != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write([]byte(p.Body)) // the client may be gone
}

// WithRetryAfter returns a copy with the header Retry-After in whole seconds (RFC 9110 section 10.2.3).
func (p *Reply) WithRetryAfter(d time.Duration) *Reply {
	return p.WithHeader("Retry-After", strconv.Itoa(int((d+time.Second-1)/time.Second)))
}

// WithRetryAt returns a copy with the header Retry-After as a date.
func (p *Reply) WithRetryAt(t time.Time) *Reply {
	return p.WithHeader("Retry-After", t.UTC().Format(http.TimeFormat))
}

// WithHeader returns a copy with that header.
func (p *Reply) WithHeader(name, value string) *Reply {
	c := *p
	c.Header = c.Header.Clone()
	if c.Header == nil {
		c.Header = http.Header{}
	}
	c.Header.Set(name, value)
	return &c
}
