package gmailtest_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// mishap is one row of the matrix: a way in which a call goes wrong. make is called when it begins, as
// some answers name a time.
type mishap struct {
	name string
	make func() gmailtest.Fault
}

func answers(name string, reply func() *gmailtest.Reply) mishap {
	return mishap{name, func() gmailtest.Fault { return gmailtest.Fault{Reply: reply()} }}
}

func breaks(name string, how gmailtest.Break) mishap {
	return mishap{name, func() gmailtest.Fault { return gmailtest.Fault{Break: how} }}
}

func backend(status int) func() *gmailtest.Reply {
	return func() *gmailtest.Reply { return gmailtest.BackendError(status) }
}

func soon(d time.Duration) time.Time { return time.Now().Add(d) }

// doneBut504 is the mishap of a gateway in front of the service that gives up too early. The fault
// itself does nothing: it marks the calls whose answer the gateway replaces.
const doneBut504 = "504, done"

// gateway stands in front of a server.
type gateway struct {
	next http.RoundTripper

	mu    sync.Mutex
	cut   func(*http.Request) bool // nil: none
	times int                      // how many; negative is no end
	hits  int
}

// RoundTrip implements http.RoundTripper.
func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := g.next.RoundTrip(r)
	g.mu.Lock()
	hit := err == nil && g.times != 0 && g.cut(r)
	if hit {
		g.times--
		g.hits++
	}
	g.mu.Unlock()
	if !hit {
		return resp, err
	}
	_, _ = io.Copy(io.Discard, resp.Body) // nobody gets it
	_ = resp.Body.Close()
	return &http.Response{
		StatusCode: http.StatusGatewayTimeout, Status: "504 Gateway Timeout", Proto: "HTTP/1.1", ProtoMajor: 1,
		ProtoMinor: 1, Header: http.Header{"Content-Type": {"text/html"}}, Request: r,
		Body: io.NopCloser(strings.NewReader("<title>Error 504</title>")),
	}, nil
}

// count is how many calls it has cut.
func (g *gateway) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hits
}

// fail has so many of the calls cut.
func (g *gateway) fail(times int, cut func(*http.Request) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.times, g.cut = times, cut
}

// refusals are the ways in which the API says no.
var refusals = []mishap{
	answers("429 too many at once", gmailtest.TooManyConcurrent),
	answers("403 rate, retry after", func() *gmailtest.Reply { return gmailtest.UserRateExceeded(soon(20 * time.Second)) }),
	answers("403 minute of the user", func() *gmailtest.Reply { return gmailtest.MinuteExceeded(403) }),
	answers("429 minute of the user", func() *gmailtest.Reply { return gmailtest.MinuteExceeded(429) }),
	answers("429 Retry-After", func() *gmailtest.Reply {
		return gmailtest.TooManyConcurrent().WithRetryAfter(30 * time.Second)
	}),
	answers("403 minute of the project", func() *gmailtest.Reply { return gmailtest.ProjectMinuteExceeded(403) }),
	answers("403 day of the project", gmailtest.DailyExceeded),
	answers("429 mail sending", func() *gmailtest.Reply { return gmailtest.SendingExceeded(soon(3 * time.Hour)) }),
	answers("401 credentials", gmailtest.InvalidCredentials),
	answers("403 scope", gmailtest.InsufficientScope),
	answers("403 domain policy", gmailtest.PolicyDenied),
	answers("403 forbidden", func() *gmailtest.Reply {
		return &gmailtest.Reply{Status: 403, Body: `{"error":{"code":403,"message":"Forbidden",` +
			`"errors":[{"message":"Forbidden","domain":"global","reason":"forbidden"}],"status":"PERMISSION_DENIED"}}`}
	}),
	answers("403 not configured", gmailtest.NotConfigured),
	answers("400 no mail service", func() *gmailtest.Reply {
		return &gmailtest.Reply{Status: 400, Body: `{"error":{"code":400,"message":"Mail service not enabled",` +
			`"errors":[{"message":"Mail service not enabled","domain":"global","reason":"failedPrecondition"}],` +
			`"status":"FAILED_PRECONDITION"}}`}
	}),
	answers("404", gmailtest.NotFound),
}

// failures are the ways in which any server fails.
var failures = []mishap{
	answers("500", backend(500)),
	answers("502 page", gmailtest.BadGateway),
	answers("503", backend(503)),
	answers("504", backend(504)),
	{doneBut504, func() gmailtest.Fault { return gmailtest.Fault{Delay: time.Nanosecond} }},
	breaks("truncated", gmailtest.Truncate),
	breaks("cut short, looks whole", gmailtest.Shorten),
	breaks("200 and empty", gmailtest.Empty),
	breaks("hangs, nothing done", gmailtest.Hang),
	breaks("hangs, done", gmailtest.HangServed),
	breaks("reset before the body", gmailtest.CloseEarly),
	breaks("reset behind the body", gmailtest.CloseUnserved),
	breaks("answer lost", gmailtest.CloseServed),
}

// ofLists go wrong with lists of messages alone.
var ofLists = []mishap{breaks("names mail that is gone", gmailtest.Phantoms)}

func tokenRefusal(status int, code, text, subtype string) mishap {
	name := code
	if subtype != "" {
		name += ", " + subtype
	}
	return answers(name, func() *gmailtest.Reply { return gmailtest.TokenError(status, code, text, subtype) })
}

// ofTokens are the ways in which the token endpoint says no, or not soon.
var ofTokens = []mishap{
	tokenRefusal(400, "invalid_grant", "Token has been expired or revoked.", ""),
	tokenRefusal(400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"),
	tokenRefusal(401, "invalid_client", "The OAuth client was not found.", ""),
	tokenRefusal(400, "unauthorized_client", "Unauthorized", ""),
	tokenRefusal(503, "temporarily_unavailable", "", ""),
	{"slow", func() gmailtest.Fault { return gmailtest.Fault{Delay: 20 * time.Second} }},
}
