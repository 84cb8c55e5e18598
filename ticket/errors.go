package ticket

import (
	"errors"
	"fmt"
	"strings"
)

// The decisions a caller can take. Refused rights match acl.ErrDenied, and what an actor may not
// know of is storage.ErrNotFound.
var (
	// ErrEmpty says that there is nothing to note or to send.
	ErrEmpty = errors.New("nothing was written")
	// ErrCatalog says that a catalog cannot be saved as it is; see CatalogError.
	ErrCatalog = errors.New("the catalog cannot be saved like this")
	// ErrOption says that an option cannot be set to what was given; see OptionError.
	ErrOption = errors.New("the option cannot be set to this")
	// ErrEditConflict says that somebody else changed what a person wanted to change; see
	// EditConflictError.
	ErrEditConflict = errors.New("somebody else has changed this meanwhile")
	// ErrCannotAssign says that the person may not work on tickets of this inbox: no
	// read-and-reply, or the invite is not accepted.
	ErrCannotAssign = errors.New("this person cannot be assigned tickets of this inbox")
	// ErrCannotFollow says that the person may not view the ticket, has not accepted the invite, or
	// would be one too many.
	ErrCannotFollow = errors.New("this person cannot follow the ticket")
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

// OptionError is an option that cannot be set to what somebody chose or entered.
type OptionError struct {
	Option string // status, priority, type, source, tag, customer; "field.size" for the field size
	Value  string // what was chosen; empty for what was entered freely
	Reason OptionReason
}

// OptionReason says why an option cannot be set.
type OptionReason string

// The reasons.
const (
	OptionUnknown   OptionReason = "is not in the catalog"
	OptionRetired   OptionReason = "is not offered any more"
	OptionElsewhere OptionReason = "is not offered in this inbox"
	OptionOneValue  OptionReason = "takes one value"
	OptionOneLine   OptionReason = "takes one line"
	OptionTooLong   OptionReason = "is too long"
	OptionTooMany   OptionReason = "is more than a ticket may have"
	OptionNotNumber OptionReason = "is not a number"
	OptionNotDate   OptionReason = "is not a day like 2026-03-31"
)

func (e *OptionError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s %s", e.Option, e.Reason)
	}
	return fmt.Sprintf("%s %.80q %s", e.Option, e.Value, e.Reason)
}

// Unwrap returns ErrOption.
func (e *OptionError) Unwrap() error { return ErrOption }

// EditConflictError names every option that is not what the person saw any more. Nothing was changed.
type EditConflictError struct {
	Ticket    ID
	Conflicts []Conflict
}

// Conflict is one option two people want to have different, each as a line of the history says it.
type Conflict struct {
	Option string // as in OptionError
	Seen   string // when the person decided
	Now    string // what somebody else made of it
	Wanted string
}

// Error names the options and no values: those of fields may hold anything.
func (e *EditConflictError) Error() string {
	options := make([]string, len(e.Conflicts))
	for i, c := range e.Conflicts {
		options[i] = c.Option
	}
	return fmt.Sprintf("ticket %q: somebody else has changed: %s", e.Ticket, strings.Join(options, ", "))
}

// Unwrap returns ErrEditConflict.
func (e *EditConflictError) Unwrap() error { return ErrEditConflict }

// CatalogError is one thing that is wrong with a catalog somebody wants to save.
type CatalogError struct {
	List   string // statuses, priorities, types, sources, tags, fields; choices of a field: "fields.size"
	Code   string // of the label; empty where it has none
	Name   string
	Reason CatalogReason
}

// CatalogReason says what is wrong.
type CatalogReason string

// The reasons.
const (
	CatalogBuiltIn   CatalogReason = "is built in and cannot be changed or taken out"
	CatalogBadCode   CatalogReason = "needs a code of letters, digits and hyphens"
	CatalogCodeTwice CatalogReason = "has the code of another"
	CatalogBadName   CatalogReason = "needs a name of at most 100 characters"
	CatalogNameTwice CatalogReason = "has the name of another"
	CatalogBadColor  CatalogReason = "needs a colour like #1a2b3c"
	CatalogBadIcon   CatalogReason = "needs an icon of at most 100 characters"
	CatalogTooMany   CatalogReason = "is more than a list may hold"
	CatalogNoInbox   CatalogReason = "is for an inbox that is not there"
	CatalogKind      CatalogReason = "cannot be of another kind than it was"
	CatalogBadKind   CatalogReason = "is of no kind of field"
	CatalogChoices   CatalogReason = "needs choices, or is of a kind that has none"
)

func (e *CatalogError) Error() string {
	what := e.Code
	if what == "" {
		what = e.Name
	}
	return fmt.Sprintf("%s %q %s", e.List, what, e.Reason)
}

// Unwrap returns ErrCatalog.
func (e *CatalogError) Unwrap() error { return ErrCatalog }
