package outlook

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

const (
	// maxPush bounds the body of a notification; one has half a kilobyte, and they come in bundles.
	maxPush = 1 << 20
	// maxToken bounds the token of a handshake, which has a hundred bytes.
	maxToken = 4 << 10
	// ringFor bounds all rings of one request. Graph takes an endpoint for slow that needs 2.9
	// seconds, and drops what is for it when that happens often
	// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#throttling).
	ringFor = 2 * time.Second
)

// Ring is told that something probably changed in an account, by its provider.Account.ID. It rings a
// bell and returns: it does not sync. An account nobody knows any more is no error.
type Ring func(ctx context.Context, account string) error

// events are what became of a subscription, by Graph's words
// (https://learn.microsoft.com/graph/change-notifications-lifecycle-events).
var events = map[string]provider.PushEvent{
	"reauthorizationRequired": provider.PushRenew,
	"subscriptionRemoved":     provider.PushEnded,
	"missed":                  provider.PushMissed,
}

// PushOptions configure a PushHandler.
type PushOptions struct {
	// Ring must be set. It is called for every event too: what was missed is found by reading.
	Ring Ring
	// Lifecycle, when set, is told of an event before Ring is, so that the sync that follows renews the
	// subscription or makes a new one: inbox.Service.PushEvents. It notes that and returns. Without it
	// both are made up for when the subscription is renewed the next time.
	Lifecycle func(ctx context.Context, account, subscription string, event provider.PushEvent) error
}

// PushHandler takes notifications for Options.NotificationURL and Options.LifecycleURL
// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
//
// It answers Graph's handshake. A notification counts when its clientState was signed with
// Options.PushKey; what does not goes to the Logger and is answered all the same, because it would
// come again for hours. The answer is 202 once every account concerned was rung, and 503 when a ring
// failed: then the notifications come again. Rings have 2 seconds together.
func (p *Provider) PushHandler(o PushOptions) (http.Handler, error) {
	if o.Ring == nil {
		return nil, fmt.Errorf("outlook push: Ring is missing: %w", provider.ErrConfig)
	}
	return &pushHandler{o: o, p: p, log: p.o.Logger}, nil
}

type pushHandler struct {
	o   PushOptions
	p   *Provider
	log *slog.Logger
}

// notification is one entry of a push. The resource is not read: it names messages, and the answer to
// every notification is to read what changed.
type notification struct {
	Subscription string `json:"subscriptionId"`
	State        string `json:"clientState"`
	Event        string `json:"lifecycleEvent"`
}

// ServeHTTP implements http.Handler.
func (h *pushHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Query().Has("validationToken") {
		shake(w, r.URL.Query().Get("validationToken"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		http.Error(w, "the body is too large or broke off", http.StatusBadRequest)
		return
	}
	all, err := readNotifications(body)
	if err != nil {
		http.Error(w, "this is no notification of Graph", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), ringFor)
	defer cancel()
	if err := h.ring(ctx, all); err != nil {
		h.log.WarnContext(ctx, "outlook push: ring", "err", oauth.Scrub(err.Error()))
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// shake answers the handshake: the token, as plain text that no browser takes for a page.
func shake(w http.ResponseWriter, token string) {
	if len(token) > maxToken {
		http.Error(w, "the token is too long", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, html.EscapeString(token)) // Graph asks again if it did not come
}

// readNotifications reads the body of a push.
func readNotifications(body []byte) ([]notification, error) {
	var push struct {
		Value []notification `json:"value"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		return nil, err
	}
	if push.Value == nil {
		return nil, errNoAnswer
	}
	return push.Value, nil
}

// ring tells of every account once, and of every event.
func (h *pushHandler) ring(ctx context.Context, all []notification) error {
	rung := make(map[string]bool)
	foreign := 0
	for _, n := range all {
		account, ok := h.p.accountOf(n.State)
		if !ok {
			foreign++
			continue
		}
		if event := events[n.Event]; event != "" && h.o.Lifecycle != nil {
			if err := h.o.Lifecycle(ctx, account, n.Subscription, event); err != nil {
				return err
			}
		}
		if rung[account] {
			continue
		}
		rung[account] = true
		if err := h.o.Ring(ctx, account); err != nil {
			return err
		}
	}
	if foreign > 0 {
		h.log.WarnContext(ctx, "outlook push: notifications that are not signed", "count", foreign)
	}
	return nil
}

// stateMAC is how many bytes of the signature stand in a clientState, which may have 128 characters.
const stateMAC = 24

// clientState names an account in a way only we can: every notification has it, so that nothing has
// to be stored to know them.
func (p *Provider) clientState(account string) string {
	return account + "." + base64.RawURLEncoding.EncodeToString(p.sign(account))
}

// accountOf reads a clientState, in constant time where it counts.
func (p *Provider) accountOf(state string) (account string, ok bool) {
	at := strings.LastIndexByte(state, '.')
	if at <= 0 {
		return "", false
	}
	mac, err := base64.RawURLEncoding.DecodeString(state[at+1:])
	if err != nil || !hmac.Equal(mac, p.sign(state[:at])) {
		return "", false
	}
	return state[:at], true
}

func (p *Provider) sign(account string) []byte {
	key := p.o.PushKey
	if len(key) == 0 {
		// SHA-256 gives 32 bytes without an error.
		key, _ = hkdf.Key(sha256.New, []byte(p.o.ClientSecret), nil, "workinbox outlook push", 32)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(account))
	return mac.Sum(nil)[:stateMAC]
}
