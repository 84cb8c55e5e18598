// Package testserver is what the test servers of mail services have in common, whatever service they
// play: an HTTP server on a port or in memory, faults on demand, the counting of calls, and the steps
// of OAuth that are the same everywhere.
package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server serves HTTP and owns what goes on in the background meanwhile. Make one with New, begin with
// Serve, end with Close. Its methods may be called concurrently.
type Server struct {
	url      string
	client   *http.Client
	listener net.Listener
	http     *http.Server

	// closing ends when Close begins. Whatever delays an answer waits for it too.
	closing context.Context
	end     context.CancelFunc

	mu   sync.Mutex // so that nothing begins once Close waits
	wait sync.WaitGroup
	once sync.Once
}

// New listens: on a port of the loopback interface, or, inMemory, for connections of its Client alone,
// which then knows it by the host. It panics when there is no port to listen on.
func New(host string, inMemory bool) *Server {
	transport := &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	s := &Server{client: &http.Client{Transport: transport}}
	s.closing, s.end = context.WithCancel(context.Background())
	if inMemory {
		l := newPipeListener(host + ":80")
		transport.DialContext = l.dial
		s.listener, s.url = l, "http://"+host
		return s
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("testserver: listen: %v", err))
	}
	s.listener, s.url = l, "http://"+l.Addr().String()
	return s
}

// Serve begins to answer, and returns. It must be called once.
func (s *Server) Serve(h http.Handler) {
	s.http = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if s.enter() {
				defer s.wait.Done()
				h.ServeHTTP(w, r)
			}
		})}
	s.wait.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("testserver: %v", err))
		}
	})
}

// Close cuts the connections and returns when all requests, and all that Go began, have ended. It may
// be called again.
func (s *Server) Close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.end()
		s.mu.Unlock()
		_ = s.http.Close() // the listener's error is of no use to a test
		s.client.CloseIdleConnections()
		s.wait.Wait()
	})
}

// URL is the address of the server without a trailing slash.
func (s *Server) URL() string { return s.url }

// Client returns an HTTP client that reaches the server. It neither retries nor asks for compression.
// All calls return the same client.
func (s *Server) Client() *http.Client { return s.client }

// Closing ends when Close begins.
func (s *Server) Closing() context.Context { return s.closing }

// Pause waits; it says false when ctx or the server ends before the time is over.
func (s *Server) Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.closing.Done():
		return false
	}
}

// Go does something in the background that Close waits for: it must end when Closing does. It says
// false, and does nothing, when Close has begun already.
func (s *Server) Go(f func()) bool {
	if !s.enter() {
		return false
	}
	go func() {
		defer s.wait.Done()
		f()
	}()
	return true
}

// enter makes Close wait for something that begins, unless Close has begun already.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return false
	}
	s.wait.Add(1)
	return true
}
