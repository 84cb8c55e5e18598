package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
)

// postbox is mail on disk from which mail can be sent: the archive only reads, so what is sent goes
// into a folder of its own, each mail a file, and to nobody.
type postbox struct {
	*archive.Archive
	folder string
}

// Open returns the one mailbox of the archive, as one that can send.
func (p postbox) Open(ctx context.Context, cred provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	box, err := p.Archive.Open(ctx, cred, save)
	if err != nil {
		return nil, err
	}
	return &outbound{box, p.folder}, nil
}

// outbound is the open mailbox of a postbox.
type outbound struct {
	provider.Mailbox
	folder string
}

var (
	_ provider.Sender = (*outbound)(nil)
	_ provider.Finder = (*outbound)(nil)
)

// Unwrap returns the mailbox of the archive, which has all other capabilities.
func (b *outbound) Unwrap() provider.Mailbox { return b.Mailbox }

// Send writes the mail into the folder. It is there whole, under the name of its marker, or not at all.
func (b *outbound) Send(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	if err := ctx.Err(); err != nil {
		return provider.Sent{}, err
	}
	raw, err := out.Open()
	if err != nil {
		return provider.Sent{}, err
	}
	err = b.write(raw, b.file(out.Marker))
	if err := errors.Join(err, raw.Close()); err != nil {
		return provider.Sent{}, fmt.Errorf("postbox: send: %w", err)
	}
	return sent(out.Marker, out.Thread), nil
}

// Find looks for a mail by its file.
func (b *outbound) Find(ctx context.Context, marker string, thread provider.ThreadID, _ time.Time) (provider.Sent, error) {
	if err := ctx.Err(); err != nil {
		return provider.Sent{}, err
	}
	switch _, err := os.Stat(b.file(marker)); {
	case errors.Is(err, fs.ErrNotExist):
		return provider.Sent{}, fmt.Errorf("postbox: find: %w", provider.ErrGone)
	case err != nil:
		return provider.Sent{}, fmt.Errorf("postbox: find: %w", err)
	}
	return sent(marker, thread), nil
}

// file is where the mail with that marker lies.
func (b *outbound) file(marker string) string {
	return filepath.Join(b.folder, filepath.Base(marker)+".eml")
}

func sent(marker string, thread provider.ThreadID) provider.Sent {
	return provider.Sent{ID: provider.RemoteID("sent-" + marker), Thread: thread}
}

// write copies into a file that has its name once it is whole. Only its owner may read it.
func (b *outbound) write(raw io.Reader, name string) error {
	if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(b.folder, ".sending-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
