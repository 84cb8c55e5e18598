package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/seal"
)

func TestRotateMovesARecordToTheCurrentKey(t *testing.T) {
	t.Parallel()
	k1, k2 := key(t, "k1", 1), key(t, "k2", 2)
	inner := newPlainVault()
	save(t, seal.New(inner, static(t, k1)), mailbox, token)

	v := seal.New(inner, static(t, k2, k1))
	require.Equal(t, token, read(t, v, mailbox), "an older key still opens")
	changed, err := v.Rotate(t.Context(), mailbox)
	require.NoError(t, err)
	require.True(t, changed)
	_, version, err := v.Credential(t.Context(), mailbox)
	require.NoError(t, err)
	require.EqualValues(t, 2, version)

	onlyNew := seal.New(inner, static(t, k2))
	require.Equal(t, token, read(t, onlyNew, mailbox), "the old key is not needed any more")
	changed, err = onlyNew.Rotate(t.Context(), mailbox)
	require.NoError(t, err)
	require.False(t, changed, "a second rotation has nothing to do")
	_, version, err = onlyNew.Credential(t.Context(), mailbox)
	require.NoError(t, err)
	require.EqualValues(t, 2, version, "and writes nothing")
}

func TestNewWritesUseTheCurrentKey(t *testing.T) {
	t.Parallel()
	k1, k2 := key(t, "k1", 1), key(t, "k2", 2)
	inner := newPlainVault()
	save(t, seal.New(inner, static(t, k2, k1)), mailbox, token)
	require.Equal(t, token, read(t, seal.New(inner, static(t, k2)), mailbox))
}

func TestRotateKeepsARefreshThatCameBetween(t *testing.T) {
	t.Parallel()
	k1, k2 := key(t, "k1", 1), key(t, "k2", 2)
	inner := newPlainVault()
	old := seal.New(inner, static(t, k1))
	save(t, old, mailbox, token)
	inner.onSave = func() {
		_, err := old.SaveCredential(t.Context(), mailbox, provider.NewCredential([]byte("fresh")), 1)
		require.NoError(t, err)
	}
	v := seal.New(inner, static(t, k2, k1))
	changed, err := v.Rotate(t.Context(), mailbox)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, "fresh", read(t, seal.New(inner, static(t, k2)), mailbox))
}

func TestRotateGivesUpAfterThreeConflicts(t *testing.T) {
	t.Parallel()
	k1, k2 := key(t, "k1", 1), key(t, "k2", 2)
	inner := newPlainVault()
	old := seal.New(inner, static(t, k1))
	save(t, old, mailbox, token)
	conflicts := 0
	var refresh func()
	refresh = func() {
		conflicts++
		_, version, err := inner.Credential(t.Context(), mailbox)
		require.NoError(t, err)
		_, err = old.SaveCredential(t.Context(), mailbox, provider.NewCredential([]byte("fresh")), version)
		require.NoError(t, err)
		inner.onSave = refresh
	}
	inner.onSave = refresh
	_, err := seal.New(inner, static(t, k2, k1)).Rotate(t.Context(), mailbox)
	require.ErrorIs(t, err, storage.ErrConflict)
	require.Equal(t, 3, conflicts)
	inner.onSave = nil
	require.Equal(t, "fresh", read(t, old, mailbox), "the refresh that won is kept")
}
