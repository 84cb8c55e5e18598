package gmailtest

import (
	"maps"
	"reflect"
	"time"
)

// Prices are quota units by the name of the method: "messages.get", "history.list". A method that is
// missing costs one unit.
type Prices map[string]int

// Limits are what the server allows before it refuses. The zero Limits is NewProject(); in any other
// a zero field means that there is no such limit, except where the field says otherwise.
//
// The figures of the presets are Gmail's published ones:
// https://developers.google.com/workspace/gmail/api/reference/quota
type Limits struct {
	// Prices are what calls cost. Default: the prices of NewProject.
	Prices Prices
	// PerMinute are the units of one account a minute.
	PerMinute int
	// Start are the units an account has when it makes its first call; the rest comes as time goes
	// by, PerMinute a minute, and never more than PerMinute are in store. Zero is PerMinute, and a
	// negative Start is an empty store. FixedWindow does not use it.
	Start int
	// FixedWindow gives the units of a minute at once when a minute of the clock begins, instead of
	// a steady refill. Google does not say which of the two it does.
	FixedWindow bool
	// MinuteStatus is the HTTP status of a refusal by the minute. Default 403; 429 is seen as well.
	MinuteStatus int
	// PerSecond are the units of one account in any second.
	PerSecond int
	// Penalty is how long an account that went over PerSecond gets nothing; every call it makes
	// meanwhile begins that time anew. Default a second.
	Penalty time.Duration
	// Concurrent are the calls of one account in work at once, parts of a batch included. A call is
	// in work until its answer begins.
	Concurrent int
	// ProjectPerMinute are the units of all accounts together a minute.
	ProjectPerMinute int
	// ProjectPerDay are the units of all accounts together a day, which begins at midnight Pacific
	// time.
	ProjectPerDay int
	// SendsPerDay are the messages one account may send in any 24 hours.
	SendsPerDay int
}

// NewProject are the limits of Cloud projects that began to use the API since 1 May 2026.
//
// Gmail publishes no limit of concurrent calls. 20 is what clients report as safe for single calls;
// 25 at once in a batch were nearly clean.
func NewProject() Limits {
	return Limits{
		Prices: newPrices(), PerMinute: 6_000, PerSecond: 250, Concurrent: 20,
		ProjectPerMinute: 1_200_000, ProjectPerDay: 80_000_000, SendsPerDay: 2_000,
	}
}

// LegacyProject are the limits of Cloud projects that used the API between November 2025 and April
// 2026.
func LegacyProject() Limits {
	prices := newPrices()
	prices["messages.get"] = 5
	prices["messages.attachments.get"] = 5
	prices["threads.get"] = 10
	return Limits{
		Prices: prices, PerMinute: 15_000, PerSecond: 250, Concurrent: 20,
		ProjectPerMinute: 1_200_000, ProjectPerDay: 1_000_000_000, SendsPerDay: 2_000,
	}
}

// Unlimited refuses nothing and counts units at the prices of NewProject.
func Unlimited() Limits { return Limits{Prices: newPrices()} }

func newPrices() Prices {
	return Prices{
		"messages.list": 5, "messages.get": 20, "messages.attachments.get": 20,
		"messages.send": 100, "messages.modify": 5, "messages.batchModify": 50, "messages.batchDelete": 50,
		"messages.trash": 5, "messages.untrash": 5, "messages.delete": 10,
		"messages.import": 25, "messages.insert": 25,
		"threads.list": 10, "threads.get": 40,
		"history.list": 2, "getProfile": 1, "labels.list": 1, "labels.get": 1,
		"drafts.list": 5, "drafts.get": 5, "drafts.create": 10, "drafts.update": 15,
		"drafts.send": 100, "drafts.delete": 10,
		"settings.sendAs.list": 1, "settings.sendAs.get": 1,
		"watch": 100, "stop": 50,
	}
}

func (l Limits) withDefaults() Limits {
	if reflect.ValueOf(l).IsZero() {
		l = NewProject()
	}
	if l.Prices == nil {
		l.Prices = newPrices()
	}
	l.Prices = maps.Clone(l.Prices)
	if l.Start == 0 || l.Start > l.PerMinute {
		l.Start = l.PerMinute
	}
	l.Start = max(l.Start, 0)
	if l.MinuteStatus == 0 {
		l.MinuteStatus = 403
	}
	if l.Penalty == 0 {
		l.Penalty = time.Second
	}
	return l
}

// price is what a call of m costs.
func (l Limits) price(m method) int {
	if p, ok := l.Prices[string(m)]; ok {
		return p
	}
	return 1
}
