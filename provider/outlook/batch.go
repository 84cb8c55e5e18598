package outlook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

const (
	// maxParts is how many requests a batch may have
	// (https://learn.microsoft.com/graph/json-batching).
	maxParts = 20
	// maxBatch bounds the answer to a batch, which is in memory whole.
	maxBatch = 16 << 20
)

// part is one GET of a batch.
type part struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	After   []string          `json:"dependsOn,omitempty"`
}

// partAnswer is the answer to a part. What is no JSON has a body of base64.
type partAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// failed is the answer to a part that is no success.
func (a *partAnswer) failed() *answerError {
	h := make(http.Header, len(a.Headers))
	for k, v := range a.Headers {
		h.Set(k, v)
	}
	return readAnswerError(&http.Response{StatusCode: a.Status, Header: h, Body: io.NopCloser(bytes.NewReader(a.Body))})
}

var (
	errLongBatch = errors.New("the answer to a batch is too long")
	errOddBatch  = errors.New("the answer to a batch leaves out some of it")
)

// batch makes some GETs, whose addresses are below the account, in one request. In a chain they are
// made one after the other, in one of the account's places, and the first that fails is the last;
// otherwise up to four at once, in all of its places. The answers are in the order of the paths.
func (m *mailbox) batch(ctx context.Context, paths []string, chain bool) ([]partAnswer, error) {
	parts := make([]part, len(paths))
	for i, path := range paths {
		parts[i] = part{ID: strconv.Itoa(i), Method: http.MethodGet, URL: "/me" + path, Headers: map[string]string{"Prefer": immutable}}
		if chain && i > 0 {
			parts[i].After = []string{parts[i-1].ID}
		}
	}
	body, err := json.Marshal(map[string][]part{"requests": parts})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.p.o.Endpoints.Graph+"/$batch", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	resp, err := m.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, readAnswerError(resp)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBatch+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxBatch {
		return nil, errLongBatch
	}
	return readBatch(raw, len(paths))
}

// readBatch puts the answers into the order of the requests.
func readBatch(raw []byte, n int) ([]partAnswer, error) {
	var said struct {
		Responses []partAnswer `json:"responses"`
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return nil, err
	}
	out := make([]partAnswer, n)
	for _, a := range said.Responses {
		i, err := strconv.Atoi(a.ID)
		if err != nil || i < 0 || i >= n || out[i].Status != 0 || a.Status == 0 {
			return nil, fmt.Errorf("%w: answer %d", errOddBatch, i)
		}
		out[i] = a
	}
	for i := range out {
		if out[i].Status == 0 {
			return nil, fmt.Errorf("%w: no answer %d", errOddBatch, i)
		}
	}
	return out, nil
}
