package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/workinbox/workinbox/provider"
)

// Failure is what a token endpoint or a redirect said went wrong.
type Failure struct {
	Status      int    // HTTP status; zero: it came by redirect
	Code        string // RFC 6749 "error"; empty: the answer was none of OAuth
	Subtype     string // Google error_subtype, Microsoft suberror
	Numbers     []int  // Microsoft error_codes
	Description string // for the operator
	// RetryAfter is the wait the service asked for; zero: it did not.
	RetryAfter time.Duration
	// AdminURL is Client.AdminURL, the link for a *provider.ConsentError.
	AdminURL string
}

// Error is a Failure as the cause in an error chain. Its text is scrubbed.
type Error struct{ Failure Failure }

func (e *Error) Error() string {
	f := e.Failure
	var b strings.Builder
	if f.Status == 0 {
		b.WriteString("redirect:")
	} else {
		fmt.Fprintf(&b, "token endpoint: %d", f.Status)
	}
	for _, part := range []string{f.Code, f.Subtype} {
		if part != "" {
			b.WriteString(" " + Scrub(part))
		}
	}
	for _, n := range f.Numbers {
		fmt.Fprintf(&b, " %d", n)
	}
	if f.Description != "" {
		b.WriteString(": " + Scrub(f.Description))
	}
	return b.String()
}

// TokenError says that there was no access token to make a call with: whatever the call would have
// done, the service did not take it. It wraps one of package provider's errors, the error of
// persist, or the caller's own context error.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return "access token: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TokenError) Unwrap() error { return e.Err }

// RedirectError says what the parameters of a redirect complain of (RFC 6749 4.1.2.1); nil when they
// do not. Anybody can open a redirect: the caller checks the state first.
func (c *Client) RedirectError(params url.Values) error {
	code := params.Get("error")
	if code == "" {
		return nil
	}
	subtype := params.Get("error_subtype")
	if subtype == "" {
		subtype = params.Get("suberror")
	}
	return fmt.Errorf("get consent: %w", c.classify(Failure{
		Code: code, Subtype: subtype, Description: params.Get("error_description"),
		AdminURL: c.AdminURL,
	}))
}

func (c *Client) classify(f Failure) error {
	if c.Classify == nil {
		return standard(f)
	}
	return c.Classify(f)
}

// failed is the error of a call that did not work. secrets are the ones that went out with it. What
// x/oauth2 says itself is not kept: it may hold the whole answer.
func (c *Client) failed(ctx context.Context, what string, err error, secrets ...string) error {
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("%s: %w", what, c.classify(c.failure(answer.Response, answer.Body, secrets...)))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	// Only the text: a cause that is a deadline of ours would be taken for one of the caller's.
	text := Scrub(c.without(err.Error(), secrets))
	return fmt.Errorf("%s: %w", what, &provider.RetryError{Err: errors.New(text)})
}

// failure reads an answer. Every field is optional: proxies answer too.
func (c *Client) failure(resp *http.Response, body []byte, secrets ...string) Failure {
	f := Failure{
		Status: resp.StatusCode, AdminURL: c.AdminURL,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil {
		field := func(name string) (s string) { _ = json.Unmarshal(fields[name], &s); return s }
		f.Code, f.Description = field("error"), field("error_description")
		if f.Subtype = field("error_subtype"); f.Subtype == "" {
			f.Subtype = field("suberror")
		}
		if json.Unmarshal(fields["error_codes"], &f.Numbers) != nil {
			f.Numbers = nil
		}
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		f.Code, f.Description = form.Get("error"), form.Get("error_description")
	}
	for _, text := range []*string{&f.Code, &f.Subtype, &f.Description} {
		*text = c.without(*text, secrets)
	}
	return f
}

// without takes the secrets out of a text, however short they are.
func (c *Client) without(text string, secrets []string) string {
	for _, s := range append(secrets, c.Secret) {
		if s != "" {
			text = strings.ReplaceAll(text, s, redacted)
		}
	}
	return text
}

// retryAfter reads a Retry-After field: seconds or a date (RFC 9110 10.2.3).
func retryAfter(field string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(field, 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(field); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
