//go:build !linux

package blob

import (
	"errors"
	"os"
)

// flushable is false: no other system has a call that waits and reports errors.
func flushable(*os.File) bool { return false }

func flushFileSystem(*os.File) error { return errors.ErrUnsupported }
