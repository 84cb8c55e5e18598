package acl

import (
	"errors"
	"fmt"
)

// The decisions a caller can take on a refusal. The last three are narrower kinds of ErrDenied:
// an error that matches one of them matches ErrDenied too, so a host that knows only ErrDenied
// answers all of them alike.
var (
	// ErrDenied says that the actor may not do that. Every refusal matches it.
	ErrDenied = errors.New("not allowed")
	// ErrSelfGrant says that nobody changes their own grant, but for the site owner (R-ACL-11).
	ErrSelfGrant = fmt.Errorf("own grant: %w", ErrDenied)
	// ErrCreatorPinned says that the creator's rights are not anybody's to change (R-INB-10).
	ErrCreatorPinned = fmt.Errorf("creator's grant: %w", ErrDenied)
	// ErrReplyQuota says that a part-timer has replied on as many tickets as the window allows
	// (R-ROL-04).
	ErrReplyQuota = fmt.Errorf("reply quota spent: %w", ErrDenied)
)

// DeniedError carries the decision that refused. It names no person and no inbox.
type DeniedError struct {
	Decision Decision
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s is not allowed: %s", e.Decision.Action, e.Decision.Reason)
}

// Unwrap returns the sentinel of the reason.
func (e *DeniedError) Unwrap() error {
	switch e.Decision.Reason {
	case ReasonSelfGrant:
		return ErrSelfGrant
	case ReasonCreatorPinned:
		return ErrCreatorPinned
	case ReasonQuotaSpent:
		return ErrReplyQuota
	}
	return ErrDenied
}

// Err returns nil when the action is allowed and a *DeniedError otherwise. It does not know of
// Hidden: a caller looks at that first, because the error says that there is something to deny.
func (d Decision) Err() error {
	if d.Allowed {
		return nil
	}
	return &DeniedError{Decision: d}
}
