// Package outlook is a mail service: Microsoft 365 and Outlook.com by Microsoft Graph
// (github.com/microsoftgraph/msgraph-sdk-go).
//
// A host makes one Provider for its app registration and gives it to package inbox. The Provider
// keeps every account under Microsoft's limits, refreshes access tokens, and calls nothing but the
// Endpoints. Its errors are those of package provider; they keep Microsoft's own text for the
// operator and never hold a token, a subject or an address.
//
//  1. Folders, lists, delta queries and raw messages are read with structs of this package, at a
//     twentieth of the SDK's allocations; subscriptions, drafts and sends go through the SDK. Both
//     use one way out, which neither retries nor compresses.
//  2. Every request asks for immutable ids, so that a message keeps its id when it is moved.
//  3. Delta links are kept whole and followed as they are.
//  4. All calls of an account go through one gate, which lets four out at once and 10,000 in ten
//     minutes, as fast as Graph answers.
//  5. Raw messages are Exchange's own unless Options.Raw says otherwise. By those limits 3,000 of them
//     take a minute and a half at 120 ms a call, and 9 seconds built from lists of a second each; the
//     newest hundred are there after 4 seconds and after one. That is no reason to give up the bytes a
//     signature was made of, and the plain text beside HTML, unless the host decides so.
//
// Only hosts that import this package compile the SDK: once, two to four minutes and 4.7 GB on two
// cores, and seconds from then on. A program grows by about 4 MB.
package outlook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// Kind names this provider.
const Kind provider.Kind = "outlook"

// Options configure a Provider.
type Options struct {
	// ClientID and ClientSecret are the host's app registration (Entra admin center, platform "Web").
	ClientID, ClientSecret string
	// Tenant is who may connect: a tenant id, "organizations" (work accounts), "consumers"
	// (Outlook.com) or "common" (both). Empty is "organizations".
	Tenant string
	// ReadOnly asks for reading alone; sending is then not supported.
	ReadOnly bool
	// SendAtOnce asks for Mail.Read in the place of Mail.ReadWrite. Mail then leaves without a draft,
	// which Graph allows up to 3 MiB.
	SendAtOnce bool
	// Raw says what raw messages are; the zero Raw is RawOriginal.
	Raw Raw
	// Batch is how many original messages are asked for in one request at most, where calls one by one
	// would take longer than the quota; zero is 20, the most there can be, and 1 is one by one.
	Batch int
	// Quota is what Graph allows the application in one mailbox; the zero Quota is Documented().
	Quota Quota
	// Endpoints are Microsoft's unless set: a test server, a national cloud.
	Endpoints Endpoints
	// HTTP makes all calls; nil is a client with limits of its own. Its Transport must not compress
	// or retry. Of the client only Transport and Timeout are used: redirects are not followed and
	// cookies not kept, because each request carries an access token.
	HTTP *http.Client
	// PageSize is how many messages a batch holds; zero is 100.
	PageSize int
	// NotificationURL is where Graph sends notifications, the https address of a PushHandler;
	// without it Subscribe answers errors.ErrUnsupported.
	NotificationURL string
	// LifecycleURL is where Graph tells what becomes of a subscription; empty is NotificationURL.
	LifecycleURL string
	// PushKey signs subscriptions, so that PushHandler knows its own: 16 bytes or more, the same in
	// every process. Empty is a key derived from ClientSecret.
	PushKey []byte
	// Logger gets what is swallowed; nil is silence. Never a token, subject or address.
	Logger *slog.Logger
}

// Endpoints are the addresses of the service. An empty one is Microsoft's.
type Endpoints struct {
	Authority string // https://login.microsoftonline.com
	Graph     string // https://graph.microsoft.com/v1.0
}

// Provider opens Outlook mailboxes. It is safe for concurrent use. Mailboxes of one account share a
// gate, however often they are opened.
type Provider struct {
	o      Options
	client *oauth.Client
	base   http.RoundTripper // under the access tokens

	gates gate.Accounts
}

// New makes a Provider. It calls nothing. Options that cannot work are a provider.ErrConfig that
// names all of them.
func New(o Options) (*Provider, error) {
	if bad := o.check(); len(bad) > 0 {
		return nil, fmt.Errorf("outlook options: %s: %w", strings.Join(bad, ", "), provider.ErrConfig)
	}
	o = o.filled()
	p := &Provider{o: o, base: wire.NewTransport(o.HTTP)}
	p.client = p.oauth(o.Tenant)
	return p, nil
}

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
	say(strings.ContainsAny(o.Tenant, "/?#% "), "Tenant is not a tenant")
	say(o.ReadOnly && o.SendAtOnce, "ReadOnly and SendAtOnce exclude each other")
	say(o.Batch < 0 || o.Batch > maxParts, "Batch is not 0 to 20")
	say(o.Raw > RawBuilt, "Raw is unknown")
	say(o.PageSize < 0 || o.PageSize > maxPage, "PageSize is not 0 to 800")
	say(len(o.PushKey) > 0 && len(o.PushKey) < 16, "PushKey is shorter than 16 bytes")
	for _, it := range []struct{ name, address string }{
		{"Endpoints.Authority", o.Endpoints.Authority}, {"Endpoints.Graph", o.Endpoints.Graph},
		{"NotificationURL", o.NotificationURL}, {"LifecycleURL", o.LifecycleURL},
	} {
		u, err := url.Parse(it.address)
		absolute := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
		say(it.address != "" && !absolute, it.name+" is not an http address")
	}
	say(o.NotificationURL == "" && o.LifecycleURL != "", "LifecycleURL is of no use without NotificationURL")
	return append(bad, o.Quota.check()...)
}

// filled puts the defaults in.
func (o Options) filled() Options {
	or := func(s *string, other string) {
		if *s == "" {
			*s = other
		}
	}
	or(&o.Tenant, "organizations")
	or(&o.Endpoints.Authority, "https://login.microsoftonline.com")
	or(&o.Endpoints.Graph, "https://graph.microsoft.com/v1.0")
	or(&o.LifecycleURL, o.NotificationURL)
	o.Endpoints.Authority = strings.TrimRight(o.Endpoints.Authority, "/")
	o.Endpoints.Graph = strings.TrimRight(o.Endpoints.Graph, "/")
	o.Quota = o.Quota.filled()
	if o.Batch == 0 {
		o.Batch = maxParts
	}
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Kind is "outlook".
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
func (p *Provider) gate(account string) *gate.Gate { return p.gates.Gate(account, p.o.Quota.gate()) }
