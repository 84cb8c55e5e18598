package main

import (
	"runtime/debug"
	"time"
)

// stats are what the import cost.
type stats struct {
	seconds  float64
	cpu      time.Duration // of all cores together
	peakSize int64         // bytes of memory at the most, since the program began
}

// stopwatch measures from startStats to end.
type stopwatch struct {
	began time.Time
	cpu   time.Duration
}

func startStats() stopwatch {
	cpu, _ := usage()
	return stopwatch{time.Now(), cpu}
}

func (s stopwatch) end() stats {
	cpu, peak := usage()
	return stats{seconds: time.Since(s.began).Seconds(), cpu: cpu - s.cpu, peakSize: peak}
}

// version is that of the library, as far as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
