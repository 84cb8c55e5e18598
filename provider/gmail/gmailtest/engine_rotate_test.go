package gmailtest_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/storage/memory"
)

// Two processes use one mailbox whose service gives a new refresh token each time and kills the old
// one. Whenever both find the access token expired, one refreshes and stores; the other takes that
// over within the same call, and nobody is asked to reconnect.
func TestTwoProcessesShareARotatingToken(t *testing.T) { // R-CON-04, R-CON-05
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := gmailtest.New(t, gmailtest.Config{Pipe: true, RotateRefresh: true, Limits: gmailtest.Unlimited()})
		account := s.Account(ann)
		store, host := memory.New(), memory.NewHost()
		host.SetSite(inbox.Settings{ID: "site-1"})
		host.AddPerson(inbox.Person{ID: "carl", Site: "site-1", Role: acl.Agent, State: acl.Active})
		var services []*inbox.Service
		at := s.Endpoints()
		for range 2 {
			mail, err := gmail.New(gmail.Options{
				ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret, HTTP: s.Client(),
				Endpoints: gmail.Endpoints{Auth: at.AuthURL, Token: at.TokenURL, Revoke: at.RevokeURL, API: at.APIURL},
			})
			require.NoError(t, err)
			svc, err := inbox.New(inbox.Config{Store: store, Vault: store, Blobs: store, People: host, Sites: host,
				Providers: []provider.Provider{mail}})
			require.NoError(t, err)
			services = append(services, svc)
		}
		id := connect(t, services[0], s)

		tokens := func() int { return s.Stats().Requests["token"] }
		for round := range 6 {
			account.Deliver(fmt.Appendf(nil, "From: ann@acme.com\r\nSubject: %d\r\nMessage-ID: <%d@acme.com>\r\n\r\nx\r\n",
				round, round), gmailtest.Delivery{Received: time.Now()})
			for i := range services { // one after the other, each first in turn
				account.ExpireTokens()
				_, err := services[(round+i)%2].Sync(t.Context(), id)
				require.NoError(t, err, "round %d, process %d", round, (round+i)%2)
			}
			before := tokens()
			account.ExpireTokens()
			var both sync.WaitGroup
			errs := make([]error, 2)
			for i, svc := range services {
				both.Go(func() { _, errs[i] = svc.FindSent(t.Context(), id, "no-such-marker@x", "", time.Now().Add(-time.Hour)) })
			}
			both.Wait()
			for i, err := range errs {
				require.ErrorIs(t, err, provider.ErrGone, "round %d: process %d, both at once", round, i)
			}
			require.LessOrEqual(t, tokens()-before, 3, "refreshes")
			in, err := store.Inbox(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, inbox.StateActive, in.State, "round %d", round)
		}
		stored := 0
		for _, err := range store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
			require.NoError(t, err)
			stored++
		}
		require.Equal(t, 6, stored)
	})
}

// connect sets up carl's inbox.
func connect(t *testing.T, svc *inbox.Service, s *gmailtest.Server) inbox.ID {
	t.Helper()
	ctx := t.Context()
	carl, err := svc.Actor(ctx, "site-1", "carl")
	require.NoError(t, err)
	in, err := svc.Create(ctx, carl, inbox.Draft{Provider: gmail.Kind, Name: "Carl", Import: true})
	require.NoError(t, err)
	_, err = svc.SetRules(ctx, carl, in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	link, err := svc.Connect(ctx, carl, in.ID, "https://host.example/back")
	require.NoError(t, err)
	back, err := s.Follow(ctx, link)
	require.NoError(t, err)
	_, err = svc.Consent(ctx, carl, in.ID, inbox.Return{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	require.NoError(t, err)
	_, err = svc.Finish(ctx, carl, in.ID)
	require.NoError(t, err)
	return in.ID
}
