package storagetest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket"
)

// broken is a store that breaks the promise of one check and keeps all it can of the others.
type broken[S any] struct {
	check string
	how   string
	bend  func(s *memory.Store) S
}

// prove demands that every check has a broken store, that it notices it, and that it finds nothing
// in the right one. A store that hangs is given its time in a bubble where none passes.
func prove[S any](
	t *testing.T, names []string, run func(t storagetest.T, name string, s S), right func() S,
	stores []broken[S],
) {
	t.Helper()
	for _, name := range names {
		has := slices.ContainsFunc(stores, func(b broken[S]) bool { return b.check == name })
		require.True(t, has, "check %q has no store that breaks its promise", name)
	}
	for _, name := range names {
		t.Run("right/"+name, func(t *testing.T) {
			t.Parallel()
			said := watch(t, func(rec storagetest.T) { run(rec, name, right()) })
			require.Empty(t, said, "check %q on a right store", name)
		})
	}
	for _, b := range stores {
		t.Run("broken/"+b.check+"/"+strings.ReplaceAll(b.how, " ", "_"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				said := watch(t, func(rec storagetest.T) { run(rec, b.check, b.bend(memory.New())) })
				require.NotEmpty(t, said, "check %q on a store that is broken: %s", b.check, b.how)
				require.Contains(t, said, "got", "what check %q says", b.check)
			})
		})
	}
}

func TestInboxChecksNotice(t *testing.T) {
	t.Parallel()
	prove(t, storagetest.InboxChecks(), storagetest.InboxCheck,
		func() inbox.Store { return memory.New() },
		slices.Concat(brokenDirectories, brokenCommits, brokenMessages, brokenClients, brokenOutboxes,
			brokenValues, brokenLists, brokenRaces, brokenForeign))
}

func TestTicketChecksNotice(t *testing.T) {
	t.Parallel()
	prove(t, storagetest.TicketChecks(), storagetest.TicketCheck,
		func() ticket.Store { return memory.New() }, slices.Concat(brokenTickets, brokenTicketLists, brokenCatalogs,
			brokenSearches, brokenCounts, brokenAllowances, brokenDrafts, brokenMerged,
			brokenForeignTickets))
}

func TestVaultChecksNotice(t *testing.T) {
	t.Parallel()
	prove(t, storagetest.VaultChecks(), storagetest.VaultCheck,
		func() inbox.Vault { return memory.New() }, slices.Concat(brokenVaults, brokenForeignVaults))
}

func TestBlobChecksNotice(t *testing.T) {
	t.Parallel()
	prove(t, storagetest.BlobChecks(), storagetest.BlobCheck,
		func() inbox.Blobs { return memory.New() }, slices.Concat(brokenBlobs, brokenForeignBlobs))
}

func TestUnknownCheckFails(t *testing.T) {
	t.Parallel()
	said := watch(t, func(rec storagetest.T) {
		storagetest.VaultCheck(rec, "Vault/NoSuch", memory.New())
	})
	require.Equal(t, `there is no check "Vault/NoSuch"`, said)
}
