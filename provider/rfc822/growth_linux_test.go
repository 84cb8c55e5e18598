package rfc822_test

import (
	"syscall"
	"time"
	"unsafe"
)

// processorTime is what the thread has used so far; see clock_gettime(2).
func processorTime() time.Duration {
	const ofThread = 3
	var spent syscall.Timespec
	_, _, err := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, ofThread, uintptr(unsafe.Pointer(&spent)), 0)
	if err != 0 {
		panic(err)
	}
	return time.Duration(spent.Nano())
}
