package gmailtest_test

import (
	"slices"
	"time"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
)

type mishap = enginetest.Mishap

func backend(status int) func() *gmailtest.Reply {
	return func() *gmailtest.Reply { return gmailtest.BackendError(status) }
}

func soon(d time.Duration) time.Time { return time.Now().Add(d) }

// refusals are the ways in which the API says no.
var refusals = []mishap{
	enginetest.Answers("429 too many at once", gmailtest.TooManyConcurrent),
	enginetest.Answers("403 rate, retry after", func() *gmailtest.Reply { return gmailtest.UserRateExceeded(soon(20 * time.Second)) }),
	enginetest.Answers("403 minute of the user", func() *gmailtest.Reply { return gmailtest.MinuteExceeded(403) }),
	enginetest.Answers("429 minute of the user", func() *gmailtest.Reply { return gmailtest.MinuteExceeded(429) }),
	enginetest.Answers("429 Retry-After", func() *gmailtest.Reply {
		return gmailtest.TooManyConcurrent().WithRetryAfter(30 * time.Second)
	}),
	enginetest.Answers("403 minute of the project", func() *gmailtest.Reply { return gmailtest.ProjectMinuteExceeded(403) }),
	enginetest.Answers("403 day of the project", gmailtest.DailyExceeded),
	enginetest.Answers("429 mail sending", func() *gmailtest.Reply { return gmailtest.SendingExceeded(soon(3 * time.Hour)) }),
	enginetest.Answers("401 credentials", gmailtest.InvalidCredentials),
	enginetest.Answers("403 scope", gmailtest.InsufficientScope),
	enginetest.Answers("403 domain policy", gmailtest.PolicyDenied),
	enginetest.Answers("403 forbidden", func() *gmailtest.Reply {
		return &gmailtest.Reply{Status: 403, Body: `{"error":{"code":403,"message":"Forbidden",` +
			`"errors":[{"message":"Forbidden","domain":"global","reason":"forbidden"}],"status":"PERMISSION_DENIED"}}`}
	}),
	enginetest.Answers("403 not configured", gmailtest.NotConfigured),
	enginetest.Answers("400 no mail service", func() *gmailtest.Reply {
		return &gmailtest.Reply{Status: 400, Body: `{"error":{"code":400,"message":"Mail service not enabled",` +
			`"errors":[{"message":"Mail service not enabled","domain":"global","reason":"failedPrecondition"}],` +
			`"status":"FAILED_PRECONDITION"}}`}
	}),
	{Name: "404", Gone: true, Make: func() gmailtest.Fault { return gmailtest.Fault{Reply: gmailtest.NotFound()} }},
}

// failures are the ways in which any server fails.
var failures = slices.Concat([]mishap{
	enginetest.Answers("500", backend(500)),
	enginetest.Answers("502 page", gmailtest.BadGateway),
	enginetest.Answers("503", backend(503)),
	enginetest.Answers("504", backend(504)),
	enginetest.DoneBut504(),
}, enginetest.Broken())

// ofLists go wrong with lists of messages alone.
var ofLists = []mishap{enginetest.Breaks("names mail that is gone", gmailtest.Phantoms)}

func tokenRefusal(status int, code, text, subtype string) mishap {
	name := code
	if subtype != "" {
		name += ", " + subtype
	}
	return enginetest.Answers(name, func() *gmailtest.Reply { return gmailtest.TokenError(status, code, text, subtype) })
}

// ofTokens are the ways in which the token endpoint says no, or not soon.
var ofTokens = []mishap{
	tokenRefusal(400, "invalid_grant", "Token has been expired or revoked.", ""),
	tokenRefusal(400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"),
	tokenRefusal(401, "invalid_client", "The OAuth client was not found.", ""),
	tokenRefusal(400, "unauthorized_client", "Unauthorized", ""),
	tokenRefusal(503, "temporarily_unavailable", "", ""),
	enginetest.Slow("slow", 20*time.Second),
}
