//go:build unix

package importtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// ClickThrough is the person at a test server's page of consent, which sends them on at once. It is
// for Parts.Consent.
func ClickThrough(ctx context.Context, link string) (string, error) {
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

// Connect opens the host in dir and sets up its inbox, whose owner clicks through.
func Connect(ctx context.Context, dir string, now time.Time, p Parts, rules filter.Rules, clients []string) (
	*Importer, inbox.ID, error,
) {
	p.Consent = ClickThrough
	i, err := Open(ctx, dir, now, p)
	if err != nil {
		return nil, "", err
	}
	id, err := i.Inbox(ctx, rules, clients)
	return i, id, err
}

// Transport counts requests before they leave and once they are answered.
func (d *Dying) Transport(base http.RoundTripper) http.RoundTripper { return dyingTransport{base, d} }

type dyingTransport struct {
	base http.RoundTripper
	d    *Dying
}

func (t dyingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.d.Call(OpProvider)
	resp, err := t.base.RoundTrip(r)
	t.d.Call(OpProvider)
	return resp, err
}

// Survive runs a job that dies as Kill says, then once more to its end, and returns how many died. The
// ledger of the last run balances.
func Survive[Job any](tb testing.TB, r *rand.Rand, most map[Op]int64, job func(Death) Job) (deaths int) {
	tb.Helper()
	deaths = Kill(r, most, func(d Death) bool {
		_, lived := Run(tb, job(d))
		return lived
	})
	last, lived := Run(tb, job(Death{}))
	require.True(tb, lived)
	require.NoError(tb, last.Run.Balance())
	return deaths
}

// Stored is the raw mail that lies in the host in dir, once each; what its runs say they stored is as
// much, also those that died. p is of the kind the inbox is of.
func Stored(tb testing.TB, dir string, now time.Time, p provider.Provider) map[provider.RemoteID]string {
	tb.Helper()
	ctx := tb.Context()
	i, err := Open(ctx, dir, now, Parts{Provider: p})
	require.NoError(tb, err)
	defer i.Close()
	id, err := i.Inbox(ctx, filter.Rules{}, nil)
	require.NoError(tb, err)
	stored := make(map[provider.RemoteID]string)
	for m, err := range i.Store.Messages(ctx, inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(tb, err)
		require.NotContains(tb, stored, m.Remote, "stored twice")
		blob, err := i.Blobs.OpenBlob(ctx, m.Blob)
		require.NoError(tb, err)
		raw, err := io.ReadAll(blob)
		require.NoError(tb, err, "raw mail of message %q", m.Remote)
		require.NoError(tb, blob.Close())
		stored[m.Remote] = string(raw)
	}
	ledger := 0
	for run, err := range i.Store.Runs(ctx, id, 0) {
		require.NoError(tb, err)
		require.NoError(tb, run.Balance())
		ledger += run.Stored
	}
	require.Len(tb, stored, ledger, "what the runs say they stored")
	return stored
}
