package gmailtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"sync"
)

// Keys are dear to make and secret to nobody, so all servers of a process share them.
var signing struct {
	mu   sync.Mutex
	keys []*rsa.PrivateKey
}

// signingKey returns the key with that number.
func signingKey(n int) *rsa.PrivateKey {
	signing.mu.Lock()
	defer signing.mu.Unlock()
	for len(signing.keys) <= n {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err) // the size is good and the system's source does not fail
		}
		signing.keys = append(signing.keys, k)
	}
	return signing.keys[n]
}

func keyID(n int) string { return fmt.Sprintf("gmailtest-%d", n) }

func (s *Server) keyNumber() int {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	return s.pushes.keys
}

// RotateKeys makes the server sign with another key from now on. The former one is no longer among
// those of Endpoints.CertsURL.
func (s *Server) RotateKeys() {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	s.pushes.keys++
}

// PushClaims are the claims of the token that Pub/Sub sends with a push, valid for an hour from now.
// The caller may change them and have them signed by SignToken, to see what an endpoint refuses.
func (s *Server) PushClaims(audience, serviceAccount string) map[string]any {
	now := s.now()
	return map[string]any{
		"iss": "https://accounts.google.com", "aud": audience,
		"azp": "100000000000000000001", "sub": "100000000000000000001",
		"email": serviceAccount, "email_verified": true,
		"iat": now.Unix(), "exp": now.Unix() + 3600,
	}
}

// SignToken returns a JSON web token (RFC 7519) with these claims, signed RS256 with the server's key.
// It panics when the claims cannot be written as JSON.
func (s *Server) SignToken(claims map[string]any) string {
	n := s.keyNumber()
	text := segment(map[string]any{"alg": "RS256", "kid": keyID(n), "typ": "JWT"}) + "." + segment(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, signingKey(n), crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key fits the hash
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("gmailtest: claims: %v", err))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// serveCerts answers Endpoints.CertsURL with a JWK set (RFC 7517), as Google does at
// https://www.googleapis.com/oauth2/v3/certs.
func (s *Server) serveCerts(w http.ResponseWriter, r *http.Request) {
	s.stats.Count("certs")
	n := s.keyNumber()
	k := signingKey(n)
	encode := base64.RawURLEncoding.EncodeToString
	w.Header().Set("Cache-Control", "public, max-age=3600, must-revalidate, no-transform")
	writeJSON(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID(n),
		"n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes()),
	}}})
}
