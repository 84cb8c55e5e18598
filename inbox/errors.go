package inbox

import (
	"errors"
	"fmt"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// The decisions a caller of this package can take, beside those of packages storage, provider and
// acl.
var (
	// ErrAddressInUse says that another live inbox of the site has this mailbox (R-INB-06).
	ErrAddressInUse = errors.New("this mailbox is connected already")
	// ErrAccountMismatch says that consent came from another account than before (R-CON-02).
	ErrAccountMismatch = errors.New("consent was given for another account")
	// ErrConsentExpired says that an OAuth attempt is unknown, used, too old or somebody else's.
	ErrConsentExpired = errors.New("this consent attempt is not valid any more; start again")
	// ErrInvalidGrantee says that a grant names nobody of the site (section 8.3, test 9).
	ErrInvalidGrantee = errors.New("not a user of this site")
	// ErrUnknownProvider says that no provider of that kind is configured.
	ErrUnknownProvider = errors.New("unknown provider")
	// ErrSetup says that a step of the wizard is missing.
	ErrSetup = errors.New("set-up is not complete")
	// ErrMustWait says that something else is under way on this inbox.
	ErrMustWait = errors.New("another run is under way")
	// ErrDomainLocked says that a customer's company follows their domain and cannot be picked by
	// hand (R-CUS-03).
	ErrDomainLocked = errors.New("the company follows the customer's domain")
	// ErrUnknownEvent says that there is no event of a name that comes from an inbox; see Events.
	ErrUnknownEvent = errors.New("no inbox has an event of this name")
	// ErrInput says that something a person entered cannot be taken as it is; see InputError.
	ErrInput = errors.New("this cannot be taken as it is")
	// ErrUnsafeFile says that the host's Scanner refused a file. The scanner's error matches it.
	ErrUnsafeFile = errors.New("this file is not safe")
)

// InputError is one thing a person entered that cannot be taken. A form marks the field; several come at
// once through errors.Join. Nothing was changed.
type InputError struct {
	Field  string // "name", "address 2" by its place, "settings.send_as"
	Reason string // what it has to be, or what is wrong with it; never what was entered
	Err    error  // the error behind it, or nil
}

func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

// Unwrap returns ErrInput, and Err where there is one.
func (e *InputError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrInput}
	}
	return []error{ErrInput, e.Err}
}

// SyncError is a sync that ended early. Report says what did succeed.
type SyncError struct {
	Report Run
	Err    error
}

func (e *SyncError) Error() string {
	return fmt.Sprintf("sync of inbox %q ended after %d messages: %v", e.Report.Inbox, e.Report.Listed, e.Err)
}

// Unwrap returns the cause.
func (e *SyncError) Unwrap() error { return e.Err }

// code names an error for stores and people without quoting it.
func code(err error) string {
	for _, c := range []struct {
		err  error
		code string
	}{
		{provider.ErrAuth, "auth"}, {provider.ErrAdminConsent, "admin_consent"},
		{provider.ErrConfig, "config"}, {provider.ErrCursorExpired, "cursor_expired"},
		{provider.ErrGone, "gone"}, {provider.ErrRetry, "retry"},
		{provider.ErrInsufficientScope, "scope"}, {storage.ErrConflict, "conflict"},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return "error"
}
