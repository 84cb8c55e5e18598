package inbox_test

import (
	"context"
	"errors"
	"iter"
	"net/mail"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/inboxmock"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

func TestNoticeThatFailsForTheSecondReceiverTellsTheFirstOnce(t *testing.T) { // R-FEA-08
	t.Parallel()
	notifier := inboxmock.NewMockNotifier(gomock.NewController(t))
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) { c.Notifier = notifier })
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rita", Access: acl.ReadOnly}, acl.Grant{User: "rob", Access: acl.ReadOnly})
	ctx := t.Context()
	for _, user := range []acl.UserID{"rita", "rob"} {
		require.NoError(t, w.svc.Watch(ctx, w.actor(user), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventImportCompleted}}))
	}
	w.sync(in.ID)
	to := func(user acl.UserID) gomock.Matcher {
		return gomock.Cond(func(n inbox.Notice) bool { return n.To.ID == user })
	}
	gomock.InOrder(
		notifier.EXPECT().Notify(gomock.Any(), to("rita")).Return(nil),
		notifier.EXPECT().Notify(gomock.Any(), to("rob")).Return(errors.New("mailbox full")),
		notifier.EXPECT().Notify(gomock.Any(), to("rob")).Return(nil),
	)
	_, err := w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
	w.advance(2 * time.Minute)
	_, err = w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
	_, err = w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
}

func TestStreamThatBreaksAfterItsFirstBatchIsResumedFromThere(t *testing.T) {
	t.Parallel()
	ctrl := gomock.NewController(t)
	service, box := inboxmock.NewMockProvider(ctrl), inboxmock.NewMockMailbox(ctrl)
	service.EXPECT().Kind().Return("mock").AnyTimes()
	service.EXPECT().Open(gomock.Any(), gomock.Any(), gomock.Any()).Return(box, nil).Times(1)
	header := func(id provider.RemoteID) provider.Header {
		return provider.Header{ID: id, Thread: provider.ThreadID(id), Received: connected.Add(-time.Hour),
			From: []mail.Address{{Address: "ann@acme.com"}}, To: []mail.Address{{Address: "me@firm.example"}},
			Raw: mailText("ann@acme.com", "me@firm.example", string(id))}
	}
	gomock.InOrder(
		box.EXPECT().Changes(gomock.Any(), provider.Cursor(""), gomock.Any()).DoAndReturn(
			batches(provider.Batch{Put: []provider.Header{header("one")}, Next: "after one", Walking: true}, errors.New("reset"))),
		box.EXPECT().Changes(gomock.Any(), provider.Cursor("after one"), gomock.Any()).DoAndReturn(
			batches(provider.Batch{Put: []provider.Header{header("two")}, Next: "after two"}, nil)),
	)
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) { c.Providers = append(c.Providers, service) })
	in := w.open(true, filter.Rules{Mode: filter.All})
	stored, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	stored.Provider = "mock"
	_, err = w.store.UpdateInbox(t.Context(), stored, nil)
	require.NoError(t, err)

	_, err = w.svc.Sync(t.Context(), in.ID)
	require.ErrorContains(t, err, "reset")
	require.Equal(t, []string{"one"}, w.stored(in.ID), "what came before the break is kept")
	w.sync(in.ID)
	require.ElementsMatch(t, []string{"one", "two"}, w.stored(in.ID))
}

// batches is a stream of one batch, and an error after it.
func batches(b provider.Batch, err error) func(context.Context, provider.Cursor, provider.Walk) iter.Seq2[provider.Batch, error] {
	return func(context.Context, provider.Cursor, provider.Walk) iter.Seq2[provider.Batch, error] {
		return func(yield func(provider.Batch, error) bool) {
			if yield(b, nil) && err != nil {
				yield(provider.Batch{}, err)
			}
		}
	}
}
