package gmail

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

const (
	// maxPush bounds the body of a push; an honest one has a few hundred bytes.
	maxPush = 64 << 10
	// ringFor bounds ring after a push. Pub/Sub delivers again what is not acknowledged within 10
	// seconds, and some servers hold the answer back until the handler returns.
	ringFor = 5 * time.Second
)

// Ring is told that something probably changed in the account with this address. It rings a bell and
// returns: it does not sync. An account nobody knows any more is no error.
type Ring func(ctx context.Context, address string) error

// PushOptions configure PushHandler. Audience and ServiceAccount must be set.
type PushOptions struct {
	// Audience is what the push subscription was told to put into its tokens: the address of the
	// endpoint unless it was chosen.
	Audience string
	// ServiceAccount is the e-mail address of the service account the subscription pushes as.
	ServiceAccount string
	// Keys are the keys of the tokens by their id. Nil gets them from KeysURL.
	Keys map[string]*rsa.PublicKey
	// KeysURL has the keys as a JSON Web Key Set (RFC 7517); empty is Google's,
	// https://www.googleapis.com/oauth2/v3/certs. They are kept as long as its Cache-Control says, and
	// asked for again when a token names a new one, at most once a minute.
	KeysURL string
	// HTTP gets the keys; nil is a client with a timeout of 10 seconds.
	HTTP *http.Client
	// Logger gets what is swallowed; nil is silence. Never a token or address.
	Logger *slog.Logger
}

// PushHandler takes the notifications of Options.Topic from a Pub/Sub push subscription with
// authentication (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
//
// A request must carry a token that Google signed for Audience and ServiceAccount, else it is 401 or
// 403 without a reason. It is acknowledged first, with 204, and ring is called afterwards, within
// the same request and for at most 5 seconds: the server that runs the handler waits for it when it
// shuts down, and no other goroutine is left. What is acknowledged and cannot be used (a body that is
// no notification, a ring that fails) goes to the Logger; the next push or poll makes up for it.
// Notifications that are no newer than the last one of the account are acknowledged and dropped.
//
// The tokens are verified with the standard library: google.golang.org/api/idtoken takes its keys
// from one fixed address and does not ask for a new key before the old ones expire.
func PushHandler(o PushOptions, ring Ring) (http.Handler, error) {
	var missing []string
	if o.Audience == "" {
		missing = append(missing, "Audience")
	}
	if o.ServiceAccount == "" {
		missing = append(missing, "ServiceAccount")
	}
	if ring == nil {
		missing = append(missing, "ring")
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("gmail push: %s is missing: %w", strings.Join(missing, ", "), provider.ErrConfig)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &pushHandler{
		ring: ring, log: o.Logger, seen: newSeen(),
		verify: pushVerifier{audience: o.Audience, account: o.ServiceAccount, keys: newKeys(o)},
	}, nil
}

type pushHandler struct {
	ring   Ring
	log    *slog.Logger
	seen   *seen
	verify pushVerifier
}

// ServeHTTP implements http.Handler.
func (h *pushHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if err := h.verify.request(r); err != nil {
		status := http.StatusUnauthorized
		switch {
		case errors.Is(err, errForeign):
			status = http.StatusForbidden
		case errors.Is(err, errNoKeys):
			status = http.StatusServiceUnavailable // delivered again later
		}
		h.log.WarnContext(r.Context(), "gmail push refused", "status", status, "err", err)
		http.Error(w, http.StatusText(status), status)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	tooLarge := false
	if err != nil {
		if _, tooLarge = errors.AsType[*http.MaxBytesError](err); !tooLarge {
			http.Error(w, "the body broke off", http.StatusBadRequest)
			return
		}
	}
	n, err := readPush(body)
	acknowledge(w)
	if err != nil || tooLarge {
		// Refused, it would come again for days.
		h.log.WarnContext(r.Context(), "gmail push is no notification")
		return
	}
	// The answer is out: the client may have gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), ringFor)
	defer cancel()
	if err := h.seen.ring(ctx, n, h.ring); err != nil {
		h.log.WarnContext(ctx, "gmail push: ring", "err", oauth.Scrub(err.Error()))
	}
}

// acknowledge answers at once.
func acknowledge(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNoContent)
	// A writer that cannot flush answers when the handler returns, which is soon.
	_ = http.NewResponseController(w).Flush()
}

// notice is what Gmail publishes: {"emailAddress":"u@x","historyId":9876543210}. The number comes
// with and without quotes.
type notice struct {
	address string
	history uint64
}

// readPush reads the body of a push (https://cloud.google.com/pubsub/docs/push#receive_push).
func readPush(body []byte) (notice, error) {
	var push struct {
		Message struct {
			Data []byte `json:"data"` // base64
		} `json:"message"`
	}
	if json.Unmarshal(body, &push) != nil {
		return notice{}, errNoNotice
	}
	return readNotice(push.Message.Data)
}

var errNoNotice = errors.New("gmail push: this is no notification of Gmail")

// readNotice reads the data of a Pub/Sub message.
func readNotice(data []byte) (notice, error) {
	var n struct {
		Address string  `json:"emailAddress"`
		History quoting `json:"historyId"`
	}
	if json.Unmarshal(data, &n) != nil || n.Address == "" || n.History == 0 {
		return notice{}, errNoNotice
	}
	return notice{address: n.Address, history: uint64(n.History)}, nil
}

// quoting is a number in JSON, in quotes or not.
type quoting uint64

// UnmarshalJSON implements json.Unmarshaler.
func (q *quoting) UnmarshalJSON(text []byte) error {
	var n uint64
	if err := json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &n); err != nil {
		return errNoNotice
	}
	*q = quoting(n)
	return nil
}
