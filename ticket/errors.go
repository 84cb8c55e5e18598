package ticket

import (
	"errors"
	"fmt"
	"strings"

	"github.com/workinbox/workinbox/storage"
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
	// ErrStaleThread says that newer mail came in, or somebody else has answered, since the person last
	// looked (11.14).
	ErrStaleThread = errors.New("newer mail has come in, or somebody else has answered")
	// ErrNothingToAnswer says that the ticket has no mail an answer could go to.
	ErrNothingToAnswer = errors.New("the ticket has no mail to answer")
	// ErrNotQueued says that a mail cannot be taken back or put off: it is on its way, or gone.
	ErrNotQueued = errors.New("this mail does not wait to be sent")
	// ErrTooManyRecipients says that a mail names more people than one may (R-MSG-05).
	ErrTooManyRecipients = errors.New("the mail has too many recipients")
	// ErrMailTooLarge says that a mail is larger, with its attachments as they are sent, than its mailbox
	// sends.
	ErrMailTooLarge = errors.New("the mail is too large to be sent")
	// ErrNobody says that a mail names nobody it goes to.
	ErrNobody = errors.New("the mail has no recipient")
	// ErrMerged says that the ticket's mail is in another ticket (Ticket.MergedInto), where work on it
	// goes on.
	ErrMerged = errors.New("the ticket was merged into another one")
	// ErrSameTicket says that a ticket is to be merged into itself, or twice.
	ErrSameTicket = errors.New("the same ticket is named twice")
	// ErrHidden says that a ticket whose mail only the inbox's creator may see can neither be moved nor
	// be merged with one that others see.
	ErrHidden = errors.New("the ticket's mail is hidden")
	// ErrNotMail says that an entry is no mail that has come in or was sent.
	ErrNotMail = errors.New("this is not a mail of the ticket")
	// ErrNothingLeft says that a split would leave a ticket without mail.
	ErrNothingLeft = errors.New("no mail would be left on the ticket")
	// ErrTooManyMentions says that a note names more people than one may.
	ErrTooManyMentions = errors.New("the note mentions too many people")
	// ErrTooLong says that the text of a note is longer than one may be.
	ErrTooLong = errors.New("the text is too long")
	// ErrDraft says that a draft cannot be kept or sent as it is, or a file not be attached to it.
	ErrDraft = errors.New("the draft cannot be kept like this")
	// ErrDraftConflict says that the draft was saved, sent or discarded since the person read it. It is
	// to be read again before it is saved.
	ErrDraftConflict = fmt.Errorf("the draft was changed or sent elsewhere meanwhile, read it again: %w", storage.ErrConflict)
	// ErrDraftSent says that what a draft was before it was saved last has been sent. It has to be saved
	// once more to be sent as another mail.
	ErrDraftSent = fmt.Errorf("an earlier version of the draft was sent, save it again to send it as another mail: %w",
		storage.ErrConflict)
	// ErrSending says that a mail of the ticket is just being sent, or not back from the mailbox it left:
	// what becomes of it shows with a sync ten minutes later, or within a week.
	ErrSending = errors.New("a mail of the ticket is being sent")
	// ErrNotFailed says that a mail cannot be sent again: it did not fail, or nothing of it is left.
	ErrNotFailed = errors.New("this mail has not failed")
	// ErrNotUnknown says that an outgoing mail needs nobody's decision.
	ErrNotUnknown = errors.New("this mail is not in doubt")
)

// OptionError is an option that cannot be set to what somebody chose or entered.
type OptionError struct {
	Option string // status, priority, type, source, tag, customer, subject; "field.size" for the field size
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
	Code   string // of the label; empty where it was handed over with none
	Name   string
	Row    int // of the label in the list that was handed over, from 0; -1 for what is built in
	Reason CatalogReason
}

// CatalogReason says what is wrong.
type CatalogReason string

// The reasons.
const (
	CatalogBuiltIn   CatalogReason = "is built in and cannot be changed or taken out"
	CatalogBadCode   CatalogReason = "needs a code of letters, digits and hyphens"
	CatalogCodeTwice CatalogReason = "has the code of another"
	CatalogBadName   CatalogReason = "needs a name of one line, at most 100 characters"
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
	if what == "" {
		return fmt.Sprintf("%s, row %d: %s", e.List, e.Row+1, e.Reason)
	}
	return fmt.Sprintf("%s %q %s", e.List, what, e.Reason)
}

// Unwrap returns ErrCatalog.
func (e *CatalogError) Unwrap() error { return ErrCatalog }
