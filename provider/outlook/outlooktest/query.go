package outlooktest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// selection is what $select asks for.
type selection struct {
	text  string // as it came
	names []string
}

func (s selection) wants(name string) bool { return s.names == nil || slices.Contains(s.names, name) }

// chosen says whether a property was asked for by its name.
func (s selection) chosen(name string) bool { return slices.Contains(s.names, name) }

func parseSelect(q url.Values, typ string, known ...[]string) (selection, *apiError) {
	text := q.Get("$select")
	if text == "" {
		return selection{}, nil
	}
	sel := selection{text: text}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		found := ""
		for _, list := range known {
			for _, k := range list {
				if strings.EqualFold(k, name) {
					found = k
				}
			}
		}
		if found == "" {
			return sel, noProperty(name, typ)
		}
		sel.names = append(sel.names, found)
	}
	return sel, nil
}

// The page sizes of lists.
const (
	defaultPage = 10
	maxPage     = 1000
)

func parseTop(q url.Values) (int, *apiError) {
	v := q.Get("$top")
	if v == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, badRequest("Invalid value '" + v + "' for $top query option found. The $top query " +
			"option requires a non-negative integer value.")
	}
	if n == 0 || n > maxPage {
		return 0, refuse(400, "ErrorInvalidUrlQuery", "The limit of 1000 for Top query has been "+
			"exceeded. The value from the incoming request is '"+v+"'.")
	}
	return n, nil
}

func parseSkip(q url.Values) (int, *apiError) {
	v := q.Get("$skip")
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, badRequest("Invalid value '" + v + "' for $skip query option found. The $skip " +
			"query option requires a non-negative integer value.")
	}
	return n, nil
}

// order is a parsed $orderby.
type order struct {
	names []string
	desc  []bool
}

var orderable = []string{
	"receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime", "subject",
	"importance", "isRead", "isDraft", "hasAttachments", "from/emailAddress/address",
	"from/emailAddress/name",
}

func parseOrder(text string) (order, *apiError) {
	var o order
	if text == "" {
		return o, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		words := strings.Fields(part)
		switch {
		case len(words) == 0 || len(words) > 2,
			len(words) == 2 && words[1] != "asc" && words[1] != "desc":
			return o, badRequest("Syntax error in '$orderby=" + text + "'.")
		case !slices.Contains(orderable, words[0]):
			return o, badRequest("Could not find a property named '" + words[0] +
				"' on type 'microsoft.graph.message'.")
		}
		o.names = append(o.names, words[0])
		o.desc = append(o.desc, len(words) == 2 && words[1] == "desc")
	}
	return o, nil
}

// fits says whether the order may stand beside the filter: what is sorted by must be filtered by
// first, in the same order.
//
// Source: https://learn.microsoft.com/graph/api/user-list-messages
func (o order) fits(f *filter) bool {
	if f == nil || len(o.names) == 0 {
		return true
	}
	return len(o.names) <= len(f.names) && slices.Equal(o.names, f.names[:len(o.names)])
}

func (o order) sort(list []*message) {
	if len(o.names) == 0 || slices.Equal(o.names, []string{"receivedDateTime"}) {
		// Lists are kept by the time of receipt; newest first is the default.
		if len(o.names) == 0 || o.desc[0] {
			slices.Reverse(list)
		}
		return
	}
	slices.SortStableFunc(list, func(x, y *message) int {
		for i, name := range o.names {
			get := filterProperties[name]
			c := compareValues(get(x), get(y))
			if o.desc[i] {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

// nextURL is the address of the same request further on, written as Graph writes it: names and
// commas escaped, one parameter last that says where it goes on.
func nextURL(base string, q url.Values, name, value string) string {
	var b strings.Builder
	b.WriteString(base)
	b.WriteByte('?')
	names := make([]string, 0, len(q))
	for k := range q {
		if k != name {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	for _, k := range names {
		for _, v := range q[k] {
			b.WriteString(url.QueryEscape(k) + "=" + url.QueryEscape(v) + "&")
		}
	}
	b.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
	return b.String()
}
