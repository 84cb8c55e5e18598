package oauth

import (
	"fmt"
	"net/http"

	"github.com/workinbox/workinbox/provider"
)

// decision is what a caller can do about a Failure. Where an answer gives several, the greatest wins:
// what passes by itself is not brought to a person, and the set-up's fault is never blamed on one.
type decision uint8

const (
	unknown   decision = iota
	reconnect          // provider.ErrAuth
	admin              // provider.ErrAdminConsent
	config             // provider.ErrConfig
	transient          // provider.ErrRetry
)

// standardCodes are the codes of the RFCs, for redirects and token endpoints alike.
var standardCodes = map[string]decision{
	// RFC 6749 5.2
	"invalid_grant":          reconnect,
	"invalid_request":        config,
	"invalid_client":         config,
	"unauthorized_client":    config,
	"unsupported_grant_type": config,
	"invalid_scope":          config,
	// RFC 6749 4.1.2.1
	"access_denied":             reconnect, // the person said no: back to the start
	"unsupported_response_type": config,
	"server_error":              transient,
	"temporarily_unavailable":   transient,
	// OpenID Connect Core 3.1.2.6
	"interaction_required":       reconnect,
	"login_required":             reconnect,
	"account_selection_required": reconnect,
	"consent_required":           reconnect,
}

// standard classifies by the RFCs alone.
func standard(f Failure) error { return f.verdict(f.byStatus(standardCodes[f.Code])) }

// byStatus completes what a code says by the HTTP status. A service that cannot answer says nothing
// of the grant, whatever stands in its answer; an answer that is none of OAuth comes from a proxy or
// a front end. A refusal with a code nobody knows goes to the operator: taken for the person's
// fault, one new code would disconnect everybody.
func (f Failure) byStatus(d decision) decision {
	switch {
	case f.Status >= 500, f.Status == http.StatusTooManyRequests, f.Code == "":
		return transient
	case d == unknown:
		return config
	}
	return d
}

// verdict is the error of package provider for a decision, with the service's text as its cause.
func (f Failure) verdict(d decision) error {
	f.Code, f.Subtype, f.Description = Scrub(f.Code), Scrub(f.Subtype), Scrub(f.Description)
	cause := &Error{Failure: f}
	switch d {
	case reconnect:
		return fmt.Errorf("%w: %w", provider.ErrAuth, cause)
	case admin:
		return &provider.ConsentError{URL: f.AdminURL, Err: cause}
	case transient:
		return &provider.RetryError{After: f.RetryAfter, Err: cause}
	}
	return fmt.Errorf("%w: %w", provider.ErrConfig, cause)
}
