package gmailtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// method names one call: "messages.list", "messages.get", ..., "token", "revoke". Stats, prices and
// faults go by it.
type method string

// The calls that are no calls of the Gmail API.
const (
	methodToken  method = "token"
	methodRevoke method = "revoke"
	methodBatch  method = "batch"
	// methodUpload is a request of a resumable upload but the last one, which is the call itself.
	methodUpload method = "upload"
)

// route is one call of the API.
type route struct {
	method  method
	verb    string
	path    string // below users/{userId}/; "*" stands for one segment
	upload  bool   // may also come by /upload
	scopes  []string
	do      func(*call) (any, *apiError)
	lockOff bool // do takes the server's lock itself; the others are called with it
}

// call is one call of the API that is under way.
type call struct {
	s        *Server
	a        *Account
	r        *http.Request
	route    *route
	scopes   []string // granted
	query    url.Values
	id, part string // what stands in the path
	upload   bool
	// touched are accounts to tell of changes once the lock is free.
	touched []*Account
}

// noContent is the answer of calls that answer 204 without a body.
type noContent struct{}

// rawAnswer is an answer that is no JSON of ours.
type rawAnswer func(w http.ResponseWriter)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /o/oauth2/v2/auth", s.serveConsent)
	mux.HandleFunc("/token", s.serveToken)
	mux.HandleFunc("/revoke", s.serveRevoke)
	mux.HandleFunc("GET /oauth2/v3/certs", s.serveCerts)
	mux.HandleFunc("POST /batch/gmail/v1", s.serveBatch)
	mux.HandleFunc("POST /batch", s.serveBatch)
	mux.HandleFunc("/gmail/v1/users/", func(w http.ResponseWriter, r *http.Request) {
		s.serveAPI(w, r, false)
	})
	mux.HandleFunc("/upload/gmail/v1/users/", func(w http.ResponseWriter, r *http.Request) {
		s.serveAPI(w, r, false)
	})
	return mux
}

// find returns the route of a request and the account's name in its path.
func find(r *http.Request) (rt *route, user, id, part string, upload bool) {
	path, upload := strings.CutPrefix(r.URL.EscapedPath(), "/upload")
	path = strings.TrimPrefix(path, "/gmail/v1/users/")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if u, err := url.PathUnescape(s); err == nil {
			segments[i] = u
		}
	}
	user, segments = segments[0], segments[1:]
	for i := range routes {
		rt := &routes[i]
		if rt.verb != r.Method && !(upload && r.Method == http.MethodPut) || upload && !rt.upload {
			continue
		}
		if ids, ok := matchPath(strings.Split(rt.path, "/"), segments); ok {
			id, part = ids[0], ids[1]
			return rt, user, id, part, upload
		}
	}
	return nil, user, "", "", upload
}

func matchPath(pattern, path []string) (ids [2]string, ok bool) {
	if len(pattern) != len(path) {
		return ids, false
	}
	n := 0
	for i, p := range pattern {
		switch {
		case p == "*" && n < len(ids):
			ids[n] = path[i]
			n++
		case p != path[i]:
			return ids, false
		}
	}
	return ids, true
}

// serveAPI answers one call: grant, scope, quota, fault, work.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, batchPart bool) {
	rt, user, id, part, upload := find(r)
	if rt == nil {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>")
		return
	}
	m := rt.method
	if upload && !completes(r) {
		m = methodUpload
	}
	counted := s.stats.Begin(string(m), w)
	defer counted.End()
	c := &call{
		s: s, r: r, route: rt, query: r.URL.Query(), id: id, part: part, upload: upload,
	}
	refusal := c.authorize(user)
	name := ""
	if c.a != nil {
		name = c.a.address
	}
	serve := c.serve
	if refusal == nil {
		var release func()
		release, refusal = s.limiter.admit(name, m, batchPart)
		if release != nil {
			counted.WhenLeft(release)
		}
	}
	if refusal != nil {
		serve = refusal.write
	}
	s.faults.Serve(counted, r, name, string(m), serve)
}

// authorize finds the account and checks the token and its scopes.
func (c *call) authorize(user string) *apiError {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return unauthorized()
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.oauth.access(token, c.s.now())
	if g == nil {
		return unauthorized()
	}
	c.a, c.scopes = g.account, g.scopes
	if user != "me" && !strings.EqualFold(user, c.a.address) {
		return forbidden("Delegation denied for " + c.a.address)
	}
	if !slices.ContainsFunc(c.route.scopes, func(s string) bool {
		return slices.Contains(c.scopes, s)
	}) {
		return insufficientScope()
	}
	if c.a.mailOff {
		return &apiError{
			Status: http.StatusBadRequest, Reason: "failedPrecondition",
			Message: "Mail service not enabled", RPCStatus: "FAILED_PRECONDITION",
		}
	}
	return nil
}

// serve does the work and answers.
func (c *call) serve(w http.ResponseWriter) {
	answer, refusal := c.work()
	for _, a := range c.touched {
		c.s.changed(a)
	}
	if refusal != nil {
		refusal.write(w)
		return
	}
	switch answer := answer.(type) {
	case noContent:
		w.WriteHeader(http.StatusNoContent)
	case rawAnswer:
		answer(w)
	default:
		selected, err := selectFields(answer, c.query.Get("fields"))
		if err != nil {
			invalid("Invalid field selection " + err.Error()).write(w)
			return
		}
		writeJSON(w, http.StatusOK, selected)
	}
}

func (c *call) work() (any, *apiError) {
	if !c.route.lockOff {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
	}
	return c.route.do(c)
}

// touch remembers that an account has changed.
func (c *call) touch(a *Account) {
	if !slices.Contains(c.touched, a) {
		c.touched = append(c.touched, a)
	}
}

// The limits of maxResults.
const (
	defaultPage = 100
	maxPage     = 500
)

func (c *call) pageSize() (int, *apiError) {
	v := c.query.Get("maxResults")
	if v == "" {
		return defaultPage, nil
	}
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return 0, invalid("Invalid value at 'max_results' (TYPE_UINT32)")
	}
	if n == 0 {
		return defaultPage, nil
	}
	return int(min(n, maxPage)), nil
}

// body reads a request body of at most that many bytes. It must be called without the lock.
func (c *call) body(limit int64) ([]byte, *apiError) {
	b, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, limit))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, tooLarge()
	case err != nil:
		return nil, invalid("Unexpected end of request body")
	}
	return bytes.TrimSpace(b), nil
}
