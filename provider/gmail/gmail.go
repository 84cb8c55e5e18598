// Package gmail is a mail service: Gmail by its API (google.golang.org/api/gmail/v1).
//
// A host makes one Provider for its Cloud project and gives it to package inbox. The Provider keeps
// every account under the project's Quota, refreshes access tokens, and calls nothing but the
// Endpoints. Its errors are those of package provider; they keep Google's own text for the operator
// and never hold a token, a subject or an address.
package gmail

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// Kind names this provider.
const Kind provider.Kind = "gmail"

// The scopes a mailbox needs (https://developers.google.com/workspace/gmail/api/auth/scopes).
const (
	ScopeRead = "https://www.googleapis.com/auth/gmail.readonly" // restricted
	ScopeSend = "https://www.googleapis.com/auth/gmail.send"     // sensitive
)

// Options configure a Provider.
type Options struct {
	// ClientID and ClientSecret are the host's OAuth client (Google Cloud console, type "Web").
	ClientID, ClientSecret string
	// ReadOnly asks for reading alone; sending is then not supported.
	ReadOnly bool
	// Quota is what the host's Cloud project may do; the zero Quota is NewProject().
	Quota Quota
	// Endpoints are Google's unless set: a test server, a private cloud.
	Endpoints Endpoints
	// HTTP makes all calls; nil is a client with limits of its own. Its Transport must not compress
	// or retry. Of the client only Transport and Timeout are used: redirects are not followed and
	// cookies not kept, because each request carries an access token.
	HTTP *http.Client
	// PageSize is how many messages a batch holds; zero is 50.
	PageSize int
	// MaxQuery is how long a search may be, in bytes; zero is 1,500.
	MaxQuery int
	// Topic is the Pub/Sub topic of push, "projects/p/topics/t"; without it Subscribe answers
	// errors.ErrUnsupported.
	Topic string
	// Logger gets what is swallowed; nil is silence. Never a token, subject or address.
	Logger *slog.Logger
}

// Endpoints are the addresses of the service. An empty one is Google's.
type Endpoints struct {
	Auth   string // https://accounts.google.com/o/oauth2/v2/auth
	Token  string // https://oauth2.googleapis.com/token
	Revoke string // https://oauth2.googleapis.com/revoke
	API    string // https://gmail.googleapis.com/
}

// Provider opens Gmail mailboxes. It is safe for concurrent use. Mailboxes of one account share a
// gate, however often they are opened.
type Provider struct {
	o       Options
	client  *oauth.Client
	project *gate.Project
	base    http.RoundTripper // under the access tokens

	gates gate.Accounts
}

// New makes a Provider. It calls nothing. Options that cannot work are a provider.ErrConfig that
// names all of them.
func New(o Options) (*Provider, error) {
	if bad := o.check(); len(bad) > 0 {
		return nil, fmt.Errorf("gmail options: %s: %w", strings.Join(bad, ", "), provider.ErrConfig)
	}
	o = o.filled()
	p := &Provider{o: o, project: &gate.Project{}}
	p.base = wire.NewTransport(o.HTTP)
	p.client = &oauth.Client{
		ID: o.ClientID, Secret: o.ClientSecret,
		AuthURL: o.Endpoints.Auth, TokenURL: o.Endpoints.Token, RevokeURL: o.Endpoints.Revoke,
		Scopes: p.Scopes(), Issuers: issuers, AdminURL: adminHelp,
		HTTP: o.HTTP, Classify: oauth.Google,
	}
	return p, nil
}

var topicName = regexp.MustCompile(`^projects/[^/]+/topics/[^/]+$`)

// check names what cannot work.
func (o Options) check() []string {
	var bad []string
	say := func(wrong bool, text string) {
		if wrong {
			bad = append(bad, text)
		}
	}
	say(o.ClientID == "", "ClientID is missing")
	say(o.ClientSecret == "", "ClientSecret is missing")
	say(o.PageSize < 0 || o.PageSize > 500, "PageSize is not 0 to 500")
	say(o.MaxQuery < 0, "MaxQuery is negative")
	say(o.Topic != "" && !topicName.MatchString(o.Topic), "Topic is not projects/p/topics/t")
	e := o.Endpoints
	for _, it := range []struct{ name, address string }{
		{"Auth", e.Auth}, {"Token", e.Token}, {"Revoke", e.Revoke}, {"API", e.API},
	} {
		u, err := url.Parse(it.address)
		absolute := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
		say(it.address != "" && !absolute, "Endpoints."+it.name+" is not an http address")
	}
	return append(bad, o.Quota.check()...)
}

// filled puts the defaults in.
func (o Options) filled() Options {
	o.Quota = o.Quota.filled()
	or := func(s *string, other string) {
		if *s == "" {
			*s = other
		}
	}
	or(&o.Endpoints.Auth, "https://accounts.google.com/o/oauth2/v2/auth")
	or(&o.Endpoints.Token, "https://oauth2.googleapis.com/token")
	or(&o.Endpoints.Revoke, "https://oauth2.googleapis.com/revoke")
	or(&o.Endpoints.API, "https://gmail.googleapis.com/")
	// The paths of the API are relative: without the slash the last part of the address is lost.
	o.Endpoints.API = strings.TrimRight(o.Endpoints.API, "/") + "/"
	if o.PageSize == 0 {
		o.PageSize = 50
	}
	if o.MaxQuery == 0 {
		o.MaxQuery = 1_500
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Kind is "gmail".
func (p *Provider) Kind() provider.Kind { return Kind }

// Open makes a mailbox from a credential that Exchange made; another credential is a
// provider.ErrAuth. It calls nothing. A nil save stores nothing.
func (p *Provider) Open(_ context.Context, cred provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	c, err := decodeCredential(cred)
	if err != nil {
		return nil, err
	}
	m, err := p.mailbox(c, save)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// gate returns the account's gate.
func (p *Provider) gate(account string) *gate.Gate {
	return p.gates.Gate(account, p.o.Quota.gate(p.project))
}
