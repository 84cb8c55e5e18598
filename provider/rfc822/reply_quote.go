package rfc822

import (
	"html"
	"strings"
)

const quoteDate = "Mon, 2 Jan 2006 at 15:04 -0700"

// Attribution is the line above a quote: "On <date>, <author> wrote:". The date
// is in the location of parent.Date. SplitText knows it again.
func Attribution(parent Envelope) string {
	author := "somebody"
	if len(parent.From) > 0 {
		author = showAddress(parent.From[0])
	}
	if parent.Date.IsZero() {
		return author + " wrote:"
	}
	return "On " + parent.Date.Format(quoteDate) + ", " + author + " wrote:"
}

// QuoteText quotes a mail's text for an answer: an attribution line, then every
// line behind "> ". An attribution given here, of one line, stands in place of
// Attribution(parent). Line ends are LF.
func QuoteText(parent Envelope, text string, attribution ...string) string {
	var b strings.Builder
	b.WriteString(attributionLine(parent, attribution))
	b.WriteByte('\n')
	for line := range strings.SplitSeq(strings.TrimRight(unixLines(text), "\n"), "\n") {
		switch {
		case line == "":
			b.WriteString(">\n")
		case line[0] == '>':
			b.WriteString(">" + line + "\n")
		default:
			b.WriteString("> " + line + "\n")
		}
	}
	return b.String()
}

// QuoteHTML quotes a mail's HTML for an answer, in the form SplitHTML and mail
// programs know again. source may be a whole document; its tags are balanced,
// so that they stay inside the quote, and scripts and styles are left out. It
// is not made safe to show: that is the business of package htmlsafe.
func QuoteHTML(parent Envelope, source string, attribution ...string) string {
	return `<div class="gmail_quote"><div class="gmail_attr">` +
		html.EscapeString(attributionLine(parent, attribution)) + `<br></div>` +
		`<blockquote class="gmail_quote" type="cite" style="margin:0 0 0 .8ex;` +
		`border-left:1px solid #ccc;padding-left:1ex">` + fragment(source) + `</blockquote></div>`
}

// ForwardText returns a mail's text below the block of headers that mail
// programs put above a forwarded mail. Bcc is never among them.
func ForwardText(parent Envelope, text string) string {
	var b strings.Builder
	b.WriteString("---------- Forwarded message ---------\n")
	for _, line := range forwardHeaders(parent) {
		b.WriteString(line[0] + ": " + line[1] + "\n")
	}
	b.WriteString("\n" + unixLines(text))
	return b.String()
}

// ForwardHTML is ForwardText for HTML. What QuoteHTML says of source holds.
func ForwardHTML(parent Envelope, source string) string {
	var b strings.Builder
	b.WriteString(`<div class="gmail_quote"><div class="gmail_attr">` +
		`---------- Forwarded message ---------<br>`)
	for _, line := range forwardHeaders(parent) {
		b.WriteString(line[0] + ": " + html.EscapeString(line[1]) + "<br>")
	}
	b.WriteString(`</div><br>` + fragment(source) + `</div>`)
	return b.String()
}

func attributionLine(parent Envelope, given []string) string {
	if line := foldSpace(strings.Join(given, " ")); line != "" {
		return line
	}
	return Attribution(parent)
}

func forwardHeaders(parent Envelope) [][2]string {
	lines := [][2]string{{"From", showAddresses(parent.From)}}
	if !parent.Date.IsZero() {
		lines = append(lines, [2]string{"Date", parent.Date.Format(quoteDate)})
	}
	lines = append(lines,
		[2]string{"Subject", foldSpace(parent.Subject)},
		[2]string{"To", showAddresses(parent.To)})
	if len(parent.Cc) > 0 {
		lines = append(lines, [2]string{"Cc", showAddresses(parent.Cc)})
	}
	return lines
}

// showAddress writes an address for people to read, on one line.
func showAddress(a Address) string {
	return foldSpace(a.Name + " <" + a.Address + ">")
}

func showAddresses(list []Address) string {
	shown := make([]string, len(list))
	for i, a := range list {
		shown[i] = showAddress(a)
	}
	return strings.Join(shown, ", ")
}

func unixLines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}
