//go:build unix

package gmailimport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

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
