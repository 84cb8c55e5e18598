package gmailtest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestPushTokenIsOneThatGoogleSigns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const account = "push@shop.iam.gserviceaccount.com"
		s, a, e := watched(t, gmailtest.PushTarget{Audience: "https://shop.example/push", ServiceAccount: account})
		token, ok := strings.CutPrefix(e.pushes()[0].auth, "Bearer ")
		require.True(t, ok)
		claims, ok := verify(t, s, token)
		require.True(t, ok)
		began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		require.Equal(t, map[string]any{
			"iss": "https://accounts.google.com", "aud": "https://shop.example/push", "email": account,
			"email_verified": true, "iat": float64(began), "exp": float64(began + 3600),
			"sub": "100000000000000000001", "azp": "100000000000000000001",
		}, claims)

		s.RotateKeys()
		_, ok = verify(t, s, token)
		require.False(t, ok, "the key is no longer published")
		a.Deliver(hello(1), gmailtest.Delivery{})
		synctest.Wait()
		_, ok = verify(t, s, strings.TrimPrefix(e.pushes()[1].auth, "Bearer "))
		require.True(t, ok)

		wrong := s.PushClaims("elsewhere", account)
		wrong["email_verified"] = false
		claims, ok = verify(t, s, s.SignToken(wrong))
		require.True(t, ok)
		require.Equal(t, false, claims["email_verified"])
		require.Equal(t, "elsewhere", claims["aud"])
	})
}

// verify checks a token with the keys the server publishes and returns its claims.
func verify(t *testing.T, s *gmailtest.Server, token string) (map[string]any, bool) {
	t.Helper()
	resp, err := s.Client().Get(s.Endpoints().CertsURL)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Contains(t, resp.Header.Get("Cache-Control"), "max-age=")
	var set struct {
		Keys []struct{ Kty, Alg, Use, Kid, N, E string }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&set))
	require.Len(t, set.Keys, 1)
	k := set.Keys[0]
	require.Equal(t, []string{"RSA", "RS256", "sig"}, []string{k.Kty, k.Alg, k.Use})
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	var head struct{ Alg, Kid string }
	require.NoError(t, json.Unmarshal(unraw(t, parts[0]), &head))
	require.Equal(t, "RS256", head.Alg)
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(unraw(t, k.N)), E: int(new(big.Int).SetBytes(unraw(t, k.E)).Int64())}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if head.Kid != k.Kid || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], unraw(t, parts[2])) != nil {
		return nil, false
	}
	var claims map[string]any
	require.NoError(t, json.Unmarshal(unraw(t, parts[1]), &claims))
	return claims, true
}
