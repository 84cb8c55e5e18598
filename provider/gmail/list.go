package gmail

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"
	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// listed is one entry of a list.
type listed struct{ id, thread string }

// page is one page of a list. next is empty on the last one.
type page struct {
	token, next string
	ids         []listed
}

// list asks for one page of a search, the first one with the empty token. Spam and trash are never
// in it.
func (m *mailbox) list(ctx context.Context, query, token string) (page, error) {
	var resp *api.ListMessagesResponse
	err := m.call(ctx, gate.Bulk, opList, m.p.o.Quota.Prices.List, func(ctx context.Context) (err error) {
		c := m.api.Users.Messages.List(me).Q(query).MaxResults(pageSize).IncludeSpamTrash(false).
			Fields("messages(id,threadId)", "nextPageToken").Context(ctx)
		if token != "" {
			c.PageToken(token)
		}
		resp, err = c.Do()
		return unless(func() bool { return soundList(resp, token) }, err)
	})
	if err != nil {
		return page{}, m.unnamed(ctx, err)
	}
	p := page{token: token, next: resp.NextPageToken, ids: make([]listed, 0, len(resp.Messages))}
	for _, msg := range resp.Messages {
		p.ids = append(p.ids, listed{msg.Id, msg.ThreadId})
	}
	return p, nil
}

// refusedToken says whether an answer may mean that a page token is of no use any more.
func refusedToken(err error) bool { return failure.Status(err) == http.StatusBadRequest }

// listAll asks for all pages of several searches at once. take gets the number of the search and
// one of its pages; it is called one at a time.
func (m *mailbox) listAll(ctx context.Context, queries []string, take func(query int, ids []listed)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(m.p.o.Quota.MaxFlight, 1))
	var turn sync.Mutex
	for i, q := range queries {
		g.Go(func() error {
			for token := ""; ; {
				p, err := m.list(ctx, q, token)
				if err != nil {
					return err
				}
				turn.Lock()
				take(i, p.ids)
				turn.Unlock()
				if p.next == "" {
					return nil
				}
				token = p.next
			}
		})
	}
	return g.Wait()
}
