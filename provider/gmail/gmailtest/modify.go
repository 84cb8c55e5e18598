package gmailtest

import (
	"encoding/json"
	"slices"
)

type modifyRequest struct {
	IDs            []string `json:"ids"`
	AddLabelIDs    []string `json:"addLabelIds"`
	RemoveLabelIDs []string `json:"removeLabelIds"`
}

// maxBatchIDs is the most ids of batchModify and batchDelete.
const maxBatchIDs = 1000

// brief is how changed messages are answered.
func (m *message) brief() messageJSON {
	return messageJSON{ID: m.id, ThreadID: m.threadID, LabelIDs: m.labelIDs()}
}

func (c *call) modifyRequest() (modifyRequest, *apiError) {
	var req modifyRequest
	b, refusal := c.body(c.s.c.MaxJSON)
	if refusal != nil {
		return req, refusal
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &req); err != nil {
			return req, invalid("Invalid JSON payload received.")
		}
	}
	return req, nil
}

func (a *Account) checkLabels(req modifyRequest) *apiError {
	for _, l := range slices.Concat(req.AddLabelIDs, req.RemoveLabelIDs) {
		if a.labels[l] == nil || l == "SENT" || l == "DRAFT" || l == "CHAT" {
			return invalid("Invalid label: " + l)
		}
	}
	return nil
}

func modifyMessage(c *call) (any, *apiError) {
	req, refusal := c.modifyRequest()
	if refusal != nil {
		return nil, refusal
	}
	if len(req.AddLabelIDs)+len(req.RemoveLabelIDs) == 0 {
		return nil, invalid("No label add or removes specified")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if refusal := c.a.checkLabels(req); refusal != nil {
		return nil, refusal
	}
	return c.relabel(req.AddLabelIDs, req.RemoveLabelIDs)
}

// relabel changes the message of the call, under the lock.
func (c *call) relabel(add, remove []string) (any, *apiError) {
	m := c.a.messages[c.id]
	if m == nil {
		return nil, notFound()
	}
	if c.a.relabel(m, add, remove) {
		c.touch(c.a)
	}
	return m.brief(), nil
}

func trashMessage(c *call) (any, *apiError) {
	return c.relabel([]string{"TRASH"}, []string{"INBOX", "SPAM"})
}

func untrashMessage(c *call) (any, *apiError) { return c.relabel(nil, []string{"TRASH"}) }

func deleteMessage(c *call) (any, *apiError) {
	m := c.a.messages[c.id]
	if m == nil {
		return nil, notFound()
	}
	c.a.forgetDraft(m)
	c.a.drop(m)
	c.touch(c.a)
	return noContent{}, nil
}

func batchModify(c *call) (any, *apiError) {
	req, refusal := c.modifyRequest()
	if refusal != nil {
		return nil, refusal
	}
	if len(req.IDs) == 0 || len(req.IDs) > maxBatchIDs {
		return nil, invalid("Invalid ids")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if refusal := c.a.checkLabels(req); refusal != nil {
		return nil, refusal
	}
	for _, id := range req.IDs {
		// Ids that are not there are passed over.
		if m := c.a.messages[id]; m != nil && c.a.relabel(m, req.AddLabelIDs, req.RemoveLabelIDs) {
			c.touch(c.a)
		}
	}
	return noContent{}, nil
}

func batchDelete(c *call) (any, *apiError) {
	req, refusal := c.modifyRequest()
	if refusal != nil {
		return nil, refusal
	}
	if len(req.IDs) == 0 || len(req.IDs) > maxBatchIDs {
		return nil, invalid("Invalid ids")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, id := range req.IDs {
		if m := c.a.messages[id]; m != nil {
			c.a.forgetDraft(m)
			c.a.drop(m)
			c.touch(c.a)
		}
	}
	return noContent{}, nil
}
