package ticket

import "errors"

// The decisions a caller can take. Refused rights match acl.ErrDenied, and what an actor may not
// know of is storage.ErrNotFound.
var (
	// ErrEmpty says that there is nothing to note or to send.
	ErrEmpty = errors.New("nothing was written")
	// ErrBadStatus says that a status is no status code.
	ErrBadStatus = errors.New("a status is a short code of letters, digits and hyphens")
	// ErrCannotAssign says that the person may not work on tickets of this inbox: no
	// read-and-reply, or the invite is not accepted.
	ErrCannotAssign = errors.New("this person cannot be assigned tickets of this inbox")
	// ErrStaleThread says that newer mail came in since the person last looked (11.14).
	ErrStaleThread = errors.New("newer mail has come in")
	// ErrNothingToAnswer says that the ticket has no mail an answer could go to.
	ErrNothingToAnswer = errors.New("the ticket has no mail to answer")
	// ErrNotQueued says that a mail cannot be taken back or put off: it is on its way, or gone.
	ErrNotQueued = errors.New("this mail does not wait to be sent")
	// ErrTooManyRecipients says that a mail names more people than one may (R-MSG-05).
	ErrTooManyRecipients = errors.New("the mail has too many recipients")
	// ErrNobody says that a mail names nobody it goes to.
	ErrNobody = errors.New("the mail has no recipient")
	// ErrNotUnknown says that an outgoing mail needs nobody's decision.
	ErrNotUnknown = errors.New("this mail is not in doubt")
)
