package sqlstoretest_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// Sixteen writers on four stores of one database, as in four processes: each has an inbox of its own,
// and all of them one that they share. Of two commits on one state exactly one goes in.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	onEach(t, manyWriters)
}

func manyWriters(t *testing.T, d sqlstore.Dialect) {
	const writers, commits = 16, 5
	on := sqlstoretest.New(t, d)
	stores := make([]*sqlstore.Store, 4)
	for i := range stores {
		db := on.Connect(t)
		db.SetMaxOpenConns(4)
		stores[i] = on.StoreOn(t, db)
	}
	create(t, stores[0], "shared")
	var group errgroup.Group
	for w := range writers {
		s, own := stores[w%len(stores)], inbox.ID(fmt.Sprintf("own-%02d", w))
		create(t, s, own)
		group.Go(func() error {
			for i := range commits {
				imp := inbox.Import{State: inbox.SyncState{Inbox: own, Version: storage.Version(i)}}
				imp.Put = mails(own, i*3, 3)
				for j := range imp.Put {
					imp.Put[j].Message.ID += inbox.MessageID(own)
				}
				if _, err := s.Commit(t.Context(), imp); err != nil {
					return fmt.Errorf("commit %d of writer %d: %w", i, w, err)
				}
				if err := commitShared(t, s, w*commits+i); err != nil {
					return fmt.Errorf("shared commit %d of writer %d: %w", i, w, err)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	st := state(t, stores[1], "shared")
	require.Equal(t, storage.Version(writers*commits), st.Version, "version of the shared inbox")
	require.Equal(t, uint64(writers*commits), st.Seq, "log of the shared inbox")
	seq := uint64(0)
	for c, err := range stores[2].Log(t.Context(), "shared", 0) {
		require.NoError(t, err)
		require.Equal(t, seq+1, c.Seq, "log of the shared inbox")
		seq = c.Seq
	}
	require.Equal(t, st.Seq, seq)
	for w := range writers {
		require.Equal(t, uint64(3*commits), state(t, stores[3], inbox.ID(fmt.Sprintf("own-%02d", w))).Seq)
	}
}

// Writers who change the same customers, in orders that would make them wait for each other in a
// circle, all succeed in the end, and none sees anything but a conflict on the way.
func TestWritersInEachOthersWay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		const writers, rounds = 8, 4
		s := sqlstoretest.New(t, d).Store(t)
		for i := range writers {
			create(t, s, inbox.ID(fmt.Sprintf("in-%02d", i)))
		}
		var group errgroup.Group
		for w := range writers {
			group.Go(func() error {
				for i := range rounds {
					if err := crissCross(t, s, w, i); err != nil {
						return fmt.Errorf("round %d of writer %d: %w", i, w, err)
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		all := collect(t, "customers", s.Customers(t.Context(), inbox.CustomerQuery{Site: "acme"}))
		require.Len(t, all, 3*rounds)
		for _, c := range all {
			require.Len(t, c.KnownFrom, writers, "inboxes that know %q", c.ID)
			require.Equal(t, fmt.Sprint(writers), c.Name, "changes of %q", c.ID)
		}
	})
}

// crissCross makes sure of the customers of a round and counts up their names, each writer in another
// order.
func crissCross(t *testing.T, s *sqlstore.Store, w, round int) error {
	order := [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}}[w%4]
	who := make([]inbox.Known, len(order))
	for i, n := range order {
		who[i] = inbox.Known{Address: fmt.Sprintf("person.%d.%d@client.example", round, n), Name: "0"}
	}
	n := 0
	from := inbox.ID(fmt.Sprintf("in-%02d", w))
	cs, err := s.EnsureCustomers(t.Context(), "acme", from, who, day, func() string {
		n++
		return fmt.Sprintf("cu-%d-%d-%d", w, round, n)
	})
	for err == nil {
		for i := range cs {
			before, err := strconv.Atoi(cs[i].Name)
			if err != nil {
				return err
			}
			cs[i].Name = fmt.Sprint(before + 1)
		}
		_, err = s.SaveCustomers(t.Context(), cs)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
		for i := range cs {
			if cs[i], err = s.Customer(t.Context(), "acme", cs[i].ID); err != nil {
				return err
			}
		}
	}
	return err
}

// A ticket of one ID made by many at once is made by one, and its number is given once.
func TestTicketIsMadeOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		s := sqlstoretest.New(t, d).Store(t)
		var group errgroup.Group
		var won atomic.Int32
		for range 8 {
			group.Go(func() error {
				_, err := s.SaveTickets(t.Context(), []ticket.Write{note(1)})
				if err == nil {
					won.Add(1)
				} else if errors.Is(err, storage.ErrConflict) {
					return nil
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.Equal(t, int32(1), won.Load())
		made, err := s.Ticket(t.Context(), note(1).Ticket.ID)
		require.NoError(t, err)
		require.Equal(t, int64(1), made.Number)
	})
}

// commitShared puts one message into the shared inbox on whatever state is there.
func commitShared(t *testing.T, s *sqlstore.Store, i int) error {
	for {
		st, err := s.SyncState(t.Context(), "shared")
		if err != nil {
			return err
		}
		_, err = s.Commit(t.Context(), inbox.Import{State: st, Put: mails("shared", i, 1)})
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}
