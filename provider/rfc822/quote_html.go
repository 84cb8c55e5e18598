package rfc822

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// SplitHTML takes the HTML of a message apart into what is new and what is
// quoted, by the marks mail programs leave around quotes. Both parts have
// their tags balanced as far as source had. Answers between several quotes
// keep the quotes they answer. Where nothing is quoted, or nothing visible
// would be left, fresh is all of source. Neither part is made safe to show:
// that is the business of package htmlsafe. Time is linear.
func SplitHTML(source string) (fresh, quoted string) {
	p := readPage(source)
	out := p.quotes()
	if len(out) == 0 {
		return source, ""
	}
	var f, q strings.Builder
	at := 0
	for _, s := range out {
		f.WriteString(source[at:s.from])
		if s.open != nil {
			for _, tag := range s.open {
				q.WriteString(tag.raw)
			}
			for i := len(s.open) - 1; i >= 0; i-- {
				f.WriteString("</" + s.open[i].name + ">")
			}
		}
		q.WriteString(source[s.from:s.to])
		at = s.to
	}
	f.WriteString(source[at:])
	return f.String(), q.String()
}

// span is a quoted part of a page, as byte offsets.
type span struct {
	from, to int
	block    bool      // a blockquote
	header   bool      // an attribution line
	open     []openTag // of a quote that goes on to the end: the tags around it
	inner    []span    // quotes inside a container
	seen     []int     // offsets of what can be seen in a container, outside of inner
	quoted   bool      // a blockquote is among inner
	answered bool      // something can be seen below one
}

type openTag struct {
	name, raw string
	quote     int // index of the span that ends with this element, or -1
}

// page is what one pass over the tokens finds.
type page struct {
	spans   []span // outermost quotes in order, those of containers in inner
	visible []int  // offsets of what can be seen outside of quotes
}

// quotes decides which spans leave the fresh part.
func (p page) quotes() []span {
	var spans []span
	visible := p.visible
	for _, s := range p.spans {
		if s.answered {
			spans = append(spans, s.inner...)
			visible = append(visible, s.seen...)
		} else {
			spans = append(spans, s)
		}
	}
	slices.Sort(visible)
	// after[i] is true when something new can be seen between span i and i+1.
	after := make([]bool, len(spans))
	first, v := false, 0
	for i := -1; i < len(spans); i++ {
		for v < len(visible) && (i+1 == len(spans) || visible[v] < spans[i+1].from) {
			if i < 0 {
				first = true
			} else {
				after[i] = true
			}
			v++
		}
	}
	trailing := len(spans)
	for trailing > 0 && !after[trailing-1] {
		trailing--
	}
	runs := 0
	for _, gap := range after[:trailing] {
		if gap {
			runs++
		}
	}
	switch {
	case runs == 0 && !first:
		return nil
	case runs > 1:
		return spans[trailing:]
	}
	return spans
}

// quoteElement says what kind of quote an element starts.
type quoteElement byte

const (
	noQuote   quoteElement = iota
	blockCite              // a quote and nothing else
	citeLine               // the attribution above one
	quoteBox               // a quote with its attribution; answers may be inside
	untilEnd               // all that follows is quoted
)

var quoteClasses = map[string]quoteElement{
	"gmail_attr":              citeLine,
	"moz-cite-prefix":         citeLine,
	"gmail_quote":             quoteBox,
	"gmail_quote_container":   quoteBox,
	"yahoo_quoted":            quoteBox,
	"moz-forward-container":   quoteBox,
	"protonmail_quote":        quoteBox,
	"tutanota_quote":          quoteBox,
	"zmail_extra":             quoteBox,
	"front-blockquote":        quoteBox,
	"freshdesk_quote":         quoteBox,
	"ntes-mailmaster-quote":   quoteBox,
	"outlook_quote_container": quoteBox,
}

var quoteIDs = map[string]quoteElement{
	"divrplyfwdmsg": untilEnd,
	"appendonsend":  untilEnd,
	"stopspelling":  untilEnd,
	"reply-intro":   citeLine,
	"mail-editor-reference-message-container": quoteBox,
	"ms-outlook-mobile-reference-message":     quoteBox,
	"olk_src_body_section":                    quoteBox,
	"isreplycontent":                          quoteBox,
	"messagereplysection":                     quoteBox,
}

// findQuote looks at a start tag. A border above a block is how Outlook sets
// off the mail answered; the caller checks that headers follow.
func findQuote(name string, attrs []html.Attribute) (kind quoteElement, bordered bool) {
	for _, a := range attrs {
		switch a.Key {
		case "id", "name":
			if k := quoteIDs[strings.ToLower(a.Val)]; k != noQuote {
				kind = k
			}
		case "class":
			for class := range strings.FieldsSeq(a.Val) {
				k := quoteClasses[class]
				if k == noQuote && strings.HasSuffix(class, "yahoo_quoted") {
					k = quoteBox
				}
				if k != noQuote {
					kind = k
				}
			}
		case "type":
			if name == "blockquote" && strings.EqualFold(a.Val, "cite") {
				return blockCite, false
			}
		case "style":
			bordered = name == "div" && len(a.Val) < 1000 &&
				strings.Contains(strings.ToLower(strings.ReplaceAll(a.Val, " ", "")), "border-top:solid")
		}
	}
	if kind == quoteBox && name == "blockquote" {
		kind = blockCite
	}
	return kind, bordered
}
