package importtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

func TestImportFindsTheThreadsThereAre(t *testing.T) {
	t.Parallel()
	path, mail := importtest.WriteMail(t, mailgen.Config{Seed: 7, Messages: 2000})
	parts := importtest.Parts{Provider: importtest.Archive(path, mail)}
	i, err := importtest.Open(t.Context(), t.TempDir(), mail.Config().End, parts)
	require.NoError(t, err)
	defer i.Close()
	id, err := i.Inbox(t.Context(), filter.Rules{Mode: filter.All}, nil)
	require.NoError(t, err)
	run, err := i.Service.Sync(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, run.Balance())
	require.Equal(t, mail.Len(), run.Stored)

	ours, theirs := make(map[inbox.ThreadID]int), make(map[int]inbox.ThreadID)
	copies := 0
	for m, err := range i.Store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(t, err)
		truth, err := mail.Find(m.RFCID)
		require.NoError(t, err)
		if m.CopyOf != "" {
			copies++
		}
		if first, known := ours[m.Thread]; known {
			require.Equal(t, first, truth.Thread, "one of our threads holds mail of two")
		}
		ours[m.Thread] = truth.Thread
		if first, known := theirs[truth.Thread]; known {
			require.Equal(t, first, m.Thread, "one thread came apart")
		}
		theirs[truth.Thread] = m.Thread
	}
	want := 0
	for n := range mail.Len() {
		if mail.Truth(n).Copy >= 0 {
			want++
		}
	}
	require.Equal(t, want, run.Copies)
	require.Equal(t, want, copies)
}
