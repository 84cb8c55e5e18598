package gmail

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHowLongKeysHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cache, age string
		want       time.Duration
	}{
		{"", "", time.Hour},
		{"no-cache", "", time.Hour},
		{"public, max-age=21600, must-revalidate, no-transform", "", 6 * time.Hour},
		{"public, Max-Age=21600", "3600", 5 * time.Hour},
		{"max-age=0", "", time.Minute},
		{"max-age=60", "3600", time.Minute},
		{"max-age=999999999", "", 24 * time.Hour},
		{"max-age=99999999999999999999", "", time.Hour},
		{"max-age=soon", "", time.Hour},
	} {
		h := http.Header{"Cache-Control": {c.cache}, "Age": {c.age}}
		require.Equal(t, c.want, holds(h), "%q after %q", c.cache, c.age)
	}
}

func TestKeySetsWithoutUsableKeysAreRefused(t *testing.T) {
	t.Parallel()
	n2048 := "1" + strings.Repeat("A", 341) // 2,052 bits
	n1024 := "1" + strings.Repeat("A", 170)
	key := func(fields string) string { return `{"keys":[{` + fields + `}]}` }
	good := `"kid":"1","kty":"RSA","use":"sig","alg":"RS256","e":"AQAB","n":"` + n2048 + `"`
	keys, err := parseKeys([]byte(key(good)))
	require.NoError(t, err)
	require.Equal(t, 65537, keys["1"].E)
	for name, text := range map[string]string{
		"empty":           ``,
		"no keys":         `{"keys":[]}`,
		"no id":           key(strings.Replace(good, `"kid":"1",`, "", 1)),
		"elliptic":        key(strings.Replace(good, `"RSA"`, `"EC"`, 1)),
		"for encryption":  key(strings.Replace(good, `"sig"`, `"enc"`, 1)),
		"other algorithm": key(strings.Replace(good, `"RS256"`, `"RS512"`, 1)),
		"weak":            key(strings.Replace(good, n2048, n1024, 1)),
		"exponent 1":      key(strings.Replace(good, "AQAB", "AQ", 1)),
		"exponent huge":   key(strings.Replace(good, "AQAB", "AQABAQABAQAB", 1)),
		"no base64":       key(strings.Replace(good, "AQAB", "%%", 1)),
		"modulus too big": key(strings.Replace(good, n2048, "1"+strings.Repeat("A", 4000), 1)),
	} {
		_, err := parseKeys([]byte(text))
		require.Error(t, err, name)
	}
}

func FuzzPushToken(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJhdWQiOlsieCJdfQ.AA")
	f.Add("eyJhbGciOiJub25lIn0..")
	f.Fuzz(func(t *testing.T, token string) {
		v := pushVerifier{audience: "https://host.example", account: "a@b", keys: fixedKeys{}}
		err := v.token(t.Context(), token, time.Unix(1_760_000_000, 0))
		require.Error(t, err, "nobody but the owner of a key makes a token")
		require.True(t, errors.Is(err, errUnsigned) || errors.Is(err, errForeign))
	})
}

func FuzzPushBody(f *testing.F) {
	f.Add([]byte(`{"message":{"data":"eyJlbWFpbEFkZHJlc3MiOiJ1QHgiLCJoaXN0b3J5SWQiOjk4NzcwMH0="}}`))
	f.Add([]byte(`{"emailAddress":"u@x","historyId":"987700"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte) (notice, error){readPush, readNotice} {
			n, err := read(body)
			if err == nil {
				require.NotEmpty(t, n.address)
				require.NotZero(t, n.history)
			}
		}
	})
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kid":"1","kty":"RSA","e":"AQAB","n":"1AAA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeys(text)
		require.Equal(t, err == nil, len(keys) > 0)
		for _, k := range keys {
			require.GreaterOrEqual(t, k.N.BitLen(), 2048)
		}
	})
}
