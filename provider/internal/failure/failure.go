// Package failure is what went wrong with a call of a mail service, in words for the operator, and the
// decision of package provider it leads to. Which answer leads to which decision is the service's own.
//
// Errors of HTTP clients and of services' SDKs are never wrapped: their text has the address of the
// request, with the search in it, and the whole body of the answer.
package failure

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// Error is what the service, or the way to it, said went wrong.
type Error struct {
	Service  string // "gmail"
	Op       string // the call: "messages.get"
	Status   int    // HTTP; zero: there was no answer
	Code     string // the service's: "notFound"; may be empty
	Text     string // scrubbed
	Decision error  // of package provider; nil: none of them
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Service + " " + e.Op + ": ")
	if e.Decision != nil {
		b.WriteString(e.Decision.Error() + ": ")
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	if e.Code != "" {
		b.WriteString(e.Code + ": ")
	}
	b.WriteString(e.Text)
	return b.String()
}

// Unwrap returns the decision.
func (e *Error) Unwrap() error { return e.Decision }

// Status returns the HTTP status of the Error in err; zero when there is none.
func Status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// Code returns the service's code of the Error in err; empty when there is none.
func Code(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// Decided returns the error of the token source, or one of package provider that was found on the way
// of a request, under the names of the service and the call; nil for every other. The client has packed
// it into an error with the address of the request, which is taken off.
func Decided(service, op string, err error) error {
	err = withoutAddress(err)
	if token, ok := errors.AsType[*oauth.TokenError](err); ok {
		return fmt.Errorf("%s %s: %w", service, op, token)
	}
	for _, known := range []error{
		provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig,
		provider.ErrInsufficientScope, provider.ErrRetry,
	} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s %s: %w", service, op, err)
		}
	}
	return nil
}

// Reason is the text of an error that did not come from the service, scrubbed and without the address of
// the request.
func Reason(err error) string { return oauth.Scrub(withoutAddress(err).Error()) }

// withoutAddress takes off the method and address net/http adds to an error.
func withoutAddress(err error) error {
	if request, ok := errors.AsType[*url.Error](err); ok {
		return request.Err
	}
	return err
}

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// Unquoted is a text of the service, scrubbed and without what it quotes: services quote what is wrong
// with a request from it.
func Unquoted(text string) string { return oauth.Scrub(quoted.ReplaceAllString(text, "[quoted]")) }
