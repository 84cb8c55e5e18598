package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Scanner looks into files of mails before they are handed out, for viruses or whatever else the host
// will not have. It is called with every Part, never while a store transaction is open, and
// concurrently.
type Scanner interface {
	// Scan reads the file to its end and returns nil when it may be handed out, an error that matches
	// ErrUnsafeFile when it may not, and any other error when it could not tell; then the file is not
	// handed out either, and neither is one that was not read to its end. Scan does not keep r, whose
	// Read ends with ctx.
	//
	// Verdicts are not remembered here. A scanner that remembers them does so by what it read.
	Scan(ctx context.Context, f ScannedFile, r io.Reader) error
}

// ScannedFile says which file is scanned. Nothing of it tells whose it is.
type ScannedFile struct {
	Inbox   ID
	Message MessageID
	Path    string // of the part, as in Service.Part
	Name    string // without control characters and path separators, or ""
	Type    string // media type, lower case, as the mail has it
	Size    int64  // decoded bytes; zero for a part that is no attachment
}

// scan lets the host's scanner read a part from the stored mail.
func (s *Service) scan(ctx context.Context, m *Message, path string) error {
	c, err := s.Store.Content(ctx, m.ID)
	if err != nil {
		return err
	}
	part, r, err := s.openPart(ctx, m, path)
	if err != nil {
		return err
	}
	f := ScannedFile{Inbox: m.Inbox, Message: m.ID, Path: path, Name: part.Name, Type: part.Type}
	for i := range c.Parts {
		if c.Parts[i].Path == path {
			f.Size = c.Parts[i].Size
		}
	}
	file := &scanned{ctx: ctx, r: r}
	err = s.Scanner.Scan(ctx, f, file)
	if err == nil {
		err = file.end()
	}
	if e := r.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("scan part %q of message %q: %w", path, m.ID, err)
	}
	return nil
}

// scanned is a file under a scanner.
type scanned struct {
	ctx context.Context
	r   io.Reader
	err error // that ended it, io.EOF at its end
}

func (f *scanned) Read(b []byte) (int, error) {
	if f.err == nil {
		f.err = f.ctx.Err()
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.r.Read(b)
	f.err = err
	return n, err
}

// end says why a file is not read to its end, or nil.
func (f *scanned) end() error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	var b [1]byte
	n, err := io.ReadFull(f, b[:])
	switch {
	case n > 0:
		return errors.New("the scanner did not read it to its end")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}
