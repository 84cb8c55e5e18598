package seal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

// A record that parses is exactly the bytes it was parsed from, and none opens under a key that did
// not seal it.
func FuzzParseRecord(f *testing.F) {
	sealer, err := NewKey("k1", bytes.Repeat([]byte{1}, KeySize))
	require.NoError(f, err)
	stranger, err := NewKey("k1", bytes.Repeat([]byte{2}, KeySize))
	require.NoError(f, err)
	name := inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}
	for _, secret := range []string{"", "token", string(make([]byte, 300))} {
		rec, err := sealRecord(sealer, name, []byte(secret))
		require.NoError(f, err)
		f.Add(rec)
	}
	f.Add([]byte(nil))
	f.Add([]byte("wis1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil {
			require.ErrorIs(t, err, ErrTampered)
			return
		}
		whole := bytes.Join([][]byte{
			[]byte(magic), {byte(len(r.keyID))}, []byte(r.keyID), r.check, r.salt, r.box,
		}, nil)
		require.Equal(t, b[:len(b)-crcSize], whole)
		_, err = r.open(stranger, name)
		require.ErrorIs(t, err, ErrWrongKey)
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	key, err := NewKey("k1", bytes.Repeat([]byte{1}, KeySize))
	require.NoError(b, err)
	name := inbox.VaultKey{Inbox: "in-1", Use: inbox.UseMailbox}
	secret := make([]byte, 2048)
	var failed error
	for b.Loop() {
		rec, err := sealRecord(key, name, secret)
		r, err2 := parseRecord(rec)
		_, err3 := r.open(key, name)
		failed = errors.Join(failed, err, err2, err3)
	}
	require.NoError(b, failed)
}
