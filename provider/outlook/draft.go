package outlook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/wire"
	"github.com/workinbox/workinbox/provider/rfc822"
)

const (
	opDraft  = "drafts.create"
	opMark   = "messages.update"
	opReply  = "drafts.createReply"
	opAttach = "attachments.create"
)

// markerProperty is the extended property with a send's marker. It stands in the namespace of
// internet header fields (PS_INTERNET_HEADERS, [MS-OXPROPS] section 1.3.2), so that it is the field of
// that name in the mail too, and a mail can be found by it.
const markerProperty = "String {00020386-0000-0000-C000-000000000046} Name " + provider.MarkerHeader

// draft makes a draft of a mail that is ready to be sent.
func (m *mailbox) draft(ctx context.Context, out provider.Outgoing) (message, error) {
	if out.Size > 0 && out.Size <= maxMIME {
		d, err := m.draftMIME(ctx, out)
		if err != nil || out.Marker == "" {
			return d, err
		}
		// A field of MIME is dropped as long as Exchange does not know its name.
		err = m.call(ctx, gate.Interactive, opMark, func(ctx context.Context) error {
			return m.sdk.mark(ctx, d.ID, out.Marker)
		})
		if err != nil {
			m.discard(ctx, d.ID)
		}
		return d, err
	}
	return m.draftParts(ctx, out)
}

// draftMIME makes a draft of the mail as it is. It keeps its References, which no other way of making
// a draft does.
func (m *mailbox) draftMIME(ctx context.Context, out provider.Outgoing) (message, error) {
	mime, err := encoded(out)
	if err != nil {
		return message{}, err
	}
	var d message
	err = m.call(ctx, gate.Interactive, opDraft, func(ctx context.Context) error {
		_, resp, err := m.postMIME(ctx, m.client, nil, m.address(nil, "messages"), mime)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			return readAnswerError(resp)
		}
		var fresh message
		if err := json.NewDecoder(resp.Body).Decode(&fresh); err != nil {
			return err
		}
		drain(resp.Body)
		d = fresh
		return nil
	})
	if err == nil && d.ID == "" {
		err = failed(opDraft, "the answer names no draft")
	}
	return d, err
}

// postMIME posts a mail in base64. left says whether anything of it may have reached the service.
func (m *mailbox) postMIME(
	ctx context.Context, client *http.Client, dep *wire.Departure, address string, mime []byte,
) (left bool, resp *http.Response, err error) {
	for again := false; ; again = true {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(mime))
		if err != nil {
			return false, nil, err
		}
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("Prefer", immutable)
		resp, err = client.Do(r)
		if err != nil {
			return dep != nil && dep.Left(), nil, err
		}
		if resp.StatusCode != http.StatusUnauthorized || again {
			return true, resp, nil
		}
		// A send's body cannot be had again by the transport, which has seen to a new access token.
		drain(resp.Body)
		_ = resp.Body.Close()
	}
}

// encoded reads a mail in standard base64. One of another size than was said is an error, so that
// none is sent cut short.
func encoded(out provider.Outgoing) ([]byte, error) {
	r, err := out.Open()
	if err != nil {
		return nil, fmt.Errorf("outlook %s: open the mail: %w", opMail, err)
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, maxMIME+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("outlook %s: read the mail: %w", opMail, err)
	case len(raw) > maxMIME:
		return nil, tooBig(opMail, maxMIME)
	case out.Size > 0 && int64(len(raw)) != out.Size:
		return nil, fmt.Errorf("outlook %s: the mail has another size than %d bytes", opMail, out.Size)
	}
	mime := make([]byte, base64.StdEncoding.EncodedLen(len(raw)))
	base64.StdEncoding.Encode(mime, raw)
	return mime, nil
}

// draftParts makes a draft of what a large mail says, and attaches what it carries.
func (m *mailbox) draftParts(ctx context.Context, out provider.Outgoing) (message, error) {
	mail, err := parsed(out)
	if err != nil {
		return message{}, err
	}
	parent, err := m.parent(ctx, mail.Envelope.InReplyTo)
	if err != nil {
		return message{}, err
	}
	var d message
	op := opDraft
	if parent != "" {
		op = opReply
	}
	err = m.call(ctx, gate.Interactive, op, func(ctx context.Context) error {
		var err error
		if d, err = m.sdk.compose(ctx, parent, mail, out.Marker); err == nil && parent != "" {
			// The draft of a reply has a text and recipients of its own making.
			err = m.sdk.rewrite(ctx, &d, mail, out.Marker)
		}
		return err
	})
	if err != nil {
		return message{}, err
	}
	for i, part := range mail.Parts {
		if err := m.attach(ctx, d.ID, i, out, part); err != nil {
			m.discard(ctx, d.ID)
			return message{}, err
		}
	}
	return d, nil
}

// maxText bounds the body of a mail that is handed over in parts.
const maxText = 3 << 20

// parsed reads what a mail says.
func parsed(out provider.Outgoing) (*rfc822.Message, error) {
	r, err := out.Open()
	if err != nil {
		return nil, fmt.Errorf("outlook %s: open the mail: %w", opDraft, err)
	}
	defer r.Close()
	mail, err := rfc822.Parse(r, rfc822.Limits{TextBytes: maxText})
	if err != nil {
		return nil, fmt.Errorf("outlook %s: read the mail: %w", opDraft, err)
	}
	switch {
	case out.Size > 0 && mail.Size != out.Size:
		return nil, fmt.Errorf("outlook %s: the mail has another size than %d bytes", opDraft, out.Size)
	case mail.Size > maxMail:
		return nil, tooBig(opDraft, maxMail)
	}
	return mail, nil
}

// parent finds the message a mail answers; empty where there is none. Only a reply to it keeps a mail
// made of parts in its thread.
func (m *mailbox) parent(ctx context.Context, inReplyTo []string) (string, error) {
	found := ""
	for _, id := range inReplyTo {
		err := m.each(ctx, m.address(url.Values{
			"$filter": {"internetMessageId eq '" + strings.ReplaceAll("<"+id+">", "'", "''") + "'"},
			"$select": {"id,isDraft"}, "$top": {"5"},
		}, "messages"), func(x *message) (bool, error) {
			if !x.Draft {
				found = x.ID
			}
			return found != "", nil
		})
		if found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

// attach hands over one part of a mail. before is how many the draft has already.
func (m *mailbox) attach(ctx context.Context, draft string, before int, out provider.Outgoing, part rfc822.Part) error {
	r, err := out.Open()
	if err != nil {
		return fmt.Errorf("outlook %s: open the mail: %w", opAttach, err)
	}
	defer r.Close()
	_, content, err := rfc822.OpenPart(r, part.Path, rfc822.Limits{})
	if err != nil {
		return fmt.Errorf("outlook %s: read the mail: %w", opAttach, err)
	}
	if part.Name == "" {
		part.Name = "attachment"
	}
	if part.Size >= maxInline {
		return m.upload(ctx, draft, before, part, content)
	}
	raw, err := io.ReadAll(io.LimitReader(content, maxInline))
	if err != nil {
		return fmt.Errorf("outlook %s: read the mail: %w", opAttach, err)
	}
	// An attachment whose answer was lost would be there twice: it is attached once, or the whole
	// draft is given up.
	err = m.callOnce(ctx, gate.Interactive, opAttach, func(ctx context.Context) (bool, error) {
		return true, m.sdk.attach(ctx, draft, part, raw)
	})
	if errors.Is(err, provider.ErrAmbiguous) {
		return &provider.RetryError{Err: errors.New(err.Error())} // nothing is sent yet
	}
	return err
}
