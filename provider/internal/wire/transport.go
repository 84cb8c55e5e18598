// Package wire is the way of requests to a mail service under the access tokens: it gives up exchanges
// that stall and answers that are too large, and knows of a send whether its request may have left.
package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// stallAfter is how long an exchange may stand still before it is given up: no byte sent, none
	// received. It is no limit on the whole, which a big attachment on a slow line needs.
	stallAfter = 90 * time.Second
	// maxAnswer bounds one answer, after decompression. The client reads answers whole; the largest
	// honest one is a raw message of 150 MiB (messages.insert) in base64.
	maxAnswer = 256 << 20
)

// ErrTooLarge is an answer larger than any honest one.
var ErrTooLarge = errors.New("the answer is larger than 256 MiB")

// Stalled is the error of an exchange that stood still. It is a net.Error.
type Stalled struct{}

// Error implements error.
func (Stalled) Error() string { return "nothing was sent or received for 90 seconds" }

// Timeout is true.
func (Stalled) Timeout() bool { return true }

// Temporary is true.
func (Stalled) Temporary() bool { return true }

// BrokenAnswer is the error of an answer that broke off while it was read.
type BrokenAnswer struct{ Err error }

// Error says what broke it off.
func (e *BrokenAnswer) Error() string { return "the answer broke off: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *BrokenAnswer) Unwrap() error { return e.Err }

// transport gives up exchanges that stall and answers that are too large.
type transport struct{ base http.RoundTripper }

// NewTransport makes the transport under the access tokens, by client's transport if it has one.
func NewTransport(client *http.Client) http.RoundTripper {
	if client != nil && client.Transport != nil {
		return &transport{base: client.Transport}
	}
	if client != nil {
		return &transport{base: http.DefaultTransport}
	}
	return &transport{base: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        100,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     90 * time.Second,
		// A connection that died unseen is found by its missing ping, not by a lost mail.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	x := &exchange{cause: func() error { return context.Cause(ctx) }, cancel: cancel}
	x.timer = time.AfterFunc(stallAfter, func() { cancel(Stalled{}) })
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &requestBody{ReadCloser: r.Body, x: x}
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		err = x.explain(err)
		x.end()
		return nil, err
	}
	x.move()
	resp.Body = &answerBody{ReadCloser: resp.Body, x: x, left: maxAnswer}
	return resp, nil
}

// exchange is one request and its answer. It ends when the answer is closed.
type exchange struct {
	cause  func() error // why it ended; nil: it lasts
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (x *exchange) move() { x.timer.Reset(stallAfter) }

func (x *exchange) end() {
	x.timer.Stop()
	x.cancel(nil)
}

// explain puts the reason in the place of "context canceled", which the caller would take for the
// end of its own context.
func (x *exchange) explain(err error) error {
	if cause := x.cause(); errors.Is(cause, Stalled{}) {
		return cause
	}
	return err
}

type requestBody struct {
	io.ReadCloser
	x *exchange
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && b.x.cause() == nil {
		b.x.move()
	}
	return n, err
}

type answerBody struct {
	io.ReadCloser
	x    *exchange
	left int64
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	if n > 0 {
		b.x.move()
	}
	if err != nil && err != io.EOF {
		err = &BrokenAnswer{Err: b.x.explain(err)}
	}
	return n, err
}

func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	b.x.end()
	return err
}

// Departure is a transport for one send that knows whether its request may have reached the
// service. It is made for one send and not used by two at a time.
type Departure struct {
	Base http.RoundTripper
	left atomic.Bool
}

// Left says whether anything of the last request may have reached the service.
func (d *Departure) Left() bool { return d.left.Load() }

// RoundTrip implements http.RoundTripper. A repetition after a 401 begins anew: the service has
// refused what went before.
func (d *Departure) RoundTrip(r *http.Request) (*http.Response, error) {
	d.left.Store(false)
	body := &departingBody{ReadCloser: http.NoBody}
	if r.Body != nil {
		body.ReadCloser = r.Body
	}
	r = r.WithContext(r.Context())
	r.Body = body
	// Without it net/http cannot send the body a second time by itself.
	r.GetBody = nil
	resp, err := d.Base.RoundTrip(r)
	// A request whose body was never asked for cannot be whole. Where that is so it stays so: the
	// body refuses to be read from now on.
	d.left.Store(err == nil || !body.state.CompareAndSwap(waiting, abandoned))
	return resp, err
}

// departingBody is a request body that knows whether anybody began to read it.
type departingBody struct {
	io.ReadCloser
	state atomic.Int32
}

const (
	waiting int32 = iota
	departed
	abandoned
)

func (b *departingBody) Read(p []byte) (int, error) {
	if !b.state.CompareAndSwap(waiting, departed) && b.state.Load() == abandoned {
		return 0, errors.New("the request was given up before it was sent")
	}
	return b.ReadCloser.Read(p)
}
