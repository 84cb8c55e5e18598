//go:build unix

package importtest_test

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

const (
	crashMessages = 240
	crashPageSize = 20
)

// TestKilledImportLosesNothing kills a child process at a provider call, a store write or a blob
// write drawn from a seed, runs it again until it lives, and holds what is stored against the truth.
// WORKINBOX_CRASH_ROUNDS says how often (5), WORKINBOX_CRASH_SEED from which seed.
func TestKilledImportLosesNothing(t *testing.T) {
	t.Parallel()
	rounds := importtest.EnvInt("WORKINBOX_CRASH_ROUNDS", 5)
	seed := uint64(importtest.EnvInt("WORKINBOX_CRASH_SEED", 1))
	path, mail := importtest.WriteMail(t, mailgen.Config{Seed: 11, Messages: crashMessages, MeanBytes: 4000})
	for round := range rounds {
		t.Logf("seed %d, round %d", seed, round)
		r := rand.New(rand.NewPCG(seed, uint64(round)))
		crashAndResume(t, r, path, mail)
	}
}

func crashAndResume(t *testing.T, r *rand.Rand, path string, mail *mailgen.Mailbox) {
	t.Helper()
	c := mail.Config()
	one := job{Dir: t.TempDir(), Mail: path, Owner: c.Owner, End: c.End, PageSize: crashPageSize}
	calls := map[importtest.Op]int64{
		importtest.OpProvider: crashMessages, importtest.OpStore: 30, importtest.OpBlobs: crashMessages,
	}
	deaths := importtest.Kill(r, calls, func(d importtest.Death) bool {
		dying := one
		dying.Death = d
		_, lived := importtest.Run(t, dying)
		return lived
	})
	last, lived := importtest.Run(t, one)
	require.True(t, lived)
	require.NoError(t, last.Run.Balance())

	parts := importtest.Parts{Provider: importtest.Archive(path, mail)}
	i, err := importtest.Open(t.Context(), one.Dir, one.End, parts)
	require.NoError(t, err)
	defer i.Close()
	stored := make(map[provider.RemoteID]bool)
	id, err := i.Inbox(t.Context(), filter.Rules{}, nil)
	require.NoError(t, err)
	for m, err := range i.Store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(t, err)
		require.False(t, stored[m.Remote], "message %q is there twice", m.Remote)
		stored[m.Remote] = true
		raw, err := i.Blobs.OpenBlob(t.Context(), m.Blob)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, raw)
		require.NoError(t, err, "raw mail of message %q", m.Remote)
		require.Equal(t, m.Size, n)
		require.NoError(t, raw.Close())
	}
	require.Len(t, stored, mail.Len(), "nothing lost")
	opens, err := os.Stat(filepath.Join(one.Dir, opensFile))
	require.NoError(t, err)
	require.LessOrEqual(t, opens.Size(), int64(mail.Len()+deaths*2*crashPageSize),
		"at most two pages are fetched again")
	t.Logf("%d deaths, %d bodies fetched", deaths, opens.Size())
}
