package oauth

import (
	"io"
	"net/http"
)

// Transport adds the access token to requests. A 401 forces one refresh and, where the request body
// can be had again (GetBody) or there is none, one repetition; otherwise the 401 is the answer. A
// second 401 is the answer too, and the account's source takes the grant for dead when nobody got
// further with the new token.
//
// An error of the token, before the first request or between the two, is a *TokenError: the service
// took nothing of the request, even where its body was written once and refused with a 401.
//
// A redirect to another host gets no token.
type Transport struct {
	Source *Source
	Base   http.RoundTripper // nil is http.DefaultTransport
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if redirectedAway(r) {
		return t.base().RoundTrip(r)
	}
	token, err := t.Source.Token(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as http.RoundTripper promises
		}
		return nil, err
	}
	resp, err := t.send(r, r.Body, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	body := r.Body
	if body != nil && body != http.NoBody {
		if r.GetBody == nil {
			return resp, nil
		}
		if body, err = r.GetBody(); err != nil {
			return resp, nil
		}
	}
	// Read to its end, within reason, for the connection to be used again.
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
	if token, err = t.Source.Token(r.Context()); err != nil {
		if body != nil {
			_ = body.Close()
		}
		return nil, err
	}
	return t.send(r, body, token)
}

// send makes one attempt and tells the source what the service thinks of the token. The request is
// a copy: a RoundTripper does not change the one it gets.
func (t *Transport) send(r *http.Request, body io.ReadCloser, token Token) (*http.Response, error) {
	attempt := r.Clone(r.Context())
	attempt.Body = body
	kind := token.Type
	if kind == "" {
		kind = "Bearer"
	}
	attempt.Header.Set("Authorization", kind+" "+token.Access.Reveal())
	resp, err := t.base().RoundTrip(attempt)
	switch {
	case err != nil:
	case resp.StatusCode == http.StatusUnauthorized:
		t.Source.Refused(token.Access.Reveal())
	case resp.StatusCode < http.StatusBadRequest: // other refusals may come before the token is looked at
		t.Source.Accepted(token.Access.Reveal())
	}
	return resp, err
}

// redirectedAway says whether a request follows a redirect to another host, or out of TLS. A client
// that follows redirects comes through here each time.
func redirectedAway(r *http.Request) bool {
	first := r
	for first.Response != nil {
		if first = first.Response.Request; first == nil {
			return true // nobody knows where it began
		}
	}
	return first.URL.Scheme != r.URL.Scheme || first.URL.Host != r.URL.Host
}

// CloseIdleConnections passes http.Client.CloseIdleConnections on.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}
