package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// browser takes a person to a page.
type browser func(ctx context.Context, page string, stderr io.Writer) error

// visit takes the person to the page of consent that page returns for a redirect address, and returns
// the parameters with which the service sends them back. A host with web pages has a handler of its
// own there; here it listens for that one visit on the loopback interface (RFC 8252, section 7.3).
func (h *host) visit(ctx context.Context, page func(redirect string) (string, error), stderr io.Writer) (url.Values, error) {
	if h.browse == nil {
		there, err := page("http://localhost/connected")
		if err != nil {
			return nil, err
		}
		back, err := url.Parse(there) // such a provider sends them back at once
		return back.Query(), err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	there, err := page("http://" + l.Addr().String() + "/connected")
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return await(ctx, l, func(ctx context.Context) error { return h.browse(ctx, there, stderr) })
}

// await serves until the redirect has come, for as long as ctx lasts.
func await(ctx context.Context, l net.Listener, browse func(context.Context) error) (url.Values, error) {
	came := make(chan url.Values, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /connected", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Thank you. You can close this page and go back to the program.")
		select {
		case came <- r.URL.Query():
		default: // a second visit
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() {
		_ = server.Shutdown(context.WithoutCancel(ctx)) // lets the page come whole
		<-served
	}()
	if err := browse(ctx); err != nil {
		return nil, err
	}
	select {
	case q := <-came:
		return q, nil
	case err := <-served:
		served <- nil
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// askPerson leaves it to the person at the terminal.
func askPerson(_ context.Context, page string, stderr io.Writer) error {
	_, err := fmt.Fprintf(stderr, "Open this page in your browser and consent:\n\n  %s\n\n", page)
	return err
}
