package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// listSenderless names the mail that stays out because nobody sent it: by its file, or by its
// Message-ID where many share a file. The library keeps nothing of it, so it is looked for again.
func (h *host) listSenderless(ctx context.Context, id inbox.ID, out io.Writer) error {
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil {
		return err
	}
	box, err := h.disk.Open(ctx, provider.Credential{}, nil)
	if err != nil {
		return err
	}
	files, err := filesByContent(h.path)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nMail without any sender, which stays out:")
	for m, err := range headers(ctx, h.disk) {
		if err != nil {
			return err
		}
		if hasSender(&m) {
			continue
		}
		fate, err := h.desk.Inboxes.Fate(ctx, actor, id, m.ID)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if fate.Reason != filter.NoSender {
			continue
		}
		raw, err := box.Open(ctx, m.ID)
		if errors.Is(err, provider.ErrGone) {
			continue
		}
		if err != nil {
			return err
		}
		sum, err := sumOf(raw)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s  %s\n", m.Received.Format(time.DateTime), files.take(sum, &m))
	}
	return nil
}

func hasSender(m *provider.Header) bool {
	for _, a := range m.From {
		if isAddress(a.Address) {
			return true
		}
	}
	return isAddress(m.Sender.Address)
}

// digest is the SHA-256 of a file or a message.
type digest [sha256.Size]byte

// fileNames are the names of files by what is in them.
type fileNames map[digest][]string

// take returns a file of that content, each once, or the Message-ID.
func (n fileNames) take(sum digest, m *provider.Header) string {
	switch names := n[sum]; {
	case len(names) > 0:
		n[sum] = names[1:]
		return names[0]
	case m.MessageID != "":
		return "<" + m.MessageID + ">"
	}
	return "(no Message-ID)"
}

// filesByContent names the files below a path.
func filesByContent(path string) (fileNames, error) {
	names := make(fileNames)
	err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		sum, err := sumOf(f)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(path, file)
		if name == "." {
			name = filepath.Base(file)
		}
		names[sum] = append(names[sum], name)
		return err
	})
	return names, err
}

// sumOf reads to the end, and closes.
func sumOf(r io.ReadCloser) (digest, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return digest(h.Sum(nil)), errors.Join(err, r.Close())
}
