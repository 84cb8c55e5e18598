package outlooktest_test

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/workinbox/workinbox/provider/internal/enginetest"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

type mishap = enginetest.Mishap

func graphError(status int, code, message string) func() *outlooktest.Reply {
	return func() *outlooktest.Reply { return outlooktest.GraphError(status, code, message) }
}

func gone(name string, reply func() *outlooktest.Reply) mishap {
	m := enginetest.Answers(name, reply)
	m.Gone = true
	return m
}

// refusals are the ways in which the API says no (PROVIDERS.md 2.5, 6.3 and 10.2).
var refusals = []mishap{
	enginetest.Answers("429 too many at once", outlooktest.Throttled),
	enginetest.Answers("429 requests, 30 s", func() *outlooktest.Reply {
		return outlooktest.GraphError(429, "TooManyRequests", "Too many requests.").WithRetryAfter(30 * time.Second)
	}),
	enginetest.Answers("429 requests, a date", func() *outlooktest.Reply {
		return outlooktest.GraphError(429, "ApplicationThrottled", "Application is over its request limit.").
			WithRetryAt(time.Now().Add(20 * time.Second))
	}),
	enginetest.Answers("429 without a time", graphError(429, "activityLimitReached", "The app has been throttled.")),
	enginetest.Answers("503 Retry-After", func() *outlooktest.Reply { return outlooktest.Unavailable().WithRetryAfter(10 * time.Second) }),
	enginetest.Answers("503 store unavailable", graphError(503, "ErrorMailboxStoreUnavailable", "The mailbox store is currently unavailable.")),
	enginetest.Answers("409 mailbox stale", graphError(409, "MailboxInfoStale", "Mailbox info is stale.")),
	enginetest.Answers("401 token", outlooktest.InvalidToken),
	enginetest.Answers("401 claims", func() *outlooktest.Reply {
		return outlooktest.GraphError(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge.").
			WithHeader("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`)
	}),
	enginetest.Answers("403 access", outlooktest.AccessDenied),
	enginetest.Answers("403 privileges", graphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")),
	enginetest.Answers("403 other", graphError(403, "ErrorSendAsDenied", "The user account does not have the right to send mail.")),
	enginetest.Answers("403 page", func() *outlooktest.Reply { return outlooktest.Page(http.StatusForbidden) }),
	enginetest.Answers("404 no mailbox", graphError(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")),
	gone("404 item", outlooktest.NotFound),
	gone("404 blank", func() *outlooktest.Reply { return outlooktest.Blank(http.StatusNotFound) }),
	gone("410 sync state", outlooktest.SyncStateNotFound),
	gone("410 page", func() *outlooktest.Reply { return outlooktest.Page(http.StatusGone) }),
	enginetest.Answers("400 filter", graphError(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")),
	enginetest.Answers("400 with an address", graphError(400, "ErrorInvalidRecipients", "Invalid recipient '"+bob+"' in \"Zebra offer\".")),
}

// failures are the ways in which any server fails.
var failures = slices.Concat([]mishap{
	enginetest.Answers("500 {}", func() *outlooktest.Reply { return outlooktest.Bare(500) }),
	enginetest.Answers("500 no message", func() *outlooktest.Reply { return outlooktest.NoMessage(500, "ErrorInternalServerError") }),
	enginetest.Answers("500 no code", graphError(500, "", "An internal server error occurred.")),
	enginetest.Answers("502 page", func() *outlooktest.Reply { return outlooktest.Page(502) }),
	enginetest.Answers("503 blank", func() *outlooktest.Reply { return outlooktest.Blank(503) }),
	enginetest.Answers("504 page", func() *outlooktest.Reply { return outlooktest.Page(504) }),
	enginetest.Answers("200 page", func() *outlooktest.Reply { return outlooktest.Page(200) }),
	enginetest.DoneBut504(),
	enginetest.Slow("slow", 20*time.Second),
}, enginetest.Broken())

func tokenRefusal(code int) mishap {
	return enginetest.Answers(fmt.Sprintf("AADSTS%d", code), func() *outlooktest.Reply { return outlooktest.TokenError(code) })
}

// ofTokens are the ways in which the token endpoint says no (PROVIDERS.md 2.4).
var ofTokens = []mishap{
	tokenRefusal(700082), tokenRefusal(50173), tokenRefusal(50076), tokenRefusal(65001), tokenRefusal(90094),
	tokenRefusal(7000215), tokenRefusal(700016), tokenRefusal(50033), tokenRefusal(50196),
}
