package gmail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// repeatables are the calls beside Changes and Open that may be made again.
var repeatables = []struct {
	name, method string
	do           func(context.Context, *office, provider.Mailbox) error
}{
	{"Account", "getProfile", func(ctx context.Context, _ *office, m provider.Mailbox) error {
		_, err := m.(provider.Addresses).Account(ctx)
		return err
	}},
	{"Account, aliases", "settings.sendAs.list", func(ctx context.Context, _ *office, m provider.Mailbox) error {
		_, err := m.(provider.Addresses).Account(ctx)
		return err
	}},
	{"Find in a thread", "threads.get", func(ctx context.Context, o *office, m provider.Mailbox) error {
		_, err := m.(provider.Finder).Find(ctx, "m-30", provider.ThreadID(o.a.Messages()[0].ThreadID), time.Now())
		return err
	}},
	{"Find", "messages.list", func(ctx context.Context, _ *office, m provider.Mailbox) error {
		_, err := m.(provider.Finder).Find(ctx, "m-30", "", time.Now())
		return err
	}},
	{"Find, message", "messages.get", func(ctx context.Context, _ *office, m provider.Mailbox) error {
		_, err := m.(provider.Finder).Find(ctx, "m-30", "", time.Now())
		return err
	}},
	{"Subscribe", "watch", func(ctx context.Context, _ *office, m provider.Mailbox) error {
		_, err := m.(provider.Subscriber).Subscribe(ctx)
		return err
	}},
	{"Unsubscribe", "stop", func(ctx context.Context, _ *office, m provider.Mailbox) error {
		return m.(provider.Subscriber).Unsubscribe(ctx, provider.Subscription{})
	}},
}

// What passes once is not seen; what stays is told as it is.
func TestFaultsOfCallsThatMayBeRepeated(t *testing.T) {
	t.Parallel()
	fail := func(r *gmailtest.Reply) gmailtest.Fault { return gmailtest.Fault{Reply: r} }
	for _, f := range []struct {
		name  string
		fault gmailtest.Fault
		once  error // what one of it becomes; nil: nothing
		stays error // what it becomes when it does not end
	}{
		{"too many at once", fail(gmailtest.TooManyConcurrent()), nil, provider.ErrRetry},
		{"rate of the user", fail(gmailtest.UserRateExceeded(time.Now().Add(-time.Hour))), nil, provider.ErrRetry},
		{"minute of the user", fail(gmailtest.MinuteExceeded(403)), nil, provider.ErrRetry},
		{"minute of the project", fail(gmailtest.ProjectMinuteExceeded(429)), nil, provider.ErrRetry},
		{"Retry-After", fail(gmailtest.TooManyConcurrent().WithRetryAfter(9 * time.Second)), nil, provider.ErrRetry},
		{"day", fail(gmailtest.DailyExceeded()), provider.ErrRetry, provider.ErrRetry},
		{"500", fail(gmailtest.BackendError(500)), nil, provider.ErrRetry},
		{"502 page", fail(gmailtest.BadGateway()), nil, provider.ErrRetry},
		{"503 empty", fail(gmailtest.Unavailable()), nil, provider.ErrRetry},
		{"504", fail(gmailtest.BackendError(504)), nil, provider.ErrRetry},
		{"reset", gmailtest.Fault{Break: gmailtest.CloseEarly}, nil, provider.ErrRetry},
		{"reset after it was read", gmailtest.Fault{Break: gmailtest.CloseUnserved}, nil, provider.ErrRetry},
		{"reset after it was done", gmailtest.Fault{Break: gmailtest.CloseServed}, nil, provider.ErrRetry},
		{"hangs", gmailtest.Fault{Break: gmailtest.Hang}, nil, provider.ErrRetry},
		{"401", fail(gmailtest.InvalidCredentials()), nil, provider.ErrAuth},
		{"scope", fail(gmailtest.InsufficientScope()), provider.ErrInsufficientScope, provider.ErrInsufficientScope},
		{"administrator", fail(gmailtest.PolicyDenied()), provider.ErrAdminConsent, provider.ErrAdminConsent},
		{"api off", fail(gmailtest.NotConfigured()), provider.ErrConfig, provider.ErrConfig},
	} {
		for _, c := range repeatables {
			t.Run(f.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				for _, times := range []int{1, -1} {
					want := f.once
					if times < 0 {
						want = f.stays
					}
					synctest.Test(t, func(t *testing.T) { faulty(t, f.fault, times, c.method, c.do, want) })
				}
			})
		}
	}
}

func faulty(
	t *testing.T, f gmailtest.Fault, times int, method string,
	do func(context.Context, *office, provider.Mailbox) error, want error,
) {
	o := newOffice(t, gmailtest.Config{Pipe: true}, withTopic)
	m := o.connect(t)
	o.a.Deliver([]byte(letter("m-30", "Offer", "")), gmailtest.Delivery{Sent: true})
	f.Method, f.Times = method, times
	o.s.Fail(f)
	err := do(t.Context(), o, m)
	if want == nil {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, want)
	require.NotErrorIs(t, err, context.Canceled)
	for _, verb := range []string{"%v", "%+v", "%q"} {
		require.NotContains(t, fmt.Sprintf(verb, err), "acme")
		require.NotContains(t, fmt.Sprintf(verb, err), "Offer")
	}
	if retry, ok := errors.AsType[*provider.RetryError](err); ok {
		require.GreaterOrEqual(t, retry.After, time.Duration(0))
	}
}

// Half of an answer is an answer that was lost.
func TestBrokenAnswersAreReadAgain(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]gmailtest.Break{
		"truncated": gmailtest.Truncate, "shortened": gmailtest.Shorten, "empty": gmailtest.Empty,
	} {
		for _, c := range repeatables {
			if c.method == "stop" {
				continue // its answer has no body
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { faulty(t, gmailtest.Fault{Break: b}, 1, c.method, c.do, nil) })
				synctest.Test(t, func(t *testing.T) {
					faulty(t, gmailtest.Fault{Break: b}, -1, c.method, c.do, provider.ErrRetry)
				})
			})
		}
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	for _, c := range repeatables {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, gmailtest.Config{Pipe: true}, withTopic)
				m := o.connect(t)
				o.a.Deliver([]byte(letter("m-30", "Offer", "")), gmailtest.Delivery{Sent: true})
				o.s.Fail(gmailtest.Fault{Method: c.method, Break: gmailtest.Hang, Times: -1})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				require.Equal(t, context.DeadlineExceeded, c.do(ctx, o, m))
				require.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

// A share and its rest are together what the project may do.
func TestProcessesDivideTheQuota(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]gmail.Quota{"new": gmail.NewProject(), "legacy": gmail.LegacyProject(), "zero": {}} {
		share, rest := q.Share(0.2, 2), q.Rest(0.2, 2)
		whole := q
		if q == (gmail.Quota{}) {
			whole = gmail.NewProject()
		}
		require.Equal(t, whole.PerMinute, share.PerMinute+rest.PerMinute, name)
		require.Equal(t, whole.PerSecond, share.PerSecond+rest.PerSecond, name)
		require.Equal(t, whole.PerMinute, share.Burst+rest.Burst, name)
		require.Equal(t, whole.MaxFlight, share.MaxFlight+rest.MaxFlight, name)
		require.Equal(t, whole.Prices, share.Prices, name)
		for _, q := range []gmail.Quota{share, rest} {
			_, err := gmail.New(gmail.Options{ClientID: "id", ClientSecret: "s", Quota: q})
			require.NoError(t, err, name)
		}
	}
}
