package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

// The workers are this program again.
func TestMain(m *testing.M) {
	if _, ok := os.LookupEnv(jobEnv); ok {
		main()
		return
	}
	os.Exit(m.Run())
}

// needsDatabase skips the test, or fails it where WORKINBOX_TEST_REQUIRE names PostgreSQL.
func needsDatabase(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	require.ErrorIs(t, err, errNoDatabase)
	if slices.Contains(strings.Split(os.Getenv("WORKINBOX_TEST_REQUIRE"), ","), "postgres") {
		t.Fatal(err)
	}
	t.Skip(err)
}

func TestKilledWorkersBreakNoPromise(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-inboxes", "12", "-mails", "8", "-workers", "3", "-kills", "3", "-latency", "2ms"}, &out)
	if err != nil {
		needsDatabase(t, err)
	}
	text := out.String()
	t.Log(text)
	require.Contains(t, text, "killed    3 of 6 workers")
	require.Contains(t, text, "survived  12 inboxes, all active, with 105 of 105 mails")
	require.Contains(t, text, "lost      0\n")
	require.NotContains(t, text, "BROKEN")
}

func TestScaleImportsByMoreAndMoreWorkers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-scale", "-inboxes", "4", "-mails", "3", "-workers", "2", "-latency", "1ms"}, &out)
	needsDatabase(t, err)
	require.Contains(t, out.String(), "workers 1 ")
	require.Contains(t, out.String(), "workers 2 ")
}

// A check that finds nothing wrong shows something only if it would.
func TestTheReportFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f, err := newFleet(ctx, options{postgres: postgresOf(), inboxes: 2, mails: 3, patience: time.Minute})
	needsDatabase(t, err)
	defer f.close()
	require.NoError(t, f.startAll(1))
	require.NoError(t, f.caughtUp(ctx))
	require.NoError(t, f.endAll())
	turns := []time.Duration{time.Second}
	require.NoError(t, f.report(ctx, &bytes.Buffer{}, turns))

	// One mail that nobody fetches, and one that vanishes from the store.
	f.deliver(0)
	state, err := f.web.store.SyncState(ctx, f.ids[1])
	require.NoError(t, err)
	for m, err := range f.web.store.Messages(ctx, inbox.MessageQuery{Inbox: f.ids[1], Limit: 1}) {
		require.NoError(t, err)
		_, err = f.web.store.Commit(ctx, inbox.Import{State: state, Erase: []inbox.MessageID{m.ID}})
		require.NoError(t, err)
	}
	var out bytes.Buffer
	require.ErrorIs(t, f.report(ctx, &out, turns), errBroken)
	require.Contains(t, out.String(), "lost      2\n")
	require.Contains(t, out.String(), "BROKEN    inbox 0 has lost message")
	require.Contains(t, out.String(), "BROKEN    inbox 1 has lost message")
}

// postgresOf is the database where no flag says another.
func postgresOf() string {
	if dsn := os.Getenv("WORKINBOX_TEST_POSTGRES"); dsn != "" {
		return dsn
	}
	return defaultPostgres
}

func TestWithoutADatabaseItSaysSo(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"-postgres", "postgres://nobody@127.0.0.1:1/none"}, &bytes.Buffer{})
	require.ErrorIs(t, err, errNoDatabase)
	require.NotContains(t, err.Error(), "nobody", "who connects")
	require.ErrorIs(t, run(t.Context(), []string{"-postgres", "::"}, &bytes.Buffer{}), errNoDatabase)
	require.Error(t, run(t.Context(), []string{"-workers", "0"}, &bytes.Buffer{}))
	ended, stop := context.WithCancel(t.Context())
	stop()
	require.Error(t, run(ended, nil, &bytes.Buffer{}))
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, &bytes.Buffer{}), flag.ErrHelp)
}
