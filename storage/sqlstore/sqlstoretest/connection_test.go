package sqlstoretest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

// onServers runs a test on every database that is behind a connection.
func onServers(t *testing.T, test func(t *testing.T, d *sqlstoretest.Database)) {
	for _, d := range []sqlstore.Dialect{sqlstore.Postgres, sqlstore.MySQL} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			test(t, sqlstoretest.New(t, d))
		})
	}
}

// everyKind is an import with something for each table a commit writes to.
func everyKind(st inbox.SyncState, round int) (inbox.Import, inbox.Event) {
	first := round * 10
	return inbox.Import{
		State: st, Put: mails(st.Inbox, first, 3),
		Reject:  []inbox.Rejected{{Remote: remote(first + 4), Thread: "t", Received: day, Reason: "bulk"}},
		Queue:   []inbox.Queued{{Remote: remote(first + 5), Code: inbox.QueueOpen}},
		Threads: []inbox.Thread{{ID: "t", Opened: day}},
		Run:     &inbox.Run{ID: fmt.Sprintf("run-%03d", round), Inbox: st.Inbox, Started: day},
	}, inbox.Event{ID: fmt.Sprintf("event-%03d", round), Site: "acme"}
}

// wholeCommits checks that n commits are stored, each whole and once.
func wholeCommits(t *testing.T, s *sqlstore.Store, n int, when string) {
	t.Helper()
	st := state(t, s, "in-1")
	events, runs := 0, 0
	for _, err := range s.DueEvents(t.Context(), day, 0) {
		require.NoError(t, err)
		events++
	}
	for _, err := range s.Runs(t.Context(), "in-1", 0) {
		require.NoError(t, err)
		runs++
	}
	rejected, err := s.Rejections(t.Context(), "in-1")
	require.NoError(t, err)
	got := []int{
		int(st.Version), int(st.Seq) / 3, st.Queued, events, runs, rejected["bulk"],
		len(messages(t, s, inbox.MessageQuery{Inbox: "in-1"})) / 3,
	}
	require.Equal(t, slices.Repeat([]int{n}, len(got)), got,
		"%s: version, log, queue, events, runs, rejections and messages of the commits", when)
}

// TestBrokenConnectionLeavesWholeCommits breaks the connection of a commit at each of its messages to
// the server in turn, in three ways, once and again and again.
func TestBrokenConnectionLeavesWholeCommits(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		create(t, d.Store(t), "in-1")
		b := &breaking{Database: d, plain: d.Store(t)}
		p, dsn := newProxy(t, d)
		through := *d
		through.DSN = dsn
		db := through.Connect(t)
		db.SetMaxOpenConns(1) // so that the messages come in one order
		b.proxy, b.s = p, through.StoreOn(t, db)
		for _, way := range []string{"kill", "cut before", "cut after"} {
			for at := 1; b.round(t, way, at, 1); at++ {
				require.Less(t, at, 100, "messages of a commit")
			}
		}
		for _, way := range []string{"kill", "cut before"} {
			b.round(t, way, 3, 1000)
		}
		require.Positive(t, b.ambiguous, "commits nobody knows of")
		require.Positive(t, b.stored, "of which some were stored")
		require.Less(t, b.stored, b.ambiguous, "and some were not")
		require.Equal(t, 2, b.refused, "commits that were broken again and again")
	})
}

// breaking is the test above under way.
type breaking struct {
	*sqlstoretest.Database
	s, plain *sqlstore.Store // through the proxy, and past it
	proxy    *proxy

	commits                    int // that are stored
	rounds                     int
	ambiguous, stored, refused int
}

// round makes one commit whose connection breaks at its message number at, and the next ones up to
// times. It says whether the commit had as many messages.
func (b *breaking) round(t *testing.T, way string, at, times int) (broken bool) {
	t.Helper()
	what := fmt.Sprintf("%s at message %d, %d times", way, at, times)
	imp, event := everyKind(state(t, b.s, "in-1"), b.rounds)
	b.rounds++
	n, left, last := 0, times, false
	b.proxy.judgeBy(func(sent []byte, port int) verdict {
		if n++; n < at || left == 0 {
			return pass
		}
		left--
		broken, last = true, isCommit(sent)
		switch way {
		case "cut before":
			return cutBefore
		case "cut after":
			return cutAfter
		}
		if err := kill(b.Database, port); err != nil {
			t.Errorf("%s: kill: %v", what, err)
		}
		return pass
	})
	_, err := b.s.Commit(t.Context(), imp, event)
	b.proxy.judgeBy(nil)

	there := state(t, b.plain, "in-1").Version > imp.State.Version
	switch {
	case err == nil:
		require.True(t, there, "%s: a commit that returned is stored", what)
	case errors.Is(err, sqlstore.ErrAmbiguous):
		require.True(t, last, "%s: %v, but COMMIT was not what was broken", what, err)
		require.NotErrorIs(t, err, sqlstore.ErrRetry, what)
		b.ambiguous++
		if there {
			b.stored++
		}
	default:
		require.ErrorIs(t, err, sqlstore.ErrRetry, what)
		require.False(t, there, "%s: a commit that may be made again is not stored", what)
		b.refused++
	}
	var told *storage.Error
	require.True(t, err == nil || errors.As(err, &told), "%s: %v", what, err)
	if there {
		b.commits++
	}
	wholeCommits(t, b.plain, b.commits, what)
	if !there {
		_, err = b.s.Commit(t.Context(), imp, event)
		require.NoError(t, err, "%s: the same commit again", what)
		b.commits++
	}
	return broken
}

// TestServerThatRestarts stops and starts a server under a store.
func TestServerThatRestarts(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		plain := d.Store(t)
		create(t, plain, "in-1")
		p, dsn := newProxy(t, d)
		through := *d
		through.DSN = dsn
		s := through.StoreOn(t, through.Connect(t))
		for round := range 3 {
			st := state(t, s, "in-1")
			p.stop()
			imp, event := everyKind(st, round)
			_, err := s.Commit(t.Context(), imp, event)
			require.ErrorIs(t, err, sqlstore.ErrRetry, "commit while the server is away")
			require.NotErrorIs(t, err, sqlstore.ErrAmbiguous)
			_, err = s.SyncState(t.Context(), "in-1")
			require.ErrorIs(t, err, sqlstore.ErrRetry, "read while the server is away")
			_, err = s.Seen(t.Context(), "in-1", []provider.RemoteID{"a"})
			require.ErrorIs(t, err, sqlstore.ErrRetry)
			for _, err := range s.Messages(t.Context(), inbox.MessageQuery{Inbox: "in-1"}) {
				require.ErrorIs(t, err, sqlstore.ErrRetry)
			}
			_, err = sqlstore.Open(t.Context(), through.Connect(t), d.Options)
			require.ErrorIs(t, err, sqlstore.ErrRetry, "open while the server is away")
			wholeCommits(t, plain, round, "while the server is away")
			p.start()
			_, err = s.Commit(t.Context(), imp, event)
			require.NoError(t, err, "the same commit when it is back")
			wholeCommits(t, s, round+1, "when it is back")
		}
	})
}
