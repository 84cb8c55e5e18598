package blob_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/blob"
)

func TestADamagedBlobIsNeverServedAsWhole(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		content []byte
		step    int // of the cuts and flips tried
	}{
		{"one chunk", mails(t)[1][:600], 1},
		{"empty", nil, 1},
		{"three chunks", append(bytes.Repeat([]byte("text "), 30_000), noise(200<<10, 1)...), 997},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := open(t, dir, blob.Options{})
			key := put(t, d, "in-1", c.content)
			path := filepath.Join(dir, files(t, dir)[0])
			whole, err := os.ReadFile(path)
			require.NoError(t, err)
			refused := func(b []byte, what string, at int) {
				t.Helper()
				require.NoError(t, os.WriteFile(path, b, 0o600))
				_, err := read(d, key)
				require.ErrorIs(t, err, blob.ErrDamaged, "%s at %d of %d", what, at, len(whole))
			}
			wholeOrRefused := func(b []byte, what string, at int) {
				t.Helper()
				require.NoError(t, os.WriteFile(path, b, 0o600))
				got, err := read(d, key)
				if err == nil {
					require.True(t, bytes.Equal(c.content, got), "%s at %d of %d", what, at, len(whole))
					return
				}
				require.ErrorIs(t, err, blob.ErrDamaged, "%s at %d of %d", what, at, len(whole))
			}
			for at := 0; at < len(whole); at += c.step {
				refused(whole[:at], "cut", at)
				flipped := bytes.Clone(whole)
				flipped[at] ^= 1 << (at % 8)
				wholeOrRefused(flipped, "bit flipped", at) // zstd has bits without a meaning
				zeroed := bytes.Clone(whole)
				clear(zeroed[at:])
				refused(zeroed, "zeroes from", at)
				refused(append(bytes.Clone(whole[:at]), whole[at+1:]...), "byte missing", at)
			}
			refused(append(bytes.Clone(whole), 0), "byte appended", len(whole))
			refused(append(bytes.Clone(whole), whole...), "file twice", len(whole))

			require.Len(t, list(t, d, "in-1"), 1, "a damaged blob is listed, so that it can be deleted")
			put(t, d, "in-1", c.content)
			got, err := read(d, key)
			require.NoError(t, err, "putting it again repairs it")
			require.True(t, bytes.Equal(c.content, got))
		})
	}
}

func TestAnotherBlobsFileIsNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir, blob.Options{})
	put(t, d, "in-1", []byte("one"))
	one := files(t, dir)[0]
	key := put(t, d, "in-2", []byte("two"))
	for _, f := range files(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, one))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), b, 0o600))
	}
	_, err := read(d, key)
	require.ErrorIs(t, err, blob.ErrDamaged)
}

func TestListTellsDamageBySize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir, blob.Options{})
	key := put(t, d, "in-1", []byte("one"))
	require.NoError(t, os.Truncate(filepath.Join(dir, files(t, dir)[0]), 5))
	got := list(t, d, "in-1")
	require.Len(t, got, 1)
	require.Equal(t, key, got[0].Key)
	require.EqualValues(t, -1, got[0].Size)
	require.NoError(t, d.DeleteBlob(t.Context(), key))
	require.Empty(t, files(t, dir))
}

// Whatever is in a file, reading its blob gives the content of the key or ErrDamaged.
func FuzzOpenBlob(f *testing.F) {
	dir := f.TempDir()
	d := open(f, dir, blob.Options{})
	content := mails(f)[2]
	for _, mail := range append(mails(f), nil, bytes.Repeat([]byte("line\r\n"), 50_000)) {
		info, err := d.PutBlob(f.Context(), "seed", bytes.NewReader(mail))
		require.NoError(f, err)
		b, err := os.ReadFile(filepath.Join(dir, files(f, dir)[0]))
		require.NoError(f, err)
		f.Add(b)
		require.NoError(f, d.DeleteBlob(f.Context(), info.Key))
	}
	f.Add([]byte("wib1"))
	key := put(f, d, "in-1", content)
	path := filepath.Join(dir, files(f, dir)[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, os.WriteFile(path, b, 0o600))
		got, err := read(d, key)
		if err != nil {
			require.ErrorIs(t, err, blob.ErrDamaged)
			return
		}
		require.True(t, bytes.Equal(content, got), "%d other bytes were served", len(got))
	})
}
