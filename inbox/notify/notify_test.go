package notify_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/notify"
)

var notice = inbox.Notice{
	Event:   inbox.Event{ID: "e-1", Name: inbox.EventRulesChanged, Inbox: "in-1"},
	To:      inbox.Person{ID: "rita"},
	Content: &inbox.NoticeContent{Subject: "the subject", From: "ann@acme.com", Preview: "the body"},
}

func TestLogHoldsNoContent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	n := notify.Log(slog.New(slog.NewTextHandler(&out, nil)))
	require.NoError(t, n.Notify(t.Context(), notice))
	require.Contains(t, out.String(), "inbox.rules.changed")
	for _, secret := range []string{"the subject", "ann@acme.com", "the body"} {
		require.NotContains(t, out.String(), secret)
	}
}

func TestNilTellsNobody(t *testing.T) {
	t.Parallel()
	var last notify.Recorder
	for _, n := range []inbox.Notifier{notify.Log(nil), notify.Func(nil), notify.Redacted(nil), notify.All(nil, &last, nil)} {
		require.NoError(t, n.Notify(t.Context(), notice))
	}
	require.Len(t, last.Notices(), 1)
}

func TestAllTellsEveryoneAlsoWhenOneFails(t *testing.T) {
	t.Parallel()
	var last notify.Recorder
	down := errors.New("down")
	n := notify.All(notify.Func(func(context.Context, inbox.Notice) error { return down }), notify.Redacted(&last))
	require.ErrorIs(t, n.Notify(t.Context(), notice), down)
	require.Len(t, last.Notices(), 1)
	require.Nil(t, last.Notices()[0].Content, "redacted")
	require.NotNil(t, notice.Content, "the caller's own is untouched")
}
