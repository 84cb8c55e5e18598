//go:build unix

package main

import (
	"runtime"
	"syscall"
	"time"
)

// usage returns the CPU time of the process and its largest resident size in bytes.
func usage() (cpu time.Duration, peak int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	peak = int64(u.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		peak *= 1024 // everybody else counts in kilobytes
	}
	return cpu, peak
}
