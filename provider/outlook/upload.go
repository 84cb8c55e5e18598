package outlook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/rfc822"
)

const (
	opSession = "attachments.createUploadSession"
	opPut     = "uploadSession.put"
	opHas     = "attachments.list"

	// maxInline is from which size on an attachment needs an upload session
	// (https://learn.microsoft.com/graph/outlook-large-attachments).
	maxInline = 3 << 20
	// rangeSize is how much of an attachment one request carries: below 4 MB, and a multiple of
	// 320 KiB.
	rangeSize = 12 * 320 << 10
)

// upload hands over a large attachment, range by range. before is how many the draft has already.
func (m *mailbox) upload(ctx context.Context, draft string, before int, part rfc822.Part, content io.Reader) error {
	var session string
	err := m.call(ctx, gate.Interactive, opSession, func(ctx context.Context) (err error) {
		session, err = m.sdk.uploadSession(ctx, draft, part)
		return err
	})
	if err != nil {
		return err
	}
	if u, err := url.Parse(session); err != nil || u.Host == "" || u.Scheme != "https" && m.ours(session) != nil {
		return failed(opSession, "the answer has no address to upload to")
	}
	b := make([]byte, rangeSize)
	for at := int64(0); at < part.Size; {
		n, err := io.ReadFull(content, b[:min(rangeSize, part.Size-at)])
		if err != nil {
			return fmt.Errorf("outlook %s: read the mail: %w", opPut, err)
		}
		err = m.putRange(ctx, session, b[:n], at, part.Size)
		at += int64(n)
		if err != nil && (at < part.Size || !errors.Is(err, provider.ErrRetry) || !m.has(ctx, draft, before, part)) {
			return err
		}
	}
	return nil
}

// has says whether a draft has one attachment more than before, and that one whole. Exchange counts
// what it keeps beside the content too ([MS-OXCMSG] section 2.2.2.5, PidTagAttachSize).
func (m *mailbox) has(ctx context.Context, draft string, before int, part rfc822.Part) bool {
	type attachment struct {
		Name string `json:"name"`
		Size int64  `json:"size"`
	}
	all, err := get[page[attachment]](ctx, m, gate.Interactive, opHas,
		m.address(url.Values{"$select": {"name,size"}}, "messages", draft, "attachments"))
	if err != nil || all.Next != "" || len(all.Value) != before+1 {
		return false
	}
	for _, a := range all.Value {
		if a.Name == part.Name && a.Size >= part.Size {
			return true
		}
	}
	return false
}

// putRange hands over one range. One whose answer was lost is found to be there already, but for the
// last: the session ends with it, and one that is gone does not say why. The draft has to.
func (m *mailbox) putRange(ctx context.Context, session string, b []byte, at, size int64) error {
	again := false
	return m.call(ctx, gate.Interactive, opPut, func(ctx context.Context) error {
		if again {
			next, err := m.expected(ctx, session)
			if err == nil && next >= at+int64(len(b)) {
				return nil
			}
		}
		again = true
		header := http.Header{"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", at, at+int64(len(b))-1, size)},
			"Content-Type": {"application/octet-stream"}}
		resp, err := m.bare(ctx, http.MethodPut, session, header, b)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if at+int64(len(b)) < size {
			next, err := nextExpected(resp)
			if err == nil && next != at+int64(len(b)) {
				err = &provider.RetryError{Err: failed(opPut, "the upload session waits for another range")}
			}
			return err
		}
		if resp.StatusCode != http.StatusCreated {
			return readAnswerError(resp)
		}
		drain(resp.Body)
		return nil
	})
}

// expected asks an upload session which byte comes next.
func (m *mailbox) expected(ctx context.Context, session string) (int64, error) {
	resp, err := m.bare(ctx, http.MethodGet, session, nil, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return nextExpected(resp)
}

// nextExpected reads from an answer of an upload session which byte comes next.
func nextExpected(resp *http.Response) (int64, error) {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted {
		return 0, readAnswerError(resp)
	}
	var said struct {
		Next []string `json:"nextExpectedRanges"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxErrorBody)).Decode(&said); err != nil || len(said.Next) == 0 {
		return 0, errNoRange
	}
	first, _, _ := strings.Cut(said.Next[0], "-")
	return strconv.ParseInt(first, 10, 64)
}

var errNoRange = errors.New("the upload session does not say what comes next")

// bare makes a request to an address that carries its own permission: an access token must not go
// with it.
func (m *mailbox) bare(ctx context.Context, method, address string, header http.Header, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, errNoAnswer // the reason would quote the address
	}
	if header != nil {
		r.Header = header
	}
	c := &http.Client{
		Transport: m.p.base, Timeout: m.timeout(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c.Do(r)
}
