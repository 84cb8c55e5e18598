package provider

import (
	"context"
	"io"
	"net/url"
	"time"
)

// MarkerHeader is the header field that carries the random marker of every mail the library sends.
// Gmail replaces Message-ID on API sends but keeps X- fields, so the marker is what survives.
const MarkerHeader = "X-Workinbox-Send-Id"

// BuiltHeader is the header field that marks a message as built from what the service told of it: the
// original may be had from Originals.
const BuiltHeader = "X-Workinbox-Built"

// Account is who a mailbox belongs to.
type Account struct {
	// ID is the service's immutable account id (Google sub, Graph id). An address may be renamed or
	// given to somebody else; the ID never is.
	ID string
	// Address is the primary address.
	Address string
	// Aliases are the further addresses the service has verified as the account's own.
	Aliases []string
}

// Own returns the primary address and the aliases.
func (a Account) Own() []string { return append([]string{a.Address}, a.Aliases...) }

// Addresses is a Mailbox that knows whose it is. Every mailbox that is to be connected has it.
type Addresses interface {
	Account(ctx context.Context) (Account, error)
}

// Sender is a Mailbox that can send. Where the grant does not allow it, Send answers an error
// matching errors.ErrUnsupported.
type Sender interface {
	// Send hands one raw message to the service. ErrAmbiguous says that it may have been sent.
	Send(ctx context.Context, out Outgoing) (Sent, error)
}

// SendLimiter is a Sender that knows how large a mail it takes, so that a larger one is refused before it
// is kept.
type SendLimiter interface {
	// MaxSend is the size in bytes of the largest raw message that Send takes.
	MaxSend() int64
}

// Outgoing is one mail to send. Its raw bytes carry Marker in the MarkerHeader field.
type Outgoing struct {
	// Open returns the raw RFC 5322 message from its beginning; it may be called more than once.
	Open func() (io.ReadCloser, error)
	Size int64
	// Thread is the conversation the mail belongs to; empty starts a new one.
	Thread ThreadID
	Marker string
}

// Sent is what the service says of a mail it took. MessageID is the real one, which may differ from
// the one in the raw bytes; empty when the service does not tell.
type Sent struct {
	ID        RemoteID
	Thread    ThreadID
	MessageID string
}

// Finder is a Mailbox that can find out whether an interrupted send happened.
type Finder interface {
	// Find looks for a sent mail by its marker, in the thread when one is given, not before since.
	// ErrGone says that there is none so far; the copy in the sent folder may be late.
	Find(ctx context.Context, marker string, thread ThreadID, since time.Time) (Sent, error)
}

// Subscriber is a Mailbox that can be told to ring: push. A notification only says that something
// probably changed; the answer is always to read Changes.
type Subscriber interface {
	Subscribe(ctx context.Context) (Subscription, error)
	Renew(ctx context.Context, s Subscription) (Subscription, error)
	Unsubscribe(ctx context.Context, s Subscription) error
}

// Subscription is one lease on push notifications.
type Subscription struct {
	ID      string
	Expires time.Time
}

// PushEvent is what a service tells of a subscription beside ringing by it.
type PushEvent string

// The events.
const (
	PushRenew  PushEvent = "renew"  // it stops ringing unless it is renewed
	PushEnded  PushEvent = "ended"  // there is no subscription any more
	PushMissed PushEvent = "missed" // it should have rung
)

// Waiter is a Mailbox that blocks until something probably changed or ctx ends.
type Waiter interface {
	Wait(ctx context.Context) error
}

// BulkOpener is a Mailbox that opens many messages in one round trip.
type BulkOpener interface {
	// OpenMany calls each once for every id, one at a time and in any order, with the raw message
	// or its error. The reader is valid until each returns. An error of each ends it.
	OpenMany(ctx context.Context, ids []RemoteID, each func(RemoteID, io.Reader, error) error) error
}

// Originals is a Mailbox whose raw messages may be built from what the service tells of them, because
// that is faster: those of Header.Raw, Open and OpenMany, the same in all three. A built message has
// the BuiltHeader. It says what the original says, in other bytes; no attachment is missing.
type Originals interface {
	// Original returns the message as the service has it, as RFC 5322 bytes, or ErrGone. The caller
	// closes the reader.
	Original(ctx context.Context, id RemoteID) (io.ReadCloser, error)
}

// Counter is a Mailbox that can say about how many messages a walk would yield.
type Counter interface {
	Count(ctx context.Context, w Walk) (int, error)
}

// Authorizer is a Provider whose mailboxes are opened by consent: OAuth 2.0 with PKCE (RFC 6749,
// RFC 7636), or a trivial form of it for sources that need none.
type Authorizer interface {
	// AuthURL is where the person gives consent.
	AuthURL(ctx context.Context, req AuthRequest) (string, error)
	// Exchange turns the code of the redirect into a credential. Where the person left out a
	// required scope it returns *ScopeError and drops the token.
	Exchange(ctx context.Context, resp AuthResponse) (Consent, error)
	// Revoke ends the grant at the service. A grant that is dead already is no error. A service that
	// cannot end one grant alone answers an error matching errors.ErrUnsupported.
	Revoke(ctx context.Context, cred Credential) error
	// Scopes are the scopes a mailbox needs.
	Scopes() []string
}

// RedirectReader is an Authorizer that knows what the errors of its redirects mean.
type RedirectReader interface {
	// RedirectError says what the parameters of a redirect complain of (RFC 6749, section 4.1.2.1):
	// ErrAuth when the person said no, ErrAdminConsent when an administrator has to consent first,
	// ErrConfig when the application is at fault; nil when they complain of nothing. The caller has
	// checked the state.
	RedirectError(params url.Values) error
}

// AuthRequest is one attempt to get consent.
type AuthRequest struct {
	State       string // single use, checked by the caller when it comes back
	Verifier    string // PKCE code verifier; only its S256 challenge leaves the process
	RedirectURL string
	LoginHint   string // address to preselect, may be empty
}

// AuthResponse is what came back.
type AuthResponse struct {
	Code        string
	Verifier    string
	RedirectURL string
}

// Consent is a successful connection.
type Consent struct {
	Credential Credential
	Account    Account
	Scopes     []string // granted
}

// As finds the capability T of a mailbox or provider, through wrappers that have an
// Unwrap() Mailbox method. A wrapper that has T itself wins over what it wraps.
func As[T any](v any) (T, bool) {
	for v != nil {
		if t, ok := v.(T); ok {
			return t, true
		}
		u, ok := v.(interface{ Unwrap() Mailbox })
		if !ok {
			break
		}
		v = u.Unwrap()
	}
	var none T
	return none, false
}
