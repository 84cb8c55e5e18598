//go:build linux

package blob

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func init() { children["limit"] = limitChild }

// limitChild may write files of 300 kB at most, so that the kernel cuts a write short in the middle of
// a chunk, as a full disk does.
func limitChild(dir, _ string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 300_000, Max: 300_000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	d, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	for _, r := range []*strings.Reader{strings.NewReader("small"), strings.NewReader(incompressible(400_000))} {
		info, err := d.PutBlob(context.Background(), "in-1", r)
		fmt.Println(info.Size, errors.Is(err, syscall.EFBIG))
	}
	return d.SyncBlobs(context.Background(), "in-1")
}

func incompressible(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.Write(crashContent(3*i + 2))
	}
	return b.String()[:size]
}

func TestAWriteTheKernelCutsShortLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := runChild(t, "limit", "", dir)
	require.NoError(t, err)
	require.Equal(t, []string{"5 false", "0 true"}, out)
	require.Empty(t, tempFiles(t, dir, "in-1"))
	d, err := Open(dir, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	n := 0
	for _, err := range d.Blobs(t.Context(), "in-1") {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 1, n, "the small blob stays, the big one is not there")
}
