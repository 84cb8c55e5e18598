package importtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// WriteMail writes a generated mailbox as one mbox, which goes when the test ends.
func WriteMail(tb testing.TB, c mailgen.Config) (path string, mail *mailgen.Mailbox) {
	tb.Helper()
	mail, err := mailgen.New(c)
	require.NoError(tb, err)
	path = filepath.Join(tb.TempDir(), "mail.mbox")
	f, err := os.Create(path)
	require.NoError(tb, err)
	require.NoError(tb, mail.WriteMbox(f))
	require.NoError(tb, f.Close())
	return path, mail
}

// Archive is the mbox as the mailbox of its owner, a hundred messages a page.
func Archive(path string, mail *mailgen.Mailbox) provider.Provider {
	return archive.New(path, archive.Options{Own: []string{mail.Config().Owner}, PageSize: 100})
}
