// Package archive is mail that is already on disk: an mbox file (the export of Google Takeout among
// them), a Maildir, or a folder of messages. Nothing is ever written.
//
//  1. What a file is, its content decides: mbox, message, or no mail. In cur and new of a Maildir
//     everything is a message, and so is a file called .eml, whatever is in it. A file without a
//     header that shares its extension with most mail of its folder is one too. What is left out is
//     listed by Skipped.
//  2. The received time is that of the newest Received field, else of the Maildir file name, else of
//     the mbox "From " line, else the Date field, else the time of the file.
//  3. A RemoteID is a keyed hash: of the path for a message in a file of its own, of the path, the
//     header, the size and the number among equal messages for one in an mbox. It survives restarts,
//     flags, and other messages coming and going; it does not survive a move to another folder,
//     which reads as a removal and a new message.
//  4. Threads are those of X-GM-THRID where a message has it, else those of References and
//     In-Reply-To over the whole archive.
//  5. Every call of Changes looks at the files again. While the Archive value lives, it yields what
//     is new, changed or removed, exactly. From a cursor of another process it yields what is new
//     and what changed, and up to a few hundredths of the rest once more; messages that were removed
//     while nobody looked are not reported, since nothing is kept that knows of them.
//  6. The index takes some 80 bytes a message where the archive is one mbox, 100 where it is several,
//     220 where each message is a file; messages are streamed, whatever their size.
package archive

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/workinbox/workinbox/provider"
)

// Kind is the kind of every Archive.
const Kind provider.Kind = "archive"

// What a person may have chosen by mistake.
var (
	// ErrNotThere says that there is no file or folder at the path.
	ErrNotThere = errors.New("there is nothing at this path")
	// ErrEmpty says that the file or folder holds no mail.
	ErrEmpty = errors.New("there is no mail in it")
	// ErrNotMail says that the file is neither a message nor an mbox.
	ErrNotMail = errors.New("the file is not mail")
)

// Options set up an Archive. The zero value works.
type Options struct {
	// Own are the account addresses, the primary one first.
	Own []string
	// Key is the key of the hashes that RemoteIDs are. Default: derived from the absolute path, so
	// that an archive which moves needs the Key to keep its ids.
	Key []byte
	// PageSize is the most messages of one batch. Default 200.
	PageSize int
}

// Archive is mail on disk as a mail service with one mailbox. It is safe for concurrent use.
type Archive struct {
	path    string
	o       Options
	account string
	nonce   string // of this value: tells its own cursors from those of another process
	seed    maphash.Seed
	turn    chan struct{} // held by who reads the files
	index   *index        // nil before the first look; replaced, never changed
}

var (
	_ provider.Provider   = (*Archive)(nil)
	_ provider.Authorizer = (*Archive)(nil)
)

// New makes an archive of the mail at path. It does not look at the files yet.
func New(path string, o Options) *Archive {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if o.Key == nil {
		sum := sha256.Sum256([]byte("workinbox archive\x00" + path))
		o.Key = sum[:]
	}
	if o.PageSize <= 0 {
		o.PageSize = 200
	}
	a := &Archive{path: path, o: o, nonce: rand.Text()[:12], seed: maphash.MakeSeed(),
		turn: make(chan struct{}, 1)}
	id := a.hash("account")
	a.account = "archive-" + hex.EncodeToString(id[:])
	return a
}

// Kind returns Kind.
func (a *Archive) Kind() provider.Kind { return Kind }

// Open returns the one mailbox. It takes the zero Credential as well as its own; another archive's
// answers ErrAuth.
func (a *Archive) Open(ctx context.Context, cred provider.Credential, _ provider.SaveFunc) (
	provider.Mailbox, error,
) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !cred.IsZero() && string(cred.Reveal()) != a.account {
		return nil, fmt.Errorf("archive: open: the credential is another archive's: %w", provider.ErrAuth)
	}
	return &mailbox{a}, nil
}

// Scopes returns nothing: no scope is needed.
func (a *Archive) Scopes() []string { return nil }

// AuthURL returns the redirect with a code at once: nobody has to consent.
func (a *Archive) AuthURL(_ context.Context, req provider.AuthRequest) (string, error) {
	u, err := url.Parse(req.RedirectURL)
	if err != nil {
		return "", errors.New("archive: the redirect URL cannot be parsed")
	}
	q := u.Query()
	q.Set("code", "archive")
	q.Set("state", req.State)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Exchange takes any code. It answers ErrNotThere, ErrEmpty or ErrNotMail when no mail is at the
// path.
func (a *Archive) Exchange(ctx context.Context, _ provider.AuthResponse) (provider.Consent, error) {
	if err := ctx.Err(); err != nil {
		return provider.Consent{}, err
	}
	if _, err := Detect(a.path); err != nil {
		return provider.Consent{}, err
	}
	return provider.Consent{Credential: provider.NewCredential([]byte(a.account)),
		Account: a.self()}, nil
}

// Revoke does nothing.
func (a *Archive) Revoke(context.Context, provider.Credential) error { return nil }

// Skip is a file that was left out.
type Skip struct {
	Name string // path below the archive's, with slashes
	Why  string
}

// Skipped lists the files that were left out when the archive was looked at last, by name.
func (a *Archive) Skipped(ctx context.Context) ([]Skip, error) {
	ix, err := a.known(ctx)
	if err != nil {
		return nil, err
	}
	var skipped []Skip
	for _, s := range ix.sources {
		if s.skip != "" {
			skipped = append(skipped, Skip{s.name, s.skip})
		}
	}
	return skipped, nil
}

func (a *Archive) self() provider.Account {
	self := provider.Account{ID: a.account}
	if len(a.o.Own) > 0 {
		self.Address, self.Aliases = a.o.Own[0], append([]string(nil), a.o.Own[1:]...)
	}
	return self
}

// ident is the hash that a RemoteID or ThreadID is.
type ident [16]byte

func (i ident) String() string { return hex.EncodeToString(i[:]) }

func parseIdent(s string) (ident, bool) {
	var i ident
	n, err := hex.Decode(i[:], []byte(s[:min(len(s), 2*len(i))]))
	return i, err == nil && n == len(i) && len(s) == 2*len(i)
}

func (a *Archive) hash(parts ...string) ident {
	return sum(hmac.New(sha256.New, a.o.Key), strings.Join(parts, "\x00"))
}

// sum hashes with an HMAC that is used over and over.
func sum(h hash.Hash, s string) ident {
	var buf [sha256.Size]byte
	h.Reset()
	_, _ = h.Write([]byte(s))
	return ident(h.Sum(buf[:0])[:16])
}
