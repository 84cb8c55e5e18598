package rfc822_test

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// TestParseReadsBrokenCopiesOfRealMail cuts and flips the corpora in 6,000 ways that are the same in
// every run. Nothing may fail, and what still has its header must still be readable.
func TestParseReadsBrokenCopiesOfRealMail(t *testing.T) {
	t.Parallel()
	var whole []sample
	for _, s := range everything(t) {
		if len(s.raw) >= 50 && len(s.raw) < 64<<10 {
			whole = append(whole, s)
		}
	}
	const shards = 6
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			seed := uint32(shard + 1)
			random := func(n int) int {
				seed = seed*1664525 + 1013904223
				return int(seed>>8) % n
			}
			unreadable := 0
			for i := shard; i < 6000; i += shards {
				s := whole[i%len(whole)]
				raw := bytes.Clone(s.raw)
				if i/shards%2 == 0 {
					raw = raw[:50+random(len(raw)-49)]
				}
				for range random(20) {
					raw[random(len(raw))] = byte(random(256))
				}
				m, err := rfc822.Parse(bytes.NewReader(raw), tight)
				require.NoError(t, err, "mutant %d of %s", i, s.name)
				require.Empty(t, badString(m), "mutant %d of %s", i, s.name)
				checkBounds(t, m, raw)
				if m.Unreadable {
					unreadable++
				}
			}
			require.Zero(t, unreadable, "mutants of which nothing was understood")
		})
	}
}
