// Package provider says what the library needs from a mail service, in the words of mail services:
// a Provider opens a Mailbox, a Mailbox streams its changes and hands out raw messages. Everything
// else is an optional interface, looked up through wrappers by As.
//
// A provider knows nothing of inboxes, tickets, permissions or filters. It hands over and accepts
// raw RFC 5322 and hides its page tokens, history ids and delta links inside a Cursor.
//
// Rules that hold for every provider; package providertest proves them:
//
//  1. One stream serves the first walk and everything after it. The cursor of each batch resumes
//     right behind that batch, in another process too.
//  2. Nothing is lost between walk and live changes: what arrives or changes during the walk is
//     yielded after it. A message may be yielded more than once; its ID stays the same.
//  3. A message that cannot be read now is an ErrRetry, one that is not there any more an ErrGone.
//  4. Quota, concurrency and token refresh are the provider's job. Its methods block until they may
//     call the service, and stop when their context ends.
//  5. Errors keep the service's own text for the operator and never hold a token, a subject or an
//     address.
package provider

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/mail"
	"time"
)

// Kind names a mail service: "gmail", "outlook", "archive", "fake".
type Kind string

// RemoteID is the service's own id of a message. It is opaque, compared byte by byte, never folded,
// stable for the life of the message, and holds no content: archives use a keyed hash of the path.
type RemoteID string

// ThreadID is the service's own id of a conversation, opaque like RemoteID.
type ThreadID string

// Cursor is a place in the stream of one mailbox. Only the provider that made it can read it. The
// zero Cursor is the beginning: a first walk.
type Cursor string

// Provider opens mailboxes of one kind. It is safe for concurrent use.
type Provider interface {
	Kind() Kind
	// Open makes a mailbox from a credential without calling the service where it can. It calls save
	// whenever the credential changes, and uses the new one only once save has returned nil.
	Open(ctx context.Context, cred Credential, save SaveFunc) (Mailbox, error)
}

// SaveFunc stores a changed credential.
type SaveFunc func(ctx context.Context, cred Credential) error

// Mailbox is one connected account. Its methods may be called concurrently.
type Mailbox interface {
	// Changes yields what happened after from, oldest batch first. With the zero cursor it first
	// walks what w asks for, newest message first, then goes on to what changed meanwhile. It ends
	// when it has caught up. A cursor too old to resume yields ErrCursorExpired. At most one error
	// is yielded, as the last pair. Breaking out of the loop releases everything.
	Changes(ctx context.Context, from Cursor, w Walk) iter.Seq2[Batch, error]
	// Open returns the message as RFC 5322 bytes, or ErrGone. The caller closes the reader. They are
	// the bytes of the service, unless the mailbox is one of Originals.
	Open(ctx context.Context, id RemoteID) (io.ReadCloser, error)
}

// Walk bounds a first walk. It is given again, unchanged, with every cursor of that walk.
type Walk struct {
	// Since and Until bound the received time, both inclusive. Zero means unbounded. A service may
	// list a little more; the caller cuts by Header.Received.
	Since, Until time.Time
	// Interest narrows the walk to mail from, to or cc these addresses ("bob@acme.com") and domains
	// ("acme.com", "*.acme.com"), and to delivery reports and automatic replies, whoever they are
	// from: both belong to threads their senders are not clients of. It is a hint: a service that
	// cannot search ignores it, and the caller filters again either way. Nil asks for everything,
	// an empty list for reports and automatic replies alone.
	Interest []string
	// Only ends the stream with the walk (backfill, preview); no live changes follow.
	Only bool
	// Bodies says whether raw messages are expected with the headers.
	Bodies Bodies
}

// Bodies says when a walk wants raw messages.
type Bodies uint8

// The ways to ask for bodies. The zero value leaves it to Open.
const (
	BodiesAsk   Bodies = iota // on request, by Open
	BodiesWith                // with the headers where that costs nothing extra
	BodiesNever               // never: a preview; Header.Raw stays nil and nothing is downloaded
)

// Batch is one resumable step of a stream.
type Batch struct {
	// Put lists messages that are new or changed (moved, read, marked).
	Put []Header
	// Removed lists messages the service has deleted for good. A move to the trash is a Put with
	// FolderTrash.
	Removed []RemoteID
	// Next resumes right behind this batch.
	Next Cursor
	// Walking is true while the first walk lasts.
	Walking bool
}

// Header carries the facts the filter needs to decide without the message itself.
//
// Header redacts itself under fmt and slog: it names the ID alone.
type Header struct {
	ID RemoteID
	// Thread is never empty. A source without thread ids threads its whole index before its first
	// batch; a message alone in its thread has a thread of its own.
	Thread ThreadID
	// Received is the service's received time (Gmail internalDate, Graph receivedDateTime), never
	// the Date field. UTC.
	Received time.Time
	Folder   Folder
	Sent     Mark
	Unread   bool
	// Unreadable says that the service could not hand over more of the message now: the fields below
	// are unknown, and the caller decides when it has opened it. A single message that cannot be read
	// must not hold up all others.
	Unreadable bool

	From    []mail.Address
	Sender  mail.Address // zero when there is no Sender field
	ReplyTo []mail.Address
	To      []mail.Address
	Cc      []mail.Address
	Bcc     []mail.Address

	// MessageID is the Message-ID field without angle brackets, empty when there is none.
	MessageID string
	// Fields are the header fields that tell how the mail came about (ClassFields), as they stand.
	Fields []Field
	// Size is about the size of the raw message in bytes; zero when unknown.
	Size int64
	// Raw is the whole message where the service handed it over with the header, else nil. It is
	// never stored unless the message is kept.
	Raw []byte
}

// Field is one raw header field.
type Field struct{ Name, Value string }

// ClassFields names the header fields a Header carries in Fields where the message has them, in
// canonical MIME form: what RULES 11.6 and the authentication verdict (R-FLT-11) look at.
func ClassFields() []string {
	return []string{
		"Authentication-Results", "Auto-Submitted", "Content-Type", "Feedback-Id",
		"List-Id", "List-Post", "List-Unsubscribe", "Precedence", "Return-Path", "X-Autoreply",
		"X-Autorespond", "X-Auto-Response-Suppress", "X-Failed-Recipients",
	}
}

// Folder says what kind of folder a message lies in, as far as the filter cares (R-IMP-08).
type Folder string

// The kinds of folder. Inbox, archive, sent and the user's own folders are all FolderMail.
const (
	FolderMail   Folder = ""
	FolderDraft  Folder = "draft"
	FolderSpam   Folder = "spam"
	FolderTrash  Folder = "trash"
	FolderChat   Folder = "chat"
	FolderOutbox Folder = "outbox" // scheduled or waiting to leave
)

// Mark says whether the service marks a message as sent by this account.
type Mark uint8

// The marks. A source that has no such mark (a plain mbox) leaves MarkUnknown.
const (
	MarkUnknown Mark = iota
	MarkSent
	MarkNotSent
)

// String names the message by its opaque id.
func (h Header) String() string { return fmt.Sprintf("message %q", string(h.ID)) }

// GoString is String, so that %#v tells no more.
func (h Header) GoString() string { return h.String() }

// Format keeps every fmt verb to the opaque id.
func (h Header) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// LogValue names the message by its opaque id.
func (h Header) LogValue() slog.Value { return slog.StringValue(h.String()) }
