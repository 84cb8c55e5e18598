package gmailtest

import (
	"slices"
	"strconv"
	"time"
)

// The kinds of history records, as historyTypes names them.
const (
	messageAdded   = "messageAdded"
	messageDeleted = "messageDeleted"
	labelAdded     = "labelAdded"
	labelRemoved   = "labelRemoved"
)

// record is one change of one message. As Gmail does, a call that changes several labels writes a
// record for each.
type record struct {
	id     uint64
	at     time.Time
	kind   string
	msg    string
	thread string
	labels []string // of the message after the change
	label  string   // the label that was added or removed
}

type historyJSON struct {
	History       []recordJSON `json:"history,omitempty"`
	NextPageToken string       `json:"nextPageToken,omitempty"`
	HistoryID     string       `json:"historyId"`
}

type recordJSON struct {
	ID              string        `json:"id"`
	Messages        []messageJSON `json:"messages"`
	MessagesAdded   []changeJSON  `json:"messagesAdded,omitempty"`
	MessagesDeleted []changeJSON  `json:"messagesDeleted,omitempty"`
	LabelsAdded     []changeJSON  `json:"labelsAdded,omitempty"`
	LabelsRemoved   []changeJSON  `json:"labelsRemoved,omitempty"`
}

type changeJSON struct {
	Message  messageJSON `json:"message"`
	LabelIDs []string    `json:"labelIds,omitempty"`
}

func (r *record) json() recordJSON {
	bare := messageJSON{ID: r.msg, ThreadID: r.thread}
	change := changeJSON{Message: bare}
	change.Message.LabelIDs = r.labels
	j := recordJSON{ID: formatID(r.id), Messages: []messageJSON{bare}}
	if r.label != "" {
		change.LabelIDs = []string{r.label}
	}
	switch r.kind {
	case messageAdded:
		j.MessagesAdded = []changeJSON{change}
	case messageDeleted:
		j.MessagesDeleted = []changeJSON{change}
	case labelAdded:
		j.LabelsAdded = []changeJSON{change}
	case labelRemoved:
		j.LabelsRemoved = []changeJSON{change}
	}
	return j
}

// note writes a record of a change of m that has happened.
func (a *Account) note(kind string, m *message, label string) {
	a.historyID += a.gap()
	m.historyID = a.historyID
	a.history = append(a.history, record{
		id: a.historyID, at: a.s.now(), kind: kind, msg: m.id, thread: m.threadID,
		labels: m.labelIDs(), label: label,
	})
	a.historyID += a.gap() - 1
	a.forget(a.s.now().Add(-a.s.c.HistoryLife))
}

// gap is how far the next id is away: Gmail's ids rise with gaps of any size.
func (a *Account) gap() uint64 {
	a.gaps = a.gaps*6364136223846793005 + 1442695040888963407
	return 1 + (a.gaps>>60)*(a.gaps>>59&1)
}

// forget drops the records up to that time.
func (a *Account) forget(before time.Time) {
	n := 0
	for n < len(a.history) && a.history[n].at.Before(before) {
		a.horizon = a.history[n].id
		n++
	}
	if n > 0 {
		a.history = slices.Delete(a.history, 0, n)
	}
}

// ExpireHistory makes Gmail forget all history until now: every history id given out so far is
// answered with 404.
func (a *Account) ExpireHistory() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.horizon = a.historyID + 1
	a.historyID += 2
	a.history = nil
}

// HistoryID returns the account's present history id.
func (a *Account) HistoryID() uint64 {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.historyID
}

func listHistory(c *call) (any, *apiError) {
	from, err := strconv.ParseUint(c.query.Get("startHistoryId"), 10, 64)
	if err != nil {
		return nil, invalid("Missing required parameter: startHistoryId")
	}
	size, refusal := c.pageSize()
	if refusal != nil {
		return nil, refusal
	}
	kinds := c.query["historyTypes"]
	for _, k := range kinds {
		if !slices.Contains([]string{messageAdded, messageDeleted, labelAdded, labelRemoved}, k) {
			return nil, invalid("Invalid value at 'history_types'")
		}
	}
	a := c.a
	a.forget(a.s.now().Add(-a.s.c.HistoryLife))
	// Nobody can have an id of the future but from another account.
	if from < a.horizon || from > a.historyID {
		return nil, notFound()
	}
	after := from
	if token := c.query.Get("pageToken"); token != "" {
		if after, err = openHistoryToken(token); err != nil || after < from {
			return nil, invalid("Invalid pageToken")
		}
	}
	return a.historyPage(after, size, kinds, c.query.Get("labelId")), nil
}

func (a *Account) historyPage(after uint64, size int, kinds []string, label string) historyJSON {
	out := historyJSON{HistoryID: formatID(a.historyID)}
	at, _ := slices.BinarySearchFunc(a.history, after, func(r record, id uint64) int {
		if r.id <= id {
			return -1
		}
		return 1
	})
	last := after
	for i := at; i < len(a.history); i++ {
		r := &a.history[i]
		if len(kinds) > 0 && !slices.Contains(kinds, r.kind) {
			continue
		}
		if label != "" && label != r.label && !slices.Contains(r.labels, label) {
			continue
		}
		if len(out.History) == size {
			out.NextPageToken = historyToken(last)
			return out
		}
		out.History = append(out.History, r.json())
		last = r.id
	}
	return out
}

func formatID(id uint64) string { return strconv.FormatUint(id, 10) }
