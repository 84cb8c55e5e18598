package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func request(t testing.TB, ctx context.Context, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://mail.example/", body)
	require.NoError(t, err)
	return r
}

// slow gives a byte every so often.
type slow struct {
	every time.Duration
	left  int
	ctx   func() context.Context
}

func (s *slow) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	select {
	case <-time.After(s.every):
		p[0] = 'x'
		return 1, nil
	case <-s.ctx().Done():
		return 0, s.ctx().Err()
	}
}

func (s *slow) Close() error { return nil }

func TestExchangeThatStandsStillIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hangs := &transport{base: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		_, err := hangs.RoundTrip(request(t, t.Context(), nil))
		network, ok := errors.AsType[net.Error](err)
		require.True(t, ok)
		require.True(t, network.Timeout())
		require.NotErrorIs(t, err, context.Canceled, "the caller's context lasts")
		require.Equal(t, stallAfter, time.Since(start))
	})
}

func TestAnswerThatStandsStillIsGivenUpAndASlowOneIsNot(t *testing.T) {
	t.Parallel()
	for every, whole := range map[time.Duration]bool{time.Minute: true, 2 * time.Minute: false} {
		t.Run(every.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				serves := &transport{base: roundTrip(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 200, Body: &slow{every: every, left: 20, ctx: r.Context}}, nil
				})}
				resp, err := serves.RoundTrip(request(t, t.Context(), nil))
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, resp.Body.Close())
				if whole {
					require.NoError(t, err)
					require.Len(t, text, 20)
					return
				}
				require.ErrorIs(t, err, Stalled{})
				_, broken := errors.AsType[*BrokenAnswer](err)
				require.True(t, broken)
			})
		})
	}
}

func TestUploadThatMovesIsNotGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		takes := &transport{base: roundTrip(func(r *http.Request) (*http.Response, error) {
			_, err := io.Copy(io.Discard, r.Body)
			return &http.Response{StatusCode: 200, Body: http.NoBody}, err
		})}
		resp, err := takes.RoundTrip(request(t, t.Context(), &slow{every: time.Minute, left: 30, ctx: t.Context}))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
}

func TestEndOfTheCallersContextStaysItsError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hangs := &transport{base: roundTrip(func(r *http.Request) (*http.Response, error) {
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	_, err := hangs.RoundTrip(request(t, ctx, nil))
	require.ErrorIs(t, err, context.Canceled)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAnswerWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	serves := &transport{base: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(endless{})}, nil
	})}
	resp, err := serves.RoundTrip(request(t, t.Context(), nil))
	require.NoError(t, err)
	n, err := io.CopyBuffer(io.Discard, resp.Body, make([]byte, 1<<20))
	require.ErrorIs(t, err, ErrTooLarge)
	require.LessOrEqual(t, n, int64(maxAnswer))
	require.NoError(t, resp.Body.Close())
}

func TestDepartureKnowsWhatMayHaveLeft(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route to host")
	var kept io.Reader
	for _, c := range []struct {
		name string
		base roundTrip
		left bool
	}{
		{"no connection", func(r *http.Request) (*http.Response, error) { kept = r.Body; return nil, broken }, false},
		{"broke off", func(r *http.Request) (*http.Response, error) {
			_, _ = r.Body.Read(make([]byte, 1))
			return nil, broken
		}, true},
		{"answered early", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 503, Body: http.NoBody}, nil
		}, true},
	} {
		d := &Departure{Base: c.base}
		r := request(t, t.Context(), strings.NewReader("mail"))
		require.NotNil(t, r.GetBody)
		_, _ = d.RoundTrip(r)
		require.Equal(t, c.left, d.Left(), c.name)
	}
	_, err := kept.Read(make([]byte, 1))
	require.Error(t, err, "what did not leave can leave no more")

	d := &Departure{Base: roundTrip(func(r *http.Request) (*http.Response, error) {
		require.Nil(t, r.GetBody, "net/http must not send it again by itself")
		return nil, broken
	})}
	d.left.Store(true)
	_, _ = d.RoundTrip(request(t, t.Context(), strings.NewReader("mail")))
	require.False(t, d.Left(), "each attempt counts for itself")
}
