package seal_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/seal"
)

const token = `{"access_token":"s3cr3t-access","refresh_token":"s3cr3t-refresh"}`

var mailbox = inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}

// key makes a master key whose bytes are all fill.
func key(t testing.TB, id string, fill byte) seal.Key {
	t.Helper()
	k, err := seal.NewKey(id, bytes.Repeat([]byte{fill}, seal.KeySize))
	require.NoError(t, err)
	return k
}

func static(t testing.TB, current seal.Key, older ...seal.Key) *seal.Keys {
	t.Helper()
	keys, err := seal.StaticKeys(current, older...)
	require.NoError(t, err)
	return keys
}

func save(t testing.TB, v inbox.Vault, name inbox.VaultKey, secret string) {
	t.Helper()
	_, err := v.SaveCredential(t.Context(), name, provider.NewCredential([]byte(secret)), 0)
	require.NoError(t, err)
}

func read(t testing.TB, v inbox.Vault, name inbox.VaultKey) string {
	t.Helper()
	cred, _, err := v.Credential(t.Context(), name)
	require.NoError(t, err)
	return string(cred.Reveal())
}

func TestVaultKeepsOnlySealedBytesInside(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "x", token, string(bytes.Repeat([]byte("long "), 20_000))} {
		inner := newPlainVault()
		v := seal.New(inner, static(t, key(t, "k1", 1)))
		save(t, v, mailbox, secret)
		require.Equal(t, secret, read(t, v, mailbox), "a secret of %d bytes comes back", len(secret))
		if secret == token {
			require.NotContains(t, string(inner.raw(mailbox)), "s3cr3t")
		}
	}
}

func TestSameSecretNeverSealsToSameBytes(t *testing.T) {
	t.Parallel()
	inner := newPlainVault()
	v := seal.New(inner, static(t, key(t, "k1", 1)))
	seen := map[string]bool{}
	for version := range storage.Version(50) {
		_, err := v.SaveCredential(t.Context(), mailbox, provider.NewCredential([]byte(token)), version)
		require.NoError(t, err)
		seen[string(inner.raw(mailbox))] = true
	}
	require.Len(t, seen, 50, "50 saves of one secret give 50 different records")
}

func TestVaultPassesOnVersionsAndErrorsOfTheInnerVault(t *testing.T) {
	t.Parallel()
	v := seal.New(newPlainVault(), static(t, key(t, "k1", 1)))
	_, _, err := v.Credential(t.Context(), mailbox)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = v.Rotate(t.Context(), mailbox)
	require.ErrorIs(t, err, storage.ErrNotFound, "rotating what is not there")

	cred := provider.NewCredential([]byte(token))
	version, err := v.SaveCredential(t.Context(), mailbox, cred, 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, version)
	_, err = v.SaveCredential(t.Context(), mailbox, cred, 0)
	require.ErrorIs(t, err, storage.ErrConflict)

	require.NoError(t, v.DeleteCredential(t.Context(), mailbox))
	require.NoError(t, v.DeleteCredential(t.Context(), mailbox), "absent is fine")
	_, _, err = v.Credential(t.Context(), mailbox)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestEveryChangedByteIsTampered(t *testing.T) {
	t.Parallel()
	inner := newPlainVault()
	v := seal.New(inner, static(t, key(t, "k1", 1)))
	save(t, v, mailbox, token)
	sealed := inner.raw(mailbox)
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			inner.setRaw(mailbox, changed)
			_, _, err := v.Credential(t.Context(), mailbox)
			require.ErrorIs(t, err, seal.ErrTampered, "bit %d of byte %d flipped", bit, i)
		}
		inner.setRaw(mailbox, sealed[:i])
		_, _, err := v.Credential(t.Context(), mailbox)
		require.ErrorIs(t, err, seal.ErrTampered, "cut to %d of %d bytes", i, len(sealed))
	}
	inner.setRaw(mailbox, append(bytes.Clone(sealed), 0))
	_, _, err := v.Credential(t.Context(), mailbox)
	require.ErrorIs(t, err, seal.ErrTampered, "one byte appended")
	inner.setRaw(mailbox, []byte(token))
	_, _, err = v.Credential(t.Context(), mailbox)
	require.ErrorIs(t, err, seal.ErrTampered, "a record that was never sealed")
}

func TestRecordOpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		moved inbox.VaultKey
	}{
		{"another inbox", inbox.VaultKey{Inbox: "in-2", Use: inbox.UseMailbox}},
		{"another use", inbox.VaultKey{Inbox: "in-1", Use: inbox.UseConsent}},
		{"the border between inbox and use shifted", inbox.VaultKey{Inbox: "in-1m", Use: "ailbox"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inner := newPlainVault()
			v := seal.New(inner, static(t, key(t, "k1", 1)))
			save(t, v, mailbox, token)
			save(t, v, c.moved, "other")
			here, there := inner.raw(mailbox), inner.raw(c.moved)
			inner.setRaw(mailbox, there)
			inner.setRaw(c.moved, here)
			for _, name := range []inbox.VaultKey{mailbox, c.moved} {
				_, _, err := v.Credential(t.Context(), name)
				require.ErrorIs(t, err, seal.ErrTampered, "swapped records: reading %v", name)
			}
		})
	}
}

func TestWrongKeyAndUnknownKeyAreTold(t *testing.T) {
	t.Parallel()
	inner := newPlainVault()
	save(t, seal.New(inner, static(t, key(t, "k1", 1))), mailbox, token)

	_, _, err := seal.New(inner, static(t, key(t, "k1", 2))).Credential(t.Context(), mailbox)
	require.ErrorIs(t, err, seal.ErrWrongKey)
	require.EqualError(t, err, `open credential "in-1": key "k1": key does not fit the sealed record`)

	_, _, err = seal.New(inner, static(t, key(t, "k9", 1))).Credential(t.Context(), mailbox)
	require.ErrorIs(t, err, seal.ErrUnknownKey)
	require.EqualError(t, err, `open credential "in-1": key "k1": unknown key`)
}

// brokenKeys is a provider whose service is away, or that forgets to answer with a key.
type brokenKeys struct{ err error }

func (k brokenKeys) Current(context.Context) (seal.Key, error)     { return seal.Key{}, k.err }
func (k brokenKeys) Key(context.Context, string) (seal.Key, error) { return seal.Key{}, k.err }

func TestKeyProviderFailureStoresAndOpensNothing(t *testing.T) {
	t.Parallel()
	away := errors.New("key service away")
	for _, c := range []struct {
		keys brokenKeys
		want error
	}{{brokenKeys{away}, away}, {brokenKeys{}, seal.ErrUnknownKey}} {
		inner := newPlainVault()
		v := seal.New(inner, c.keys)
		_, err := v.SaveCredential(t.Context(), mailbox, provider.NewCredential([]byte(token)), 0)
		require.ErrorIs(t, err, c.want)
		_, _, err = inner.Credential(t.Context(), mailbox)
		require.ErrorIs(t, err, storage.ErrNotFound, "nothing reached the inner vault")

		save(t, seal.New(inner, static(t, key(t, "k1", 1))), mailbox, token)
		_, _, err = v.Credential(t.Context(), mailbox)
		require.ErrorIs(t, err, c.want)
		require.ErrorContains(t, err, `key "k1"`)
		_, err = v.Rotate(t.Context(), mailbox)
		require.ErrorIs(t, err, c.want)
	}
}
