package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// The header fields of a webhook (RULES 10).
const (
	HeaderEvent     = "X-Desk-Event"     // the event's name
	HeaderDelivery  = "X-Desk-Delivery"  // a UUID, the same when a delivery is repeated
	HeaderSignature = "X-Desk-Signature" // what Signature makes of the body
)

// WebhookConfig is what a webhook is made of. URL and Secret are required.
type WebhookConfig struct {
	// URL is where notices are posted: https, or http on a loopback address.
	URL string
	// Secret signs each body.
	Secret []byte
	// Client makes the calls. Nil is one that gives up after 10 seconds. Redirects are not followed,
	// whatever it says: a body is for the endpoint it was signed for. A host whose users enter URLs
	// gives one that does not reach its own network.
	Client *http.Client
}

// WebhookPayload is the body of a webhook: one JSON object. Times are RFC 3339, UTC; what an event
// does not have is left out.
type WebhookPayload struct {
	ID      string `json:"id"` // of the event
	Event   string `json:"event"`
	At      string `json:"at"`
	Site    string `json:"site"`
	Inbox   string `json:"inbox,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	Entry   string `json:"entry,omitempty"`
	Message string `json:"message,omitempty"`
	Thread  string `json:"thread,omitempty"`
	// Creator is who did it; empty for the engine and for mail from outside.
	Creator string `json:"eventCreatorId,omitempty"`
	Target  string `json:"target,omitempty"`
	// Receiver is the person the notice is for; empty where it is for the site.
	Receiver string            `json:"receiver,omitempty"`
	Facts    map[string]string `json:"facts,omitempty"`
	Content  *WebhookContent   `json:"content,omitempty"` // absent in the redacted form
}

// WebhookContent is the readable part of a webhook (inbox.NoticeContent).
type WebhookContent struct {
	Subject string `json:"subject"`
	From    string `json:"from,omitempty"`
	Preview string `json:"preview"`
}

type webhook struct {
	url    string
	secret []byte
	client http.Client
}

// Webhook posts each notice to one endpoint, signed. As inbox.Config.Notifier it gets one notice per
// person who opted in, as SiteNotifier one per event of the inboxes whose creator allowed it.
//
// Only an answer of 2xx is a delivery. Any other, and none, is an error, so the outbox tries again,
// after Retry-After where the endpoint names one; a repeated delivery has the same HeaderDelivery.
// The errors name neither the URL nor anything of the notice.
func Webhook(c WebhookConfig) (inbox.Notifier, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, errors.New("notify: the webhook's URL cannot be read") // it may hold a token
	case u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, errors.New("notify: a webhook's URL is https, or http on a loopback address")
	case len(c.Secret) == 0:
		return nil, errors.New("notify: WebhookConfig.Secret is required")
	}
	w := &webhook{url: c.URL, secret: bytes.Clone(c.Secret), client: http.Client{Timeout: 10 * time.Second}}
	if c.Client != nil {
		w.client = *c.Client
	}
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func (w *webhook) Notify(ctx context.Context, n inbox.Notice) error {
	body, err := json.Marshal(payload(n))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: no request can be made of its URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(HeaderEvent, string(n.Event.Name))
	req.Header.Set(HeaderDelivery, w.delivery(n))
	req.Header.Set(HeaderSignature, Signature(w.secret, body))
	res, err := w.client.Do(req)
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // without the URL
		}
		return fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	if res.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("webhook: answered %d", res.StatusCode)
	if s, bad := strconv.Atoi(res.Header.Get("Retry-After")); bad == nil && s > 0 {
		return &provider.RetryError{After: time.Duration(min(s, 24*3600)) * time.Second, Err: err}
	}
	return err
}

// delivery names the delivery of one event to one receiver at this endpoint: a UUID of version 8
// (RFC 9562 section 5.8), made of a hash.
func (w *webhook) delivery(n inbox.Notice) string {
	id := sha256.Sum256([]byte(w.url + "\n" + n.Event.ID + "\n" + string(n.To.ID)))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

func payload(n inbox.Notice) WebhookPayload {
	p := WebhookPayload{
		ID: n.Event.ID, Event: string(n.Event.Name), At: n.Event.At.UTC().Format(time.RFC3339Nano),
		Site: string(n.Event.Site), Inbox: string(n.Event.Inbox), Ticket: n.Event.Ticket,
		Entry: n.Event.Entry, Message: string(n.Event.Message), Thread: string(n.Event.Thread),
		Creator: string(n.Event.Actor), Target: string(n.Event.Target), Receiver: string(n.To.ID),
		Facts: n.Event.Facts,
	}
	if n.Content != nil {
		p.Content = &WebhookContent{Subject: n.Content.Subject, From: n.Content.From, Preview: n.Content.Preview}
	}
	return p
}

// Signature is the HMAC-SHA256 of a body in lower-case hex (RULES 10).
func Signature(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// ErrSignature says that a webhook was not signed with the secret.
var ErrSignature = errors.New("the webhook's signature does not match")

// maxWebhook is more than any webhook of ours has.
const maxWebhook = 1 << 20

// ReadWebhook is the receiver's half: it reads the body of a request, checks its signature in
// constant time and returns what it says. Another signature is ErrSignature. It does not remember
// deliveries: HeaderDelivery tells a repeated one.
func ReadWebhook(r *http.Request, secret []byte) (WebhookPayload, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxWebhook+1))
	if err != nil {
		return WebhookPayload{}, err
	}
	if len(body) > maxWebhook {
		return WebhookPayload{}, fmt.Errorf("a webhook of more than %d bytes", maxWebhook)
	}
	if !hmac.Equal([]byte(Signature(secret, body)), []byte(r.Header.Get(HeaderSignature))) {
		return WebhookPayload{}, ErrSignature
	}
	var p WebhookPayload
	if err := json.Unmarshal(body, &p); err != nil {
		return WebhookPayload{}, fmt.Errorf("webhook: %w", err)
	}
	return p, nil
}
