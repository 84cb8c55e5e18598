package oauth_test

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// tokens asks that many times at once.
func tokens(ctx context.Context, s *oauth.Source, n int) ([]string, []error) {
	var wg sync.WaitGroup
	got, errs := make([]string, n), make([]error, n)
	for i := range n {
		wg.Go(func() {
			t, err := s.Token(ctx)
			got[i], errs[i] = t.Access.Reveal(), err
		})
	}
	wg.Wait()
	return got, errs
}

func repeat[T any](v T, n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func TestLiveTokenIsHandedOutWithoutACall(t *testing.T) {
	t.Parallel()
	s := &service{reply: granted}
	source := oauth.NewSource(s.client(), old(4*time.Minute), nil)
	wantAccess(t, source, "access-0")
	require.Empty(t, s.requests())
}

func TestTokenIsRefreshedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		t    func() oauth.Token
	}{
		{"three minutes left", func() oauth.Token { return old(3 * time.Minute) }},
		{"expired", func() oauth.Token { return old(-time.Hour) }},
		{"no expiry", func() oauth.Token { t := old(0); t.Expiry = time.Time{}; return t }},
		{"no access token", func() oauth.Token { t := old(time.Hour); t.Access = oauth.Secret{}; return t }},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, v := &service{reply: granted}, &vault{}
			source := oauth.NewSource(s.client(), c.t(), v.save)
			got, err := source.Token(t.Context())
			require.NoError(t, err, c.name)
			require.Equal(t, oauth.Token{
				Access: oauth.NewSecret("access-1"), Refresh: oauth.NewSecret("refresh-0"), Type: "Bearer",
				Expiry: time.Now().Add(3599 * time.Second).Round(0).UTC(), Scopes: []string{"openid", "mail.read"},
			}, got, "%s: the old refresh token and scopes stay", c.name)
			require.Equal(t, []url.Values{{
				"grant_type": {"refresh_token"}, "refresh_token": {"refresh-0"},
				"client_id": {"client-1"}, "client_secret": {"hush-hush"},
			}}, s.requests(), c.name)
			require.Equal(t, []string{"access-1 refresh-0"}, v.stored(), c.name)
			time.Sleep(56 * time.Minute)
			wantAccess(t, source, "access-1")
			time.Sleep(time.Minute)
			wantAccess(t, source, "access-2")
		})
	}
}

func TestAnswerMayRotateTheRefreshTokenAndNarrowTheScopes(t *testing.T) {
	t.Parallel()
	s, v := &service{}, &vault{}
	s.reply = always(200, `{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"openid","id_token":"i"}`)
	source := oauth.NewSource(s.client(), old(0), v.save)
	got, err := source.Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, "r", got.Refresh.Reveal())
	require.Equal(t, []string{"openid"}, got.Scopes)
	require.Equal(t, []oauth.Token{got}, v.tokens, "what is handed out is what was stored")
	require.True(t, got.ID.IsZero())
}

func TestShortLivedTokenIsUsedForHalfItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: always(200, `{"access_token":"a","expires_in":60}`)}
		source := oauth.NewSource(s.client(), old(0), nil)
		wantAccess(t, source, "a")
		time.Sleep(29 * time.Second)
		wantAccess(t, source, "a")
		require.Len(t, s.requests(), 1)
		time.Sleep(2 * time.Second)
		wantAccess(t, source, "a")
		require.Len(t, s.requests(), 2)
	})
}

func TestTokenWithoutALifeServesThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{latency: time.Second, reply: always(200, `{"access_token":"a"}`)}
		source := oauth.NewSource(s.client(), old(0), nil)
		got, errs := tokens(t.Context(), source, 5)
		require.Equal(t, repeat("a", 5), got)
		require.NoError(t, errors.Join(errs...))
		require.Len(t, s.requests(), 1)
		wantAccess(t, source, "a")
		require.Len(t, s.requests(), 2)
	})
}

