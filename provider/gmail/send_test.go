package gmail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// big makes a mail that goes by the upload address.
func big(marker string) string {
	return letter(marker, "Plans", "") + strings.Repeat("0123456789 123456789 123456789 123456789 123456789\r\n", 120_000)
}

func TestSendNewMailTellsItsRealMessageID(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{"inline": letter("m-1", "Offer", "Bcc: carol@client.example\r\n"), "upload": big("m-1")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, gmailtest.Config{})
			m := o.connect(t)
			sent, err := is[provider.Sender](t, m).Send(t.Context(), outgoing("m-1", raw, ""))
			require.NoError(t, err)
			require.Len(t, o.a.Sent(), 1)
			require.Equal(t, string(sent.ID), o.a.Sent()[0].ID)
			require.NotEmpty(t, sent.Thread)
			require.Contains(t, string(o.a.Sent()[0].Raw), sent.MessageID)
			require.True(t, strings.HasSuffix(sent.MessageID, "@mail.gmail.com"), "Gmail replaces the Message-ID")
			r, err := m.Open(t.Context(), sent.ID)
			require.NoError(t, err)
			text, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Contains(t, string(text), provider.MarkerHeader+": m-1\r\n")
			require.GreaterOrEqual(t, len(text), len(raw)-100, "nothing is cut off")
		})
	}
}

// received delivers a mail and returns the raw reply to it and its thread.
func received(t testing.TB, o *office, marker string) (string, provider.ThreadID) {
	t.Helper()
	id := o.a.Deliver([]byte("From: bob@client.example\r\nTo: "+ownAddress+"\r\nSubject: Question\r\nMessage-ID: <q@client.example>\r\n\r\nHow much?\r\n"),
		gmailtest.Delivery{})
	reply := letter(marker, "Re: Question", "In-Reply-To: <q@client.example>\r\nReferences: <q@client.example>\r\n")
	return reply, provider.ThreadID(id) // a thread has the id of its first message
}

func TestSendIntoAThread(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	m := is[provider.Sender](t, o.connect(t))
	raw, thread := received(t, o, "m-2")
	sent, err := m.Send(t.Context(), outgoing("m-2", raw, thread))
	require.NoError(t, err)
	require.Equal(t, thread, sent.Thread)
	require.Len(t, o.a.Sent(), 1)
}

func TestSendIntoAForeignThreadGoesOutWithoutIt(t *testing.T) {
	t.Parallel()
	for _, thread := range []provider.ThreadID{"00000000deadbeef", "not an id"} {
		t.Run(string(thread), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, gmailtest.Config{})
			m := is[provider.Sender](t, o.connect(t))
			sent, err := m.Send(t.Context(), outgoing("m-3", letter("m-3", "Hello", ""), thread))
			require.NoError(t, err)
			require.NotEqual(t, thread, sent.Thread)
			require.NotEmpty(t, sent.MessageID)
			require.Len(t, o.a.Sent(), 1)
			require.Equal(t, 2, o.requests("messages.send"))
		})
	}
}

func TestMailThatCannotGoIsRefusedBeforeItLeaves(t *testing.T) {
	t.Parallel()
	unreadable := errors.New("the blob is gone")
	raw := letter("m-4", "Hello", "")
	long := big("m-4")
	reads := func(raw string, size int64) provider.Outgoing {
		out := outgoing("m-4", raw, "")
		out.Size = size
		return out
	}
	fails := func(after string, size int64) provider.Outgoing {
		out := outgoing("m-4", raw, "")
		out.Size = size
		out.Open = func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(after), iotestErr{unreadable})), nil
		}
		return out
	}
	for _, c := range []struct {
		name string
		out  provider.Outgoing
		text string
		is   error
	}{
		{"above 35 MiB", reads(raw, 36_700_161), "larger than 36700160 bytes", nil},
		{"above 35 MiB, size unknown", reads(strings.Repeat(long, 6), 0), "larger than 36700160 bytes", nil},
		{"shorter than said", reads(raw, int64(len(raw))+1), "another size", nil},
		{"longer than said", reads(raw, int64(len(raw))-1), "another size", nil},
		{"upload shorter than said", reads(long, int64(len(long))+1), "another size", nil},
		{"upload longer than said", reads(long, int64(len(long))-1), "another size", nil},
		{"unreadable", fails(raw[:20], int64(len(raw))), "", unreadable},
		{"upload unreadable", fails(long[:6_000_000], int64(len(long))), "", unreadable},
		{"cannot be opened", provider.Outgoing{Open: func() (io.ReadCloser, error) { return nil, unreadable }, Size: 5}, "", unreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, gmailtest.Config{})
			m := is[provider.Sender](t, o.connect(t))
			_, err := m.Send(t.Context(), c.out)
			require.ErrorContains(t, err, c.text)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			require.NotErrorIs(t, err, provider.ErrAmbiguous)
			require.Empty(t, o.a.Sent())
		})
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

