package rfc822

import "errors"

// Why a draft cannot be built. Errors of Build match one of these, or the
// error an attachment's Open or Read gave.
var (
	ErrHeaderInjection = errors.New("line break or NUL in a header value")
	ErrMissing         = errors.New("missing")
	ErrNoRecipients    = errors.New("no recipient")
	ErrBadAddress      = errors.New("not an address mail can be sent to")
	ErrUnicodeLocal    = errors.New("letters before the @ that most mail servers refuse (RFC 6531)")
	ErrBadID           = errors.New("not a message id")
	ErrBadField        = errors.New("header field that cannot be set")
	ErrSize            = errors.New("other size than announced")
)

// DraftError says which part of a draft cannot be sent. Field is the name of
// the header field, with the number of the value from 1 where there are
// several ("To 2"), or "Attachments 1". It never holds a value of the draft.
type DraftError struct {
	Field string
	Err   error
}

func (e *DraftError) Error() string { return "draft: " + e.Field + ": " + e.Err.Error() }

func (e *DraftError) Unwrap() error { return e.Err }
