package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
)

const (
	// early is how long before its end a token is refreshed: long requests shall not start with a
	// token about to die. A token that lives shorter than twice that is used for half its life.
	early = 3 * time.Minute
	// still is how long a token must live to be handed out while the service cannot refresh it.
	still = 10 * time.Second
	// configWait is how long a wrong set-up is not asked about again.
	configWait = time.Minute
	// forcedWait is how long a token refreshed because of a 401, and accepted somewhere since, is
	// kept when another call refuses it: then it is that call, not the token.
	forcedWait = time.Minute
	// The wait after a failure that may pass doubles from the first to the last.
	firstBackoff, lastBackoff = time.Second, 5 * time.Minute
	// persistWait is how long storing a token may take.
	persistWait = 30 * time.Second
)

// Source hands out the access token of one account. It is safe for concurrent use. There is one per
// account and process: two would refresh side by side.
//
// A refresh runs in a goroutine that outlives the callers who gave up waiting, as a new refresh
// token must be stored in any case; it ends by itself within a minute, and Wait waits for it.
type Source struct {
	client  *Client
	persist func(context.Context, Token) error

	mu     sync.Mutex
	token  Token     // stored; nobody has another one
	renew  time.Time // when token is to be refreshed
	flight *flight   // the refresh under way, or nil

	pending  *Token    // given by the service, not stored yet; token is due or refused as long
	refused  bool      // the service refused token
	forced   time.Time // when token replaced a refused one; zero: it did not
	accepted bool      // the service took token since

	failure  error     // of the last refresh
	until    time.Time // when to ask again; zero with a failure: never
	attempts int       // failures in a row that may pass
}

// flight is one refresh and what comes of it.
type flight struct {
	done  chan struct{}
	token Token
	late  bool // token was stored too late to be of use
	err   error
}

// NewSource makes a source. persist is called with every new token before anybody gets it, by one
// goroutine at a time; what it gets has no id token. Nil keeps tokens in memory alone. t is stored
// already.
func NewSource(c *Client, t Token, persist func(context.Context, Token) error) *Source {
	return &Source{client: c, persist: persist, token: t, renew: t.Expiry.Add(-early)}
}

// Format tells nothing of the account, whatever the verb.
func (s *Source) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "oauth source") }

// Token returns a token that lives long enough for a call, refreshing it when it must. Callers share
// one refresh; each waits no longer than its own ctx. A token that may still be used is returned as
// it is while the service cannot refresh it for the moment.
//
// Its errors are all *TokenError. provider.ErrAuth and provider.ErrAdminConsent are final for this
// Source, provider.ErrConfig is repeated for a minute without asking, provider.ErrRetry until the
// time it names. An error of persist comes as it is: the next call stores again, without a refresh.
func (s *Source) Token(ctx context.Context) (Token, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Token{}, &TokenError{Err: err}
		}
		f, token, err := s.enter(time.Now())
		if err != nil {
			return Token{}, &TokenError{Err: err}
		}
		if f == nil {
			return token, nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Token{}, &TokenError{Err: ctx.Err()}
		}
		if f.err != nil {
			return Token{}, &TokenError{Err: f.err}
		}
		if !f.late {
			return f.token, nil
		}
	}
}

// Refused says that the service refused this access token although it should still live (401): the
// next Token refreshes, once. Refused for the refreshed token too, before anybody was Accepted with
// it, the grant is dead: Token answers provider.ErrAuth from then on.
func (s *Source) Refused(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case access != s.token.Access.Reveal(): // an older one, it has been replaced since
	case s.flight != nil, s.forced.IsZero():
		s.refused = true
	case !s.accepted:
		s.failure = fmt.Errorf("%w: the service refuses an access token it has just given", provider.ErrAuth)
		s.until = time.Time{}
	case time.Since(s.forced) >= forcedWait:
		s.refused = true
	}
}

// Accepted says that the service took this access token.
func (s *Source) Accepted(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if access == s.token.Access.Reveal() {
		s.accepted = true
	}
}

// Wait returns when no refresh is under way, or with ctx's error: for who closes what persist
// writes to.
func (s *Source) Wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		f := s.flight
		s.mu.Unlock()
		if f == nil {
			return nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// enter answers from what is known, or returns the refresh to wait for.
func (s *Source) enter(now time.Time) (*flight, Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	final := s.failure != nil && s.until.IsZero()
	switch {
	case final:
		return nil, Token{}, s.failure
	case s.flight != nil:
		return s.flight, Token{}, nil
	case !s.refused && s.token.valid(now) && now.Before(s.renew):
		return nil, s.token, nil
	case s.failure != nil && now.Before(s.until):
		if s.usable(now) {
			return nil, s.token, nil
		}
		return nil, Token{}, again(s.failure, s.until.Sub(now))
	}
	s.flight = &flight{done: make(chan struct{})}
	go s.fly(s.flight, s.token, s.pending)
	return s.flight, Token{}, nil
}

// usable says whether the token in hand bridges a failure that may pass.
func (s *Source) usable(now time.Time) bool {
	return !s.refused && s.token.valid(now.Add(still)) && errors.Is(s.failure, provider.ErrRetry)
}
