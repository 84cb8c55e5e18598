package rfc822_test

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// One piece of input of eight times the size makes as much work as eight where that is in proportion,
// and eight times as much where it is quadratic. What lies between is noise.
const (
	moreInput = 8
	moreWork  = 3
)

// growth says how many times the work of eight inputs of size n takes one of eight times that size. It
// counts the processor time of its own thread, on which neither the load of the machine nor other
// tests weigh, and takes the least of a few.
func growth(n int, work func(n int)) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	apart := func(n int) {
		for range moreInput {
			work(n)
		}
	}
	least := math.Inf(1)
	for range 5 {
		few, many := timed(n, apart), timed(n*moreInput, work)
		if least = min(least, float64(many)/float64(few)); least < moreWork {
			break
		}
	}
	return least
}

func timed(n int, work func(n int)) time.Duration {
	began := processorTime()
	work(n)
	return processorTime() - began
}

func TestGrowthTellsProportionFromMore(t *testing.T) {
	t.Parallel()
	sum := 0
	loop := func(n int) {
		for i := range n {
			sum += i
		}
	}
	require.Less(t, growth(1_000_000, loop), float64(moreWork))
	require.Greater(t, growth(500, func(n int) { loop(n * n) }), float64(moreWork))
	require.NotZero(t, sum)
}
