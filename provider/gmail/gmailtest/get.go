package gmailtest

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

type messageJSON struct {
	ID           string    `json:"id"`
	ThreadID     string    `json:"threadId"`
	LabelIDs     []string  `json:"labelIds,omitempty"`
	Snippet      *string   `json:"snippet,omitempty"`
	Payload      *partJSON `json:"payload,omitempty"`
	SizeEstimate int       `json:"sizeEstimate,omitempty"`
	Raw          string    `json:"raw,omitempty"`
	HistoryID    string    `json:"historyId,omitempty"`
	InternalDate string    `json:"internalDate,omitempty"`
}

type threadJSON struct {
	ID        string        `json:"id"`
	Snippet   *string       `json:"snippet,omitempty"`
	HistoryID string        `json:"historyId"`
	Messages  []messageJSON `json:"messages,omitempty"`
}

type profileJSON struct {
	EmailAddress  string `json:"emailAddress"`
	MessagesTotal int    `json:"messagesTotal"`
	ThreadsTotal  int    `json:"threadsTotal"`
	HistoryID     string `json:"historyId"`
}

type attachmentJSON struct {
	Size int    `json:"size"`
	Data string `json:"data"`
}

func getProfile(c *call) (any, *apiError) {
	return profileJSON{
		EmailAddress: c.a.address, MessagesTotal: len(c.a.messages), ThreadsTotal: len(c.a.threads),
		HistoryID: formatID(c.a.historyID),
	}, nil
}

// format is how much of a message is answered.
type format struct {
	name    string
	headers []string // of metadata; none is all
	snippet bool     // it is wanted; to make it costs reading the whole mail
}

func (c *call) format() (format, *apiError) {
	f := format{name: strings.ToLower(c.query.Get("format")), headers: c.query["metadataHeaders"]}
	if f.name == "" {
		f.name = "full"
	}
	fields := c.query.Get("fields")
	f.snippet = fields == "" || strings.Contains(fields, "snippet") || strings.Contains(fields, "*")
	if !slices.Contains([]string{"minimal", "full", "raw", "metadata"}, f.name) {
		return f, invalid("Invalid value at 'format'")
	}
	if c.metadataOnly() && (f.name == "full" || f.name == "raw") {
		return f, forbidden("Metadata scope doesn't allow format " + strings.ToUpper(f.name))
	}
	return f, nil
}

// metadataOnly says whether headers are all that the token may read.
func (c *call) metadataOnly() bool {
	return slices.Contains(c.scopes, scopeMetadata) && !slices.ContainsFunc(
		[]string{scopeFull, scopeModify, scopeReadonly},
		func(s string) bool { return slices.Contains(c.scopes, s) })
}

// shot is what an answer needs of a message, taken under the lock, so that encoding can go on
// without it.
type shot struct {
	m *message
	j messageJSON
}

func (m *message) shot() shot {
	return shot{m: m, j: messageJSON{
		ID: m.id, ThreadID: m.threadID, LabelIDs: m.labelIDs(), SizeEstimate: m.size,
		HistoryID:    formatID(m.historyID),
		InternalDate: strconv.FormatInt(m.internal.UnixMilli(), 10),
	}}
}

// render completes the answer. It needs no lock.
func (s shot) render(f format) messageJSON {
	j, m := s.j, s.m
	if f.snippet {
		snippet := m.snippet()
		j.Snippet = &snippet
	}
	switch f.name {
	case "raw":
		j.Raw = encode(m.serial, m.raw)
	case "full":
		j.Payload = fullPayload(m)
	case "metadata":
		j.Payload = metadataPayload(m, f.headers)
	}
	return j
}

// encode writes base64url. Gmail pads it or does not, so both come: which, the message decides.
func encode(serial uint64, b []byte) string {
	if serial%2 == 0 {
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return base64.URLEncoding.EncodeToString(b)
}

func getMessage(c *call) (any, *apiError) {
	f, refusal := c.format()
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	m := c.a.messages[c.id]
	if m == nil {
		c.s.mu.Unlock()
		return nil, notFound()
	}
	s := m.shot()
	c.s.mu.Unlock()
	return s.render(f), nil
}

func getThread(c *call) (any, *apiError) {
	f, refusal := c.format()
	if refusal != nil {
		return nil, refusal
	}
	if f.name == "raw" {
		return nil, invalid("Invalid value at 'format'")
	}
	c.s.mu.Lock()
	messages := c.a.threads[c.id]
	if len(messages) == 0 {
		c.s.mu.Unlock()
		return nil, notFound()
	}
	var newest uint64
	shots := make([]shot, len(messages))
	for i, m := range messages {
		shots[i] = m.shot()
		newest = max(newest, m.historyID)
	}
	c.s.mu.Unlock()
	out := threadJSON{ID: c.id, HistoryID: formatID(newest)}
	for _, s := range shots {
		out.Messages = append(out.Messages, s.render(f))
	}
	return out, nil
}

func getAttachment(c *call) (any, *apiError) {
	c.s.mu.Lock()
	m := c.a.messages[c.id]
	c.s.mu.Unlock()
	if m == nil {
		return nil, notFound()
	}
	content, ok := m.attachment(c.part)
	if !ok {
		return nil, invalid("Invalid attachment token")
	}
	return attachmentJSON{Size: len(content), Data: encode(m.serial, content)}, nil
}
