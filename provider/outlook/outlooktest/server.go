package outlooktest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// The OAuth client that a Server knows unless Config says otherwise.
const (
	ClientID     = "6731de76-14a6-49ae-97bc-6eba6914391e"
	ClientSecret = "workinbox-test~secret/with+signs"
)

// TB is what a Server needs of a *testing.T, B or F.
type TB interface {
	Helper()
	Cleanup(func())
}

// Server is a Graph and the identity platform in front of it. Make one with New.
type Server struct {
	c Config
	// realTime says that the clock is the real one, so that timers go by it.
	realTime bool

	http       *testserver.Server
	limiter    *limiter
	stats      testserver.Counters
	defaultIDs atomic.Int64 // calls that did not ask for immutable ids
	faults     testserver.Faults
	push       pushes

	mu       sync.Mutex // all below, and all of the accounts
	accounts map[string]*Account
	order    []*Account
	oauth    grants
	sessions map[string]*uploadSession
	bounced  map[string]bool
	events   events
	serial   uint64
	pages    int
	records  int
}

// New starts a server. With a t it closes when the test ends; without (nil) the caller must call
// Close. It panics when there is no port to listen on.
func New(t TB, c Config) *Server {
	if t != nil {
		t.Helper()
	}
	realTime := c.Now == nil
	c = c.withDefaults()
	s := &Server{
		c: c, realTime: realTime, accounts: make(map[string]*Account), sessions: make(map[string]*uploadSession),
		bounced: make(map[string]bool),
	}
	s.oauth.init()
	s.limiter = newLimiter(c)
	s.http = testserver.New("graph.invalid", c.Pipe)
	s.faults.Server, s.faults.Unavailable = s.http, Unavailable()
	s.push.init(s)
	s.http.Serve(s.handler())
	if t != nil {
		t.Cleanup(s.Close)
	}
	return s
}

// Close ends the server: connections are cut, requests under way see their context end, and it
// returns when everything that the server started has ended. It may be called again.
func (s *Server) Close() {
	s.http.Close()
	s.push.own.CloseIdleConnections()
}

// URL is the address of the server without a trailing slash.
func (s *Server) URL() string { return s.http.URL() }

// Endpoints are the addresses of the server's parts.
type Endpoints struct {
	// LoginURL stands for https://login.microsoftonline.com: /{tenant}/oauth2/v2.0/authorize,
	// /{tenant}/oauth2/v2.0/token and /{tenant}/v2.0/adminconsent are below it.
	LoginURL string
	// GraphURL stands for https://graph.microsoft.com/v1.0. No trailing slash.
	GraphURL string
}

// Endpoints returns the addresses of the server's parts.
func (s *Server) Endpoints() Endpoints {
	return Endpoints{LoginURL: s.URL(), GraphURL: s.URL() + "/v1.0"}
}

// Client returns an HTTP client that reaches the server and sends no token. It neither retries nor
// asks for compression. All calls return the same client.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Account returns the account with that address, which it makes at the first call. Case does not
// matter. Accounts of one domain are in one tenant.
func (s *Server) Account(address string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(address)
	if a := s.accounts[key]; a != nil {
		return a
	}
	a := newAccount(s, address)
	s.accounts[key] = a
	s.order = append(s.order, a)
	return a
}

func (s *Server) now() time.Time { return s.c.Now() }

// guid makes a GUID that depends on nothing but the words (RFC 9562 section 5.8).
func guid(words ...string) string {
	b := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
