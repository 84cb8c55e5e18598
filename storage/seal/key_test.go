package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/seal"
)

func TestNewKeyRefusesBadKeys(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		id   string
		size int
	}{
		{"no id", "", seal.KeySize},
		{"id too long", strings.Repeat("k", 256), seal.KeySize},
		{"no secret", "k1", 0},
		{"secret too short", "k1", seal.KeySize - 1},
		{"secret too long", "k1", seal.KeySize + 1},
	}
	for _, c := range cases {
		_, err := seal.NewKey(c.id, bytes.Repeat([]byte{'S'}, c.size))
		require.Error(t, err, c.name)
		require.NotContains(t, err.Error(), "SS", "%s: the secret is not told", c.name)
	}
}

func TestNewKeyCopiesItsSecret(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{1}, seal.KeySize)
	k, err := seal.NewKey(strings.Repeat("k", 255), secret)
	require.NoError(t, err)
	inner := newPlainVault()
	v := seal.New(inner, static(t, k))
	save(t, v, mailbox, token)
	clear(secret)
	require.Equal(t, token, read(t, v, mailbox))
}

func TestStaticKeysRefusesZeroAndTwins(t *testing.T) {
	t.Parallel()
	_, err := seal.StaticKeys(seal.Key{})
	require.Error(t, err)
	_, err = seal.StaticKeys(key(t, "k1", 1), seal.Key{})
	require.Error(t, err)
	_, err = seal.StaticKeys(key(t, "k1", 1), key(t, "k1", 2))
	require.EqualError(t, err, `two keys have the id "k1"`)
}

// hostConfig is how a host may hold a key: fmt prints unexported fields without asking them.
type hostConfig struct {
	Shown  seal.Key
	hidden seal.Key
	vault  *seal.Vault
	keys   *seal.Keys
}

func TestNoSecretByteIsEverPrinted(t *testing.T) {
	t.Parallel()
	secret := []byte("QZXWqzxwQZXWqzxwQZXWqzxwQZXWqzxw")
	k, err := seal.NewKey("k1", secret)
	require.NoError(t, err)
	keys := static(t, k)
	inner := newPlainVault()
	v := seal.New(inner, keys)
	save(t, v, mailbox, token)

	inner.setRaw(mailbox, append(inner.raw(mailbox), 0))
	_, _, tampered := v.Credential(t.Context(), mailbox)
	require.Error(t, tampered)

	cfg := hostConfig{k, k, v, keys}
	printed := map[string]any{
		"key": k, "key pointer": &k, "keys": keys, "keys value": *keys, "vault": v,
		"config": cfg, "config pointer": &cfg, "list": []any{k, v, keys}, "error": tampered,
	}
	for name, x := range printed {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			requireNoSecret(t, fmt.Sprintf(verb, x), secret, name+" under "+verb)
		}
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).Info("m", "x", x)
		}
		requireNoSecret(t, log.String(), secret, name+" under slog")
		b, err := json.Marshal(x)
		require.NoError(t, err)
		requireNoSecret(t, string(b), secret, name+" under JSON")
	}
	require.Equal(t, `key "k1" [redacted]`, fmt.Sprintf("%#v", k))
	b, err := json.Marshal(cfg)
	require.NoError(t, err)
	require.JSONEq(t, `{"Shown":"key \"k1\" [redacted]"}`, string(b))
}

// requireNoSecret looks for the first bytes of each secret in every spelling fmt and JSON have.
func requireNoSecret(t *testing.T, out string, secret []byte, what string) {
	t.Helper()
	for _, s := range [][]byte{secret, []byte(token)} {
		head := s[:6]
		var decimals, hexes []string
		for _, b := range head {
			decimals = append(decimals, fmt.Sprint(b))
			hexes = append(hexes, fmt.Sprintf("0x%x", b))
		}
		for _, spelling := range []string{
			string(head), hex.EncodeToString(head), strings.Join(decimals, " "),
			strings.Join(decimals, ","), strings.Join(hexes, ", "),
			base64.StdEncoding.EncodeToString(head),
		} {
			require.NotContains(t, strings.ToLower(out), strings.ToLower(spelling), what)
		}
	}
	require.NotContains(t, out, "s3cr3t", what)
}
