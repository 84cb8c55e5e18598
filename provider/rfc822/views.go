package rfc822

import (
	"html"
	"slices"
	"strings"
)

// plainView joins the bodies of the plain view. Programs that send HTML often add an empty text to
// it; then the HTML speaks.
func (c *collector) plainView() string {
	shown := c.texts
	if !slices.ContainsFunc(shown, c.hasText) && slices.ContainsFunc(c.htmls, c.hasText) {
		shown = c.htmls
	}
	var b strings.Builder
	for _, i := range shown {
		text := c.bodies[i].text
		if c.bodies[i].html {
			text = HTMLToText(text)
		}
		if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
			b.WriteByte('\n')
		}
		b.WriteString(text)
	}
	text := b.String()
	if limit := int(c.w.lim.TextBytes); len(text) > limit {
		c.w.damage.add(DamageTextCut)
		text = cutText(text, limit)
	}
	return text
}

// htmlView joins the bodies of the HTML view. Plain text beside the HTML is left out where it
// would not fit.
func (c *collector) htmlView() string {
	room := int(c.w.lim.TextBytes)
	any := false
	for _, i := range c.htmls {
		if c.bodies[i].html {
			any = any || c.hasText(i)
			room -= len(c.bodies[i].text)
		}
	}
	if !any {
		return ""
	}
	if len(c.htmls) == 1 {
		return c.bodies[c.htmls[0]].text
	}
	var b strings.Builder
	for _, i := range c.htmls {
		text := c.bodies[i].text
		if !c.bodies[i].html {
			if !c.hasText(i) {
				continue
			}
			text = `<div style="white-space:pre-wrap">` + html.EscapeString(text) + "</div>"
			if room -= len(text); room < 0 {
				continue
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

// hasText says whether a body holds more than white space.
func (c *collector) hasText(i int) bool { return strings.TrimSpace(c.bodies[i].text) != "" }
