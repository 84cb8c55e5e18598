package gmail

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// googleKeys are the keys of Google's tokens, in the form of RFC 7517.
const googleKeys = "https://www.googleapis.com/oauth2/v3/certs"

const (
	keysAskAgain = time.Minute    // not more often
	keysDefault  = time.Hour      // where the answer does not say how long it holds
	keysLongest  = 24 * time.Hour // however long it says
	maxKeys      = 1 << 20        // bytes of an answer
)

// errNoKeys says that the keys cannot be had now.
var errNoKeys = errors.New("the keys of the tokens cannot be had")

func newKeys(o PushOptions) pushKeys {
	if o.Keys != nil {
		return fixedKeys(maps.Clone(o.Keys))
	}
	k := &fetchedKeys{url: o.KeysURL, client: o.HTTP, turn: make(chan struct{}, 1)}
	if k.url == "" {
		k.url = googleKeys
	}
	if k.client == nil {
		k.client = &http.Client{Timeout: 10 * time.Second}
	}
	return k
}

type fixedKeys map[string]*rsa.PublicKey

func (k fixedKeys) key(_ context.Context, id string) (*rsa.PublicKey, error) {
	if key := k[id]; key != nil {
		return key, nil
	}
	return nil, errUnsigned
}

// fetchedKeys are keys from an address. It is safe for concurrent use; callers wait for one who asks.
type fetchedKeys struct {
	url    string
	client *http.Client

	turn    chan struct{} // a mutex that a context can leave
	keys    map[string]*rsa.PublicKey
	expires time.Time
	asked   time.Time // zero: never
	failed  bool      // the last time it was asked
}

// key answers from memory while the keys hold and the key is among them. Keys that are out of date
// are used for as long as the address does not answer: they were Google's.
func (k *fetchedKeys) key(ctx context.Context, id string) (*rsa.PublicKey, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, errNoKeys
	}
	now := time.Now()
	stale := !now.Before(k.expires)
	if (stale || k.keys[id] == nil) && (k.asked.IsZero() || now.Sub(k.asked) >= keysAskAgain) {
		k.ask(ctx, now)
	}
	switch key := k.keys[id]; {
	case key != nil:
		return key, nil
	case k.failed:
		return nil, errNoKeys
	}
	return nil, errUnsigned
}

func (k *fetchedKeys) ask(ctx context.Context, now time.Time) {
	// The one who asks does so for all who wait, also when its own client has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	k.asked, k.failed = now, true
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys))
	if err != nil || resp.StatusCode != http.StatusOK {
		return
	}
	keys, err := parseKeys(text)
	if err != nil {
		return
	}
	k.keys, k.expires, k.failed = keys, now.Add(holds(resp.Header)), false
}

// holds is how long an answer may be kept (RFC 9111 sections 5.1 and 5.2.2.1).
func holds(h http.Header) time.Duration {
	for part := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(value, `"`))
		if err != nil {
			break
		}
		age, _ := strconv.Atoi(h.Get("Age"))
		seconds = min(seconds, int(keysLongest.Seconds())) - max(age, 0)
		return max(time.Duration(seconds)*time.Second, keysAskAgain)
	}
	return keysDefault
}

// parseKeys reads the RSA signing keys of a JSON Web Key Set; other keys are left out. A set without
// one is an error.
func parseKeys(text []byte) (map[string]*rsa.PublicKey, error) {
	var set struct {
		Keys []struct {
			ID        string `json:"kid"`
			Type      string `json:"kty"`
			Use       string `json:"use"`
			Algorithm string `json:"alg"`
			Modulus   string `json:"n"`
			Exponent  string `json:"e"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		signs := (k.Use == "" || k.Use == "sig") && (k.Algorithm == "" || k.Algorithm == "RS256")
		if k.ID == "" || k.Type != "RSA" || !signs {
			continue
		}
		if key := rsaKey(k.Modulus, k.Exponent); key != nil {
			keys[k.ID] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("key set: no RSA key to check signatures with")
	}
	return keys, nil
}

// rsaKey makes a key of its numbers (RFC 7518 section 6.3.1); nil when it is none, or a weak one.
func rsaKey(modulus, exponent string) *rsa.PublicKey {
	n, err := base64.RawURLEncoding.DecodeString(modulus)
	if err != nil {
		return nil
	}
	e, err := base64.RawURLEncoding.DecodeString(exponent)
	if err != nil {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	power := new(big.Int).SetBytes(e)
	if bits := key.N.BitLen(); bits < 2048 || bits > 16_384 || power.BitLen() > 31 || power.Int64() < 3 {
		return nil
	}
	key.E = int(power.Int64())
	return key
}
