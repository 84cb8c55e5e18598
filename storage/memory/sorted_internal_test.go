package memory

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type row struct{ n, tag int }

// The set is compared with a plain slice that is sorted again after every step.
func TestSortedAgreesWithASlice(t *testing.T) {
	t.Parallel()
	compare := func(a, b *row) int { return cmp.Compare(a.n, b.n) }
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		set, plain := &sorted[row]{compare: compare}, map[int]*row{}
		for step := range 6000 {
			v := &row{n: r.IntN(2500), tag: step}
			if r.IntN(3) == 0 {
				set.remove(v)
				delete(plain, v.n)
			} else {
				set.put(v)
				plain[v.n] = v
			}
			if step%500 != 0 {
				continue
			}
			place := &row{n: r.IntN(2600) - 50}
			want := slices.Collect(func(yield func(*row) bool) {
				for _, v := range plain {
					if v.n > place.n && !yield(v) {
						return
					}
				}
			})
			slices.SortFunc(want, compare)
			got := slices.Collect(set.behind(place))
			require.Equal(t, want, got, "seed %d, step %d: values behind %d", seed, step, place.n)
			require.Equal(t, len(plain), set.len(), "seed %d, step %d: length", seed, step)
		}
		for n := range 2500 {
			set.remove(&row{n: n})
		}
		require.True(t, set.empty(), "seed %d: emptied set, got %d left", seed, set.len())
	}
}

func TestNilSetIsEmpty(t *testing.T) {
	t.Parallel()
	var none *sorted[row]
	require.Empty(t, slices.Collect(none.all()))
	require.True(t, none.empty())
}
