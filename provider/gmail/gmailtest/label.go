package gmailtest

import (
	"fmt"
	"slices"
	"strings"
)

// label is one label of an account. System labels have their name for an id.
type label struct {
	id, name string
	user     bool
	hidden   bool
}

// systemLabels in the order in which Gmail lists them.
var systemLabels = []label{
	{id: "CHAT", hidden: true}, {id: "SENT"}, {id: "INBOX"}, {id: "IMPORTANT", hidden: true},
	{id: "TRASH", hidden: true}, {id: "DRAFT"}, {id: "SPAM", hidden: true},
	{id: "CATEGORY_FORUMS", hidden: true}, {id: "CATEGORY_UPDATES", hidden: true},
	{id: "CATEGORY_PERSONAL", hidden: true}, {id: "CATEGORY_PROMOTIONS", hidden: true},
	{id: "CATEGORY_SOCIAL", hidden: true}, {id: "STARRED"}, {id: "UNREAD"},
}

type labelJSON struct {
	ID                    string `json:"id"`
	Name                  string `json:"name"`
	MessageListVisibility string `json:"messageListVisibility,omitempty"`
	LabelListVisibility   string `json:"labelListVisibility,omitempty"`
	Type                  string `json:"type"`
	MessagesTotal         *int   `json:"messagesTotal,omitempty"`
	MessagesUnread        *int   `json:"messagesUnread,omitempty"`
	ThreadsTotal          *int   `json:"threadsTotal,omitempty"`
	ThreadsUnread         *int   `json:"threadsUnread,omitempty"`
}

type labelsJSON struct {
	Labels []labelJSON `json:"labels"`
}

func (l *label) json() labelJSON {
	j := labelJSON{ID: l.id, Name: l.name, Type: "system"}
	if l.user {
		j.Type = "user"
		j.LabelListVisibility, j.MessageListVisibility = "labelShow", "show"
	}
	if l.hidden {
		j.LabelListVisibility, j.MessageListVisibility = "labelHide", "hide"
	}
	return j
}

// CreateLabel makes a label, as the person does in the settings, and returns its id. A label that
// has this name already is returned.
func (a *Account) CreateLabel(name string) string {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, l := range a.labels {
		if strings.EqualFold(l.name, name) {
			return l.id
		}
	}
	l := &label{id: fmt.Sprintf("Label_%d", len(a.labels)-len(systemLabels)+1), name: name, user: true}
	a.labels[l.id] = l
	a.labelOrder = append(a.labelOrder, l.id)
	return l.id
}

// labelIDs returns the message's labels in the order in which Gmail lists them.
func (m *message) labelIDs() []string {
	ids := make([]string, 0, len(m.labels))
	for id := range m.labels {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y string) int {
		if d := labelRank(x) - labelRank(y); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	return ids
}

// labelRank is modelled on recorded answers: UNREAD, own labels, IMPORTANT, ..., INBOX.
func labelRank(id string) int {
	switch id {
	case "UNREAD":
		return 0
	case "IMPORTANT":
		return 2
	case "TRASH", "SPAM":
		return 3
	case "STARRED":
		return 4
	case "SENT", "DRAFT", "CHAT":
		return 5
	case "INBOX":
		return 7
	}
	if strings.HasPrefix(id, "CATEGORY_") {
		return 6
	}
	return 1
}

func listLabels(c *call) (any, *apiError) {
	out := labelsJSON{Labels: []labelJSON{}}
	for _, id := range c.a.labelOrder {
		out.Labels = append(out.Labels, c.a.labels[id].json())
	}
	return out, nil
}

func getLabel(c *call) (any, *apiError) {
	l := c.a.labels[c.id]
	if l == nil {
		return nil, notFound()
	}
	j := l.json()
	var total, unread int
	threads, unreadThreads := map[string]bool{}, map[string]bool{}
	for _, m := range c.a.ordered {
		if !m.labels[l.id] {
			continue
		}
		total++
		threads[m.threadID] = true
		if m.labels["UNREAD"] {
			unread++
			unreadThreads[m.threadID] = true
		}
	}
	allThreads, allUnread := len(threads), len(unreadThreads)
	j.MessagesTotal, j.MessagesUnread = &total, &unread
	j.ThreadsTotal, j.ThreadsUnread = &allThreads, &allUnread
	return j, nil
}
