//go:build !linux

package rfc822_test

import "time"

var began = time.Now()

// processorTime is the time that passes, where a thread's own is not to be had.
func processorTime() time.Duration { return time.Since(began) }
