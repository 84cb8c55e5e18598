package outlook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var (
	_ provider.BulkOpener = (*mailbox)(nil)
	_ provider.Counter    = (*mailbox)(nil)
	_ provider.Originals  = (*mailbox)(nil)
)

// maxGrow is how much memory is taken on the word of a Content-Length.
const maxGrow = 64 << 20

// Open returns the message as Options.Raw says. It goes before every import on this account that waits
// for quota. The whole message is in memory, once.
func (m *mailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	return reading(m.open(ctx, gate.Interactive, id))
}

// Original returns the message as Exchange has it: mail from outside much as it came, mail that was
// written in Exchange put together anew (https://learn.microsoft.com/graph/outlook-get-mime-message).
// It goes before every import like Open.
func (m *mailbox) Original(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	return reading(m.original(ctx, gate.Interactive, id))
}

func reading(raw []byte, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}

func (m *mailbox) open(ctx context.Context, lane gate.Lane, id provider.RemoteID) ([]byte, error) {
	if m.p.o.Raw == RawBuilt && id != "" && !m.unbuilt.has(string(id)) {
		x, err := get[whole](ctx, m, lane, opGet,
			m.address(url.Values{"$select": {wholeProperties}}, "messages", string(id)), unsafeHTML)
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		if raw := x.build(); raw != nil {
			return raw, nil
		}
	}
	return m.original(ctx, lane, id)
}

var errNoMail = errors.New("the answer is no mail")

func (m *mailbox) original(ctx context.Context, lane gate.Lane, id provider.RemoteID) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if id == "" {
		return nil, fmt.Errorf("open: %w: the id is empty", provider.ErrGone)
	}
	var raw []byte
	err := m.call(ctx, lane, opValue, func(ctx context.Context) error {
		resp, err := m.ask(ctx, m.address(nil, "messages", string(id), "$value"))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		b.Grow(int(min(max(resp.ContentLength, 0)+bytes.MinRead, maxGrow)))
		_, err = b.ReadFrom(resp.Body)
		raw = b.Bytes()
		if err == nil && (len(raw) == 0 || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")) {
			return errNoMail // nor is a page of somebody on the way
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return raw, nil
}
