package fake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

var errScripted = errors.New("scripted")

func service(t *testing.T, o fake.Options) (*fake.Service, *fake.Account, provider.Mailbox) {
	t.Helper()
	s := fake.New(o)
	a := s.Account("owner@own.example")
	m, err := s.Open(t.Context(), a.Credential(), nil)
	require.NoError(t, err)
	return s, a, m
}

func message(i int) []byte {
	return fmt.Appendf(nil, "From: a%d@client.example\r\nMessage-ID: <%d@x>\r\n\r\ntext %d\r\n", i, i, i)
}

func outgoing(marker string) provider.Outgoing {
	raw := "From: owner@own.example\r\nTo: a@client.example\r\nMessage-ID: <sent@own>\r\n" +
		provider.MarkerHeader + ": " + marker + "\r\n\r\nhello\r\n"
	return provider.Outgoing{Marker: marker, Size: int64(len(raw)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(raw)), nil }}
}

func changes(ctx context.Context, m provider.Mailbox, w provider.Walk) ([]provider.Header, error) {
	var all []provider.Header
	for b, err := range m.Changes(ctx, "", w) {
		if err != nil {
			return all, err
		}
		all = append(all, b.Put...)
	}
	return all, nil
}

func openErr(t *testing.T, m provider.Mailbox, id provider.RemoteID) error {
	t.Helper()
	r, err := m.Open(t.Context(), id)
	if err == nil {
		require.NoError(t, r.Close())
	}
	return err
}

func TestConsent(t *testing.T) {
	t.Parallel()
	s, a, _ := service(t, fake.Options{Kind: "other"})
	require.Equal(t, provider.Kind("other"), s.Kind())
	link, err := s.AuthURL(t.Context(), provider.AuthRequest{State: "st", Verifier: "secret-verifier",
		RedirectURL: "https://host.example/back", LoginHint: "owner@own.example"})
	require.NoError(t, err)
	u, err := url.Parse(link)
	require.NoError(t, err)
	require.Equal(t, "st", u.Query().Get("state"))
	require.NotContains(t, link, "secret-verifier")
	code := provider.AuthResponse{Code: "Owner@own.example"}

	_, err = s.Exchange(t.Context(), provider.AuthResponse{Code: "nobody@own.example"})
	require.ErrorIs(t, err, provider.ErrAuth)
	a.RefuseConsent(true)
	_, err = s.Exchange(t.Context(), code)
	require.ErrorIs(t, err, provider.ErrAuth)
	a.RefuseConsent(false)
	a.NeedAdmin(true)
	_, err = s.Exchange(t.Context(), code)
	var consent *provider.ConsentError
	require.ErrorAs(t, err, &consent)
	require.NotEmpty(t, consent.URL)
	a.NeedAdmin(false)
	s.WithholdScopes(fake.ScopeSend)
	_, err = s.Exchange(t.Context(), code)
	var scope *provider.ScopeError
	require.ErrorAs(t, err, &scope)
	require.Equal(t, []string{fake.ScopeSend}, scope.Missing)
	s.WithholdScopes()

	a.SetAliases("o@own.example")
	got, err := s.Exchange(t.Context(), code)
	require.NoError(t, err)
	require.Equal(t, provider.Account{ID: a.ID(), Address: "owner@own.example",
		Aliases: []string{"o@own.example"}}, got.Account)
	require.Equal(t, s.Scopes(), got.Scopes)
	require.NoError(t, s.Revoke(t.Context(), got.Credential))
	m, err := s.Open(t.Context(), got.Credential, nil)
	require.NoError(t, err)
	require.ErrorIs(t, openErr(t, m, "m1"), provider.ErrAuth)
	_, err = s.Exchange(t.Context(), code)
	require.NoError(t, err)
	require.ErrorIs(t, openErr(t, m, "m1"), provider.ErrGone, "after new consent")
	_, err = s.Open(t.Context(), provider.NewCredential([]byte("x y")), nil)
	require.ErrorIs(t, err, provider.ErrAuth)
}

