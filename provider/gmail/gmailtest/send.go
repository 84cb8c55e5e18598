package gmailtest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// SentMail is one mail that left an account.
type SentMail struct {
	ID string // of the sender's copy
	// Raw is the mail as its recipients get it: without Bcc, with the Message-ID it got here.
	Raw []byte
	To  []string // everyone it went to, Bcc too, in lower case
	At  time.Time
}

// Sent returns the mail that was sent by the API, oldest first. Raw must not be changed.
func (a *Account) Sent() []SentMail {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return slices.Clone(a.sent)
}

// messageRequest is the Message resource of a request.
type messageRequest struct {
	Raw      string `json:"raw"`
	ThreadID string `json:"threadId"`
}

// maxUpload is the most bytes of mail that can be sent.
//
// Source: https://gmail.googleapis.com/$discovery/rest?version=v1, mediaUpload.maxSize
const maxUpload = 36_700_160

// maxRecipients is how many recipients a mail sent by the API may have.
//
// Source: https://support.google.com/a/answer/166852
const maxRecipients = 500

// decodeRaw reads base64url with or without padding.
func decodeRaw(s string) ([]byte, *apiError) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, invalid("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed")
	}
	return b, nil
}

// message reads what is to be sent or saved, however it comes.
func (c *call) message() (raw []byte, thread string, refusal *apiError) {
	if c.upload {
		meta, raw, refusal := c.media()
		if refusal != nil {
			return nil, "", refusal
		}
		var req messageRequest
		if err := unmarshalMessage(meta, &req); err != nil {
			return nil, "", invalid("Invalid JSON payload received.")
		}
		return raw, req.ThreadID, nil
	}
	b, refusal := c.body(c.s.c.MaxJSON)
	if refusal != nil {
		return nil, "", refusal
	}
	var req messageRequest
	if err := unmarshalMessage(b, &req); err != nil {
		return nil, "", invalid("Invalid JSON payload received.")
	}
	raw, refusal = decodeRaw(req.Raw)
	return raw, req.ThreadID, refusal
}

// unmarshalMessage reads a Message, or the one inside a Draft.
func unmarshalMessage(b []byte, into *messageRequest) error {
	if len(b) == 0 {
		return nil
	}
	wrapped := struct {
		*messageRequest
		Message *messageRequest `json:"message"`
	}{messageRequest: into, Message: into}
	return json.Unmarshal(b, &wrapped)
}

func sendMessage(c *call) (any, *apiError) {
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
	m, refusal := c.a.send(raw, thread, c.touch)
	if refusal != nil {
		return nil, refusal
	}
	return m.brief(), nil
}

// send sends a mail: the copy of the sender, those of recipients who have an account here, and the
// entry in Sent. It is called with the lock.
func (a *Account) send(raw []byte, thread string, touch func(*Account)) (*message, *apiError) {
	if len(raw) > maxUpload {
		return nil, tooLarge()
	}
	header, err := rfc822.ReadHeader(bytes.NewReader(raw), rfc822.Limits{})
	if err != nil || header.Len() == 0 {
		return nil, invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
	}
	to := recipients(header.Envelope())
	switch {
	case len(to) == 0:
		return nil, invalid("Recipient address required")
	case len(to) > maxRecipients:
		return nil, invalid("Too many recipients")
	case thread != "" && len(a.threads[thread]) == 0:
		return nil, notFound()
	}
	own := a.rewrite(raw, header)
	m := &message{owner: a, raw: own}
	if thread != "" && !a.joins(m, thread) {
		thread = ""
	}
	labels := []string{"SENT"}
	self := slices.ContainsFunc(to, a.owns)
	if self {
		labels = append(labels, "INBOX", "UNREAD")
	}
	sent := a.addSent(own, labels, thread, header.Envelope().MessageID)
	out := withoutBcc(own)
	a.sent = append(a.sent, SentMail{ID: sent.id, Raw: out, To: to, At: a.s.now()})
	touch(a)
	for _, other := range a.s.order {
		if other != a && slices.ContainsFunc(to, other.owns) {
			other.receive(a, out)
			touch(other)
		}
	}
	return sent, nil
}

