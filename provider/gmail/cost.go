package gmail

// pageSize is how many ids a list call returns, and how many records a history call: the most there
// can be (https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list).
const pageSize = 500

// askCost weighs, in quota units, asking for the mail of interest against reading all mail.
//
// Both list every id of the window. What differs:
//
//	everything = messages × Get
//	asking     = queries × List + share × messages × Get
//
// where share is the part of the mail that is of interest. It is not known before asking, so that
// half of it is taken: asking pays when queries × List is below half of messages × Get. Whatever the
// true share is, a walk then costs at most half as much again as the cheaper way, and the queries of
// a few hundred clients cost as much as a handful of messages.
//
// The further pages of queries with more than 500 answers are left out: each costs a List for 500
// messages that are then read for 500 × Get.
type askCost struct {
	prices  Prices
	queries int
}

// expectedShare is the part of the mail taken to be of interest as long as nobody has asked.
const expectedShare = 0.5

// ask is what the queries cost.
func (c askCost) ask() int { return c.queries * c.prices.List }

// everything is what reading that many messages costs.
func (c askCost) everything(messages int) int { return messages * c.prices.Get }

// pays says whether asking pays when there are that many messages at least.
func (c askCost) pays(messages int) bool {
	return float64(c.ask()) < (1-expectedShare)*float64(c.everything(messages))
}

// byThread says whether one threads.get is cheaper than a messages.get for each of that many messages
// of the thread.
func (p Prices) byThread(messages int) bool { return p.Threads < messages*p.Get }
