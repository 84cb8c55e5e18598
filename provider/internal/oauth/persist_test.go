package oauth_test

import (
	"context"
	"errors"
	"net/url"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

var errDisk = errors.New("disk full")

func TestNewTokenIsStoredBeforeAnybodyGetsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: rotating}
		var stored atomic.Bool
		source := oauth.NewSource(s.client(), old(0), func(ctx context.Context, got oauth.Token) error {
			_, limited := ctx.Deadline()
			require.True(t, limited)
			time.Sleep(5 * time.Second)
			stored.Store(true)
			return nil
		})
		for range 20 {
			go func() {
				got, err := source.Token(t.Context())
				require.NoError(t, err)
				require.Equal(t, "access-1", got.Access.Reveal())
				require.True(t, stored.Load(), "used before it was stored")
			}()
		}
		synctest.Wait()
		require.Len(t, s.requests(), 1, "the service has answered")
		require.False(t, stored.Load())
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.True(t, stored.Load())
	})
}

func TestTokenThatCannotBeStoredIsKeptAndNotUsed(t *testing.T) {
	t.Parallel()
	s, v := &service{reply: rotating}, &vault{err: errDisk}
	source := oauth.NewSource(s.client(), old(0), v.save)
	for range 3 {
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, errDisk)
		_, ok := errors.AsType[*oauth.TokenError](err)
		require.True(t, ok)
		for _, sentinel := range sentinels {
			require.NotErrorIs(t, err, sentinel)
		}
	}
	v.refuse(nil)
	wantAccess(t, source, "access-1")
	require.Len(t, s.requests(), 1, "a rotated refresh token is got once")
	require.Equal(t, []string{"access-1 refresh-1"}, v.stored())
}

// The old access token still lives, but the service may have ended it with the rotation.
func TestOldTokenIsNotUsedBesideOneThatCannotBeStored(t *testing.T) {
	t.Parallel()
	s, v := &service{reply: rotating}, &vault{err: errDisk}
	source := oauth.NewSource(s.client(), old(2*time.Minute), v.save)
	_, err := source.Token(t.Context())
	require.ErrorIs(t, err, errDisk)
	_, err = source.Token(t.Context())
	require.ErrorIs(t, err, errDisk)
}

func TestTokenStoredTooLateIsRefreshedWithItsOwnRefreshToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, v := &service{reply: rotating}, &vault{err: errDisk}
		source := oauth.NewSource(s.client(), old(0), v.save)
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, errDisk)
		time.Sleep(2 * time.Hour)
		v.refuse(nil)
		wantAccess(t, source, "access-2")
		require.Equal(t, "refresh-1", s.requests()[1].Get("refresh_token"))
		require.Equal(t, []string{"access-1 refresh-1", "access-2 refresh-2"}, v.stored())
	})
}

// The process dies between the refresh and the store: the next one begins with the old refresh
// token. Google does not rotate, and Microsoft leaves the old one alive
// (https://learn.microsoft.com/entra/identity-platform/refresh-tokens): both give a new token. Where
// the old one is dead, the owner connects again.
func TestCrashBetweenRefreshAndStore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		strict bool
		want   error
	}{
		{"the old refresh token lives on", false, nil},
		{"the old refresh token died", true, provider.ErrAuth},
	} {
		used := map[string]bool{}
		s := &service{reply: func(n int, form url.Values) answer {
			if r := form.Get("refresh_token"); c.strict && used[r] {
				return answer{status: 400, body: deadGrant}
			} else {
				used[r] = true
			}
			return rotating(n, form)
		}}
		stored := old(0)
		crashed := oauth.NewSource(s.client(), stored, func(context.Context, oauth.Token) error {
			runtime.Goexit() // as far as a process can die inside a test
			return nil
		})
		_, err := crashed.Token(t.Context())
		require.ErrorContains(t, err, "without a result", c.name)

		v := &vault{}
		next := oauth.NewSource(s.client(), stored, v.save)
		got, err := next.Token(t.Context())
		require.ErrorIs(t, err, c.want, c.name)
		require.Len(t, s.requests(), 2, c.name)
		if c.want == nil {
			require.Equal(t, "access-2", got.Access.Reveal(), c.name)
			require.Equal(t, []string{"access-2 refresh-2"}, v.stored(), c.name)
		}
	}
}

func TestStoreThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: rotating}
		source := oauth.NewSource(s.client(), old(0), func(ctx context.Context, _ oauth.Token) error {
			<-ctx.Done()
			return ctx.Err()
		})
		start := time.Now()
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, provider.ErrRetry)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the caller's")
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}
