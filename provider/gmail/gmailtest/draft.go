package gmailtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

type draftJSON struct {
	ID      string      `json:"id"`
	Message messageJSON `json:"message"`
}

type draftsJSON struct {
	Drafts             []draftJSON `json:"drafts,omitempty"`
	NextPageToken      string      `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int         `json:"resultSizeEstimate"`
}

// saveDraft stores the present text of a draft. Gmail keeps no draft's message: each text is a new
// message and the old one is gone. It is called with the lock.
func (a *Account) saveDraft(id string, raw []byte, thread string) *message {
	old := a.drafts[id]
	if old != nil {
		if thread == "" {
			thread = old.threadID
		}
	} else {
		a.draftOrder = append(a.draftOrder, id)
	}
	m := a.place(raw, time.Time{}, []string{"DRAFT"}, func(m *message) string {
		if thread == "" {
			return m.id
		}
		return thread
	})
	m.draft = id
	a.drafts[id] = m
	if old != nil {
		a.drop(old)
	}
	return m
}

func (a *Account) newDraftID() string {
	a.s.serial++
	return fmt.Sprintf("r-%d", 1_000_000_000_000_000_000+a.s.serial*7_919)
}

// forgetDraft ends the draft whose text the message is, if it is one.
func (a *Account) forgetDraft(m *message) {
	if m.draft == "" {
		return
	}
	delete(a.drafts, m.draft)
	a.draftOrder = slices.DeleteFunc(a.draftOrder, func(id string) bool { return id == m.draft })
}

// SaveDraft is what the web page does every few seconds while the person writes: the draft with that
// id, or a new one for "", gets the text raw. Each save is a new message, and the former one is
// deleted. It returns the id of the draft and that of the message.
func (a *Account) SaveDraft(draftID string, raw []byte) (draft, id string) {
	a.s.mu.Lock()
	if draftID == "" {
		draftID = a.newDraftID()
	}
	m := a.saveDraft(draftID, raw, "")
	a.s.mu.Unlock()
	a.s.changed(a)
	return draftID, m.id
}

// SendDraft sends a draft from the web page; it returns the id of the sent message. It panics when
// there is no such draft or it cannot be sent, which is a mistake of the test.
func (a *Account) SendDraft(draftID string) (id string) {
	touched := map[*Account]bool{}
	func() {
		a.s.mu.Lock()
		defer a.s.mu.Unlock()
		m, refusal := a.sendDraft(draftID, func(t *Account) { touched[t] = true })
		if refusal != nil {
			panic(fmt.Sprintf("gmailtest: draft %q: %s", draftID, refusal.Message))
		}
		id = m.id
	}()
	for t := range touched {
		a.s.changed(t)
	}
	return id
}

// sendDraft sends and removes a draft: in the history the draft's message is deleted and another one
// added.
func (a *Account) sendDraft(id string, touch func(*Account)) (*message, *apiError) {
	d := a.drafts[id]
	if d == nil {
		return nil, notFound()
	}
	thread := d.threadID
	if len(a.threads[thread]) == 1 {
		thread = "" // the draft itself
	}
	m, refusal := a.send(d.raw, thread, touch)
	if refusal != nil {
		return nil, refusal
	}
	a.forgetDraft(d)
	a.drop(d)
	return m, nil
}

func createDraft(c *call) (any, *apiError) { return saveDraft(c, "") }

func updateDraft(c *call) (any, *apiError) { return saveDraft(c, c.id) }

func saveDraft(c *call, id string) (any, *apiError) {
	if c.upload {
		if answer, more := c.startUpload(); more {
			return answer, nil
		}
	}
	raw, thread, refusal := c.message()
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	switch {
	case id != "" && c.a.drafts[id] == nil:
		return nil, notFound()
	case thread != "" && len(c.a.threads[thread]) == 0:
		return nil, notFound()
	case id == "":
		id = c.a.newDraftID()
	}
	m := c.a.saveDraft(id, raw, thread)
	c.touch(c.a)
	return draftJSON{ID: id, Message: m.brief()}, nil
}

func sendDraft(c *call) (any, *apiError) {
	var req struct {
		ID      string          `json:"id"`
		Message *messageRequest `json:"message"`
	}
	b, refusal := c.body(c.s.c.MaxJSON)
	if refusal != nil {
		return nil, refusal
	}
	if err := json.Unmarshal(b, &req); err != nil {
		return nil, invalid("Invalid JSON payload received.")
	}
	var raw []byte
	if req.Message != nil && req.Message.Raw != "" {
		if raw, refusal = decodeRaw(req.Message.Raw); refusal != nil {
			return nil, refusal
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.a.drafts[req.ID] == nil {
		return nil, notFound()
	}
	if raw != nil {
		c.a.saveDraft(req.ID, raw, req.Message.ThreadID)
		c.touch(c.a)
	}
	m, refusal := c.a.sendDraft(req.ID, c.touch)
	if refusal != nil {
		return nil, refusal
	}
	return m.brief(), nil
}

func getDraft(c *call) (any, *apiError) {
	f, refusal := c.format()
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	m := c.a.drafts[c.id]
	if m == nil {
		c.s.mu.Unlock()
		return nil, notFound()
	}
	s := m.shot()
	c.s.mu.Unlock()
	return draftJSON{ID: c.id, Message: s.render(f)}, nil
}

func deleteDraft(c *call) (any, *apiError) {
	m := c.a.drafts[c.id]
	if m == nil {
		return nil, notFound()
	}
	c.a.forgetDraft(m)
	c.a.drop(m)
	c.touch(c.a)
	return noContent{}, nil
}

func listDrafts(c *call) (any, *apiError) {
	size, refusal := c.pageSize()
	if refusal != nil {
		return nil, refusal
	}
	sel, refusal := c.selection()
	if refusal != nil {
		return nil, refusal
	}
	var out draftsJSON
	var last *message
	refusal = c.newest(sel, func(m *message) bool {
		if m.draft == "" {
			return true
		}
		if len(out.Drafts) == size {
			out.NextPageToken = position{at: last.internal, serial: last.serial}.token()
			return false
		}
		out.Drafts = append(out.Drafts, draftJSON{
			ID: m.draft, Message: messageJSON{ID: m.id, ThreadID: m.threadID},
		})
		last = m
		return true
	})
	out.ResultSizeEstimate = len(out.Drafts)
	if out.NextPageToken != "" {
		out.ResultSizeEstimate = max(estimate, len(out.Drafts))
	}
	return out, refusal
}
