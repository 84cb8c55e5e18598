package rfc822

import (
	"fmt"
	"io"
)

// Message is what one message says. Strings are valid UTF-8 without NUL.
type Message struct {
	Header   Header
	Envelope Envelope

	// Text is the plain text, lines ending with LF, flowed lines joined (RFC 3676). A message with
	// HTML alone has the text of that.
	Text string
	// HTML is the HTML as it came and as dangerous as it came; "" when there is none. Plain text
	// that stands beside it, such as the footer of a list, is added escaped.
	HTML string
	// Parts are the attachments and inline parts in their order. The text is no part.
	Parts []Part

	// Signals are those of the header, completed by what the parts say.
	Signals Signals
	// Report is what a delivery report, a complaint or a receipt says; nil for other mail.
	Report *Report
	// Calendar is the method of the first calendar part that names one, such as "REQUEST"; else "".
	Calendar string

	// Damage lists what had to be salvaged, each kind once.
	Damage []Damage
	// Unreadable says that there was neither a header field nor text nor a part.
	Unreadable bool
	// Size is how many bytes were read.
	Size int64
}

// Parse reads a message from r to its end. It fails only when r fails, with the error of r, wrapped;
// what was read until then comes with it.
func Parse(r io.Reader, l Limits) (*Message, error) { return parse(r, l, false) }

// parse is Parse; nested says that the message was returned inside a report.
func parse(r io.Reader, l Limits, nested bool) (*Message, error) {
	lr := newLineReader(r)
	defer lr.free()
	w := newWalker(lr, l)
	c := collector{w: w, m: &Message{}, nested: nested}
	c.textLeft, c.htmlLeft = w.lim.TextBytes, w.lim.TextBytes
	w.pushed, w.popped = c.pushed, c.popped
	for {
		leaf, ok := w.next()
		if !ok {
			break
		}
		if c.seen++; c.seen == 1 {
			c.begin()
		}
		c.leaf(leaf)
	}
	if c.seen == 0 {
		c.begin()
	}
	m := c.finish()
	if lr.err != nil {
		return m, fmt.Errorf("parse message: %w", lr.err)
	}
	return m, nil
}
