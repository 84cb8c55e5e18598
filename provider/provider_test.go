package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/mail"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
)

func TestCredentialNeverTellsItsSecret(t *testing.T) {
	t.Parallel()
	c := provider.NewCredential([]byte("s3cret"))
	type host struct {
		Open   provider.Credential
		hidden provider.Credential
	}
	h := host{Open: c, hidden: c}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, c, h, &h)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "credential", c, "host", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "credential", c, "host", h)
	text, err := json.Marshal(h)
	require.NoError(t, err)
	out.Write(text)
	require.NotContains(t, out.String(), "s3cret")
	require.NotContains(t, out.String(), fmt.Sprintf("%x", "s3cret"))
	require.Equal(t, "s3cret", string(h.hidden.Reveal()))
	require.False(t, c.IsZero())
	require.True(t, provider.Credential{}.IsZero())
	require.Nil(t, provider.Credential{}.Reveal())
}

func TestHeaderNamesItsIDAlone(t *testing.T) {
	t.Parallel()
	h := provider.Header{ID: "r-1", From: []mail.Address{{Name: "Ann", Address: "ann@acme.com"}}, Raw: []byte("Subject: x")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, `message "r-1"`, fmt.Sprintf(verb, h), verb)
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "header", h)
	require.NotContains(t, out.String(), "acme")
}

func TestErrorsMatchTheirDecisionAndTheirCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("429 from the service")
	for _, c := range []struct {
		err  error
		want error
		text string
	}{
		{&provider.RetryError{After: time.Second, Err: cause}, provider.ErrRetry, "try again later: 429 from the service"},
		{&provider.RetryError{}, provider.ErrRetry, "try again later"},
		{&provider.ConsentError{URL: "https://x"}, provider.ErrAdminConsent, "an administrator must consent: open https://x"},
		{&provider.ScopeError{Missing: []string{"a", "b"}}, provider.ErrInsufficientScope, "a required permission was not granted: a b"},
	} {
		require.ErrorIs(t, c.err, c.want)
		require.EqualError(t, c.err, c.text)
	}
	require.ErrorIs(t, &provider.RetryError{Err: cause}, cause)
	require.ErrorIs(t, &provider.ConsentError{Err: cause}, cause)
}

type plain struct{}

func (plain) Changes(context.Context, provider.Cursor, provider.Walk) iter.Seq2[provider.Batch, error] {
	return func(func(provider.Batch, error) bool) {}
}
func (plain) Open(context.Context, provider.RemoteID) (io.ReadCloser, error) {
	return nil, provider.ErrGone
}

type waiting struct{ plain }

func (waiting) Wait(context.Context) error { return nil }

type wrapper struct{ provider.Mailbox }

func (w wrapper) Unwrap() provider.Mailbox { return w.Mailbox }

func TestAsLooksThroughWrappers(t *testing.T) {
	t.Parallel()
	w, ok := provider.As[provider.Waiter](wrapper{wrapper{waiting{}}})
	require.True(t, ok)
	require.NoError(t, w.Wait(t.Context()))
	_, ok = provider.As[provider.Waiter](wrapper{plain{}})
	require.False(t, ok)
	_, ok = provider.As[provider.Waiter](nil)
	require.False(t, ok)
}
