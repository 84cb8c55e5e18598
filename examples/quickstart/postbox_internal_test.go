package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
)

// TestAPostboxKeepsAMailWholeOrNotAtAll sends twice, the first time with a mail that breaks off.
func TestAPostboxKeepsAMailWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "sent")
	box, err := postbox{archive.New(list, archive.Options{}), folder}.Open(t.Context(), provider.Credential{}, nil)
	require.NoError(t, err)
	_, counts := provider.As[provider.Counter](box)
	require.True(t, counts, "what the archive can")
	sender, _ := provider.As[provider.Sender](box)
	finder, _ := provider.As[provider.Finder](box)
	mail := func(r io.Reader) provider.Outgoing {
		open := func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
		return provider.Outgoing{Open: open, Marker: "0123abcd"}
	}

	broken := errors.New("broken")
	_, err = sender.Send(t.Context(), mail(io.MultiReader(strings.NewReader("Subject"), brokenReader{broken})))
	require.ErrorIs(t, err, broken)
	_, err = finder.Find(t.Context(), "0123abcd", "", time.Time{})
	require.ErrorIs(t, err, provider.ErrGone)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left)

	sent, err := sender.Send(t.Context(), mail(strings.NewReader("Subject: x\r\n\r\n")))
	require.NoError(t, err)
	found, err := finder.Find(t.Context(), "0123abcd", "", time.Time{})
	require.NoError(t, err)
	require.Equal(t, sent, found)
	raw, err := os.ReadFile(filepath.Join(folder, "0123abcd.eml"))
	require.NoError(t, err)
	require.Equal(t, "Subject: x\r\n\r\n", string(raw))
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }
