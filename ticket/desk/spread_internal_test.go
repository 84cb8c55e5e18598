package desk

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

func TestTurnsComeOncePerPeriodAndStay(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 31, 12, 0, 0, 123_456_789, time.UTC)
	for _, period := range []time.Duration{time.Millisecond, time.Second, time.Minute, 5 * time.Minute} {
		for i := range 200 {
			id, now := inbox.ID(fmt.Sprint("in-", i)), start
			for range 5 {
				wait := untilTurn(id, period, now)
				require.InDelta(t, period, wait, float64(period/8))
				now = now.Add(wait)
			}
			require.Zero(t, sinceTurn(id, period, now), "at its moment")
			require.Equal(t, period, untilTurn(id, period, now))
			if period > time.Millisecond {
				late := now.Add(period / 10)
				require.Equal(t, period-period/10, untilTurn(id, period, late), "a look that took its time")
			}
		}
	}
}

func TestTurnIsOverAtItsMomentAlone(t *testing.T) {
	t.Parallel()
	const period = 5 * time.Minute
	moment := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	moment = moment.Add(period - sinceTurn("in-1", period, moment))
	for _, row := range []struct {
		name      string
		last, now time.Time
		want      bool
	}{
		{"never looked at", time.Time{}, moment, true},
		{"looked at one period before", moment.Add(-period), moment, true},
		{"looked at at its moment", moment, moment, false},
		{"looked at at its moment, kept in microseconds", moment, moment.Add(4 * time.Minute), false},
		{"its moment is not there yet", moment, moment.Add(period - 1), false},
		{"looked at between, long before", moment.Add(-period / 2), moment, true},
		{"looked at between, just before", moment.Add(-period/2 + 1), moment, false},
		{"the next one after that", moment.Add(-period/2 + 1), moment.Add(period), true},
		{"its moment was missed", moment.Add(-period), moment.Add(time.Minute), true},
	} {
		require.Equal(t, row.want, turnOver("in-1", period, row.last, row.now), row.name)
	}
}
