//go:build unix

package importtest_test

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

func TestMain(m *testing.M) { os.Exit(importtest.Main(m, importMail)) }

// job is one child process: import an mbox, and die.
type job struct {
	importtest.Death
	Dir, Mail, Owner string
	End              time.Time
	PageSize         int
}

// opensFile has a byte for each body fetched, by any child.
const opensFile = "opens"

// importMail is the child's main.
func importMail(ctx context.Context, j job) error {
	opens, err := os.OpenFile(filepath.Join(j.Dir, opensFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer opens.Close()
	d := importtest.NewDying(j.Death)
	mbox := archive.New(j.Mail, archive.Options{Own: []string{j.Owner}, PageSize: j.PageSize})
	i, err := importtest.Open(ctx, j.Dir, j.End, importtest.Parts{
		Provider: dyingProvider{mbox, d, opens}, Store: d.Store, Blobs: d.Blobs,
	})
	if err != nil {
		return err
	}
	defer i.Close()
	id, err := i.Inbox(ctx, filter.Rules{Mode: filter.All}, nil)
	if err != nil {
		return err
	}
	run, err := i.Service.Sync(ctx, id)
	if err != nil {
		return err
	}
	return importtest.WriteReport(run)
}

// dyingProvider counts the calls to its mailboxes, and writes down which bodies are fetched.
type dyingProvider struct {
	*archive.Archive
	d     *importtest.Dying
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
			m.p.d.Call(importtest.OpProvider)
			if !yield(b, err) {
				return
			}
		}
	}
}

func (m dyingMailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	m.p.d.Call(importtest.OpProvider)
	if _, err := m.p.opens.Write([]byte{'.'}); err != nil {
		return nil, err
	}
	return m.Mailbox.Open(ctx, id)
}