func TestSendWithoutTheScopeIsUnsupported(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{}, func(o *gmail.Options) { o.ReadOnly = true })
	_, err := is[provider.Sender](t, o.connect(t)).Send(t.Context(), outgoing("m", letter("m", "x", ""), ""))
	require.ErrorIs(t, err, errors.ErrUnsupported)

	// A grant of a host that was ReadOnly then and is not now.
	c, err := o.consent(t)
	require.NoError(t, err)
	o.p = o.provider(t)
	_, err = is[provider.Sender](t, o.open(t, c.Credential)).Send(t.Context(), outgoing("m", letter("m", "x", ""), ""))
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.Zero(t, o.requests("messages.send"))
}

// What comes after the request began to leave and is no clear refusal may have been sent
// and is never repeated; what is a clear refusal is. Each row says how often mail left.
func TestOutcomesOfASend(t *testing.T) {
	t.Parallel()
	fail := func(r *gmailtest.Reply) gmailtest.Fault { return gmailtest.Fault{Reply: r} }
	for _, c := range []struct {
		name  string
		fault gmailtest.Fault
		want  error // nil: sent
		calls int
		sent  int
	}{
		{"sent", gmailtest.Fault{Delay: time.Second}, nil, 1, 1},
		{"too many at once", fail(gmailtest.TooManyConcurrent()), nil, 2, 1},
		{"rate of the user", fail(gmailtest.UserRateExceeded(time.Now().Add(-time.Hour))), nil, 2, 1},
		{"minute of the user", fail(gmailtest.MinuteExceeded(403)), nil, 2, 1},
		{"minute of the user, 429", fail(gmailtest.MinuteExceeded(429)), nil, 2, 1},
		{"minute of the project", fail(gmailtest.ProjectMinuteExceeded(403)), nil, 2, 1},
		{"day of the project", fail(gmailtest.DailyExceeded()), provider.ErrRetry, 1, 0},
		{"sending limit", fail(gmailtest.SendingExceeded(time.Now().Add(24 * time.Hour))), provider.ErrRetry, 1, 0},
		{"401 once", fail(gmailtest.InvalidCredentials()), nil, 2, 1},
		{"401 again", gmailtest.Fault{Reply: gmailtest.InvalidCredentials(), Times: -1}, provider.ErrAuth, 2, 0},
		{"scope", fail(gmailtest.InsufficientScope()), provider.ErrInsufficientScope, 1, 0},
		{"administrator", fail(gmailtest.PolicyDenied()), provider.ErrAdminConsent, 1, 0},
		{"api off", fail(gmailtest.NotConfigured()), provider.ErrConfig, 1, 0},
		{"500", fail(gmailtest.BackendError(500)), provider.ErrAmbiguous, 1, 0},
		{"502 page", fail(gmailtest.BadGateway()), provider.ErrAmbiguous, 1, 0},
		{"503", fail(gmailtest.BackendError(503)), provider.ErrAmbiguous, 1, 0},
		{"503 empty", fail(gmailtest.Unavailable()), provider.ErrAmbiguous, 1, 0},
		{"504", fail(gmailtest.BackendError(504)), provider.ErrAmbiguous, 1, 0},
		{"reset, not served", gmailtest.Fault{Break: gmailtest.CloseUnserved}, provider.ErrAmbiguous, 1, 0},
		{"reset, served", gmailtest.Fault{Break: gmailtest.CloseServed}, provider.ErrAmbiguous, 1, 1},
		{"hangs", gmailtest.Fault{Break: gmailtest.Hang}, provider.ErrAmbiguous, 1, 0},
		{"hangs, served", gmailtest.Fault{Break: gmailtest.HangServed}, provider.ErrAmbiguous, 1, 1},
		{"truncated", gmailtest.Fault{Break: gmailtest.Truncate}, provider.ErrAmbiguous, 1, 1},
		{"shortened", gmailtest.Fault{Break: gmailtest.Shorten}, provider.ErrAmbiguous, 1, 1},
		{"empty 200", gmailtest.Fault{Break: gmailtest.Empty}, provider.ErrAmbiguous, 1, 1},
		{"answer without id", fail(&gmailtest.Reply{Status: 200, Body: "{}"}), provider.ErrAmbiguous, 1, 0},
	} {
		for kind, raw := range map[string]string{"inline": letter("m-5", "Offer", ""), "upload": big("m-5")} {
			t.Run(c.name+" "+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					o := newOffice(t, gmailtest.Config{Pipe: true})
					m := is[provider.Sender](t, o.connect(t))
					fault := c.fault
					fault.Method = "messages.send"
					o.s.Fail(fault)
					start := time.Now()
					sent, err := m.Send(t.Context(), outgoing("m-5", raw, ""))
					if c.want == nil {
						require.NoError(t, err)
						require.NotEmpty(t, sent.MessageID)
					} else {
						require.ErrorIs(t, err, c.want)
						require.NotContains(t, err.Error(), "acme")
						require.Less(t, len(err.Error()), 1_000)
					}
					require.Equal(t, c.want == provider.ErrAmbiguous, errors.Is(err, provider.ErrAmbiguous))
					require.Equal(t, c.calls, o.requests("messages.send"), "calls")
					require.Len(t, o.a.Sent(), c.sent)
					require.Less(t, time.Since(start), 3*time.Minute)
				})
			})
		}
	}
}

