//go:build unix

package importtest

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// Job is one child process: import an mbox, and die.
type Job struct {
	Death
	Database *Database // as in Parts
	Dir      string    // of the host
	Mail     string    // the mbox
	Owner    string
	End      time.Time // when it is for the service
	PageSize int
}

// NewJob imports the mbox at path, which has this mail, into a new folder.
func NewJob(tb testing.TB, path string, mail *mailgen.Mailbox, pageSize int) Job {
	tb.Helper()
	c := mail.Config()
	return Job{Dir: tb.TempDir(), Mail: path, Owner: c.Owner, End: c.End, PageSize: pageSize}
}

// opensFile has a byte for each body fetched, by any child.
const opensFile = "opens"

// Import is the child's main.
func (j Job) Import(ctx context.Context) error {
	i, opens, err := j.open(ctx, j.Death)
	if err != nil {
		return err
	}
	defer opens.Close()
	defer i.Close()
	id, err := i.Inbox(ctx, filter.Rules{Mode: filter.All}, nil)
	if err != nil {
		return err
	}
	run, err := i.Service.Sync(ctx, id)
	if err != nil {
		return err
	}
	return WriteReport(run)
}

// Open opens the host of the job in this process. The caller closes both.
func (j Job) Open(ctx context.Context) (*Importer, io.Closer, error) { return j.open(ctx, Death{}) }

func (j Job) open(ctx context.Context, death Death) (*Importer, *os.File, error) {
	opens, err := os.OpenFile(filepath.Join(j.Dir, opensFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	d := NewDying(death)
	mbox := archive.New(j.Mail, archive.Options{Own: []string{j.Owner}, PageSize: j.PageSize})
	i, err := Open(ctx, j.Dir, j.End, Parts{
		Provider: dyingProvider{mbox, d, opens}, Store: d.Store, Blobs: d.Blobs, Database: j.Database,
	})
	if err != nil {
		_ = opens.Close()
	}
	return i, opens, err
}

// Check holds what is stored against the mail: nothing lost, nothing twice, every raw message whole.
// It returns how many bodies were fetched.
func (j Job) Check(tb testing.TB, mail *mailgen.Mailbox) (fetched int) {
	tb.Helper()
	i, opens, err := j.Open(tb.Context())
	require.NoError(tb, err)
	defer opens.Close()
	defer i.Close()
	stored := make(map[provider.RemoteID]bool)
	id, err := i.Inbox(tb.Context(), filter.Rules{}, nil)
	require.NoError(tb, err)
	for m, err := range i.Store.Messages(tb.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(tb, err)
		require.False(tb, stored[m.Remote], "message %q is there twice", m.Remote)
		stored[m.Remote] = true
		raw, err := i.Blobs.OpenBlob(tb.Context(), m.Blob)
		require.NoError(tb, err)
		n, err := io.Copy(io.Discard, raw)
		require.NoError(tb, err, "raw mail of message %q", m.Remote)
		require.Equal(tb, m.Size, n)
		require.NoError(tb, raw.Close())
	}
	require.Len(tb, stored, mail.Len(), "nothing lost")
	ledger := 0
	for run, err := range i.Store.Runs(tb.Context(), id, 0) {
		require.NoError(tb, err)
		require.NoError(tb, run.Balance())
		ledger += run.Stored
	}
	require.Equal(tb, mail.Len(), ledger, "what the runs say they stored")
	bytes, err := os.Stat(filepath.Join(j.Dir, opensFile))
	require.NoError(tb, err)
	return int(bytes.Size())
}

// dyingProvider counts the calls to its mailboxes, and writes down which bodies are fetched.
type dyingProvider struct {
	*archive.Archive
	d     *Dying
	opens io.Writer
}

func (p dyingProvider) Open(ctx context.Context, c provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	box, err := p.Archive.Open(ctx, c, save)
	return dyingMailbox{box, p}, err
}

type dyingMailbox struct {
	provider.Mailbox
	p dyingProvider
}

func (m dyingMailbox) Unwrap() provider.Mailbox { return m.Mailbox }

func (m dyingMailbox) Changes(ctx context.Context, from provider.Cursor, w provider.Walk) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		for b, err := range m.Mailbox.Changes(ctx, from, w) {
			m.p.d.Call(OpProvider)
			if !yield(b, err) {
				return
			}
		}
	}
}

func (m dyingMailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	m.p.d.Call(OpProvider)
	if _, err := m.p.opens.Write([]byte{'.'}); err != nil {
		return nil, err
	}
	return m.Mailbox.Open(ctx, id)
}
