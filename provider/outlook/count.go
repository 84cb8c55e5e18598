package outlook

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// Count asks for the number of messages of a walk's window, in one call. Junk, trash and drafts are
// among them.
func (m *mailbox) Count(ctx context.Context, w provider.Walk) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	q := url.Values{}
	if f := window(w).filter(); f != "" {
		q.Set("$filter", f)
	}
	n := 0
	err := m.call(ctx, gate.Interactive, opCount, func(ctx context.Context) error {
		resp, err := m.ask(ctx, m.address(q, "messages", "$count"))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(resp.Body); err != nil {
			return err
		}
		// A byte order mark has been seen before the number.
		if n, err = strconv.Atoi(string(bytes.TrimSpace(bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf"))))); err != nil {
			return &provider.RetryError{Err: failed(opCount, "the answer is no number")}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}