// addSent stores the sender's copy. Without a thread it begins one: Gmail puts what is sent by the
// API into a thread that is asked for, into no other.
func (a *Account) addSent(raw []byte, labels []string, thread, original string) *message {
	m := a.place(raw, time.Time{}, labels, func(m *message) string {
		if thread == "" {
			return m.id
		}
		return thread
	})
	if original != m.messageID() {
		m.original = original
		a.indexMessageID(m, original)
	}
	return m
}

// receive delivers a mail that another account sent.
func (a *Account) receive(from *Account, raw []byte) {
	trace := fmt.Sprintf("Delivered-To: %s\r\nReceived: by 2002:a05:6a00 with SMTP id %d; %s\r\n"+
		"Return-Path: <%s>\r\n", a.address, a.s.serial,
		a.s.now().UTC().Format(time.RFC1123Z), from.address)
	a.add(append([]byte(trace), raw...), time.Time{}, []string{"INBOX", "UNREAD"})
}

// recipients lists everyone a mail goes to, each once, in lower case.
func recipients(e rfc822.Envelope) []string {
	var out []string
	for _, a := range slices.Concat(e.To, e.Cc, e.Bcc) {
		address := strings.ToLower(a.Address)
		if strings.Contains(address, "@") && !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}

// rewrite makes the sender's copy: Gmail adds a Received field, replaces the Message-ID, replaces a
// From that is not the account's own, and adds what is missing.
func (a *Account) rewrite(raw []byte, header rfc822.Header) []byte {
	now := a.s.now().UTC().Format(time.RFC1123Z)
	add := []string{"Received: from 000000000000 named unknown by gmailapi.google.com with HTTPREST; " + now}
	from := header.Envelope().From
	foreign := len(from) != 1 || !a.owns(from[0].Address)
	if foreign {
		add = append(add, "From: "+a.address)
	}
	if !header.Has("Date") {
		add = append(add, "Date: "+now)
	}
	if !header.Has("MIME-Version") {
		add = append(add, "MIME-Version: 1.0")
	}
	add = append(add, "Message-Id: <CA"+rand.Text()+"@mail.gmail.com>")
	return edit(raw, strings.Join(add, "\r\n")+"\r\n", func(name string) bool {
		return strings.EqualFold(name, "Message-ID") || foreign && strings.EqualFold(name, "From")
	})
}

func withoutBcc(raw []byte) []byte {
	return edit(raw, "", func(name string) bool { return strings.EqualFold(name, "Bcc") })
}

// edit puts prefix before a message and leaves out the header fields that drop names.
func edit(raw []byte, prefix string, drop func(name string) bool) []byte {
	head, body := splitHeader(raw)
	out := make([]byte, 0, len(prefix)+len(raw))
	out = append(out, prefix...)
	dropping := false
	for line := range bytes.Lines(head) {
		if folded := line[0] == ' ' || line[0] == '\t'; !folded {
			name, _, _ := bytes.Cut(line, []byte(":"))
			dropping = drop(string(bytes.TrimSpace(name)))
		}
		if !dropping {
			out = append(out, line...)
		}
	}
	return append(out, body...)
}

// media reads the mail and the metadata of an upload that comes in one request.
func (c *call) media() (meta, raw []byte, refusal *apiError) {
	switch c.query.Get("uploadType") {
	case "media":
		if t := mediaType(c.r.Header); t != "message/rfc822" {
			return nil, nil, invalid("Media type '" + t + "' is not supported. Valid media types: [message/rfc822]")
		}
		raw, refusal = readUpload(c.r.Body)
		return nil, raw, refusal
	case "multipart":
		return c.related()
	case "resumable":
		return c.resumed()
	}
	return nil, nil, invalid("Invalid upload type")
}

func readUpload(r io.Reader) ([]byte, *apiError) {
	raw, err := io.ReadAll(io.LimitReader(r, maxUpload+1))
	switch {
	case err != nil:
		return nil, invalid("Unexpected end of request body")
	case len(raw) > maxUpload:
		return nil, tooLarge()
	}
	return raw, nil
}

func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}
