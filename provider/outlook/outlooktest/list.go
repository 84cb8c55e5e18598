package outlooktest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// text is an answer that is no JSON.
type text struct {
	media string
	body  []byte
}

// view reads how the caller wants messages.
func (c *call) view() (view, *apiError) {
	v := view{prefer: c.prefer, basic: c.basic()}
	var refusal *apiError
	v.sel, refusal = parseSelect(c.query, "message", messageFields, hiddenFields)
	if refusal != nil {
		return v, refusal
	}
	if v.basic && slices.ContainsFunc(bodyFields, v.sel.chosen) {
		return v, accessDenied()
	}
	expand := c.query.Get("$expand")
	for expand != "" {
		name := expand
		if at := strings.IndexAny(expand, "(,"); at >= 0 {
			name = expand[:at]
		}
		rest := strings.TrimPrefix(expand[len(name):], ",")
		switch strings.TrimSpace(name) {
		case "attachments":
			v.attached = true
			if strings.HasPrefix(rest, "(") {
				_, rest, _ = strings.Cut(rest, ")")
			}
		case "singleValueExtendedProperties":
			var ids []string
			ids, rest, refusal = expandedIDs(rest)
			if refusal != nil {
				return v, refusal
			}
			v.extended = append(v.extended, ids...)
		default:
			return v, noProperty(name, "message")
		}
		expand = strings.TrimPrefix(rest, ",")
	}
	return v, nil
}

// expandedIDs reads ($filter=id eq '...' or id eq '...').
func expandedIDs(s string) (ids []string, rest string, refusal *apiError) {
	bad := badRequest("Parsing OData Select and Expand failed: " +
		"singleValueExtendedProperties needs a $filter with the id of the property.")
	s, ok := strings.CutPrefix(s, "($filter=")
	if !ok {
		return nil, "", bad
	}
	for {
		words := strings.SplitN(s, "'", 3)
		if len(words) != 3 || strings.Join(strings.Fields(strings.TrimPrefix(
			strings.TrimSpace(words[0]), "or ")), " ") != "id eq" {
			return nil, "", bad
		}
		ids, s = append(ids, words[1]), words[2]
		if rest, ok := strings.CutPrefix(strings.TrimSpace(s), ")"); ok {
			return ids, rest, nil
		}
	}
}

// listed is the folder that a list is asked of, or nil for the mailbox.
func (c *call) listed() (f *folder, path string, refusal *apiError) {
	if c.ids[0] == "" {
		return nil, "/messages", nil
	}
	f, refusal = c.folder(c.ids[0])
	return f, "/mailFolders('" + c.ids[0] + "')/messages", refusal
}

// candidates are the messages of a list in no order but by their receipt.
func (c *call) candidates(f *folder) []*message {
	from := c.a.ordered
	if f != nil {
		from = f.ordered
	}
	hidden := c.a.folders["recoverableitemsdeletions"]
	out := make([]*message, 0, len(from))
	for _, m := range from {
		if f != nil || m.folder != hidden {
			out = append(out, m)
		}
	}
	return out
}

// listMessages is GET me/messages and GET me/mailFolders/{id}/messages.
func listMessages(c *call) (any, *apiError) {
	f, path, refusal := c.listed()
	if refusal != nil {
		return nil, refusal
	}
	v, refusal := c.view()
	if refusal != nil {
		return nil, refusal
	}
	top, refusal := c.top()
	if refusal != nil {
		return nil, refusal
	}
	v.noHeaders = c.s.c.NoListHeaders
	if c.s.c.MaxPage > 0 && top > c.s.c.MaxPage && v.sel.wants("body") {
		c.items = top
		return nil, gatewayTimeout()
	}
	skip, on, refusal := c.position()
	if refusal != nil {
		return nil, refusal
	}
	found, refusal := c.matching(f)
	if refusal != nil {
		return nil, refusal
	}
	out := newObject()
	out.text("@odata.context", c.context(path, v.sel))
	if c.query.Get("$count") == "true" {
		out.number("@odata.count", len(found))
	}
	begin := min(skip, len(found))
	end := min(begin+top, len(found))
	base := c.s.URL() + "/v1.0/me" + path
	if c.s.blankPage(c.query.Get("x-blank") != "", begin < len(found)) {
		q := cloneQuery(c.query)
		q.Set("x-blank", "1")
		out.text("@odata.nextLink", nextURL(base, q, on, strconv.Itoa(begin)))
		out.list("value", nil)
		return out, nil
	}
	values := make([][]byte, 0, end-begin)
	for _, m := range found[begin:end] {
		o := newObject()
		m.write(o, v)
		values = append(values, o.bytes())
	}
	c.items = len(values)
	if end < len(found) {
		q := cloneQuery(c.query)
		q.Del("x-blank")
		out.text("@odata.nextLink", nextURL(base, q, on, strconv.Itoa(end)))
	}
	out.list("value", values)
	return out, nil
}

