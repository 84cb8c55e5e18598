package outlook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/bulk"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

const opBatch = "batch"

// OpenMany gets messages as many at a time as the quota allows: one by one where that is as fast as the
// quota, and where the service is too far away for that in batches, each message of which counts as a
// call. What Graph does with raw messages in batches is documented for other binary answers alone
// (https://learn.microsoft.com/graph/json-batching), so that the first one is compared, and what
// batches cannot do is done one by one. Options.Batch leaves them out.
func (m *mailbox) OpenMany(
	ctx context.Context, ids []provider.RemoteID, each func(provider.RemoteID, io.Reader, error) error,
) error {
	if err := ctx.Err(); err != nil {
		return err // before it says that it will prove batches
	}
	if len(ids) < 2 || m.p.o.Batch < 2 || m.p.o.Raw != RawOriginal {
		return m.openMany(ctx, ids, 1, nil, each)
	}
	size, prove := m.pace.batch(m.p.o.Quota.steady())
	size = min(size, m.p.o.Batch, len(ids))
	if !prove {
		return m.openMany(ctx, ids, size, m.openBatch, each)
	}
	err := m.openMany(ctx, ids[:size], size, m.proveBatch, each)
	if err != nil || size == len(ids) {
		return err
	}
	return m.OpenMany(ctx, ids[size:], each)
}

// openMany opens messages, as many by one call of some as size says. What some does not give is opened
// by itself.
func (m *mailbox) openMany(
	ctx context.Context, ids []provider.RemoteID, size int,
	some func(context.Context, []provider.RemoteID) [][]byte, each bulk.Each,
) error {
	return bulk.Groups(ctx, ids, size, m.p.o.Quota.InFlight, func(ctx context.Context, ids []provider.RemoteID, hand bulk.Hand) error {
		raws := make([][]byte, len(ids))
		if len(ids) > 1 {
			raws = some(ctx, ids)
		}
		for i, id := range ids {
			raw := raws[i]
			raws[i] = nil
			var err error
			if raw == nil {
				raw, err = m.open(ctx, gate.Bulk, id)
			}
			if err := hand(id, raw, err); err != nil {
				return err
			}
		}
		return nil
	}, each)
}

// proveBatch is openBatch for the first batch: it must give what a message by itself gives.
func (m *mailbox) proveBatch(ctx context.Context, ids []provider.RemoteID) [][]byte {
	raws := m.openBatch(ctx, ids)
	if raws[0] == nil {
		m.pace.proved(false) // it may be another time
		return raws
	}
	raw, err := m.original(ctx, gate.Bulk, ids[0])
	m.pace.proved(err == nil)
	if err == nil && !bytes.Equal(raw, raws[0]) {
		m.pace.never()
		m.p.o.Logger.WarnContext(ctx, "outlook: messages are opened one by one: in a batch they are others")
	}
	if err != nil || !bytes.Equal(raw, raws[0]) {
		return make([][]byte, len(ids))
	}
	return raws
}

// steady is how long a call may last for calls one by one to use the whole quota; without a limit of
// calls none is short enough.
func (q Quota) steady() time.Duration {
	if q.Calls == 0 {
		return 0
	}
	return q.Window * time.Duration(q.InFlight) / time.Duration(q.Calls)
}

// openBatch gets messages in one request, in their order. What it did not get is nil: whoever opens it
// by itself will hear why.
func (m *mailbox) openBatch(ctx context.Context, ids []provider.RemoteID) [][]byte {
	raws := make([][]byte, len(ids))
	left := make([]int, len(ids)) // places in ids
	for i := range ids {
		left[i] = i
	}
	err := m.gate.Do(ctx, gate.Bulk, len(ids), func(ctx context.Context) error {
		paths := make([]string, len(left))
		for i, at := range left {
			paths[i] = "/messages/" + url.PathEscape(string(ids[at])) + "/$value"
		}
		began := time.Now()
		answers, err := m.batch(ctx, paths, true)
		if err != nil {
			return m.batchFailed(ctx, len(paths), err)
		}
		var refused error
		var rest []int
		done := 0
		for i := range answers {
			switch a, at := &answers[i], left[i]; {
			case a.Status == http.StatusOK:
				if raws[at], err = a.binary(); err != nil {
					return m.batchFailed(ctx, len(paths), err)
				}
				done++
			case a.Status == http.StatusFailedDependency:
				rest = append(rest, at)
			default:
				err := answered(opBatch, a.failed())
				if _, ok := errors.AsType[*gate.Refusal](err); ok {
					refused, rest = err, append(rest, at)
				}
			}
		}
		if left = rest; refused == nil {
			m.pace.batchTook(done, time.Since(began))
		}
		return refused
	})
	if err != nil {
		m.p.o.Logger.DebugContext(ctx, "outlook: a batch", "messages", len(ids), "left", len(left), "err", err)
	}
	return raws
}

// batchFailed learns from a batch without a use, and maps its error.
func (m *mailbox) batchFailed(ctx context.Context, n int, err error) error {
	if errors.Is(err, errLongBatch) {
		m.pace.tooLong(n)
		return failed(opBatch, err.Error())
	}
	mapped := m.explain(opBatch, repeatable(ctx, opBatch, err))
	status := failure.Status(mapped)
	if status >= 400 && status < 500 && status != http.StatusUnauthorized && status != http.StatusTooManyRequests ||
		errors.Is(err, errOddBatch) || errors.Is(err, errNoBinary) {
		m.pace.never()
		m.p.o.Logger.WarnContext(ctx, "outlook: messages are opened one by one", "err", mapped)
		return &failure.Error{Service: "outlook", Op: opBatch, Status: status, Text: "batches are of no use"}
	}
	return mapped
}

var errNoBinary = errors.New("a raw message in a batch is not in base64")

// binary is the body of an answer that is no JSON.
func (a *partAnswer) binary() ([]byte, error) {
	var text string
	if json.Unmarshal(a.Body, &text) != nil {
		return nil, errNoBinary
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, errNoBinary
	}
	return raw, nil
}
