//go:build unix

package sqlstoretest_test

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

const (
	serverMessages = 120
	serverPageSize = 20
)

// serverImport is an import whose store is on a server, through a proxy.
type serverImport struct {
	importtest.Job
	mail     *mailgen.Mailbox
	database *sqlstoretest.Database
	proxy    *proxy
}

func newServerImport(t *testing.T, d *sqlstoretest.Database) *serverImport {
	t.Helper()
	path, mail := importtest.WriteMail(t, mailgen.Config{Seed: 13, Messages: serverMessages, MeanBytes: 3000})
	s := &serverImport{Job: importtest.NewJob(t, path, mail, serverPageSize), mail: mail, database: d}
	p, dsn := newProxy(t, d)
	s.proxy, s.Database = p, &importtest.Database{Options: d.Options, Driver: d.Driver, DSN: dsn}
	// A person takes the four steps; what is broken is the import.
	i, opens, err := s.Open(t.Context())
	require.NoError(t, err)
	_, err = i.Inbox(t.Context(), filter.Rules{Mode: filter.All}, nil)
	require.NoError(t, errors.Join(err, i.Close(), opens.Close()))
	return s
}

// TestKilledImportOnAServerLosesNothing is importtest.TestKilledImportLosesNothing on servers, where a
// process also dies while it waits for a COMMIT, which the server has done or never sees.
// WORKINBOX_CRASH_ROUNDS says how often (2), WORKINBOX_CRASH_SEED from which seed.
func TestKilledImportOnAServerLosesNothing(t *testing.T) {
	t.Parallel()
	rounds, seed := envInt("WORKINBOX_CRASH_ROUNDS", 2), uint64(envInt("WORKINBOX_CRASH_SEED", 1))
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		for round := range rounds {
			if round > 0 {
				d = sqlstoretest.New(t, d.Options.Dialect)
			}
			s := newServerImport(t, d)
			r := rand.New(rand.NewPCG(seed, uint64(round)))
			deaths := 0
			for _, v := range []verdict{cutBefore, cutAfter} {
				if s.dieInCommit(t, 1+r.IntN(8), v) {
					deaths++
				}
			}
			calls := map[importtest.Op]int64{
				importtest.OpProvider: serverMessages, importtest.OpStore: 16, importtest.OpBlobs: serverMessages,
			}
			deaths += importtest.Kill(r, calls, func(death importtest.Death) bool {
				dying := s.Job
				dying.Death = death
				_, lived := importtest.Run(t, dying)
				return lived
			})
			last, lived := importtest.Run(t, s.Job)
			require.True(t, lived)
			require.NoError(t, last.Run.Balance())
			fetched := s.Check(t, s.mail)
			require.LessOrEqual(t, fetched, serverMessages+deaths*2*serverPageSize, "at most two pages are fetched again")
			t.Logf("seed %d, round %d: %d deaths, %d bodies fetched", seed, round, deaths, fetched)
		}
	})
}

// dieInCommit runs a child that is killed at its n-th COMMIT, and says whether it came to that.
func (s *serverImport) dieInCommit(t *testing.T, n int, v verdict) (died bool) {
	t.Helper()
	c, err := importtest.Command(t.Context(), s.Job)
	require.NoError(t, err)
	require.NoError(t, c.Start())
	commits := 0
	s.proxy.judgeBy(func(sent []byte, _ int) verdict {
		if isCommit(sent) {
			commits++
		}
		if commits < n || died {
			return pass
		}
		died = true
		_ = c.Process.Kill() // it waits for the answer, and cannot have ended
		return v
	})
	err = c.Wait()
	s.proxy.judgeBy(nil)
	if !died {
		require.NoError(t, err, "a child that lives")
		return false
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, -1, exit.ExitCode(), "killed, not ended")
	return true
}

// TestImportGoesOnOverBrokenConnections breaks the connection at every third COMMIT, in three ways: the
// import does not fail, and fetches nothing again.
func TestImportGoesOnOverBrokenConnections(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		s := newServerImport(t, d)
		i, opens, err := s.Open(t.Context())
		require.NoError(t, err)
		defer opens.Close()
		defer i.Close()
		var broken atomic.Int64
		commits := 0
		s.proxy.judgeBy(func(sent []byte, port int) verdict {
			if !isCommit(sent) {
				return pass
			}
			if commits++; commits%3 != 0 {
				return pass
			}
			switch broken.Add(1) % 3 {
			case 0:
				return cutBefore
			case 1:
				return cutAfter
			}
			if err := kill(d, port); err != nil {
				t.Errorf("kill: %v", err)
			}
			return pass
		})
		id, err := i.Inbox(t.Context(), filter.Rules{Mode: filter.All}, nil)
		require.NoError(t, err)
		run, err := i.Service.Sync(t.Context(), id)
		require.NoError(t, err)
		s.proxy.judgeBy(nil)
		require.NoError(t, run.Balance())
		require.Greater(t, int(broken.Load()), 3, "connections broken in a COMMIT")
		require.Equal(t, serverMessages, s.Check(t, s.mail), "bodies fetched")
	})
}

// TestImportGoesOnWhenItsServerIsBack stops the server at a COMMIT, starts it when the sync has given
// up, and syncs again.
func TestImportGoesOnWhenItsServerIsBack(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		s := newServerImport(t, d)
		i, opens, err := s.Open(t.Context())
		require.NoError(t, err)
		defer opens.Close()
		defer i.Close()
		id, err := i.Inbox(t.Context(), filter.Rules{Mode: filter.All}, nil)
		require.NoError(t, err)
		for _, v := range []verdict{cutBefore, cutAfter} {
			commits := 0
			s.proxy.judgeBy(func(sent []byte, _ int) verdict {
				if isCommit(sent) {
					commits++
				}
				if commits < 4 {
					return pass
				}
				s.proxy.refuse()
				if v == cutBefore {
					s.proxy.stop()
				}
				return v
			})
			_, err := i.Service.Sync(t.Context(), id)
			s.proxy.judgeBy(nil)
			require.True(t, errors.Is(err, storage.ErrAmbiguous) || errors.Is(err, sqlstore.ErrRetry), "sync: %v", err)
			s.proxy.start()
		}
		run, err := i.Service.Sync(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, run.Balance())
		require.LessOrEqual(t, s.Check(t, s.mail), serverMessages+2*2*serverPageSize, "at most two pages are fetched again")
	})
}
