package gmail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

var (
	_ provider.Sender      = (*mailbox)(nil)
	_ provider.SendLimiter = (*mailbox)(nil)
)

const (
	// maxMail is the largest mail messages.send takes: maxSize in the discovery document of the API.
	maxMail = 36_700_160
	// maxInline is the largest mail that goes into the JSON of the call. Above it the upload address
	// is used, which takes the mail as it is, a third smaller, and needs no memory for it.
	maxInline = 5 << 20
	// readBackFor bounds asking for the Message-ID of a mail that has been sent already.
	readBackFor = 20 * time.Second
	// readBackAgain is when a sent mail that is not there yet is asked for again.
	readBackAgain = 3 * time.Second
)

// MaxSend is the largest mail Gmail sends.
func (m *mailbox) MaxSend() int64 { return maxMail }

// errTooBig says that a mail is larger than Gmail sends.
var errTooBig = fmt.Errorf("gmail %s: the mail is larger than %d bytes", opSend, maxMail)

// Send hands one mail to Gmail, into the thread if one is given. A thread this mailbox does not have
// (a mail moved between accounts) does not hold the mail back: it goes out without, and its
// References thread it at the recipients.
//
// Only what Gmail refuses outright is tried again by itself. Whatever ends in another way after the
// request began to leave is a provider.ErrAmbiguous: ask Find. Gmail replaces the Message-ID; the
// real one is asked for afterwards and stays empty when that does not work, because the mail has
// been sent. A mail above 35 MiB is refused before anything is sent.
func (m *mailbox) Send(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	if m.p.o.ReadOnly || !m.cred.granted(ScopeSend) {
		return provider.Sent{}, fmt.Errorf("gmail %s: %s was not granted: %w", opSend, ScopeSend, errors.ErrUnsupported)
	}
	if out.Size > maxMail {
		return provider.Sent{}, errTooBig
	}
	sent, err := m.send(ctx, out)
	if out.Thread != "" && threadRefused(err) {
		out.Thread = ""
		sent, err = m.send(ctx, out)
	}
	if err != nil {
		if errors.Is(err, provider.ErrGone) {
			// Nothing that was there is gone: ErrGone is the word for a message.
			err = errors.New(err.Error())
		}
		return provider.Sent{}, err
	}
	sent.MessageID = m.realMessageID(ctx, sent.ID)
	return sent, nil
}

// threadRefused says whether an unknown thread may be why. Gmail answers 404 or 400 to one, and a 400
// to other things too: then the second attempt ends in it again.
func threadRefused(err error) bool {
	status := failure.Status(err)
	return status == http.StatusNotFound || status == http.StatusBadRequest && !errors.Is(err, provider.ErrAuth)
}

// send makes the call, and again after refusals.
func (m *mailbox) send(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	var sent provider.Sent
	err := m.callOnce(ctx, gate.Interactive, opSend, m.p.o.Quota.Prices.Send, func(ctx context.Context) (bool, error) {
		left, err := m.leave(ctx, out, &sent)
		if e, ok := errors.AsType[*googleapi.Error](err); ok && e.Code == http.StatusUnauthorized {
			// The transport cannot have the body again, but has seen to a new access token.
			left, err = m.leave(ctx, out, &sent)
		}
		return left, err
	})
	return sent, err
}

// leave sends the mail once. left says whether Gmail may have got it.
func (m *mailbox) leave(ctx context.Context, out provider.Outgoing, sent *provider.Sent) (left bool, err error) {
	raw, err := openOutgoing(out)
	if err != nil {
		return false, err
	}
	defer raw.Close()
	d := &wire.Departure{Base: m.p.base}
	svc, err := m.service(d)
	if err != nil {
		return false, err
	}
	message := &api.Message{ThreadId: string(out.Thread)}
	inline := out.Size > 0 && out.Size <= maxInline
	if inline {
		if message.Raw, err = encoded(raw, out.Size); err != nil {
			return false, err
		}
	}
	call := svc.Users.Messages.Send(me, message).Fields("id,threadId").Context(ctx)
	if !inline {
		// Without chunks it is one request; a resumable upload repeats its last chunk by itself.
		call.Media(raw, googleapi.ContentType("message/rfc822"), googleapi.ChunkSize(0))
	}
	got, err := call.Do()
	whole, broken := raw.state()
	switch {
	case err != nil && broken != nil:
		return false, broken
	case err != nil:
		// Without its end, Gmail cannot have taken the request for whole.
		return d.Left() && whole, err
	case got == nil || got.Id == "":
		return true, errors.New("the answer names no message")
	}
	*sent = provider.Sent{ID: provider.RemoteID(got.Id), Thread: provider.ThreadID(got.ThreadId)}
	return true, nil
}

// encoded reads the mail in base64url, as the JSON of the API has it.
func encoded(raw io.Reader, size int64) (string, error) {
	var b bytes.Buffer
	b.Grow(base64.URLEncoding.EncodedLen(int(size)))
	w := base64.NewEncoder(base64.URLEncoding, &b)
	if _, err := io.Copy(w, raw); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return b.String(), nil
}

// realMessageID asks for the Message-ID Gmail has given a mail it sent; empty when it cannot be had.
func (m *mailbox) realMessageID(ctx context.Context, id provider.RemoteID) string {
	ctx, cancel := context.WithTimeout(ctx, readBackFor)
	defer cancel()
	for again := false; ; again = true {
		got, err := m.metadata(ctx, gate.Interactive, string(id), "Message-ID")
		if err == nil {
			h, _ := metadataHeader(got)
			return h.MessageID
		}
		if again || !errors.Is(err, provider.ErrGone) || pause(ctx, readBackAgain) != nil {
			m.p.o.Logger.WarnContext(ctx, "ask for the Message-ID of a sent mail", "err", err)
			return ""
		}
	}
}

// metadata gets the labels and the named header fields of a message.
func (m *mailbox) metadata(ctx context.Context, lane gate.Lane, id string, fields ...string) (*api.Message, error) {
	var got *api.Message
	err := m.call(ctx, lane, opGet, m.p.o.Quota.Prices.Get, func(ctx context.Context) (err error) {
		got, err = m.api.Users.Messages.Get(me, id).Format("metadata").MetadataHeaders(fields...).
			Fields("id,threadId,labelIds,payload/headers").Context(ctx).Do()
		return unless(func() bool { return soundMessage(got, id) }, err)
	})
	return got, err
}
