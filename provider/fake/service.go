// Package fake is a mail service in memory: a provider.Provider whose mailboxes a test or an example
// fills, changes and breaks. It keeps every promise of package provider (package providertest says
// so) and counts what it is asked, so that a test can say what must not have been asked.
//
//  1. A Service holds Accounts. What a test does to an Account happened at the service: Deliver,
//     Move, MarkRead, Remove. What it scripts goes wrong: Throttle, Revoke, FailOnce and the like.
//  2. A mailbox opened from the Provider sees the account through its calls alone. Every call first
//     meets the script: latency, the BeforeCall hook, throttling, the grant, scripted errors.
//  3. Cursors are places in a log that only grows. They outlive mailboxes, for as long as the
//     Service lives, and die with ExpireCursors.
//  4. A mailbox has every capability but provider.BulkOpener, which Account.Bulk adds.
//
// Everything is safe for concurrent use.
package fake

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// Options set up a Service. The zero value is a service with nothing special.
type Options struct {
	// Kind is the kind of the provider. Default "fake".
	Kind provider.Kind
	// Now is the service's clock. Default time.Now.
	Now func() time.Time
	// PageSize is the most messages or changes of one batch. Default 50.
	PageSize int
	// Sloppy makes walks list a day more than asked at either end, as services that search by day do.
	Sloppy bool
	// SearchOff makes walks ignore Walk.Interest.
	SearchOff bool
	// RawWithHeaders hands over raw messages with the headers when Walk.Bodies is BodiesWith.
	RawWithHeaders bool
	// RewriteMessageID makes the service replace the Message-ID of what is sent, as Gmail does.
	RewriteMessageID bool
	// MaxSend is the size in bytes of the largest mail that can be sent. Zero is 25 MiB.
	MaxSend int64
	// Notify is called after every change of an account that has a live subscription, with the
	// account's ID: push. It is called outside of all locks.
	Notify func(accountID string)
}

// Service is a mail service. Make one with New.
type Service struct {
	o        Options
	mu       sync.Mutex
	accounts map[string]*Account // by lower-case address
	order    []*Account
	withheld []string // scopes
}

// New makes a service without accounts.
func New(o Options) *Service {
	if o.Kind == "" {
		o.Kind = "fake"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.PageSize <= 0 {
		o.PageSize = 50
	}
	if o.MaxSend <= 0 {
		o.MaxSend = 25 << 20
	}
	return &Service{o: o, accounts: make(map[string]*Account)}
}

var (
	_ provider.Provider       = (*Service)(nil)
	_ provider.Authorizer     = (*Service)(nil)
	_ provider.RedirectReader = (*Service)(nil)
)

// The scopes a mailbox of a Service needs.
const (
	ScopeRead = "fake.read"
	ScopeSend = "fake.send"
)

// Account returns the account with that address, which it opens when there is none.
func (s *Service) Account(address string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(address)
	if a := s.accounts[key]; a != nil {
		return a
	}
	a := newAccount(s, fmt.Sprintf("account-%d", len(s.order)+1), address)
	s.accounts[key] = a
	s.order = append(s.order, a)
	return a
}

// WithholdScopes makes people leave out these scopes when they consent, from now on.
func (s *Service) WithholdScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withheld = scopes
}

// Kind returns the kind of the options.
func (s *Service) Kind() provider.Kind { return s.o.Kind }

// Scopes returns ScopeRead and ScopeSend.
func (s *Service) Scopes() []string { return []string{ScopeRead, ScopeSend} }

// AuthURL returns an address that nobody can open. A test reads the state from it and answers with
// the account's address as the code.
func (s *Service) AuthURL(_ context.Context, req provider.AuthRequest) (string, error) {
	return authURL(req), nil
}

// Exchange takes the address of an account as the code. It answers ErrAuth when there is no such
// account or its owner refuses, *ConsentError when an administrator is needed, and *ScopeError when
// scopes are withheld.
func (s *Service) Exchange(ctx context.Context, resp provider.AuthResponse) (
	provider.Consent, error,
) {
	if err := ctx.Err(); err != nil {
		return provider.Consent{}, err
	}
	s.mu.Lock()
	a, withheld := s.accounts[strings.ToLower(resp.Code)], s.withheld
	s.mu.Unlock()
	if a == nil {
		return provider.Consent{}, fmt.Errorf("fake: exchange: unknown code: %w", provider.ErrAuth)
	}
	if len(withheld) > 0 {
		return provider.Consent{}, &provider.ScopeError{Missing: withheld}
	}
	return a.consent()
}

// Open opens the mailbox of the account the credential is for. A credential that is none of this
// service answers ErrAuth.
func (s *Service) Open(ctx context.Context, cred provider.Credential, save provider.SaveFunc) (
	provider.Mailbox, error,
) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a, token, ok := s.find(cred)
	if !ok {
		return nil, fmt.Errorf("fake: open: unknown credential: %w", provider.ErrAuth)
	}
	m := &mailbox{a: a, token: token, save: save}
	if a.isBulk() {
		return &bulkMailbox{m}, nil
	}
	return m, nil
}

// Revoke ends the grant of the credential.
func (s *Service) Revoke(ctx context.Context, cred provider.Credential) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if a, _, ok := s.find(cred); ok {
		a.Revoke()
	}
	return nil
}

// find reads a credential: the id of the account and the number of the token.
func (s *Service) find(cred provider.Credential) (*Account, int, bool) {
	words := strings.Fields(string(cred.Reveal()))
	if len(words) != 2 {
		return nil, 0, false
	}
	token, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.order {
		if a.id == words[0] {
			return a, token, true
		}
	}
	return nil, 0, false
}
