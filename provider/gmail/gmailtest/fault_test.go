package gmailtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// reply is a mail that ann sends.
func reply() *gmail.Message {
	return &gmail.Message{Raw: raw64(mail("Yes.\r\n", "From: "+ann, "To: "+bob, "Subject: Yes"))}
}

func TestRepliesComeAsGoogleGivesThem(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	at := time.Date(2026, 9, 11, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		reply  *gmailtest.Reply
		status int
		reason string // "" has no body of the API
		text   string
	}{
		{"500", gmailtest.BackendError(500), 500, "backendError", "Internal error"},
		{"502", gmailtest.BackendError(502), 502, "backendError", "Internal error"},
		{"503", gmailtest.BackendError(503), 503, "backendError", "unavailable"},
		{"504", gmailtest.BackendError(504), 504, "backendError", "Deadline"},
		{"502 in HTML", gmailtest.BadGateway(), 502, "", ""},
		{"503 without a body", gmailtest.Unavailable(), 503, "", ""},
		{"concurrency", gmailtest.TooManyConcurrent(), 429, "rateLimitExceeded", "Too many concurrent requests"},
		{"second", gmailtest.UserRateExceeded(at), 403, "rateLimitExceeded", "Retry after 2026-09-11T20:00:00.000Z"},
		{"minute", gmailtest.MinuteExceeded(403), 403, "rateLimitExceeded", "'Queries per minute per user'"},
		{"minute, 429", gmailtest.MinuteExceeded(429), 429, "rateLimitExceeded", "'Queries per minute per user'"},
		{"project", gmailtest.ProjectMinuteExceeded(403), 403, "rateLimitExceeded", "'Queries per minute'"},
		{"day", gmailtest.DailyExceeded(), 403, "dailyLimitExceeded", "Daily Limit"},
		{"sending", gmailtest.SendingExceeded(at), 429, "rateLimitExceeded", "(Mail sending)"},
		{"gone", gmailtest.NotFound(), 404, "notFound", "not found"},
		{"token", gmailtest.InvalidCredentials(), 401, "authError", "credentials"},
		{"scope", gmailtest.InsufficientScope(), 403, "insufficientPermissions", "scopes"},
		{"policy", gmailtest.PolicyDenied(), 403, "domainPolicy", "administrators"},
		{"API off", gmailtest.NotConfigured(), 403, "accessNotConfigured", "disabled"},
		{"made by hand", &gmailtest.Reply{Status: 418, Body: `{"error":{"code":418,"message":"tea"}}`}, 418, "", "tea"},
	} {
		in := s.Fail(gmailtest.Fault{Method: "getProfile", Reply: c.reply})
		_, err := users.GetProfile("me").Do()
		var e *googleapi.Error
		require.ErrorAs(t, err, &e, c.name)
		require.Equal(t, c.status, e.Code, c.name)
		require.Contains(t, e.Message, c.text, c.name)
		if c.reason != "" {
			require.Len(t, e.Errors, 1, c.name)
			require.Equal(t, c.reason, e.Errors[0].Reason, c.name)
		}
		require.Equal(t, 1, in.Hits(), c.name)
		_, err = users.GetProfile("me").Do()
		require.NoError(t, err, "%s is over after one call", c.name)
	}
}

func TestRetryAfterIsSaidInSecondsAndAsDate(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	at := time.Date(2026, 9, 11, 20, 0, 0, 0, time.FixedZone("", 7200))
	base := gmailtest.TooManyConcurrent()
	s.Fail(gmailtest.Fault{Reply: base.WithRetryAfter(1500 * time.Millisecond)})
	s.Fail(gmailtest.Fault{Reply: base.WithRetryAt(at)})
	s.Fail(gmailtest.Fault{Reply: base})
	for _, want := range []string{"2", "Fri, 11 Sep 2026 18:00:00 GMT", ""} {
		resp, err := a.Client(scopeAll).Get(s.Endpoints().APIURL + "gmail/v1/users/me/profile")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 429, resp.StatusCode)
		require.Equal(t, want, resp.Header.Get("Retry-After"))
	}
}

func TestBrokenSendTellsWhetherMailLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		on      gmailtest.Break
		sent    int
		errorIs func(error) bool
	}{
		{"closed before the body is read", gmailtest.CloseEarly, 0, reset},
		{"closed before the work", gmailtest.CloseUnserved, 0, reset},
		{"closed after the work", gmailtest.CloseServed, 1, reset},
		{"half an answer, noticed", gmailtest.Truncate, 1, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"half an answer, unnoticed", gmailtest.Shorten, 1, undecodable},
		{"empty answer", gmailtest.Empty, 1, func(err error) bool { return errors.Is(err, io.EOF) || undecodable(err) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, a := open(t, gmailtest.Config{})
			in := s.Fail(gmailtest.Fault{Method: "messages.send", Break: c.on})
			_, err := service(t, s, a).Messages.Send("me", reply()).Do()
			require.Error(t, err)
			require.True(t, c.errorIs(err), "error is %T %v", err, err)
			require.Len(t, a.Sent(), c.sent)
			require.Equal(t, 1, in.Hits())
			_, err = service(t, s, a).Messages.Send("me", reply()).Do()
			require.NoError(t, err)
			require.Len(t, a.Sent(), c.sent+1)
		})
	}
}

func reset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}

func undecodable(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) || strings.Contains(err.Error(), "unexpected end of JSON input")
}

func TestHangingCallWaitsForTheClientToGiveUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		on   gmailtest.Break
		sent int
	}{
		{"nothing done", gmailtest.Hang, 0},
		{"all done", gmailtest.HangServed, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, a := open(t, gmailtest.Config{Pipe: true})
				s.Fail(gmailtest.Fault{Method: "messages.send", Break: c.on})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				_, err := service(t, s, a).Messages.Send("me", reply()).Context(ctx).Do()
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, time.Minute, time.Since(began))
				require.Len(t, a.Sent(), c.sent)
			})
		})
	}
}

func TestCloseEndsCallsThatHangOrWait(t *testing.T) {
	t.Parallel()
	for _, f := range []gmailtest.Fault{{Break: gmailtest.Hang}, {Delay: time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			s, a := open(t, gmailtest.Config{Pipe: true})
			s.Fail(f)
			failed := make(chan error)
			go func() {
				_, err := service(t, s, a).Messages.Send("me", reply()).Do()
				failed <- err
			}()
			synctest.Wait()
			s.Close()
			require.Error(t, <-failed)
		})
	}
}

func TestLatencyIsFixedAndJitterComesFromTheSeed(t *testing.T) {
	t.Parallel()
	measure := func(seed uint64) (took []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			s, a := open(t, gmailtest.Config{Pipe: true})
			users := service(t, s, a)
			s.Fail(gmailtest.Fault{Times: -1, Delay: 80 * time.Millisecond, Jitter: 40 * time.Millisecond, Seed: seed})
			s.Fail(gmailtest.Fault{Method: "history.list", Times: -1, Delay: time.Second})
			for range 20 {
				began := time.Now()
				_, err := users.GetProfile("me").Do()
				require.NoError(t, err)
				took = append(took, time.Since(began))
			}
		})
		return took
	}
	first := measure(1)
	for _, d := range first {
		require.GreaterOrEqual(t, d, 80*time.Millisecond)
		require.Less(t, d, 120*time.Millisecond)
	}
	require.Equal(t, first, measure(1))
	require.NotEqual(t, first, measure(2))
}

func TestSlowCallsHoldTheirPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: gmailtest.Limits{Concurrent: 3}})
		a := s.Account(ann)
		users := service(t, s, a)
		s.Fail(gmailtest.Fault{Times: -1, Delay: 100 * time.Millisecond})
		errs := make(chan error)
		for range 5 {
			go func() {
				_, err := users.GetProfile("me").Do()
				errs <- err
			}()
		}
		refused := 0
		for range 5 {
			if err := <-errs; err != nil {
				requireStatus(t, err, 429, "rateLimitExceeded")
				refused++
			}
		}
		require.Equal(t, 2, refused)
		require.Equal(t, map[gmailtest.Refusal]int{gmailtest.RefusedConcurrent: 2}, s.Usage().Refusals)
		u := s.AccountUsage(strings.ToUpper(ann))
		require.Equal(t, 3, u.MaxInFlight)
		require.Equal(t, 3, u.Units)
	})
}

