package testserver

import (
	"net/http"
	"net/http/httptest"
)

// InMemory is an http.RoundTripper that hands requests to a handler, as a server does, without a
// connection. The answer is whole when RoundTrip returns.
type InMemory struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t InMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), "client.invalid:443", r.URL.Host
	rec := httptest.NewRecorder()
	t.Handler.ServeHTTP(rec, in)
	if err := r.Context().Err(); err != nil {
		return nil, err // too late
	}
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}
