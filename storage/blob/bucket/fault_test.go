package bucket_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/blob/bucket"
)

// service is the driver of a bucket that can be told to fail. It completes an object, as far as it came,
// when its writer is closed before its context has ended, as drivers do.
type service struct {
	driver.Bucket // what is not called
	fail          func(op string) error
	cut           int  // bytes by which readings end early
	garble        bool // what is sent arrives changed

	mu      sync.Mutex
	objects map[string][]byte
}

// fault is an error of the service.
type fault struct{ code gcerrors.ErrorCode }

func (f fault) Error() string { return "the service says " + f.code.String() }

func (s *service) ErrorCode(err error) gcerrors.ErrorCode {
	if f, ok := errors.AsType[fault](err); ok {
		return f.code
	}
	return gcerrors.Unknown
}

func (s *service) at(op string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(op)
}

func (s *service) Close() error { return nil }

func (s *service) Delete(_ context.Context, key string, _ *driver.DeleteOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.at("delete"); err != nil {
		return err
	}
	if _, there := s.objects[key]; !there {
		return fault{gcerrors.NotFound}
	}
	delete(s.objects, key)
	return nil
}

func (s *service) ListPaged(_ context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.at("list"); err != nil {
		return nil, err
	}
	page := &driver.ListPage{}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(key, o.Prefix) && key > string(o.PageToken) {
			page.Objects = append(page.Objects, &driver.ListObject{Key: key, Size: int64(len(s.objects[key]))})
			page.NextPageToken = []byte(key) // pages of one
			return page, nil
		}
	}
	return page, nil
}

func (s *service) NewRangeReader(
	_ context.Context, key string, _, _ int64, _ *driver.ReaderOptions,
) (driver.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.at("open"); err != nil {
		return nil, err
	}
	content, there := s.objects[key]
	if !there {
		return nil, fault{gcerrors.NotFound}
	}
	return &download{s, bytes.NewReader(content[:max(0, len(content)-s.cut)]), int64(len(content))}, nil
}

type download struct {
	s       *service
	content *bytes.Reader
	size    int64
}

func (d *download) Read(p []byte) (int, error) {
	if err := d.s.at("read"); err != nil {
		return 0, err
	}
	return d.content.Read(p[:min(len(p), 4)])
}
func (d *download) Close() error { return d.s.at("close reader") }
func (d *download) As(any) bool  { return false }
func (d *download) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{Size: d.size}
}

func (s *service) NewTypedWriter(
	ctx context.Context, key, _ string, o *driver.WriterOptions,
) (driver.Writer, error) {
	return &upload{s: s, ctx: ctx, key: key, sum: o.ContentMD5}, s.at("create")
}

type upload struct {
	s       *service
	ctx     context.Context
	key     string
	sum     []byte
	content []byte
}

func (u *upload) Write(p []byte) (int, error) {
	half := len(p) / 2
	u.content = append(u.content, p[:half]...)
	if err := u.s.at("write"); err != nil {
		return half, err
	}
	u.content = append(u.content, p[half:]...)
	return len(p), nil
}

func (u *upload) Close() error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if err := u.s.at("complete"); err != nil {
		return err
	}
	if u.s.garble {
		u.content[0]++
	}
	if sum := md5.Sum(u.content); u.sum != nil && !bytes.Equal(sum[:], u.sum) {
		return fault{gcerrors.FailedPrecondition} // S3's BadDigest, for one
	}
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.objects[u.key] = u.content
	return nil
}

func faulty(t *testing.T) (*service, *bucket.Store) {
	t.Helper()
	s := &service{objects: make(map[string][]byte)}
	return s, open(t, closed(t, blob.NewBucket(s)), bucket.Options{TempDir: t.TempDir()})
}

// failAt makes every call of an operation fail, until it is taken back.
func (s *service) failAt(op string, code gcerrors.ErrorCode) {
	s.fail = func(at string) error {
		if at == op {
			return fault{code}
		}
		return nil
	}
}

func TestUploadThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create", "write", "complete"} {
		for name, content := range map[string][]byte{"short": []byte("raw"), "long": noise(2<<20 + 3)} {
			t.Run(name+" at "+op, func(t *testing.T) {
				t.Parallel()
				on, s := faulty(t)
				before := put(t, s, "in-1", []byte("put before"))
				on.failAt(op, gcerrors.ResourceExhausted)
				_, err := s.PutBlob(t.Context(), "in-1", bytes.NewReader(content))
				require.Equal(t, gcerrors.ResourceExhausted, gcerrors.Code(err))
				require.ErrorContains(t, err, `put blob "in-1"`)
				on.fail = nil
				require.Equal(t, []inbox.BlobInfo{{Key: before, Size: 10}}, list(t, s, "in-1"))
				got, err := read(t, s, put(t, s, "in-1", content))
				require.NoError(t, err, "once there is room again")
				require.True(t, bytes.Equal(content, got))
			})
		}
	}
}

func TestUploadThatArrivesChangedIsRefused(t *testing.T) {
	t.Parallel()
	on, s := faulty(t)
	on.garble = true
	_, err := s.PutBlob(t.Context(), "in-1", strings.NewReader("raw"))
	require.Equal(t, gcerrors.FailedPrecondition, gcerrors.Code(err))
	require.Empty(t, on.objects)
}

