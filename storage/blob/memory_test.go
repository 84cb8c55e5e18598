package blob_test

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/blob"
)

// Not parallel: it counts every byte the process allocates while a message of 40 MB passes through.
// All that was allocated is more than what was ever held at once.
func TestABigMessagePassesThroughBoundedMemory(t *testing.T) {
	d := open(t, t.TempDir(), blob.Options{})
	const size = 40 << 20
	line := bytes.Repeat([]byte("a line of an attachment, all of the same\r\n"), 1<<10)
	line = append(line, noise(64<<10, 1)...)
	message := func() io.Reader { return io.LimitReader(&endlessLines{line: line}, size) }
	put(t, d, "in-1", noise(8<<20, 1)) // the encoders' own memory, shared by all puts, is made once

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	info, err := d.PutBlob(t.Context(), "in-1", message())
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.EqualValues(t, size, info.Size)
	require.Less(t, int(after.TotalAlloc-before.TotalAlloc), 1<<20, "bytes allocated by the put")

	runtime.ReadMemStats(&before)
	r, err := d.OpenBlob(t.Context(), info.Key)
	require.NoError(t, err)
	n, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 32<<10))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	runtime.ReadMemStats(&after)
	require.EqualValues(t, size, n)
	// More than for the put, because the race detector lets the decoder's own pools forget.
	require.Less(t, int(after.TotalAlloc-before.TotalAlloc), 4<<20, "bytes allocated by the read")
}

// endlessLines yields the same lines for ever.
type endlessLines struct {
	line []byte
	at   int
}

func (r *endlessLines) Read(p []byte) (int, error) {
	n := copy(p, r.line[r.at:])
	r.at = (r.at + n) % len(r.line)
	return n, nil
}
