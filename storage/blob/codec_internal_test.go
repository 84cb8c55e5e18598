//go:build linux

package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestABlobLongerThanItsTrailerSaysIsDamaged reads blobs whose trailer asks for small buffers, is whole
// and lies.
func TestABlobLongerThanItsTrailerSaysIsDamaged(t *testing.T) {
	t.Parallel()
	d, dir := openTest(t, Options{})
	for name, content := range map[string]string{
		"a frame that fits":           strings.Repeat("x", chunkSize),
		"a frame that does not fit":   incompressible(chunkSize),
		"small, and longer by a byte": incompressible(smallSize),
	} {
		for _, says := range []int64{0, 1, smallSize - 1, -1} {
			key := putTest(t, d, "in-1", content)
			sum := sha256.Sum256([]byte(content))
			file := d.codec.appendChunk(nil, []byte(content))
			path := filepath.Join(dir, filePath(folder("in-1"), hex.EncodeToString(sum[:])))
			require.NoError(t, os.WriteFile(path, appendTrailer(file, says), fileMode))
			r, err := d.OpenBlob(t.Context(), key)
			require.NoError(t, err)
			got := make([]byte, 2*chunkSize)
			_, err = fill(r, got)
			require.ErrorIs(t, err, ErrDamaged, "%s: of %d bytes the trailer says %d", name, len(content), says)
			require.NoError(t, r.Close())
		}
	}
}

// TestOnlyLongMessagesTakeLargeBuffers follows the buffers of a put.
func TestOnlyLongMessagesTakeLargeBuffers(t *testing.T) {
	t.Parallel()
	c, err := newCodec()
	require.NoError(t, err)
	defer c.close()
	for _, test := range []struct{ size, buffers int }{
		{0, smallSize}, {smallSize - 1, smallSize}, {smallSize + 1, chunkSize}, {chunkSize + 1, chunkSize},
	} {
		content := incompressible(test.size)
		b, n, err := c.fill(strings.NewReader(content), c.buffers(smallSize))
		require.Len(t, b.raw, test.buffers, "buffers for a message of %d bytes", test.size)
		require.Equal(t, content[:min(test.size, chunkSize)], string(b.raw[:n]),
			"first chunk of %d bytes, err %v", test.size, err)
		stored := c.appendChunk(b.stored[:0], b.raw[:n])
		require.Equal(t, cap(b.stored), cap(stored), "a chunk of %d bytes has room as it is stored", n)
		c.release(b)
		require.Len(t, c.buffers(int64(test.size)).raw, test.buffers, "buffers to read %d bytes", test.size)
	}
}
