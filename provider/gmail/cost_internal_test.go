package gmail

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAskingPaysWhereItCostsLessThanHalfOfReading(t *testing.T) {
	t.Parallel()
	fresh, legacy := NewProject().Prices, LegacyProject().Prices
	for _, c := range []struct {
		name     string
		prices   Prices
		queries  int
		messages int
		want     bool
	}{
		{"an empty window", fresh, 3, 0, false},
		{"15 units against half of 20", fresh, 3, 1, false},
		{"15 units against half of 40", fresh, 3, 2, true},
		{"10 units against half of 20: no difference", fresh, 2, 1, false},
		{"a month of mail, a few clients", fresh, 5, 5000, true},
		{"a month of mail, 200,000 clients", fresh, 10_000, 5000, false},
		{"the first page decides about 999 queries", fresh, 999, 500, true},
		{"one page is not enough for 1,000 queries", fresh, 1000, 500, false},
		{"legacy: a get costs no more than a query", legacy, 3, 6, false},
		{"legacy: seven messages", legacy, 3, 7, true},
		{"no price: nothing to save", Prices{}, 3, 5000, false},
	} {
		got := askCost{prices: c.prices, queries: c.queries}.pays(c.messages)
		require.Equal(t, c.want, got, "%s: %d queries, %d messages", c.name, c.queries, c.messages)
	}
}

// Whatever part of the mail is of interest, the choice costs at most half as much again as the
// cheaper way would have.
func TestChoiceCostsAtMostHalfAsMuchAgain(t *testing.T) {
	t.Parallel()
	for _, prices := range []Prices{NewProject().Prices, LegacyProject().Prices} {
		for queries := 1; queries < 3000; queries = queries*3/2 + 1 {
			for messages := 1; messages < 100_000; messages = messages*3/2 + 1 {
				c := askCost{prices: prices, queries: queries}
				for share := 0.0; share <= 1; share += 0.25 {
					everything := float64(c.everything(messages))
					asking := float64(c.ask()) + share*everything
					chosen := everything
					if c.pays(messages) {
						chosen = asking
					}
					// Where so little is of interest that asking would be nearly free, reading costs
					// at most twice what asking does.
					require.LessOrEqual(t, chosen, max(1.5*min(asking, everything), 2*float64(c.ask())),
						"%d queries, %d messages, share %v", queries, messages, share)
				}
			}
		}
	}
}

func TestThreadsAreCheaperFromThreeMessagesOn(t *testing.T) {
	t.Parallel()
	for _, prices := range []Prices{NewProject().Prices, LegacyProject().Prices} {
		require.False(t, prices.byThread(1))
		require.False(t, prices.byThread(2))
		require.True(t, prices.byThread(3))
	}
	require.False(t, Prices{Get: 1, Threads: 40}.byThread(40), "a price list with dear threads")
}
