package rfc822

import "strings"

// softReasons are words of mail systems that refuse a message for another reason than its address,
// or take its address later. They are looked for first: a full mailbox is often refused with the
// code of an unknown one.
var softReasons = []string{
	// full
	"mailbox full", "mailbox is full", "mailbox for", "mailfolder is full", "folder is full", "quota", "over the maximum",
	"storage", "disk full", "no space", "insufficient", "too full", "exceeded the", "exceeds",
	// switched off for a time
	"disabled", "suspended", "inactive", "deactivated", "not activated", "locked", "on hold",
	"temporarily", "try again", "try later", "greylist", "graylist",
	// refused because of who sends or what
	"spam", "blacklist", "blocklist", "blocked", "block list", "banned", "reputation", "policy",
	"access denied", "not authorized", "not permitted", "unauthenticated", "authentication", "spf", "dkim",
	"dmarc", "relay", "ptr", "reverse dns", "reverse hostname", "rdns", "virus", "malware", "infected",
	"content", "too large", "too big", "size", "too many", "rate", "limit", "prohibited", "restricted",
	"sender address rejected", "sender rejected", "sender denied", "client host rejected", "helo",
	// the way, not the end
	"timed out", "timeout", "connection refused", "no route", "network is unreachable", "loop",
	"hop count", "lost connection", "conversation with", "too long in", "4 days", "expired",
}

// hardReasons are words that say the address is not or no longer there.
var hardReasons = []string{
	"user unknown", "unknown user", "no such user", "unknown recipient", "recipient unknown",
	"no such recipient", "user not found", "recipient not found", "unknown address", "address unknown",
	"no such mailbox", "unknown mailbox", "mailbox not found", "mailbox unavailable", "no mailbox",
	"does not exist", "doesn't exist", "not exist", "no longer exist", "invalid recipient",
	"invalid address", "invalid user", "invalid mailbox", "bad destination", "not a valid",
	"isn't a valid", "no such address", "not known", "unknown local", "not listed in", "no account",
	"unrouteable address", "unroutable address", "not our customer", "address not found", "no user",
	"unable to find", "could not be found", "couldn't be found", "wasn't found", "not found in", "not recognized",
	"undeliverable address", "recipient address rejected", "is not a user", "not have an account",
	"doesn't have a", "user doesn", "wrong address", "bad address", "no one here", "not local", "badly formed",
	"host unknown", "unknown host", "host not found", "domain not found", "name or service not known",
	"no such domain", "unknown domain", "domain does not", "name service error", "no mx",
	"nullmx", "null mx", "does not accept mail", "couldn't find any host", "unable to look up host",
	"has moved", "no longer", "has left", "recipient rejected", "address rejected",
}

// judge completes status, action and the verdicts with what a diagnostic text tells.
func (r *ReportRecipient) judge(text string) {
	// x.0.0 says nothing, so the code that the remote system wrote is the better one.
	if found := statusCode(text); found != "" &&
		(r.Status == "" || strings.HasSuffix(r.Status, ".0.0") && r.Action != "delayed") {
		r.Status = found
	}
	code := ""
	if f := replyCode.FindStringSubmatch(text); f != nil {
		code = f[1]
	}
	if r.Status == "" && code != "" {
		r.Status = code[:1] + ".0.0"
	}
	switch r.Action {
	case "", "failure", "fail", "error", "expired":
		r.Action = "failed"
		if strings.HasPrefix(r.Status, "2") {
			r.Action = "delivered"
		}
	case "deferred", "delay":
		r.Action = "delayed"
	}
	r.Permanent = r.Action == "failed" && !strings.HasPrefix(r.Status, "4") &&
		!strings.HasPrefix(r.Status, "2")
	r.Hard = r.Permanent && isAddressProblem(r.Status, code, strings.ToLower(text))
}

// isAddressProblem tells a bad address from the other permanent failures (RFC 3463 section 3).
func isAddressProblem(status, code, text string) bool {
	soft, hard := firstOf(text, softReasons), firstOf(text, hardReasons)
	switch {
	case status == "5.1.1", status == "5.1.2", status == "5.1.3", status == "5.1.6", status == "5.1.10":
		return soft == "" || hard != ""
	case strings.HasPrefix(status, "5.1."):
		return hard != "" || soft == "" && code != ""
	case strings.HasPrefix(status, "5.7."), strings.HasPrefix(status, "5.2."), strings.HasPrefix(status, "5.3."):
		return false
	}
	return hard != "" && soft == ""
}

func firstOf(text string, words []string) string {
	for _, w := range words {
		if strings.Contains(text, w) {
			return w
		}
	}
	return ""
}
