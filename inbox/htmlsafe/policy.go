package htmlsafe

import (
	"regexp"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what the result must obey whatever the cleaner did: bluemonday's rules for user
// content, and the attributes the cleaner writes in the forms it writes them. A policy may be used
// concurrently once built.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	number := regexp.MustCompile(`^[0-9]{1,5}%?$`)
	word := regexp.MustCompile(`^[A-Za-z0-9]{1,10}$`)
	colour := regexp.MustCompile(`^[#A-Za-z0-9]{1,24}$|^[a-zA-Z]{3,4}\([0-9., %/]{1,40}\)$`)
	fonts := regexp.MustCompile(`^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z} ]{1,300}$`)

	p.AllowElements("center", "big", "tt", "strike", "font", "header", "footer", "address")
	p.AllowElements("details", "kbd", "bdi", "bdo", "abbr")
	p.AllowAttrs("style").Matching(regexp.MustCompile(`^[^\\<>@{}]*$`)).Globally()
	p.AllowAttrs("title").Globally()
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("data-cid").Matching(regexp.MustCompile(`^[!-~]{1,250}$`)).OnElements("img")
	p.AllowAttrs("color", "bgcolor").Matching(colour).
		OnElements("font", "table", "tr", "td", "th", "tbody", "thead", "tfoot")
	p.AllowAttrs("face").Matching(fonts).OnElements("font")
	p.AllowAttrs("size").Matching(regexp.MustCompile(`^[+-]?[0-9]{1,5}$`)).OnElements("font", "hr")
	p.AllowAttrs("align", "valign").Matching(word).OnElements("table", "tr", "td", "th", "tbody", "thead",
		"tfoot", "col", "div", "p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img")
	p.AllowAttrs("type").Matching(word).OnElements("ol", "ul", "li")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,20}$`)).Globally()
	p.AllowAttrs("width", "height", "border", "cellpadding", "cellspacing", "start", "value", "span",
		"colspan", "rowspan").Matching(number).
		OnElements("table", "td", "th", "col", "img", "hr", "ol", "li")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^` + linkRel + `$`)).OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_blank$`)).OnElements("a")

	// The cleaner has decided on every URL and writes the rel attribute itself.
	p.RequireNoFollowOnLinks(false)
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.AllowRelativeURLs(true)
	p.AllowDataURIImages()
	return p
})