func TestRotatedCredentialIsSavedBeforeUse(t *testing.T) {
	t.Parallel()
	s := fake.New(fake.Options{})
	a := s.Account("owner@own.example")
	id := a.Deliver(message(1), fake.Delivery{})
	var saved []provider.Credential
	fail := true
	m, err := s.Open(t.Context(), a.Credential(), func(_ context.Context, c provider.Credential) error {
		if fail {
			return errScripted
		}
		saved = append(saved, c)
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, openErr(t, m, id))
	a.Rotate()
	require.ErrorIs(t, openErr(t, m, id), errScripted, "a credential that cannot be stored is not used")
	fail = false
	require.NoError(t, openErr(t, m, id))
	require.NoError(t, openErr(t, m, id))
	require.Len(t, saved, 1)
	again, err := s.Open(t.Context(), saved[0], nil)
	require.NoError(t, err)
	require.NoError(t, openErr(t, again, id))
}

func TestScriptedErrors(t *testing.T) {
	t.Parallel()
	_, a, m := service(t, fake.Options{})
	one, two := a.Deliver(message(1), fake.Delivery{}), a.Deliver(message(2), fake.Delivery{})
	a.FailOnce(fake.OpOpen, one, errScripted)
	require.NoError(t, openErr(t, m, two))
	require.ErrorIs(t, openErr(t, m, one), errScripted)
	require.NoError(t, openErr(t, m, one))
	a.FailAlways(fake.OpOpen, two, errScripted)
	for range 3 {
		require.ErrorIs(t, openErr(t, m, two), errScripted)
	}
	require.NoError(t, openErr(t, m, one))
	a.Heal()
	require.NoError(t, openErr(t, m, two))

	a.Throttle(2, time.Minute)
	for range 2 {
		var retry *provider.RetryError
		require.ErrorAs(t, openErr(t, m, one), &retry)
		require.Equal(t, time.Minute, retry.After)
	}
	require.NoError(t, openErr(t, m, one))

	require.Equal(t, 3, a.Opens(one), "refused calls hand out nothing")
	require.Equal(t, 2, a.Opens(two))
	require.Equal(t, map[fake.Op]int{fake.OpOpen: 11}, a.Calls())
	a.ForgetCalls()
	require.Zero(t, a.TotalCalls()+a.Opens(one)+len(a.OpenedIDs()))
}

func TestBeforeCallStopsAtTheNthCall(t *testing.T) {
	t.Parallel()
	_, a, m := service(t, fake.Options{PageSize: 2})
	for i := range 5 {
		a.Deliver(message(i), fake.Delivery{})
	}
	var ops []string
	a.BeforeCall(func(op fake.Op, n int) error {
		ops = append(ops, fmt.Sprint(op, n))
		if n == 3 {
			return errScripted
		}
		return nil
	})
	got, err := changes(t.Context(), m, provider.Walk{})
	require.ErrorIs(t, err, errScripted)
	require.Len(t, got, 4)
	require.Equal(t, []string{"changes1", "changes2", "changes3"}, ops)
}

func TestLatencyPassesInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, a, m := service(t, fake.Options{})
		id := a.Deliver(message(1), fake.Delivery{})
		a.Latency(3 * time.Second)
		start := time.Now()
		require.NoError(t, openErr(t, m, id))
		require.Equal(t, 3*time.Second, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.Open(ctx, id)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}

func TestWaitWakesInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, a, m := service(t, fake.Options{})
		w, _ := provider.As[provider.Waiter](m)
		woken := make(chan error, 1)
		go func() { woken <- w.Wait(t.Context()) }()
		synctest.Wait()
		require.Empty(t, woken, "nothing has happened yet")
		a.Deliver(message(1), fake.Delivery{})
		require.NoError(t, <-woken)
	})
}

func TestSendThatWasLostAndSendThatWasNot(t *testing.T) {
	t.Parallel()
	_, a, m := service(t, fake.Options{RewriteMessageID: true})
	s, _ := provider.As[provider.Sender](m)
	f, _ := provider.As[provider.Finder](m)

	a.LoseAnswerOfSend()
	_, err := s.Send(t.Context(), outgoing("lost"))
	require.ErrorIs(t, err, provider.ErrAmbiguous)
	require.Len(t, a.Sends(), 1)
	found, err := f.Find(t.Context(), "lost", "", time.Time{})
	require.NoError(t, err)
	require.Equal(t, a.Sends()[0].Sent, found)
	require.Contains(t, found.MessageID, "rewritten-")

	a.FailSendBefore()
	_, err = s.Send(t.Context(), outgoing("never"))
	require.ErrorIs(t, err, provider.ErrAmbiguous)
	require.Len(t, a.Sends(), 1)
	_, err = f.Find(t.Context(), "never", "", time.Time{})
	require.ErrorIs(t, err, provider.ErrGone)

	a.FindLate(2)
	sent, err := s.Send(t.Context(), outgoing("late"))
	require.NoError(t, err)
	for range 2 {
		_, err = f.Find(t.Context(), "late", "", time.Time{})
		require.ErrorIs(t, err, provider.ErrGone)
	}
	found, err = f.Find(t.Context(), "late", sent.Thread, time.Time{})
	require.NoError(t, err)
	require.Equal(t, sent, found)
	_, err = f.Find(t.Context(), "late", "t999", time.Time{})
	require.ErrorIs(t, err, provider.ErrGone)

	wrong := outgoing("in the header")
	wrong.Marker = "another"
	_, err = s.Send(t.Context(), wrong)
	require.ErrorContains(t, err, "marker")
	a.ReadOnly(true)
	_, err = s.Send(t.Context(), outgoing("no"))
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = f.Find(t.Context(), "late", "", time.Time{})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.Len(t, a.Sends(), 2)
}

func TestBulkIsATypeOfItsOwn(t *testing.T) {
	t.Parallel()
	s, a, m := service(t, fake.Options{})
	_, ok := provider.As[provider.BulkOpener](m)
	require.False(t, ok)
	a.Bulk(true)
	m, err := s.Open(t.Context(), a.Credential(), nil)
	require.NoError(t, err)
	_, ok = provider.As[provider.BulkOpener](m)
	require.True(t, ok)
}

