package outlooktest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one call of Graph that is under way.
type call struct {
	s      *Server
	a      *Account
	r      *http.Request
	route  *route
	scopes []string // granted
	query  url.Values
	prefer preferences
	ids    [2]string // what stands in the path
	items  int       // in the answer, for the latency
}

// noContent is the answer of calls that answer without a body.
type noContent struct{ status int }

// created is an answer with 201.
type created struct {
	body     *object
	location string
}

// serveAPI answers one call: limits, grant, scope, fault, work.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	rt, user, ids, known := match(r)
	if rt == nil {
		s.unknown(w, r, known)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	counted := s.stats.Begin(string(rt.method), w)
	defer counted.End()
	c := &call{
		s: s, r: r, route: rt, query: query, ids: ids, prefer: preferred(r.Header),
	}
	if !c.prefer.immutable && strings.HasPrefix(rt.path, "me/m") {
		s.defaultIDs.Add(1)
	}
	refusal := c.authorize(user)
	name := ""
	if c.a != nil {
		name = c.a.address
	}
	if refusal == nil {
		var release func()
		release, refusal = s.limiter.admit(name, r.ContentLength)
		if release != nil {
			counted.WhenLeft(release)
		}
	}
	if refusal == nil && err != nil {
		refusal = badRequest("The query specified in the URI is not valid.")
	}
	serve := c.serve
	if refusal != nil {
		serve = func(w http.ResponseWriter) { refusal.write(w, r, s.now()) }
	}
	s.faults.Serve(counted, r, name, string(rt.method), serve)
}

func (s *Server) unknown(w http.ResponseWriter, r *http.Request, known bool) {
	s.stats.Count("unknown")
	if known {
		refuse(http.StatusMethodNotAllowed, "ErrorInvalidRequest",
			"The OData request is not supported.").write(w, r, s.now())
		return
	}
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	badRequest("Resource not found for the segment '"+last+"'.").write(w, r, s.now())
}

// authorize finds the account and checks the token and its scopes.
func (c *call) authorize(user string) *apiError {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if strings.Count(token, ".") != 2 {
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken",
			"IDX14100: JWT is not well formed, there are no dots (.).")
	}
	t := c.s.oauth.access(token, c.s.now())
	if t == nil {
		return invalidToken()
	}
	c.a, c.scopes = t.grant.account, t.scopes
	if e := c.a.challenged(); e != nil {
		return e
	}
	switch {
	case user != "me" && user != c.a.oid && !c.a.owns(user):
		return accessDenied()
	case !granted(c.scopes, c.route.scopes) && c.route.method == "user.get":
		return refuse(http.StatusForbidden, "Authorization_RequestDenied",
			"Insufficient privileges to complete the operation.")
	case !granted(c.scopes, c.route.scopes):
		return accessDenied()
	case c.a.off != nil && c.route.method != "user.get":
		return c.a.off
	}
	return nil
}

// basic says that bodies may not be read.
func (c *call) basic() bool { return !granted(c.scopes, readScopes) }

// serve does the work, waits as long as Config.Latency says, and answers.
func (c *call) serve(w http.ResponseWriter) {
	answer, refusal := c.work()
	c.s.push.kick()
	if f := c.s.c.Latency; f != nil {
		if d := f(string(c.route.method), c.items); d > 0 && !c.s.http.Pause(c.r.Context(), d) {
			c.s.faults.Cut(w, c.r)
			return
		}
	}
	if refusal != nil {
		refusal.write(w, c.r, c.s.now())
		return
	}
	h := w.Header()
	h.Set("request-id", guid(c.r.URL.Path, c.s.now().String()))
	h.Set("OData-Version", "4.0")
	h.Set("Cache-Control", "private")
	if id := c.r.Header.Get("client-request-id"); id != "" {
		h.Set("client-request-id", id)
	}
	if len(c.prefer.applied) > 0 {
		h.Set("Preference-Applied", strings.Join(c.prefer.applied, ", "))
	}
	switch answer := answer.(type) {
	case noContent:
		h.Set("Content-Length", "0")
		w.WriteHeader(answer.status)
	case text:
		h.Set("Content-Type", answer.media)
		writeJSON(w, http.StatusOK, answer.body)
	case created:
		if answer.location != "" {
			h.Set("Location", answer.location)
		}
		writeJSON(w, http.StatusCreated, answer.body.bytes())
	case *object:
		writeJSON(w, http.StatusOK, answer.bytes())
	}
}

func (c *call) work() (any, *apiError) {
	if !c.route.lockOff {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
	}
	return c.route.do(c)
}

// maxBody is the most bytes of a request.
//
// Source: https://learn.microsoft.com/graph/outlook-send-mime-message
const maxBody = 4 << 20

// body reads the request. It must be called without the lock.
func (c *call) body() ([]byte, *apiError) {
	return readBody(c.r)
}

// readBody reads a request that may be compressed.
func readBody(r *http.Request) ([]byte, *apiError) {
	var in io.Reader = http.MaxBytesReader(nil, r.Body, maxBody)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, badRequest("The content is not encoded as its Content-Encoding says.")
		}
		in = io.LimitReader(z, maxBody)
	}
	b, err := io.ReadAll(in)
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, tooLarge()
	case err != nil:
		return nil, badRequest("Unexpected end of the request body.")
	}
	return bytes.TrimSpace(b), nil
}

// decode reads a JSON request into v. It must be called without the lock.
func (c *call) decode(v any) *apiError {
	b, refusal := c.body()
	if refusal != nil {
		return refusal
	}
	if len(b) == 0 {
		return nil
	}
	if json.Unmarshal(b, v) != nil {
		return badRequest("Unable to read JSON request payload. Please ensure Content-Type header " +
			"is set and payload is of valid JSON format.")
	}
	return nil
}

func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// event is something that becomes due.
type event struct {
	at time.Time
	do func()
}

// events are what is due later, earliest first. Under the server's lock.
type events []event

// later does something, under the lock, when its time has come: at once by the real clock, or with
// Config.Now at the next call. It is called with the lock.
func (s *Server) later(d time.Duration, do func()) {
	at := s.now().Add(d)
	i := len(s.events)
	for i > 0 && s.events[i-1].at.After(at) {
		i--
	}
	s.events = append(s.events[:i], append(events{{at, do}}, s.events[i:]...)...)
	if s.realTime {
		s.http.Go(func() {
			if s.http.Pause(s.http.Closing(), d) {
				s.settle()
				s.push.kick()
			}
		})
	}
}

// settle does what is due. It must be called without the lock.
func (s *Server) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.events) > 0 && !s.events[0].at.After(s.now()) {
		e := s.events[0]
		s.events = s.events[1:]
		e.do()
	}
}
