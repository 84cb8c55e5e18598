package oauth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// fly refreshes old and stores the result; the result of an earlier flight that could not be stored
// is only stored. Its contexts are its own, because it works for all callers.
func (s *Source) fly(f *flight, old Token, pending *Token) {
	late := pending != nil
	err := errors.New("ended without a result")
	defer func() { s.land(f, pending, late, err) }()
	if pending == nil {
		var got Token
		if got, err = s.ask(old); err != nil {
			return
		}
		pending = &got
	}
	// What stands when persist ends the goroutine (runtime.Goexit) instead of returning.
	err = errors.New("store the new token: ended without a result")
	err = s.store(*pending)
}

// ask refreshes, in one request.
func (s *Source) ask(old Token) (Token, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	got, err := s.client.refresh(ctx, old)
	if errors.Is(err, context.DeadlineExceeded) {
		// Not with ctx's error inside: it would be taken for one of the caller's.
		err = &provider.RetryError{Err: fmt.Errorf("refresh the token: no answer within %v", answerWait)}
	}
	got.ID = Secret{}
	return got, err
}

func (s *Source) store(t Token) error {
	if s.persist == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), persistWait)
	defer cancel()
	err := s.persist(ctx, t)
	if err != nil && ctx.Err() != nil {
		return &provider.RetryError{Err: fmt.Errorf("store the new token: not done within %v", persistWait)}
	}
	if err != nil {
		return fmt.Errorf("store the new token: %w", err)
	}
	return nil
}

// land takes over what a flight brought and wakes who waits for it. got is nil when the refresh
// failed, otherwise err is the one of storing it.
func (s *Source) land(f *flight, got *Token, wasPending bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(f.done)
	now := time.Now()
	s.flight, s.pending = nil, nil
	switch {
	case got == nil:
		f.err = s.fail(err, now)
		if s.usable(now) {
			f.token, f.err = s.token, nil
		}
	case err != nil:
		s.pending, f.err = got, err
	default:
		s.adopt(*got, now)
		f.token, f.late = *got, wasPending && !got.valid(now)
	}
}

// adopt makes t, which is stored, the token that is handed out.
func (s *Source) adopt(t Token, now time.Time) {
	lead := min(early, t.Expiry.Sub(now)/2)
	s.token, s.renew = t, t.Expiry.Add(-lead)
	s.failure, s.attempts = nil, 0
	s.forced, s.accepted = time.Time{}, false
	if s.refused {
		s.forced = now
	}
	s.refused = false
}

// fail remembers a failed refresh: for good, for a while, or until the next attempt is due.
func (s *Source) fail(err error, now time.Time) error {
	switch {
	case errors.Is(err, provider.ErrConfig):
		s.failure, s.until = err, now.Add(configWait)
	case errors.Is(err, provider.ErrAuth), errors.Is(err, provider.ErrAdminConsent):
		s.failure, s.until = err, time.Time{}
	default:
		retry, ok := errors.AsType[*provider.RetryError](err)
		if !ok {
			retry = &provider.RetryError{Err: err}
		}
		s.attempts++
		wait := backoff(s.attempts, retry.After)
		s.failure, s.until = &provider.RetryError{After: wait, Err: retry.Err}, now.Add(wait)
	}
	return s.failure
}

// backoff is how long to wait after so many failures in a row: never shorter than the service
// asked, longer each time, and not all accounts at once.
func backoff(attempts int, asked time.Duration) time.Duration {
	wait := lastBackoff
	if shift := attempts - 1; shift < 16 {
		wait = min(firstBackoff<<shift, lastBackoff)
	}
	if asked > wait {
		return asked + rand.N(asked/10+1)
	}
	return max(asked, wait/2+rand.N(wait/2))
}

// again is a failure that may pass, with what is left of its wait.
func again(err error, left time.Duration) error {
	if retry, ok := errors.AsType[*provider.RetryError](err); ok {
		return &provider.RetryError{After: left, Err: retry.Err}
	}
	return err
}
