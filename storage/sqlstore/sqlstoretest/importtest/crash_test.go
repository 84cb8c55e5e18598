//go:build unix

package importtest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

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
	one := importtest.NewJob(t, path, mail, crashPageSize)
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
	fetched := one.Check(t, mail)
	require.LessOrEqual(t, fetched, mail.Len()+deaths*2*crashPageSize, "at most two pages are fetched again")
	t.Logf("%d deaths, %d bodies fetched", deaths, fetched)
}
