package gmail_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// The claims a receiver must check:
// https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions#validate_tokens
func TestPushTokensAreVerified(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	without := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		want   int
	}{
		{"as Google makes it", func(map[string]any) {}, 204},
		{"issuer without https", claim("iss", "accounts.google.com"), 204},
		{"several audiences", claim("aud", []string{"https://other.example", endpoint}), 204},
		{"account in other case", claim("email", strings.ToUpper(pusher)), 204},
		// Reckoned when the case runs, which a busy machine puts off.
		{"a little too old", func(c map[string]any) { c["exp"] = time.Now().Add(-30 * time.Second).Unix() }, 204},
		{"wrong issuer", claim("iss", "https://evil.example"), 401},
		{"no issuer", without("iss"), 401},
		{"expired", claim("exp", time.Now().Add(-5*time.Minute).Unix()), 401},
		{"no expiry", without("exp"), 401},
		{"issued tomorrow", claim("iat", time.Now().Add(24*time.Hour).Unix()), 401},
		{"wrong audience", claim("aud", "https://other.example/push"), 403},
		{"no audience", without("aud"), 403},
		{"audience that begins like ours", claim("aud", endpoint+"/x"), 403},
		{"other service account", claim("email", "other@evil.iam.gserviceaccount.com"), 403},
		{"no account", without("email"), 403},
		{"account not verified", claim("email_verified", false), 403},
		{"verification missing", without("email_verified"), 403},
		{"verification in words", claim("email_verified", "true"), 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := gmailtest.New(t, gmailtest.Config{})
			d := newDoorbell(t, s)
			claims := s.PushClaims(endpoint, pusher)
			c.change(claims)
			require.Equal(t, c.want, d.post("Bearer "+s.SignToken(claims), push(news)))
			require.Equal(t, c.want == 204, len(d.rings()) == 1, "rung %v", d.rings())
			require.NotContains(t, d.log.String(), "@")
		})
	}
}

// encode makes a part of a token.
func encode(v any) string {
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}

// ownKey is a key nobody else has.
var ownKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func sign(t testing.TB, key *rsa.PrivateKey, id any, claims map[string]any) string {
	t.Helper()
	return signAs(t, "RS256", key, id, claims)
}

// signAs signs RS256, whatever the header says.
func signAs(t testing.TB, says string, key *rsa.PrivateKey, id any, claims map[string]any) string {
	t.Helper()
	signed := encode(map[string]any{"alg": says, "kid": id, "typ": "JWT"}) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestPushTokensByFixedKeys(t *testing.T) {
	t.Parallel()
	s := gmailtest.New(t, gmailtest.Config{})
	keys := map[string]*rsa.PublicKey{"mine": &ownKey().PublicKey}
	d := &doorbell{}
	var err error
	d.h, err = gmail.PushHandler(gmail.PushOptions{Audience: endpoint, ServiceAccount: pusher, Keys: keys}, d.ring)
	require.NoError(t, err)
	delete(keys, "mine") // the handler has its own copy
	claims := s.PushClaims(endpoint, pusher)
	require.Equal(t, 204, d.post("bearer "+sign(t, ownKey(), "mine", claims), push(news)))
	require.Equal(t, 401, d.post("Bearer "+sign(t, ownKey(), "other", claims), push(news)))
	require.Equal(t, 401, d.post("Bearer "+s.SignToken(claims), push(news)), "Google's own keys do not count here")
	for _, says := range []string{"none", "HS256", "RS512", ""} {
		require.Equal(t, 401, d.post("Bearer "+signAs(t, says, ownKey(), "mine", claims), push(news)), says)
	}
	require.Len(t, d.rings(), 1)
}

func TestPushTokensOfOtherMakingAreRefused(t *testing.T) {
	t.Parallel()
	s := gmailtest.New(t, gmailtest.Config{})
	good := s.SignToken(s.PushClaims(endpoint, pusher))
	parts := strings.Split(good, ".")
	var header map[string]any
	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &header))
	with := func(name string, value any) string {
		changed := map[string]any{}
		for k, v := range header {
			changed[k] = v
		}
		changed[name] = value
		return encode(changed) + "." + parts[1] + "." + parts[2]
	}
	claims := s.PushClaims(endpoint, pusher)
	claims["email"] = pusher + ".evil"
	for name, token := range map[string]string{
		"none":                    "",
		"basic":                   "Basic " + good,
		"no scheme":               good,
		"not a token":             "Bearer hello",
		"two parts":               "Bearer " + parts[0] + "." + parts[1],
		"alg none":                "Bearer " + encode(map[string]any{"alg": "none", "kid": header["kid"]}) + "." + parts[1] + ".",
		"alg HS256":               "Bearer " + with("alg", "HS256"),
		"alg RS384":               "Bearer " + with("alg", "RS384"),
		"header changed":          "Bearer " + with("typ", "x"),
		"critical extension":      "Bearer " + with("crit", []string{"b64"}),
		"no key id":               "Bearer " + with("kid", ""),
		"unknown key":             "Bearer " + with("kid", "unknown"),
		"signature cut":           "Bearer " + good[:len(good)-8],
		"signature of other text": "Bearer " + parts[0] + "." + strings.Split(s.SignToken(claims), ".")[1] + "." + parts[2],
		"another key, same id":    "Bearer " + sign(t, ownKey(), header["kid"], s.PushClaims(endpoint, pusher)),
		"payload no JSON":         "Bearer " + parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte("hello")) + "." + parts[2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoorbell(t, s)
			require.Contains(t, []int{401, 403}, d.post(token, push(news)))
			require.Empty(t, d.rings())
			require.NotContains(t, d.log.String(), parts[2])
		})
	}
}