func TestSendThatNeverLeftIsNotAmbiguous(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{"inline": letter("m-6", "Offer", ""), "upload": big("m-6")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, gmailtest.Config{})
			c, err := o.consent(t)
			require.NoError(t, err)

			down := o.provider(t, func(o *gmail.Options) { o.Endpoints.API = "http://127.0.0.1:1/" })
			m, err := down.Open(t.Context(), c.Credential, nil)
			require.NoError(t, err)
			_, err = is[provider.Sender](t, m).Send(t.Context(), outgoing("m-6", raw, ""))
			require.ErrorIs(t, err, provider.ErrRetry, "connection refused")
			require.NotErrorIs(t, err, provider.ErrAmbiguous)

			o.a.Revoke()
			o.a.ExpireTokens()
			_, err = is[provider.Sender](t, o.open(t, c.Credential)).Send(t.Context(), outgoing("m-6", raw, ""))
			require.ErrorIs(t, err, provider.ErrAuth, "no token")
			require.NotErrorIs(t, err, provider.ErrAmbiguous)

			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = is[provider.Sender](t, m).Send(ctx, outgoing("m-6", raw, ""))
			require.Equal(t, context.Canceled, err)
		})
	}
}

// What was not read to its end cannot have arrived whole.
func TestUploadCutOffHasNotBeenSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	c, err := o.consent(t)
	require.NoError(t, err)
	inner, raw := o.s.Client().Transport, big("m-7")
	cut := errors.New("connection reset by peer")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	leave := func() {}
	o.p = o.provider(t, func(o *gmail.Options) {
		o.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "/messages/send") {
				return inner.RoundTrip(r)
			}
			_, err := io.CopyN(io.Discard, r.Body, int64(len(raw)/2))
			leave()
			return nil, errors.Join(cut, err, r.Body.Close())
		})}
	})
	m := is[provider.Sender](t, o.open(t, c.Credential))
	_, err = m.Send(ctx, outgoing("m-7", raw, ""))
	require.ErrorIs(t, err, provider.ErrRetry)
	require.NotErrorIs(t, err, provider.ErrAmbiguous)

	leave = cancel
	_, err = m.Send(ctx, outgoing("m-7", raw, ""))
	require.Equal(t, context.Canceled, err)
}

func TestCallerWhoLeavesWhileTheAnswerIsAwaitedIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true})
		m := is[provider.Sender](t, o.connect(t))
		o.s.Fail(gmailtest.Fault{Method: "messages.send", Break: gmailtest.HangServed})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.Send(ctx, outgoing("m-8", letter("m-8", "Offer", ""), ""))
		require.ErrorIs(t, err, provider.ErrAmbiguous)
		require.Len(t, o.a.Sent(), 1)
	})
}

func TestFailingReadBackDoesNotFailTheSend(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]gmailtest.Fault{
		"busy":  {Times: -1},
		"gone":  {Times: -1, Reply: gmailtest.NotFound()},
		"auth":  {Times: -1, Reply: gmailtest.InvalidCredentials()},
		"hangs": {Times: -1, Break: gmailtest.Hang},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, gmailtest.Config{Pipe: true})
				m := is[provider.Sender](t, o.connect(t))
				f.Method = "messages.get"
				o.s.Fail(f)
				start := time.Now()
				sent, err := m.Send(t.Context(), outgoing("m-9", letter("m-9", "Offer", ""), ""))
				require.NoError(t, err)
				require.Empty(t, sent.MessageID)
				require.NotEmpty(t, sent.ID)
				require.Len(t, o.a.Sent(), 1)
				require.LessOrEqual(t, time.Since(start), 30*time.Second)
			})
		})
	}
}

func TestReadBackTriesAgainWhenTheCopyIsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true})
		m := is[provider.Sender](t, o.connect(t))
		o.s.Fail(gmailtest.Fault{Method: "messages.get", Reply: gmailtest.NotFound()})
		sent, err := m.Send(t.Context(), outgoing("m-10", letter("m-10", "Offer", ""), ""))
		require.NoError(t, err)
		require.NotEmpty(t, sent.MessageID)
	})
}

// A transport that reports nothing of its connections (a recorder, a proxy) must not make a mail that
// left look as if it had not.
func TestTransportThatBreaksAfterSendingIsAmbiguous(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	c, err := o.consent(t)
	require.NoError(t, err)
	var posts atomic.Int32
	inner := o.s.Client().Transport
	o.p = o.provider(t, func(o *gmail.Options) {
		o.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(r)
			if err == nil && strings.HasSuffix(r.URL.Path, "/messages/send") {
				posts.Add(1)
				_ = resp.Body.Close()
				return nil, fmt.Errorf("the recorder broke")
			}
			return resp, err
		})}
	})
	_, err = is[provider.Sender](t, o.open(t, c.Credential)).Send(t.Context(), outgoing("m-11", letter("m-11", "Offer", ""), ""))
	require.ErrorIs(t, err, provider.ErrAmbiguous)
	require.Equal(t, int32(1), posts.Load())
	require.Len(t, o.a.Sent(), 1)
}
