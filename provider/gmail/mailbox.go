package gmail

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	api "google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// me is the account the access token belongs to.
const me = "me"

// mailbox is one connected account.
type mailbox struct {
	p      *Provider
	cred   credential // as it was opened; a refreshed token is the source's
	source *oauth.Source
	gate   *gate.Gate
	api    *api.Service

	mu      sync.Mutex
	account provider.Account // as asked last
	asked   time.Time        // when; zero is never
}

var _ provider.Mailbox = (*mailbox)(nil)

func (p *Provider) mailbox(c credential, save provider.SaveFunc) (*mailbox, error) {
	m := &mailbox{p: p, cred: c, gate: p.gate(c.ID)}
	m.source = oauth.NewSource(p.client, c.Token, func(ctx context.Context, t oauth.Token) error {
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
	var err error
	m.api, err = m.service(p.base)
	return m, err
}

// service makes a client of the API whose requests leave by base, with the account's access token.
func (m *mailbox) service(base http.RoundTripper) (*api.Service, error) {
	client := &http.Client{
		Transport: &oauth.Transport{Source: m.source, Base: base},
		// A redirect would carry the access token to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if m.p.o.HTTP != nil {
		client.Timeout = m.p.o.HTTP.Timeout
	}
	// Without a logger of ours, GOOGLE_SDK_GO_LOGGING_LEVEL=debug would print mail.
	svc, err := api.NewService(context.Background(), option.WithHTTPClient(client),
		option.WithEndpoint(m.p.o.Endpoints.API), option.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("gmail client: %w: %w", provider.ErrConfig, err)
	}
	// The environment may change the endpoint (GOOGLE_API_USE_MTLS_ENDPOINT); ours is final.
	svc.BasePath = m.p.o.Endpoints.API
	return svc, nil
}
