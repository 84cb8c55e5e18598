package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The decisions a caller of a mail service can take. Capabilities that the grant does not allow
// answer errors.ErrUnsupported.
var (
	// ErrAuth says that the owner must reconnect: the grant is dead.
	ErrAuth = errors.New("the mailbox owner must reconnect")
	// ErrAdminConsent says that an administrator of the owner's organisation must consent; the
	// *ConsentError has the link.
	ErrAdminConsent = errors.New("an administrator must consent")
	// ErrConfig says that the host's own set-up is wrong (client secret, API not enabled). It never
	// blames the user: inboxes keep their state.
	ErrConfig = errors.New("the mail service refuses the application's configuration")
	// ErrInsufficientScope says that a required scope was not granted; the *ScopeError names it.
	ErrInsufficientScope = errors.New("a required permission was not granted")
	// ErrCursorExpired says that the stream cannot be resumed from this cursor: walk again.
	ErrCursorExpired = errors.New("cursor too old to resume")
	// ErrGone says, in the service's own word, that the message is not there any more.
	ErrGone = errors.New("message is gone")
	// ErrRetry says that the same call may work later; a *RetryError says when.
	ErrRetry = errors.New("try again later")
	// ErrAmbiguous says that a send may have happened. Ask the Finder before sending again.
	ErrAmbiguous = errors.New("the mail may have been sent")
)

// RetryError is an ErrRetry with the time to wait.
type RetryError struct {
	After time.Duration // zero: the caller's own backoff
	Err   error
}

func (e *RetryError) Error() string {
	if e.Err == nil {
		return ErrRetry.Error()
	}
	return fmt.Sprintf("%v: %v", ErrRetry, e.Err)
}

// Unwrap returns ErrRetry and the cause.
func (e *RetryError) Unwrap() []error { return withCause(ErrRetry, e.Err) }

// ConsentError is an ErrAdminConsent with the link an administrator opens.
type ConsentError struct {
	URL string
	Err error
}

func (e *ConsentError) Error() string { return fmt.Sprintf("%v: open %s", ErrAdminConsent, e.URL) }

// Unwrap returns ErrAdminConsent and the cause.
func (e *ConsentError) Unwrap() []error { return withCause(ErrAdminConsent, e.Err) }

// ScopeError is an ErrInsufficientScope with the scopes that are missing.
type ScopeError struct{ Missing []string }

func (e *ScopeError) Error() string {
	return fmt.Sprintf("%v: %s", ErrInsufficientScope, strings.Join(e.Missing, " "))
}

// Unwrap returns ErrInsufficientScope.
func (e *ScopeError) Unwrap() error { return ErrInsufficientScope }

func withCause(sentinel, cause error) []error {
	if cause == nil {
		return []error{sentinel}
	}
	return []error{sentinel, cause}
}
