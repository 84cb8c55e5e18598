//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package blob

import (
	"os"

	"golang.org/x/sys/unix"
)

func lockShared(f *os.File) error { return flock(f, unix.LOCK_SH) }

func lockAlone(f *os.File) error { return flock(f, unix.LOCK_EX) }

// unlock cannot fail on an open file, and closing the file unlocks too.
func unlock(f *os.File) { _ = flock(f, unix.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}
