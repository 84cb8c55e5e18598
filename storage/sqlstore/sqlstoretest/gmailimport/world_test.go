//go:build unix

package gmailimport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// inFlight is how many calls of an import are under way at once.
const inFlight = 10

func endpoints(s *gmailtest.Server) gmail.Endpoints {
	e := s.Endpoints()
	return gmail.Endpoints{Auth: e.AuthURL, Token: e.TokenURL, Revoke: e.RevokeURL, API: e.APIURL}
}

// deliverMail puts a generated mailbox into the account of its owner, and returns what is true of
// each message by the id it got.
func deliverMail(s *gmailtest.Server, mail *mailgen.Mailbox) map[provider.RemoteID]mailgen.Truth {
	a := s.Account(mail.Config().Owner)
	truth := make(map[provider.RemoteID]mailgen.Truth, mail.Len())
	for m := range mail.Oldest() {
		id := a.Deliver(m.Raw, gmailtest.Delivery{Received: m.Received, Sent: m.Outbound})
		truth[provider.RemoteID(id)] = m.Truth
	}
	return truth
}

// clickThrough is the person at the server's page of consent, which sends them on at once.
func clickThrough(ctx context.Context, link string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Do(req)
	if err != nil {
		return "", err
	}
	to := resp.Header.Get("Location")
	if to == "" {
		err = fmt.Errorf("page of consent: %s", resp.Status)
	}
	return to, errors.Join(err, resp.Body.Close())
}

// connect sets up an inbox in dir whose mailbox a provider opens.
func connect(ctx context.Context, dir string, now time.Time, p importtest.Parts, rules filter.Rules, clients []string) (
	*importtest.Importer, inbox.ID, error,
) {
	p.Consent = clickThrough
	i, err := importtest.Open(ctx, dir, now, p)
	if err != nil {
		return nil, "", err
	}
	id, err := i.Inbox(ctx, rules, clients)
	return i, id, err
}

// serve starts a process that serves a generated mailbox and returns where. It ends with the
// test.
func serve(tb testing.TB, c mailgen.Config) gmail.Endpoints {
	tb.Helper()
	// The test's context ends before what it cleans up.
	server, err := importtest.Command(context.Background(), job{Serve: &c})
	require.NoError(tb, err)
	alive, err := server.StdinPipe()
	require.NoError(tb, err)
	out, err := server.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, server.Start())
	tb.Cleanup(func() {
		_ = alive.Close() // which is what ends it
		if err := server.Wait(); err != nil {
			tb.Errorf("server: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(tb, err)
	var e gmail.Endpoints
	require.NoError(tb, json.Unmarshal(line, &e))
	return e
}
