package htmlsafe

import (
	"encoding/base64"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// source decides what an image shows. A data-cid wins over src: it is what Clean itself leaves,
// and it reaches nothing but parts of the same mail.
func (c *cleaner) source(attrs []html.Attribute) []html.Attribute {
	var src, id string
	for _, a := range attrs {
		switch {
		case a.Key == "src" && src == "":
			src = stripSpace(a.Val)
		case a.Key == "data-cid" && id == "":
			id = a.Val
		}
	}
	if id == "" && len(src) > 4 && strings.EqualFold(src[:4], "cid:") {
		id = src[4:]
		if plain, err := url.PathUnescape(id); err == nil {
			id = plain
		}
		id = strings.Trim(id, "<>")
	}
	switch {
	case id != "":
		return c.inline(id)
	case len(src) > 5 && strings.EqualFold(src[:5], "data:"):
		if v, ok := dataImage(src); ok && c.options.DataImages {
			return []html.Attribute{{Key: "src", Val: v}}
		}
		return nil
	}
	v, ok := steadyURL(src)
	if !ok || !isWeb(v) {
		if isRemote(src) {
			c.blocked++
		}
		return nil
	}
	if c.options.Unwanted != nil && c.options.Unwanted(v) {
		return nil
	}
	if !c.options.RemoteImages {
		c.blocked++
		return nil
	}
	return []html.Attribute{{Key: "src", Val: v}}
}

// inline points an image to a part of the mail.
func (c *cleaner) inline(id string) []html.Attribute {
	if !isContentID(id) {
		return nil
	}
	attrs := []html.Attribute{{Key: "data-cid", Val: id}}
	at := "cid:" + url.PathEscape(id)
	if c.options.InlineURL != nil {
		at = c.options.InlineURL(id)
		scheme, _, found := strings.Cut(at, ":")
		if found && isName(scheme, "+-.") && !isWeb(at) {
			return attrs
		}
	}
	if v, ok := steadyURL(at); ok {
		attrs = append(attrs, html.Attribute{Key: "src", Val: v})
	}
	return attrs
}

// isContentID wants the characters of a message id; most of the rest cannot stand in a URL.
func isContentID(id string) bool {
	return isName(id, "!#$&*+/=?^_{|}~.@-") && len(id) <= 250
}

// cleanLink lets links to pages, mail addresses and telephone numbers through. Relative ones would
// lead into the application that shows the mail.
func cleanLink(v string) (string, bool) {
	v, ok := steadyURL(strings.ReplaceAll(stripBreaks(v), " ", "%20"))
	if !ok {
		return "", false
	}
	scheme, rest, _ := strings.Cut(v, ":")
	switch scheme {
	case "mailto", "tel":
		return v, rest != ""
	}
	return v, isWeb(v)
}

// steadyURL brings a URL into the form net/url gives it, if that form is stable.
func steadyURL(v string) (string, bool) {
	if v == "" || len(v) > 1<<16 {
		return "", false
	}
	for range 2 {
		u, err := url.Parse(v)
		if err != nil {
			return "", false
		}
		once := u.String()
		if once == v {
			return v, !strings.ContainsAny(v, " \t\r\n")
		}
		v = once
	}
	return "", false
}

// isWeb is true for http and https with a host.
func isWeb(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// isRemote is true for what a browser would load from elsewhere, well-formed or not.
func isRemote(v string) bool {
	v = strings.ToLower(strings.TrimSpace(v))
	return strings.HasPrefix(v, "http:") || strings.HasPrefix(v, "https:") || strings.HasPrefix(v, "//")
}

// countBackground counts images an attribute would have loaded.
func (c *cleaner) countBackground(attrs []html.Attribute) {
	for _, a := range attrs {
		if (a.Key == "background" || a.Key == "poster") && isRemote(a.Val) {
			c.blocked++
		}
	}
}

// dataImage checks an image that stands in the markup. SVG is none of the types: it can hold script.
func dataImage(v string) (string, bool) {
	head, body, found := strings.Cut(v[len("data:"):], ",")
	if !found {
		return "", false
	}
	head = strings.ToLower(head)
	if head == "image/jpg;base64" {
		head = "image/jpeg;base64"
	}
	switch head {
	case "image/png;base64", "image/jpeg;base64", "image/gif;base64", "image/webp;base64":
	default:
		return "", false
	}
	if body == "" {
		return "", false
	}
	if _, err := base64.StdEncoding.DecodeString(body); err != nil {
		return "", false
	}
	return "data:" + head + "," + body, true
}

// stripSpace takes all white space and control characters out, as browsers do in part.
func stripSpace(v string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, v)
}

func stripBreaks(v string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.TrimSpace(v))
}