// A monotonic clock stands still while a machine sleeps; the token does not.
func TestExpiryIsOfTheWallClock(t *testing.T) {
	t.Parallel()
	got, err := oauth.NewSource((&service{reply: granted}).client(), old(0), nil).Token(t.Context())
	require.NoError(t, err)
	require.NotContains(t, got.Expiry.String(), "m=")
}

func TestCallersShareOneRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, v := &service{latency: time.Second, reply: rotating}, &vault{}
		source := oauth.NewSource(s.client(), old(0), v.save)
		got, errs := tokens(t.Context(), source, 20)
		require.NoError(t, errors.Join(errs...))
		require.Equal(t, repeat("access-1", 20), got)
		require.Len(t, s.requests(), 1)
		require.Equal(t, []string{"access-1 refresh-1"}, v.stored())
	})
}

func TestDeadGrantIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{latency: time.Second, reply: always(400, deadGrant)}
		source := oauth.NewSource(s.client(), old(0), nil)
		for range 3 {
			_, errs := tokens(t.Context(), source, 20)
			for _, err := range errs {
				require.ErrorIs(t, err, provider.ErrAuth)
				_, ok := errors.AsType[*oauth.TokenError](err)
				require.True(t, ok)
			}
			time.Sleep(24 * time.Hour)
		}
		require.Len(t, s.requests(), 1)
	})
}

func TestWithoutARefreshTokenNothingIsAsked(t *testing.T) {
	t.Parallel()
	s := &service{reply: granted}
	dead := old(0)
	dead.Refresh = oauth.Secret{}
	_, err := oauth.NewSource(s.client(), dead, nil).Token(t.Context())
	require.ErrorIs(t, err, provider.ErrAuth)
	require.Empty(t, s.requests())
}

func TestAdministratorsRefusalIsFinal(t *testing.T) {
	t.Parallel()
	s := &service{reply: always(400, `{"error":"admin_policy_enforced"}`)}
	source := oauth.NewSource(s.client(), old(0), nil)
	for range 3 {
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, provider.ErrAdminConsent)
	}
	require.Len(t, s.requests(), 1)
}

func TestWrongSetUpIsAskedAgainAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(n int, form url.Values) answer {
			if n == 1 {
				return answer{status: 401, body: `{"error":"invalid_client"}`}
			}
			return granted(n, form)
		}}
		source := oauth.NewSource(s.client(), old(0), nil)
		for range 60 {
			_, err := source.Token(t.Context())
			require.ErrorIs(t, err, provider.ErrConfig)
			require.NotErrorIs(t, err, provider.ErrAuth)
			time.Sleep(time.Second)
		}
		require.Len(t, s.requests(), 1)
		wantAccess(t, source, "access-2")
	})
}

func TestWrongSetUpIsSaidWhileTheTokenStillLives(t *testing.T) {
	t.Parallel()
	s := &service{reply: always(401, `{"error":"invalid_client"}`)}
	_, err := oauth.NewSource(s.client(), old(2*time.Minute), nil).Token(t.Context())
	require.ErrorIs(t, err, provider.ErrConfig)
}

func TestPassingFailuresAreAskedLaterAndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: always(503, ``)}
		source := oauth.NewSource(s.client(), old(0), nil)
		longest := time.Second
		for n := 1; n <= 12; n++ {
			_, err := source.Token(t.Context())
			retry, ok := errors.AsType[*provider.RetryError](err)
			require.True(t, ok)
			require.Len(t, s.requests(), n)
			require.GreaterOrEqual(t, retry.After, longest/2, "attempt %d", n)
			require.LessOrEqual(t, retry.After, longest, "attempt %d", n)
			longest = min(2*longest, 5*time.Minute)

			time.Sleep(retry.After / 2)
			_, err = source.Token(t.Context())
			early, ok := errors.AsType[*provider.RetryError](err)
			require.True(t, ok)
			require.Equal(t, retry.After-retry.After/2, early.After, "what is left")
			require.Len(t, s.requests(), n, "asked too early")
			time.Sleep(early.After)
		}
		s.reply = granted
		wantAccess(t, source, "access-13")
		s.reply = always(503, ``)
		time.Sleep(time.Hour)
		_, err := source.Token(t.Context())
		retry, ok := errors.AsType[*provider.RetryError](err)
		require.True(t, ok)
		require.LessOrEqual(t, retry.After, time.Second, "a success begins anew")
	})
}

func TestWaitTheServiceAsksForIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, field string }{
		{"seconds", "120"}, {"date (RFC 9110 10.2.3)", "Sat, 01 Jan 2000 00:02:00 GMT"},
	} {
		synctest.Test(t, func(t *testing.T) { // begins at midnight of 2000-01-01
			s := &service{reply: func(int, url.Values) answer {
				return answer{429, ``, map[string][]string{"Retry-After": {c.field}}}
			}}
			_, err := oauth.NewSource(s.client(), old(0), nil).Token(t.Context())
			retry, ok := errors.AsType[*provider.RetryError](err)
			require.True(t, ok, c.name)
			require.Greater(t, retry.After, 2*time.Minute, "%s: not all accounts at once", c.name)
			require.LessOrEqual(t, retry.After, 2*time.Minute+13*time.Second, c.name)
		})
	}
}

func TestLiveTokenBridgesAServiceThatCannotRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: always(503, ``)}
		source := oauth.NewSource(s.client(), old(2*time.Minute), nil)
		wantAccess(t, source, "access-0")
		wantAccess(t, source, "access-0")
		require.Len(t, s.requests(), 1, "it is tried, and not again at once")
		time.Sleep(2*time.Minute - 10*time.Second)
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, provider.ErrRetry, "ten seconds are too short for a call")
	})
}

func TestEachCallerWaitsItsOwnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, v := &service{latency: 10 * time.Second, reply: rotating}, &vault{}
		source := oauth.NewSource(s.client(), old(0), v.save)
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() { // it comes first, so the refresh begins with it
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := source.Token(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			_, ok := errors.AsType[*oauth.TokenError](err)
			require.True(t, ok)
			require.Equal(t, time.Second, time.Since(start))
		})
		synctest.Wait()
		wg.Go(func() {
			wantAccess(t, source, "access-1")
			require.Equal(t, 10*time.Second, time.Since(start))
		})
		wg.Wait()
		require.Len(t, s.requests(), 1)
	})
}

func TestRefreshIsKeptWhenAllCallersLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, v := &service{latency: 10 * time.Second, reply: rotating}, &vault{}
		source := oauth.NewSource(s.client(), old(0), v.save)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel() }()
		_, err := source.Token(ctx)
		require.ErrorIs(t, err, context.Canceled)
		_, err = source.Token(ctx)
		require.ErrorIs(t, err, context.Canceled, "a dead context asks nothing")

		soon, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		require.ErrorIs(t, source.Wait(soon), context.DeadlineExceeded)
		require.NoError(t, source.Wait(t.Context()))
		require.Equal(t, []string{"access-1 refresh-1"}, v.stored())
		wantAccess(t, source, "access-1")
		require.Len(t, s.requests(), 1)
		require.NoError(t, source.Wait(t.Context()))
	})
}

func TestHungRefreshEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{latency: time.Hour, reply: granted}
		source := oauth.NewSource(s.client(), old(0), nil)
		start := time.Now()
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, provider.ErrRetry)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the caller's")
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

func TestErrorNobodyKnowsIsTakenAsPassing(t *testing.T) {
	t.Parallel()
	s := &service{reply: always(400, deadGrant)}
	c := s.client()
	c.Classify = func(oauth.Failure) error { return errDisk }
	_, err := oauth.NewSource(c, old(0), nil).Token(t.Context())
	require.ErrorIs(t, err, provider.ErrRetry)
	require.ErrorIs(t, err, errDisk)
}
