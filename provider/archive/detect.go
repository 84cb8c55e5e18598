package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Format is how an archive keeps its mail.
type Format string

// The formats.
const (
	FormatMbox    Format = "mbox"    // one file with many messages
	FormatMessage Format = "message" // one file with one message
	FormatMaildir Format = "maildir"
	FormatFolder  Format = "folder" // messages, mbox files and Maildirs, in folders as deep as may be
)

// Detect says what is at a path, or ErrNotThere, ErrEmpty, ErrNotMail. A Maildir without messages is
// one all the same. Errors hold no path.
func Detect(path string) (Format, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("archive: %w", ErrNotThere)
	case err != nil:
		return "", fmt.Errorf("archive: %w", bare(err))
	case info.IsDir():
		return detectDir(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("archive: %w", bare(err))
	}
	defer f.Close()
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("archive: %w", bare(err))
	}
	what, eml := sniff(head[:n]), strings.EqualFold(filepath.Ext(path), ".eml")
	switch {
	case what == looksMbox:
		return FormatMbox, nil
	case what == looksMessage || eml:
		return FormatMessage, nil
	case what == looksEmpty:
		return "", fmt.Errorf("archive: %w", ErrEmpty)
	default:
		return "", fmt.Errorf("archive: %w", ErrNotMail)
	}
}

// errFound ends the search at the first mail.
var errFound = errors.New("found")

func detectDir(path string) (Format, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", fmt.Errorf("archive: %w", bare(err))
	}
	if isMaildir("", entries) {
		return FormatMaildir, nil
	}
	s := newScanner(context.Background(), New(path, Options{}))
	s.found = func() error { return errFound }
	switch err := s.dir(""); {
	case errors.Is(err, errFound) || err == nil && s.ix.entries.n > 0:
		return FormatFolder, nil
	case err != nil:
		return "", fmt.Errorf("archive: %w", err)
	default:
		return "", fmt.Errorf("archive: %w", ErrEmpty)
	}
}