// A mail that is there stays whole when putting it again fails.
func TestFailedPutKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create", "write", "complete"} {
		on, s := faulty(t)
		key := put(t, s, "in-1", []byte("the same mail"))
		on.failAt(op, gcerrors.Internal)
		_, err := s.PutBlob(t.Context(), "in-1", strings.NewReader("the same mail"))
		require.Error(t, err)
		on.fail = nil
		got, err := read(t, s, key)
		require.NoError(t, err)
		require.Equal(t, "the same mail", string(got))
	}
}

func TestCancelledUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create", "write", "complete"} {
		on, s := faulty(t)
		ctx, cancel := context.WithCancel(t.Context())
		on.fail = func(at string) error {
			if at != op {
				return nil
			}
			cancel()
			return ctx.Err()
		}
		_, err := s.PutBlob(ctx, "in-1", strings.NewReader("raw"))
		require.Equal(t, context.Canceled, err, "at %s", op)
		require.Empty(t, on.objects, "at %s", op)
	}
}

// A mailbox that breaks off in the middle of a message: not even a byte of it is sent.
func TestNothingIsSentBeforeTheEndIsRead(t *testing.T) {
	t.Parallel()
	on, s := faulty(t)
	on.fail = func(at string) error {
		require.NotContains(t, []string{"create", "write", "complete"}, at)
		return nil
	}
	r := io.MultiReader(bytes.NewReader(noise(3<<20)), after{func() {}}, failing{io.ErrUnexpectedEOF})
	_, err := s.PutBlob(t.Context(), "in-1", r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReadingThatBreaksOffIsNoDamage(t *testing.T) {
	t.Parallel()
	on, s := faulty(t)
	key := put(t, s, "in-1", []byte("a whole message"))
	on.cut = 5
	got, err := read(t, s, key)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, err, bucket.ErrDamaged)
	require.Equal(t, "a whole me", string(got))
	on.cut = 0
	on.failAt("read", gcerrors.DeadlineExceeded)
	_, err = read(t, s, key)
	require.Equal(t, gcerrors.DeadlineExceeded, gcerrors.Code(err))
	on.failAt("close reader", gcerrors.Internal)
	_, err = read(t, s, key)
	require.Equal(t, gcerrors.Internal, gcerrors.Code(err))
}

// What cannot be read is gone only when the bucket does not list it: a bucket that was removed, a right
// that was taken and an archived object are no deleted mail.
func TestAbsentIsOnlyWhatIsNotListed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		op   string
		code gcerrors.ErrorCode
		list gcerrors.ErrorCode // of the listing
		want gcerrors.ErrorCode
	}{
		{"archived", "open", gcerrors.NotFound, gcerrors.OK, gcerrors.NotFound},
		{"archived, deleted", "delete", gcerrors.NotFound, gcerrors.OK, gcerrors.NotFound},
		{"bucket gone", "open", gcerrors.NotFound, gcerrors.NotFound, gcerrors.NotFound},
		{"bucket gone, deleted", "delete", gcerrors.NotFound, gcerrors.NotFound, gcerrors.NotFound},
		{"no right", "open", gcerrors.PermissionDenied, gcerrors.OK, gcerrors.PermissionDenied},
		{"no right, deleted", "delete", gcerrors.PermissionDenied, gcerrors.OK, gcerrors.PermissionDenied},
		{"no right to list", "open", gcerrors.NotFound, gcerrors.PermissionDenied, gcerrors.PermissionDenied},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			on, s := faulty(t)
			key := put(t, s, "in-1", []byte("raw"))
			on.fail = func(at string) error {
				switch {
				case at == row.op:
					return fault{row.code}
				case at == "list" && row.list != gcerrors.OK:
					return fault{row.list}
				}
				return nil
			}
			var err error
			if row.op == "open" {
				_, err = s.OpenBlob(t.Context(), key)
			} else {
				err = s.DeleteBlob(t.Context(), key)
			}
			require.NotErrorIs(t, err, storage.ErrNotFound)
			require.Equal(t, row.want, gcerrors.Code(err))
			require.ErrorContains(t, err, string(key))
		})
	}
	on, s := faulty(t)
	key := put(t, s, "in-1", []byte("raw"))
	delete(on.objects, "i-in-1/"+hashOf([]byte("raw")))
	_, err := s.OpenBlob(t.Context(), key)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.DeleteBlob(t.Context(), key))
}

func TestListingTellsWhatFailed(t *testing.T) {
	t.Parallel()
	on, s := faulty(t)
	for _, raw := range []string{"a", "b", "c"} {
		put(t, s, "in-1", []byte(raw))
	}
	require.Len(t, list(t, s, "in-1"), 3)
	calls := 0
	on.fail = func(at string) error {
		if calls++; calls == 3 {
			return fault{gcerrors.Internal}
		}
		return nil
	}
	n := 0
	for _, err := range s.Blobs(t.Context(), "in-1") {
		if err != nil {
			require.Equal(t, gcerrors.Internal, gcerrors.Code(err))
			require.ErrorContains(t, err, `list blob "in-1"`)
			continue
		}
		n++
	}
	require.Equal(t, 2, n, "before the listing broke")
}
