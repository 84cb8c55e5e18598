package gmailtest

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// The OAuth client that a Server knows unless Config says otherwise.
const (
	ClientID     = "workinbox-test.apps.googleusercontent.com"
	ClientSecret = "GOCSPX-workinbox-test"
)

// Config sets up a Server. The zero Config is a Gmail with the quota of a new project.
type Config struct {
	// ClientID and ClientSecret are the OAuth client; default the constants of those names.
	ClientID, ClientSecret string
	// RedirectURIs are the registered redirect addresses. Default: any.
	RedirectURIs []string
	// Approve decides what happens on the consent page. Default: everything is granted, for the
	// account of the login hint or else the oldest account.
	Approve func(Consent) Decision

	// Limits are the quotas and prices.
	Limits Limits
	// Now is the server's clock. Default time.Now.
	Now func() time.Time
	// Pipe serves connections made in memory instead of a port of the loopback interface: only
	// Client reaches the server then. Needed in a testing/synctest bubble.
	Pipe bool
	// Seed makes ids differ between servers.
	Seed uint64

	// TokenLife is how long an access token lives. Default 3,599 seconds.
	TokenLife time.Duration
	// RotateRefresh makes every refresh answer with a new refresh token; the old one is dead then.
	RotateRefresh bool
	// HistoryLife is how long history is kept. Default 7 days.
	HistoryLife time.Duration
	// MaxJSON is the most bytes of a request body outside of uploads. Default 7 MiB.
	MaxJSON int64
}

// TB is what a Server needs of a *testing.T, B or F.
type TB interface {
	Helper()
	Cleanup(func())
}

// Server is a Gmail. Make one with New.
type Server struct {
	c       Config
	http    *testserver.Server
	limiter *limiter
	stats   testserver.Counters
	faults  testserver.Faults
	pushes  pushes

	mu       sync.Mutex // all below, and all of the accounts
	accounts map[string]*Account
	order    []*Account
	oauth    grants
	uploads  map[string]*upload
	serial   uint64
}

// New starts a server. With a t it closes when the test ends; without (nil) the caller must call
// Close. It panics when there is no port to listen on.
func New(t TB, c Config) *Server {
	if t != nil {
		t.Helper()
	}
	c = c.withDefaults()
	s := &Server{c: c, accounts: make(map[string]*Account), uploads: make(map[string]*upload)}
	s.oauth.init()
	s.limiter = newLimiter(c)
	s.http = testserver.New("gmail.invalid", c.Pipe)
	s.faults.Server, s.faults.Unavailable = s.http, BackendError(http.StatusServiceUnavailable)
	s.faults.Alter = haunt
	s.startPushes()
	s.http.Serve(s.handler())
	if t != nil {
		t.Cleanup(s.Close)
	}
	return s
}

func (c Config) withDefaults() Config {
	if c.ClientID == "" {
		c.ClientID = ClientID
	}
	if c.ClientSecret == "" {
		c.ClientSecret = ClientSecret
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.TokenLife == 0 {
		c.TokenLife = 3599 * time.Second
	}
	if c.HistoryLife == 0 {
		c.HistoryLife = 7 * 24 * time.Hour
	}
	if c.MaxJSON == 0 {
		c.MaxJSON = 7 << 20
	}
	return c
}

// Close ends the server: connections are cut, requests under way see their context end, and it
// returns when everything that the server started has ended. It may be called again.
func (s *Server) Close() {
	s.http.Close()
	s.stopPushes()
}

// URL is the address of the server without a trailing slash.
func (s *Server) URL() string { return s.http.URL() }

// Endpoints are the addresses of the server's parts.
type Endpoints struct {
	AuthURL   string // where the person consents
	TokenURL  string
	RevokeURL string
	APIURL    string // with a trailing slash, as option.WithEndpoint takes it
	CertsURL  string // the keys that sign pushes, as a JWK set (RFC 7517)
}

// Endpoints returns the addresses of the server's parts.
func (s *Server) Endpoints() Endpoints {
	url := s.http.URL()
	return Endpoints{
		AuthURL:   url + "/o/oauth2/v2/auth",
		TokenURL:  url + "/token",
		RevokeURL: url + "/revoke",
		APIURL:    url + "/",
		CertsURL:  url + "/oauth2/v3/certs",
	}
}

// Client returns an HTTP client that reaches the server and sends no token. It neither retries nor
// asks for compression. All calls return the same client.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Account returns the account with that address, which it makes at the first call. Case does not
// matter.
func (s *Server) Account(address string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(address)
	if a := s.accounts[key]; a != nil {
		return a
	}
	a := newAccount(s, address, len(s.order)+1)
	s.accounts[key] = a
	s.order = append(s.order, a)
	return a
}

func (s *Server) now() time.Time { return s.c.Now() }