func cloneQuery(q url.Values) url.Values {
	out := make(url.Values, len(q))
	for k, v := range q {
		out[k] = v
	}
	return out
}

// position is how far the list was read, and the name of the parameter that says so: searches go on
// by $skiptoken, other lists by $skip.
func (c *call) position() (n int, name string, refusal *apiError) {
	if !c.query.Has("$search") {
		n, refusal = parseSkip(c.query)
		return n, "$skip", refusal
	}
	if c.query.Has("$skip") {
		return 0, "", refuse(400, "SearchWithSkip",
			"The query parameter '$skip' is not supported with '$search'.")
	}
	if token := c.query.Get("$skiptoken"); token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 {
			return 0, "", badRequest("Badly formed token.")
		}
		return n, "$skiptoken", nil
	}
	return 0, "$skiptoken", nil
}

// matching returns what $filter or $search leave, in order.
func (c *call) matching(f *folder) ([]*message, *apiError) {
	if c.query.Has("$search") {
		return c.search(f)
	}
	order, refusal := parseOrder(c.query.Get("$orderby"))
	if refusal != nil {
		return nil, refusal
	}
	list := c.candidates(f)
	if text := c.query.Get("$filter"); text != "" {
		filter, refusal := parseFilter(text)
		if refusal != nil {
			return nil, refusal
		}
		if !order.fits(filter) {
			return nil, inefficientFilter()
		}
		list = slices.DeleteFunc(list, func(m *message) bool { return !filter.match(m) })
	}
	order.sort(list)
	return list, nil
}

// context is what an answer says of its shape.
func (c *call) context(path string, sel selection) string {
	s := c.s.URL() + "/v1.0/$metadata#users('" + url.QueryEscape(c.a.address) + "')" + path
	if sel.text != "" {
		s += "(" + sel.text + ")"
	}
	return s
}

// blankPage says whether an empty page is due before the next one.
func (s *Server) blankPage(given, more bool) bool {
	every := s.c.Delta.EmptyPageEvery
	if every == 0 || given || !more {
		return false
	}
	s.pages++
	return s.pages%every == 0
}

// countMessages is $count below a list.
func countMessages(c *call) (any, *apiError) {
	f, _, refusal := c.listed()
	if refusal != nil {
		return nil, refusal
	}
	found, refusal := c.matching(f)
	if refusal != nil {
		return nil, refusal
	}
	return text{"text/plain", []byte(strconv.Itoa(len(found)))}, nil
}

// top is the size of a page: $top, or else what the header Prefer asks for.
func (c *call) top() (int, *apiError) {
	if !c.query.Has("$top") && c.prefer.page != "" {
		return c.pageSize(), nil
	}
	return parseTop(c.query)
}

// listFolders is GET me/mailFolders and GET me/mailFolders/{id}/childFolders.
func listFolders(c *call) (any, *apiError) {
	parent, path := c.a.folders["msgfolderroot"], "/mailFolders"
	if c.ids[0] != "" {
		f, refusal := c.folder(c.ids[0])
		if refusal != nil {
			return nil, refusal
		}
		parent, path = f, "/mailFolders('"+c.ids[0]+"')/childFolders"
	}
	sel, refusal := parseSelect(c.query, "mailFolder", folderFields)
	if refusal != nil {
		return nil, refusal
	}
	top, refusal := parseTop(c.query)
	if refusal != nil {
		return nil, refusal
	}
	skip, refusal := parseSkip(c.query)
	if refusal != nil {
		return nil, refusal
	}
	all := parent.children(c.query.Get("includeHiddenFolders") == "true")
	begin := min(skip, len(all))
	end := min(begin+top, len(all))
	values := [][]byte{}
	for _, f := range all[begin:end] {
		o := newObject()
		f.write(o, sel)
		values = append(values, o.bytes())
	}
	c.items = len(values)
	out := newObject()
	out.text("@odata.context", c.context(path, sel))
	if c.query.Get("$count") == "true" {
		out.number("@odata.count", len(all))
	}
	if end < len(all) {
		out.text("@odata.nextLink", nextURL(c.s.URL()+"/v1.0/me"+path, c.query, "$skip", strconv.Itoa(end)))
	}
	out.list("value", values)
	return out, nil
}
