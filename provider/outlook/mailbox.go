package outlook

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// mailbox is one connected account.
type mailbox struct {
	p      *Provider
	cred   credential // as it was opened; a refreshed token is the source's
	source *oauth.Source
	gate   *gate.Gate
	client *http.Client
	sdk    *sdk
	pace   pace
	// unbuilt are messages that the list has shown to be opened as they are.
	unbuilt idSet

	mu      sync.Mutex
	account provider.Account // as asked last
	asked   time.Time        // when; zero is never
}

var _ provider.Mailbox = (*mailbox)(nil)

func (p *Provider) mailbox(c credential, save provider.SaveFunc) (*mailbox, error) {
	m := &mailbox{p: p, cred: c, gate: p.gate(c.account())}
	// Guests get tokens from the tenant they consented in alone.
	m.source = oauth.NewSource(p.oauth(c.Tenant), c.Token, func(ctx context.Context, t oauth.Token) error {
		if save == nil {
			return nil
		}
		changed := c
		changed.Token = t
		cred, err := changed.encode()
		if err != nil {
			return err
		}
		return save(ctx, cred)
	})
	m.client = m.httpClient(p.base)
	var err error
	if m.sdk, err = m.newSDK(p.base); err != nil {
		return nil, err
	}
	return m, nil
}

// httpClient makes a client whose requests leave by base, with the account's access token.
func (m *mailbox) httpClient(base http.RoundTripper) *http.Client {
	c := &http.Client{
		Transport: &oauth.Transport{Source: m.source, Base: base},
		// A redirect would carry the access token to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.Timeout = m.timeout()
	return c
}

// timeout is that of Options.HTTP; zero where there is none.
func (m *mailbox) timeout() time.Duration {
	if m.p.o.HTTP == nil {
		return 0
	}
	return m.p.o.HTTP.Timeout
}

// newSDK makes an SDK whose requests leave by base, with the account's access token.
func (m *mailbox) newSDK(base http.RoundTripper) (*sdk, error) {
	s, err := newSDK(m.p.o.Endpoints.Graph, &oauth.Transport{Source: m.source, Base: base}, m.timeout())
	if err != nil {
		return nil, fmt.Errorf("outlook client: %w: %w", provider.ErrConfig, err)
	}
	return s, nil
}
