package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// spool is how much of a message is held in memory. What is longer goes to the blobs first and is
// parsed from there, so that a big mail costs no memory.
const spool = 256 << 10

var spools = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// opened is what opening a mail came to: a parsed message with its blob, or no message when its
// content decided against it.
type opened struct {
	msg  *rfc822.Message
	blob BlobInfo
	// wait says that the mail it reports on has not been seen so far.
	wait bool
	// reportOf is the stored message a delivery report is about.
	reportOf MessageID
}

// storeError is an error of our own stores: it ends the sync, and is no fault of the mail.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

func (y *syncer) openOne(ctx context.Context, it *item) {
	defer close(it.done)
	if it.header.Raw != nil {
		it.out, it.err = y.take(ctx, it, bytes.NewReader(it.header.Raw))
		it.header.Raw = nil
		return
	}
	r, err := y.box.Open(ctx, it.header.ID)
	if err != nil {
		it.err = err
		return
	}
	it.out, it.err = y.take(ctx, it, r)
	if err := r.Close(); it.err == nil {
		it.err = err
	}
}

// openMany opens a group in one round trip.
func (y *syncer) openMany(ctx context.Context, box provider.BulkOpener, group []*item) {
	waiting := make(map[provider.RemoteID]*item, len(group))
	var ids []provider.RemoteID
	for _, it := range group {
		if it.header.Raw != nil {
			y.openOne(ctx, it)
			continue
		}
		waiting[it.header.ID] = it
		ids = append(ids, it.header.ID)
	}
	if len(ids) == 0 {
		return
	}
	err := box.OpenMany(ctx, ids, func(id provider.RemoteID, r io.Reader, err error) error {
		it := waiting[id]
		if it == nil {
			return nil
		}
		delete(waiting, id)
		defer close(it.done)
		if it.err = err; err == nil {
			it.out, it.err = y.take(ctx, it, r)
		}
		return ctx.Err()
	})
	if err == nil {
		err = fmt.Errorf("not among what was opened: %w", provider.ErrRetry)
	}
	for _, it := range waiting {
		it.err = err
		close(it.done)
	}
}

// take reads a mail, lets what it says decide where that is asked for, keeps its raw bytes and parses
// it. A mail that cannot be understood is kept all the same.
func (y *syncer) take(ctx context.Context, it *item, r io.Reader) (*opened, error) {
	buf := spools.Get().(*bytes.Buffer)
	defer spools.Put(buf)
	buf.Reset()
	_, err := io.CopyN(buf, r, spool)
	small := errors.Is(err, io.EOF)
	if err != nil && !small {
		return nil, err
	}
	out := &opened{}
	if ok, err := y.decideByContent(ctx, it, buf.Bytes(), out); !ok || err != nil {
		return out, err
	}
	if small {
		out.blob, err = y.s.Blobs.PutBlob(ctx, y.in.ID, bytes.NewReader(buf.Bytes()))
		if err != nil {
			return nil, &storeError{err}
		}
		out.msg, err = rfc822.Parse(bytes.NewReader(buf.Bytes()), y.s.Limits)
		return out, err
	}
	return out, y.takeBig(ctx, io.MultiReader(bytes.NewReader(buf.Bytes()), r), out)
}

// takeBig keeps a mail first and parses what was kept.
func (y *syncer) takeBig(ctx context.Context, r io.Reader, out *opened) (err error) {
	source := &sourceReader{r: r}
	out.blob, err = y.s.Blobs.PutBlob(ctx, y.in.ID, source)
	if err != nil {
		if source.err != nil {
			return source.err
		}
		return &storeError{err}
	}
	kept, err := y.s.Blobs.OpenBlob(ctx, out.blob.Key)
	if err != nil {
		return &storeError{err}
	}
	out.msg, err = rfc822.Parse(kept, y.s.Limits)
	if e := kept.Close(); err == nil {
		err = e
	}
	if err != nil {
		return &storeError{err}
	}
	return nil
}

// sourceReader remembers an error of the mail service, so that it is not taken for one of the blobs.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// decideByContent finishes the decisions that need the mail itself: one from the retry queue, of
// which only opaque ids were kept, and a delivery report (row 10b). False says that it does not
// enter, or waits.
func (y *syncer) decideByContent(ctx context.Context, it *item, head []byte, out *opened) (bool, error) {
	if it.queued != nil {
		h, err := rfc822.ReadHeader(bytes.NewReader(head), y.s.Limits)
		if err != nil {
			return false, err
		}
		it.fill(h)
		y.judge(it)
	}
	if !it.verdict.NeedsReport {
		return it.verdict.Accept, nil
	}
	// A report names the mail it is about in its third part; what was read of a long one has it or
	// not, and then it is no report of ours.
	msg, err := rfc822.Parse(bytes.NewReader(head), y.s.Limits)
	if err != nil {
		return false, err
	}
	if out.reportOf, err = y.reported(ctx, msg.Report); err != nil {
		return false, &storeError{err}
	}
	if out.reportOf == "" && !it.last {
		out.wait = true
		return false, nil
	}
	it.verdict = it.rules.filter.DecideReport(&it.facts, it.thread, out.reportOf != "")
	return it.verdict.Accept, nil
}

// reported finds the stored message a report is about.
func (y *syncer) reported(ctx context.Context, r *rfc822.Report) (MessageID, error) {
	if r == nil || len(r.OriginalIDs) == 0 {
		return "", nil
	}
	q := MessageQuery{Inbox: y.in.ID, RFCIDs: r.OriginalIDs, Hidden: true, Limit: 1}
	for m, err := range y.s.Store.Messages(ctx, q) {
		return m.ID, err
	}
	return "", nil
}

// interrupted says whether an error ends the whole sync and not just one mail.
func interrupted(ctx context.Context, err error) bool {
	var ours *storeError
	return ctx.Err() != nil || dead(err) || errors.Is(err, provider.ErrConfig) || errors.As(err, &ours)
}
