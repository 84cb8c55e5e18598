package mailgen

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// WriteMbox writes all messages, oldest first, as an mbox file in the mboxrd form (RFC 4155 with
// reversible quoting): lines end with LF, and body lines like "From " get one ">" more.
func (m *Mailbox) WriteMbox(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	for msg := range m.Oldest() {
		fmt.Fprintf(b, "From %s %s\n", m.c.Owner, msg.Received.Format(time.ANSIC))
		raw := bytes.ReplaceAll(msg.Raw, []byte("\r\n"), []byte("\n"))
		for line := range bytes.Lines(raw) {
			if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
				b.WriteByte('>')
			}
			b.Write(line)
		}
		b.WriteByte('\n')
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("mailgen: write mbox: %w", err)
	}
	return nil
}

// WriteMaildir writes all messages into a Maildir at dir, which it creates: what the owner sent goes
// to the folder ".Sent", the rest to the inbox, everything seen. Lines end with LF.
func (m *Mailbox) WriteMaildir(dir string) error {
	for _, folder := range []string{"", ".Sent"} {
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(dir, folder, sub), 0o700); err != nil {
				return fmt.Errorf("mailgen: write maildir: %w", err)
			}
		}
	}
	for msg := range m.Oldest() {
		folder := ""
		if msg.Outbound {
			folder = ".Sent"
		}
		name := fmt.Sprintf("%d.M%dP1.desk,S=%d:2,S", msg.Received.Unix(), msg.Index, len(msg.Raw))
		raw := bytes.ReplaceAll(msg.Raw, []byte("\r\n"), []byte("\n"))
		if err := os.WriteFile(filepath.Join(dir, folder, "cur", name), raw, 0o600); err != nil {
			return fmt.Errorf("mailgen: write maildir: %w", err)
		}
	}
	return nil
}