func TestFaultsChooseTheirCalls(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	other := s.Account(bob)
	users, others := service(t, s, a), service(t, s, other)
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	failing := func(f gmailtest.Fault, call func() error, n int) (pattern string) {
		in := s.Fail(f)
		defer in.Remove()
		for range n {
			if call() != nil {
				pattern += "x"
			} else {
				pattern += "."
			}
		}
		return pattern
	}
	profile := func() error { _, err := users.GetProfile("me").Do(); return err }
	require.Equal(t, "x....", failing(gmailtest.Fault{}, profile, 5))
	require.Equal(t, "..xx.", failing(gmailtest.Fault{Skip: 2, Times: 2}, profile, 5))
	require.Equal(t, "xxxxx", failing(gmailtest.Fault{Times: -1}, profile, 5))
	require.Equal(t, ".....", failing(gmailtest.Fault{Method: "messages.get"}, profile, 5))
	require.Equal(t, ".....", failing(gmailtest.Fault{Account: bob, Times: -1}, profile, 5))
	require.Equal(t, "x", failing(gmailtest.Fault{Account: strings.ToUpper(bob)}, func() error {
		_, err := others.GetProfile("me").Do()
		return err
	}, 1))
	raw := func(r *http.Request) bool { return r.URL.Query().Get("format") == "raw" }
	for format, want := range map[string]string{"raw": "x.", "minimal": ".."} {
		require.Equal(t, want, failing(gmailtest.Fault{Match: raw}, func() error {
			_, err := users.Messages.Get("me", id).Format(format).Do()
			return err
		}, 2), format)
	}
	some := failing(gmailtest.Fault{Rate: 0.3, Times: -1, Seed: 7}, profile, 200)
	require.Equal(t, some, failing(gmailtest.Fault{Rate: 0.3, Times: -1, Seed: 7}, profile, 200))
	require.InDelta(t, 60, strings.Count(some, "x"), 20)
	require.Equal(t, ".....", failing(gmailtest.Fault{Skip: 5}, profile, 5), "faults before are over")
	s.Fail(gmailtest.Fault{Times: -1})
	s.Heal()
	require.NoError(t, profile())
}

func TestOldestFaultThatFitsHits(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	first := s.Fail(gmailtest.Fault{Reply: gmailtest.NotFound()})
	second := s.Fail(gmailtest.Fault{Reply: gmailtest.DailyExceeded()})
	_, err := users.GetProfile("me").Do()
	requireStatus(t, err, 404, "notFound")
	require.Equal(t, 1, first.Hits())
	require.Zero(t, second.Hits())
	_, err = users.GetProfile("me").Do()
	requireStatus(t, err, 403, "dailyLimitExceeded")
}

func TestFaultOfAnUnknownMethodIsAMistake(t *testing.T) {
	t.Parallel()
	s, _ := open(t, gmailtest.Config{})
	require.PanicsWithValue(t, `gmailtest: no method "messages.gets"`, func() {
		s.Fail(gmailtest.Fault{Method: "messages.gets"})
	})
}

func TestTokenEndpointFails(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	s.Fail(gmailtest.Fault{Method: "token", Reply: gmailtest.TokenError(400, "invalid_grant",
		"reauth related error (invalid_rapt)", "invalid_rapt")})
	resp := post(t, s, s.Endpoints().TokenURL, refreshForm(a.Grant().Refresh))
	require.Equal(t, 400, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)",
		"error_subtype":"invalid_rapt"}`, string(body))
	require.Equal(t, 200, post(t, s, s.Endpoints().TokenURL, refreshForm(a.Grant().Refresh)).StatusCode)
}

func TestListNamesMessagesThatAreNotThere(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	s.Fail(gmailtest.Fault{Method: "messages.list", Break: gmailtest.Phantoms})
	list, err := users.Messages.List("me").Do()
	require.NoError(t, err)
	require.Len(t, list.Messages, 3)
	require.Equal(t, id, list.Messages[1].Id)
	for _, m := range []*gmail.Message{list.Messages[0], list.Messages[2]} {
		_, err := users.Messages.Get("me", m.Id).Do()
		requireStatus(t, err, 404, "notFound")
	}
	require.NotEqual(t, list.Messages[0].Id, list.Messages[2].Id)
}

func TestBrokenPartOfABatchBreaksAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		on   gmailtest.Break
		want string // in the part
		fail bool   // the part says so
	}{
		{"close", gmailtest.CloseUnserved, "HTTP/1.1 503", true},
		{"truncate", gmailtest.Truncate, `"emailAddress"`, false},
		{"empty", gmailtest.Empty, "HTTP/1.1 200 OK", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, a := open(t, gmailtest.Config{})
			s.Fail(gmailtest.Fault{Method: "getProfile", Break: c.on})
			part := "--b\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/%\r\n\r\n"
			body := strings.Replace(part, "%", "profile", 1) + strings.Replace(part, "%", "labels", 1) + "--b--\r\n"
			resp, err := a.Client(scopeAll).Post(s.Endpoints().APIURL+"batch/gmail/v1", "multipart/mixed; boundary=b",
				strings.NewReader(body))
			require.NoError(t, err)
			defer resp.Body.Close()
			all, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			require.Contains(t, string(all), c.want)
			require.Equal(t, c.fail, strings.Contains(string(all), "backendError"))
			require.Contains(t, string(all), `"labels"`)
		})
	}
}