func TestNarrowedWalk(t *testing.T) {
	t.Parallel()
	_, a, m := service(t, fake.Options{})
	deliver := func(fields string) provider.RemoteID {
		return a.Deliver([]byte(fields+"\r\n\r\n"), fake.Delivery{})
	}
	want := map[provider.RemoteID]bool{
		deliver("From: bob@acme.example"):                                true,
		deliver("To: x@y.example, Bob <BOB@ACME.EXAMPLE>"):               true,
		deliver("Cc: eva@eu.wide.example"):                               true,
		deliver("From: one@person.example"):                              true,
		deliver("From: postmaster@x.example"):                            true,
		deliver("Return-Path: <>\r\nFrom: x@y.example"):                  true,
		deliver("X-Failed-Recipients: x@y\r\nFrom: x@y.example"):         true,
		deliver("From: x@y.example\r\nContent-Type: multipart/report"):   true,
		deliver("From: two@person.example"):                              false,
		deliver("From: bob@acme.example.evil.example"):                   false,
		deliver("From: bob@notacme.example\r\nReply-To: b@acme.example"): false,
		deliver("From: x@wide.example"):                                  false,
	}
	w := provider.Walk{Interest: []string{"Acme.example", "*.wide.example", "one@person.example"}}
	got, err := changes(t.Context(), m, w)
	require.NoError(t, err)
	listed := map[provider.RemoteID]bool{}
	for _, h := range got {
		listed[h.ID] = true
	}
	for id, wanted := range want {
		require.Equal(t, wanted, listed[id], "message %q", id)
	}
	count, _ := provider.As[provider.Counter](m)
	n, err := count.Count(t.Context(), w)
	require.NoError(t, err)
	require.Equal(t, 8, n)
	none, err := changes(t.Context(), m, provider.Walk{Interest: []string{}})
	require.NoError(t, err)
	require.Len(t, none, 4, "an empty interest asks for reports alone; nil asks for everything")
}

func TestPushRingsWhileSubscribed(t *testing.T) {
	t.Parallel()
	var rung []string
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	_, a, m := service(t, fake.Options{Now: func() time.Time { return now },
		Notify: func(id string) { rung = append(rung, id) }})
	s, _ := provider.As[provider.Subscriber](m)
	a.Deliver(message(1), fake.Delivery{})
	require.Empty(t, rung)
	sub, err := s.Subscribe(t.Context())
	require.NoError(t, err)
	a.Deliver(message(2), fake.Delivery{})
	a.MarkRead("m2")
	require.Equal(t, []string{a.ID(), a.ID()}, rung)
	now = sub.Expires
	a.Move("m2", provider.FolderTrash)
	require.Len(t, rung, 2, "an expired subscription does not ring")
	_, err = s.Renew(t.Context(), sub)
	require.NoError(t, err)
	a.MarkUnread("m2")
	require.Len(t, rung, 3)
	a.DropSubscriptions()
	_, err = s.Renew(t.Context(), sub)
	require.ErrorIs(t, err, provider.ErrGone)
}

func TestRemovedIsTheTruth(t *testing.T) {
	t.Parallel()
	_, a, m := service(t, fake.Options{RawWithHeaders: true})
	one, two := a.Deliver(message(1), fake.Delivery{ID: "A"}), a.Deliver(message(2), fake.Delivery{})
	require.Equal(t, provider.RemoteID("A"), one)
	got, err := changes(t.Context(), m, provider.Walk{Bodies: provider.BodiesWith})
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.NotNil(t, got[0].Raw)
	require.Equal(t, 1, a.Opens(one), "a raw message with its header is handed out")
	a.Remove(one)
	require.Equal(t, []provider.RemoteID{one}, a.Removed())
	require.Len(t, a.Messages(), 1)
	require.Equal(t, two, a.Messages()[0].ID)
	require.ErrorIs(t, openErr(t, m, one), provider.ErrGone)
	require.Panics(t, func() { a.Remove(one) }, "a script about a message that is not there is wrong")
	require.Panics(t, func() { a.Deliver(message(3), fake.Delivery{ID: two}) })
}

func TestDeliveryWhileManyRead(t *testing.T) {
	t.Parallel()
	_, a, m := service(t, fake.Options{PageSize: 3})
	const writers, each = 4, 40
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for i := range each {
				id := a.Deliver(message(w*each+i), fake.Delivery{})
				a.MarkRead(id)
			}
		})
	}
	var counts [3]int
	for r := range counts {
		work.Go(func() {
			var cursor provider.Cursor
			seen := map[provider.RemoteID]bool{}
			for len(seen) < writers*each {
				for b, err := range m.Changes(t.Context(), cursor, provider.Walk{}) {
					if err != nil {
						return
					}
					for _, h := range b.Put {
						seen[h.ID] = true
					}
					cursor = b.Next
				}
			}
			counts[r] = len(seen)
		})
	}
	work.Wait()
	require.Equal(t, [3]int{writers * each, writers * each, writers * each}, counts)
}
