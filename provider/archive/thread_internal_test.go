package archive

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestSlabsHoldWhatWasAdded(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, slabSize - 1, slabSize, slabSize + 1, 3*slabSize + 7} {
		var l slabs[int]
		for i := range n {
			l.add(i)
		}
		order := count(0, n)
		swap := func(i, j int) { order[i], order[j] = order[j], order[i] }
		rand.New(rand.NewPCG(1, uint64(n))).Shuffle(n, swap)
		want := slices.Clone(order)
		l.arrange(order)
		require.Equal(t, count(0, n), order, "order after %d values were arranged", n)
		for i := range n {
			require.EqualValues(t, want[i], *l.at(i), "value %d of %d, arranged", i, n)
		}
		for _, left := range []int{n, n * 2 / 3, min(n*2/3, slabSize), 0} {
			l.cut(left)
			l.add(-1)
			require.Equal(t, left+1, l.n, "%d values cut to %d and one added", n, left)
			require.Equal(t, -1, *l.at(left), "the one added to %d of %d", left, n)
			if left > 0 {
				require.EqualValues(t, want[left-1], *l.at(left - 1), "the last of %d left of %d", left, n)
			}
			l.cut(left)
		}
	}
}

// TestThreadsAreThoseOfReferences holds the threads of the index against rfc822.Threads.
func TestThreadsAreThoseOfReferences(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(2, seed))
		a := New("mail", Options{})
		s := &scanner{a: a, ix: &index{}, mac: hmac.New(sha256.New, a.o.Key)}
		refs := make([]rfc822.Ref, 1+r.IntN(120))
		for i := range refs {
			id := func() string { return fmt.Sprint("id-", r.IntN(2*len(refs))) }
			k := known{own: r.IntN(8) > 0}
			if k.own {
				refs[i].ID = id()
				k.ids = append(k.ids, refs[i].ID)
			}
			for range r.IntN(3) {
				refs[i].References = append(refs[i].References, id())
			}
			k.ids = append(k.ids, refs[i].References...)
			e := entry{id: ident{byte(i), byte(i >> 8)}}
			s.refer(&e, k)
			s.ix.entries.add(e)
		}
		want, got := rfc822.Threads(refs), s.ix.roots()
		s.thread()
		for i := range refs {
			require.EqualValues(t, want[i], got[i], "seed %d, message %d: %+v", seed, i, refs[i])
			require.Equal(t, s.ix.entries.at(want[i]).thread, s.ix.entries.at(i).thread,
				"seed %d: thread of message %d and of the first of its conversation", seed, i)
		}
	}
}

func TestGmailsNumberIsNoReference(t *testing.T) {
	t.Parallel()
	a := New("mail", Options{})
	s := &scanner{a: a, ix: &index{}, mac: hmac.New(sha256.New, a.o.Key)}
	number := maphash.String(a.seed, "m1") | 1 // what the id of the first message is known by
	for i, k := range []known{
		{own: true, ids: []string{"m1"}},
		{own: true, ids: []string{"m2"}, gmail: number},
		{own: true, ids: []string{"m3", "m2"}},
		{own: true, ids: []string{"m4"}, gmail: number},
		{own: true, ids: []string{"m5", "m4"}, gmail: number + 2},
	} {
		e := entry{id: ident{byte(i)}}
		s.refer(&e, k)
		s.ix.entries.add(e)
	}
	s.thread()
	var threads []ident
	for i := range s.ix.entries.n {
		threads = append(threads, *s.ix.threads.at(int(s.ix.entries.at(i).thread)))
	}
	require.NotEqual(t, threads[0], threads[1], "a number and an id that look alike")
	require.Equal(t, threads[1], threads[3], "two messages of one number")
	require.NotEqual(t, threads[3], threads[4], "two numbers in one conversation")
	require.NotEqual(t, threads[0], threads[2], "a conversation of its own")
}

// TestAnMboxThatCannotBeReadLeavesTheOthers lets the file fail after other messages were read.
func TestAnMboxThatCannotBeReadLeavesTheOthers(t *testing.T) {
	t.Parallel()
	a := New(t.TempDir(), Options{})
	s := newScanner(t.Context(), a)
	for i := range 3 {
		require.NoError(t, s.put(entry{id: ident{byte(i)}}, known{own: true, ids: []string{"1", "2"}}))
	}
	f, err := os.Open(a.path)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, s.mbox(f, source{name: "box", kind: fileMbox}))
	require.Equal(t, 3, s.ix.entries.n)
	require.Equal(t, 6, s.ix.refs.n)
	require.Equal(t, []source{{name: "box", skip: skipRead + os.ErrClosed.Error()}}, s.ix.sources)
}
