package outlook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

var _ provider.Sender = (*mailbox)(nil)

const (
	// maxMIME is the largest mail that is handed over as it is. Graph takes requests of 4 MB
	// (https://learn.microsoft.com/graph/outlook-send-mime-message), and base64 makes four bytes of
	// three.
	maxMIME = 2_900_000
	// maxMail is the largest mail whose parts are handed over one by one
	// (https://learn.microsoft.com/graph/outlook-large-attachments). The tenant's own limit is mostly
	// lower.
	maxMail = 150 << 20
	// readBackFor bounds asking for a mail that has been sent already.
	readBackFor = 10 * time.Second
)

// tooBig says that a mail is larger than can be sent.
func tooBig(op string, most int64) error {
	return fmt.Errorf("outlook %s: the mail is larger than %d bytes", op, most)
}

// drafts says whether mail is sent by way of a draft.
func (m *mailbox) drafts() bool { return !m.p.o.SendAtOnce && m.cred.granted(ScopeReadWrite) }

// MaxSend is the largest mail that leaves the way mail is sent from this mailbox.
func (m *mailbox) MaxSend() int64 {
	if m.drafts() {
		return maxMail
	}
	return maxMIME
}

// Send hands one mail to Exchange by way of a draft: what the mail is made of may be handed over again
// after any failure, and only the last call sends. A mail of up to 2.9 MB is handed over as it is; of
// a larger one the recipients, the body and the attachments, up to 150 MB, which answers the mail its
// In-Reply-To names.
//
// The only sign of acceptance is 202. What ends in another way after that call began to leave, and is
// no clear refusal, is a provider.ErrAmbiguous: ask Find. The Message-ID is that of the draft, which
// stays. The ID is set only where the mail in Sent Items is there already and has it.
//
// Where Mail.ReadWrite was not granted the mail leaves by sendMail without a draft, up to 2.9 MB, and
// the answer says nothing of it.
func (m *mailbox) Send(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	if m.p.o.ReadOnly || !m.cred.granted(ScopeSend) {
		return provider.Sent{}, fmt.Errorf("outlook %s: %s was not granted: %w", opSend, ScopeSend, errors.ErrUnsupported)
	}
	var sent provider.Sent
	var err error
	switch {
	case out.Size > m.MaxSend():
		err = tooBig(opMail, m.MaxSend())
	case m.drafts():
		sent, err = m.sendDraft(ctx, out)
	default:
		err = m.sendAtOnce(ctx, out)
	}
	if errors.Is(err, provider.ErrGone) {
		// Nothing that was there is gone: ErrGone is the word for a message.
		err = errors.New(err.Error())
	}
	return sent, err
}

// sendDraft makes a draft, sends it, and reads back what became of it.
func (m *mailbox) sendDraft(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	d, err := m.draft(ctx, out)
	if err != nil {
		return provider.Sent{}, err
	}
	err = m.callOnce(ctx, gate.Interactive, opSend, func(ctx context.Context) (bool, error) {
		dep := &wire.Departure{Base: acceptedCheck{m.p.base}}
		s, err := m.newSDK(dep)
		if err != nil {
			return false, err
		}
		err = s.send(ctx, d.ID)
		return dep.Left(), err
	})
	if err != nil {
		if !errors.Is(err, provider.ErrAmbiguous) {
			m.discard(ctx, d.ID)
		}
		return provider.Sent{}, err
	}
	sent := provider.Sent{Thread: provider.ThreadID(d.Conversation), MessageID: inner(d.MessageID)}
	if m.isSent(ctx, d.ID) {
		sent.ID = provider.RemoteID(d.ID)
	}
	return sent, nil
}

// isSent says whether what was a draft is in Sent Items under the same id. That it moves there may
// take a while, and its id is documented to stay and has been seen not to.
func (m *mailbox) isSent(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, readBackFor)
	defer cancel()
	x, err := get[message](ctx, m, gate.Interactive, opGet,
		m.address(url.Values{"$select": {"id,isDraft,receivedDateTime"}}, "messages", id))
	return err == nil && !x.Draft && x.ID == id
}

// discard deletes a draft that will not be sent, best effort and for a caller who has gone too.
func (m *mailbox) discard(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackFor)
	defer cancel()
	err := m.call(ctx, gate.Interactive, "drafts.delete", func(ctx context.Context) error { return m.sdk.discard(ctx, id) })
	if err != nil && !errors.Is(err, provider.ErrGone) {
		m.p.o.Logger.WarnContext(ctx, "delete a draft that was not sent", "err", err)
	}
}

// sendAtOnce sends a mail as it is, without a draft.
func (m *mailbox) sendAtOnce(ctx context.Context, out provider.Outgoing) error {
	mime, err := encoded(out)
	if err != nil {
		return err
	}
	return m.callOnce(ctx, gate.Interactive, opMail, func(ctx context.Context) (bool, error) {
		dep := &wire.Departure{Base: m.p.base}
		left, resp, err := m.postMIME(ctx, m.httpClient(dep), dep, m.address(nil, "sendMail"), mime)
		if err != nil {
			return left, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			return true, readAnswerError(resp)
		}
		drain(resp.Body)
		return true, nil
	})
}

// acceptedCheck takes nothing but 202 for a success: a 200 was seen for mail that was never sent.
type acceptedCheck struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (c acceptedCheck) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.base.RoundTrip(r)
	if err != nil || resp.StatusCode < 200 || resp.StatusCode > 299 || resp.StatusCode == http.StatusAccepted {
		return resp, err
	}
	defer resp.Body.Close()
	return nil, readAnswerError(resp)
}
