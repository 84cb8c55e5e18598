//go:build !unix

package main

import (
	"runtime/metrics"
	"time"
)

// usage returns what the Go runtime knows of itself: its CPU time but for waiting, and the memory it
// holds now.
func usage() (cpu time.Duration, size int64) {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/cpu/classes/idle:cpu-seconds"},
		{Name: "/memory/classes/total:bytes"},
	}
	metrics.Read(samples)
	for _, s := range samples[:2] {
		if s.Value.Kind() != metrics.KindFloat64 {
			return 0, 0
		}
	}
	busy := samples[0].Value.Float64() - samples[1].Value.Float64()
	return time.Duration(busy * float64(time.Second)), int64(samples[2].Value.Uint64())
}
