package outlook

import "time"

// planner cuts what is left of a walk into spans that hold about a page each, so that several pages
// can be read at once. It knows how many messages there are, and learns how they are spread.
type planner struct {
	left  span  // not given out yet
	total int64 // messages that are left, those in spans that are out included; below zero: unknown
	width int64 // seconds of the next span, where the beginning of the window is open
	ended bool
}

// lastOnes is among how many spans the end of a walk is divided.
const lastOnes = 4

// year bounds the spans of a walk without a beginning.
const year = int64(365 * 24 * time.Hour / time.Second)

// newPlanner plans what is left behind the first page, in spans of about target messages.
func newPlanner(left span, first page[message], target int64) planner {
	p := planner{left: left, total: -1}
	n := int64(len(first.Value))
	if n == 0 || int64(first.Count) < n {
		return p
	}
	p.total = int64(first.Count) - n
	lasted := first.Value[0].Received.Unix() - left.to + 1
	p.width = max(lasted*target/n, 1)
	return p
}

// next returns the next span for about target messages; false when all is given out. out is how many
// spans are out.
func (p *planner) next(target int64, out int) (span, bool) {
	if p.ended || p.left.empty() {
		return span{}, false
	}
	rest := p.total - target*int64(out)
	// The last ones are smaller, so that all places are busy to the end.
	target = min(target, max(rest/lastOnes, target/lastOnes))
	width := p.width
	if p.left.from != 0 && rest > 0 {
		width = (p.left.to - p.left.from) * target / rest
	}
	width = min(max(width, 60), 50*year)
	s := p.left
	// Nobody knows how much there is, or it fits into one page, or the page reaches the beginning.
	if p.total < 0 || p.left.to == 0 || rest <= target || p.left.to-width <= p.left.from {
		p.ended = true
	} else {
		s.from = p.left.to - width
		p.left.to = s.from
	}
	return s, true
}

// had tells that a span that was given out for about target messages had n.
func (p *planner) had(target int64, n int) {
	if p.total >= 0 {
		p.total = max(p.total-int64(n), 0)
	}
	switch {
	case n == 0:
		p.width *= 4
	case int64(n) > 2*target:
		p.width /= 2
	case int64(n) < target/2:
		p.width *= 2
	}
	p.width = min(p.width, 50*year)
}
