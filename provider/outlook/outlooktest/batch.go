package outlooktest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// maxParts is how many requests a batch may have, and batchWidth how many of them Graph has in work
// at once against Outlook.
//
// Source: https://learn.microsoft.com/graph/json-batching
const (
	maxParts   = 20
	batchWidth = 4
)

type batchRequest struct {
	Requests []batchPart `json:"requests"`
}

type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

func (s *Server) serveBatch(w http.ResponseWriter, r *http.Request) {
	s.stats.Count(string(methodBatch))
	s.faults.Serve(w, r, "", string(methodBatch), func(w http.ResponseWriter) {
		out, refusal := s.batch(r)
		if refusal != nil {
			refusal.write(w, r, s.now())
			return
		}
		writeJSON(w, http.StatusOK, out.bytes())
	})
}

func (s *Server) batch(r *http.Request) (*object, *apiError) {
	b, refusal := readBody(r)
	if refusal != nil {
		return nil, refusal
	}
	var req batchRequest
	if json.Unmarshal(b, &req) != nil {
		return nil, badRequest("Unable to read JSON request payload.")
	}
	if refusal := req.check(); refusal != nil {
		return nil, refusal
	}
	answers := make([]*object, len(req.Requests))
	status := make(map[string]int)
	done := make(map[string]chan struct{})
	for _, p := range req.Requests {
		done[p.ID] = make(chan struct{})
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	width := make(chan struct{}, batchWidth)
	for i, p := range req.Requests {
		wait.Go(func() {
			defer close(done[p.ID])
			failed := false
			for _, d := range p.DependsOn {
				<-done[d]
				mu.Lock()
				failed = failed || status[d] >= 400
				mu.Unlock()
			}
			var c *httptest.ResponseRecorder
			if failed {
				c = httptest.NewRecorder()
				refuse(http.StatusFailedDependency, "FailedDependency",
					"A request that this one depends on failed.").write(c, r, s.now())
			} else {
				width <- struct{}{}
				c = s.part(r, p)
				<-width
			}
			mu.Lock()
			defer mu.Unlock()
			status[p.ID] = c.Code
			answers[i] = p.answer(c)
		})
	}
	wait.Wait()
	// Answers come in any order.
	slices.Reverse(answers)
	list := make([][]byte, len(answers))
	for i, a := range answers {
		list[i] = a.bytes()
	}
	out := newObject()
	out.list("responses", list)
	return out, nil
}

// check refuses what Graph refuses as a whole.
func (b *batchRequest) check() *apiError {
	if len(b.Requests) == 0 {
		return badRequest("The batch request has no requests.")
	}
	if len(b.Requests) > maxParts {
		return badRequest("Number of batch request steps exceeds the maximum value of 20.")
	}
	var known []string
	for _, p := range b.Requests {
		if p.ID == "" || slices.Contains(known, p.ID) {
			return badRequest("Request Id's are not unique or missing.")
		}
		for _, d := range p.DependsOn {
			if !slices.Contains(known, d) {
				return badRequest("The dependsOn property names no earlier request.")
			}
		}
		if strings.Contains(p.URL, "$batch") || p.Method == "" {
			return badRequest("The batch request is not valid.")
		}
		if len(p.Body) > 0 && p.header("Content-Type") == "" {
			return badRequest("Write request id : " + p.ID + " does not contain Content-Type header or body.")
		}
		known = append(known, p.ID)
	}
	return nil
}

func (p *batchPart) header(name string) string {
	for k, v := range p.Headers {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// part serves one request as if it had come alone.
func (s *Server) part(outer *http.Request, p batchPart) *httptest.ResponseRecorder {
	c := httptest.NewRecorder()
	body := []byte(p.Body)
	var plain string
	if mt := p.header("Content-Type"); !strings.Contains(mt, "json") && json.Unmarshal(p.Body, &plain) == nil {
		body = []byte(plain)
	}
	r, err := http.NewRequestWithContext(outer.Context(), p.Method,
		s.URL()+"/v1.0/"+strings.TrimPrefix(p.URL, "/"), bytes.NewReader(body))
	if err != nil {
		badRequest("The batch request is not valid.").write(c, outer, s.now())
		return c
	}
	for k, v := range p.Headers {
		r.Header.Set(k, v)
	}
	r.Header.Set("Authorization", outer.Header.Get("Authorization"))
	s.serveAPI(c, r)
	return c
}

// answer is the part's answer: JSON as it is, everything else in base64.
func (p *batchPart) answer(c *httptest.ResponseRecorder) *object {
	o := newObject()
	o.text("id", p.ID)
	o.number("status", c.Code)
	h := newObject()
	for _, name := range []string{
		"Cache-Control", "OData-Version", "Content-Type", "Retry-After", "Location",
		"Preference-Applied",
	} {
		if v := c.Header().Get(name); v != "" {
			h.text(name, v)
		}
	}
	o.object("headers", h)
	body := c.Body.Bytes()
	switch {
	case len(body) == 0:
	case strings.Contains(c.Header().Get("Content-Type"), "json") && json.Valid(body):
		o.raw("body", body)
	default:
		o.text("body", base64.StdEncoding.EncodeToString(body))
	}
	return o
}
