package gmailtest

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

type messagesJSON struct {
	Messages           []messageJSON `json:"messages,omitempty"`
	NextPageToken      string        `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int           `json:"resultSizeEstimate"`
}

type threadsJSON struct {
	Threads            []threadJSON `json:"threads,omitempty"`
	NextPageToken      string       `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int          `json:"resultSizeEstimate"`
}

// estimate is what Gmail says when there is more than a page, however much that is.
const estimate = 201

// position is a place in a list that is ordered from new to old. Mail that arrives later does not
// move it.
type position struct {
	at     time.Time
	serial uint64
}

func (p position) before(m *message) bool {
	return m.internal.After(p.at) || m.internal.Equal(p.at) && m.serial >= p.serial
}

func (p position) token() string {
	return base64.RawURLEncoding.EncodeToString(
		fmt.Appendf(nil, "%d.%d", p.at.UnixMilli(), p.serial))
}

func openPosition(token string) (position, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return position{}, err
	}
	var ms int64
	var serial uint64
	if _, err := fmt.Sscanf(string(b), "%d.%d", &ms, &serial); err != nil {
		return position{}, err
	}
	return position{at: time.UnixMilli(ms), serial: serial}, nil
}

func historyToken(after uint64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "h%d", after))
}

func openHistoryToken(token string) (after uint64, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(string(b), "h%d", &after)
	return after, err
}

// unhides finds a query that looks into spam or trash by itself.
var unhides = regexp.MustCompile(`(?i)(?:^|[\s({])(?:in|label):"?(anywhere|spam|trash)\b`)

// selection says which messages a list is about.
type selection struct {
	query  *query
	labels []string
	spam   bool
	trash  bool
	now    time.Time
}

func (c *call) selection() (selection, *apiError) {
	q := c.query.Get("q")
	if q != "" && c.metadataOnly() {
		return selection{}, forbidden("Metadata scope does not support 'q' parameter")
	}
	parsed, err := parseQuery(q)
	if err != nil {
		return selection{}, invalid("Invalid query")
	}
	sel := selection{query: parsed, labels: c.query["labelIds"], now: c.s.now()}
	for _, l := range sel.labels {
		if c.a.labels[l] == nil {
			return selection{}, invalid("Invalid label: " + l)
		}
	}
	all := c.query.Get("includeSpamTrash") == "true"
	sel.spam = all || slices.Contains(sel.labels, "SPAM")
	sel.trash = all || slices.Contains(sel.labels, "TRASH")
	for _, found := range unhides.FindAllStringSubmatch(q, -1) {
		place := strings.ToLower(found[1])
		sel.spam = sel.spam || place != "trash"
		sel.trash = sel.trash || place != "spam"
	}
	return sel, nil
}

func (sel *selection) has(m *message) bool {
	if m.labels["SPAM"] && !sel.spam || m.labels["TRASH"] && !sel.trash {
		return false
	}
	for _, l := range sel.labels {
		if !m.labels[l] {
			return false
		}
	}
	return sel.query.match(m, sel.now)
}

// newest calls yield with the messages of the selection from new to old, those after the page token
// alone, until it returns false.
func (c *call) newest(sel selection, yield func(*message) bool) *apiError {
	end := len(c.a.ordered)
	if token := c.query.Get("pageToken"); token != "" {
		p, err := openPosition(token)
		if err != nil {
			return invalid("Invalid pageToken")
		}
		end = sort.Search(end, func(i int) bool { return p.before(c.a.ordered[i]) })
	}
	for i := end - 1; i >= 0; i-- {
		if m := c.a.ordered[i]; sel.has(m) && !yield(m) {
			break
		}
	}
	return nil
}

func listMessages(c *call) (any, *apiError) {
	size, refusal := c.pageSize()
	if refusal != nil {
		return nil, refusal
	}
	sel, refusal := c.selection()
	if refusal != nil {
		return nil, refusal
	}
	var out messagesJSON
	var last *message
	refusal = c.newest(sel, func(m *message) bool {
		if len(out.Messages) == size {
			out.NextPageToken = position{at: last.internal, serial: last.serial}.token()
			return false
		}
		out.Messages = append(out.Messages, messageJSON{ID: m.id, ThreadID: m.threadID})
		last = m
		return true
	})
	out.ResultSizeEstimate = len(out.Messages)
	if out.NextPageToken != "" {
		out.ResultSizeEstimate = max(estimate, len(out.Messages))
	}
	return out, refusal
}

func listThreads(c *call) (any, *apiError) {
	size, refusal := c.pageSize()
	if refusal != nil {
		return nil, refusal
	}
	sel, refusal := c.selection()
	if refusal != nil {
		return nil, refusal
	}
	var out threadsJSON
	var last *message
	refusal = c.newest(sel, func(m *message) bool {
		// A thread stands where its newest message of the selection stands.
		if newer := c.newestOf(sel, m.threadID); newer != m {
			return true
		}
		if len(out.Threads) == size {
			out.NextPageToken = position{at: last.internal, serial: last.serial}.token()
			return false
		}
		out.Threads = append(out.Threads, c.a.threadJSON(m.threadID))
		last = m
		return true
	})
	out.ResultSizeEstimate = len(out.Threads)
	if out.NextPageToken != "" {
		out.ResultSizeEstimate = max(estimate, len(out.Threads))
	}
	return out, refusal
}

func (c *call) newestOf(sel selection, thread string) *message {
	for _, m := range slices.Backward(c.a.threads[thread]) {
		if sel.has(m) {
			return m
		}
	}
	return nil
}

// threadJSON describes a thread as lists do.
func (a *Account) threadJSON(id string) threadJSON {
	var snippet string
	var newest uint64
	for _, m := range a.threads[id] {
		snippet = m.snippet()
		newest = max(newest, m.historyID)
	}
	return threadJSON{ID: id, Snippet: &snippet, HistoryID: formatID(newest)}
}
