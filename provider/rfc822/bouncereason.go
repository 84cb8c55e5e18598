package rfc822

import "strings"

// surelyHard are words that leave no doubt, whatever else a refusal says. The last one is what
// Exchange Online says of an address that does not exist.
var surelyHard = []string{
	"user unknown", "unknown user", "no such user", "recipient unknown", "unknown recipient",
	"recipient address rejected: access denied",
}

// softReasons are words of mail systems that refuse a message for another reason than its address,
// or take its address later. A full mailbox is often refused with the code of an unknown one.
var softReasons = []string{
	// full
	"mailbox full", "mailbox is full", "mailfolder is full", "folder is full", "quota", "too full",
	"over the maximum", "storage", "disk full", "disk space", "no space", "exceeded the", "exceeds",
	// switched off for a time
	"disabled", "suspended", "inactive", "deactivated", "not activated", " locked", "on hold",
	"temporarily", "try again", "try later", "greylist", "graylist",
	// refused because of who sends, or what
	"spam", "blacklist", "blocklist", "blocked", "block list", "banned", "reputation", "policy",
	"access denied", "not authorized", "not permitted", "permission", "unauthenticated",
	"authentication", "spf", "dkim", "dmarc", "relaying", "relay access", "relay not", "open relay",
	" ptr ", "reverse dns", "reverse hostname", "rdns", "virus", "malware", "infected", "too large",
	"too big", "message size", "too many", "rate limit", "limit exceeded", "prohibited", "restricted",
	"sender address", "sender rejected", "sender denied", "after mail from", "client host rejected",
	// the way, not the end
	"server error", "system error", "mailer error",
	"timed out", "timeout", "connection refused", "no route", "network is unreachable", "mail loop",
	"loops back", "hop count", "lost connection", "too long in", "expired",
}

// hardReasons are words that say the address is not or no longer there.
var hardReasons = []string{
	"no such recipient", "user not found", "recipient not found", "unknown address", "address unknown",
	"no such mailbox", "unknown mailbox", "mailbox not found", "no mailbox", "does not exist",
	"doesn't exist", "not exist", "no longer exist", "invalid recipient", "no valid recipient",
	"invalid address", "invalid user", "invalid mailbox", "bad destination", "not a valid",
	"isn't a valid", "no such address", "not known", "unknown local", "not listed in", "no account",
	"unrouteable address", "unroutable address", "not our customer", "address not found", "no user",
	"unable to find", "could not be found", "couldn't be found", "wasn't found", "not found in",
	"not recognized", "undeliverable address", "is not a user",
	"not have an account", "doesn't have a", "wrong address", "bad address", "no one here",
	"recipient address rejected", "recipient rejected", "has moved", "no longer", "has left",
	// the host
	"host unknown", "unknown host", "host not found", "domain not found", "no such domain",
	"name or service not known", "unknown domain", "domain does not", "no mx", "nullmx", "null mx",
	"does not accept mail", "couldn't find any host", "couldn't find a mail exchanger",
	"unable to look up host", "not a member of the",
}

// maxJudged is how much of what is said about a recipient is looked at.
const maxJudged = 8 << 10

// judge completes status, action and the verdicts with what a diagnostic text tells.
func (r *ReportRecipient) judge(text string) {
	text = cutText(text, maxJudged)
	code := replyCode(text)
	r.Status = moreSpecific(r.Status, text)
	switch r.Action {
	case "", "failure", "fail", "error", "expired":
		r.Action = "failed"
		if strings.HasPrefix(r.Status, "2") {
			r.Action = "delivered"
		}
	case "deferred", "delay":
		r.Action = "delayed"
	}
	switch {
	case r.Status != "":
	case code != "":
		r.Status = code[:1] + ".0.0"
	case r.Action == "delayed":
		r.Status = "4.0.0"
	case r.Action == "failed":
		r.Status = "5.0.0"
	}
	r.Permanent = r.Action == "failed" && strings.HasPrefix(r.Status, "5")
	r.Hard = r.Permanent && isAddressProblem(r.Status, strings.ToLower(text))
}

// moreSpecific returns the code in the text where the status says nothing: x.0.0, or x.y.0 when the
// text knows better. A delay keeps its class.
func moreSpecific(status, text string) string {
	if status != "" && !strings.HasSuffix(status, ".0") {
		return status
	}
	best := status
	for {
		found, end := nextStatus(text)
		if text = text[end:]; found == "" {
			return best
		}
		switch {
		case status != "" && found[0] != status[0]:
		case best == "", strings.HasSuffix(best, ".0") && !strings.HasSuffix(found, ".0"),
			strings.HasSuffix(best, ".0.0"):
			best = found
		}
	}
}

// isAddressProblem tells a bad address from the other permanent failures (RFC 3463 section 3).
func isAddressProblem(status, text string) bool {
	hard := firstOf(text, hardReasons) != ""
	soft := firstOf(text, softReasons) != ""
	if firstOf(text, surelyHard) != "" {
		hard, soft = true, false
	}
	switch {
	case status == "5.1.7", status == "5.1.8", strings.HasPrefix(status, "5.6."),
		strings.HasPrefix(status, "5.7."):
		return false // the sender's address, the content, a policy
	case strings.HasPrefix(status, "5.1."):
		return hard && !soft || !soft && status != "5.1.0" && status != "5.1.5"
	}
	return hard && !soft
}

func firstOf(text string, words []string) string {
	for _, w := range words {
		if strings.Contains(text, w) {
			return w
		}
	}
	return ""
}
