package archive_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/providertest"
)

func TestMailboxOfMaildir(t *testing.T) {
	t.Parallel()
	for _, size := range []int{7, 200} {
		t.Run(fmt.Sprint("page of ", size), func(t *testing.T) {
			t.Parallel()
			providertest.Mailbox(t, func(t providertest.T) providertest.Harness {
				dir := t.TempDir()
				for _, sub := range []string{"cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Spam/cur",
					".Spam/new"} {
					must(t, os.MkdirAll(filepath.Join(dir, sub), 0o700))
				}
				return &maildir{box: box{path: dir, size: size}}
			})
		})
	}
}

func TestMailboxOfMbox(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 20} {
		t.Run(fmt.Sprint("page of ", size), func(t *testing.T) {
			t.Parallel()
			providertest.Mailbox(t, func(t providertest.T) providertest.Harness {
				path := filepath.Join(t.TempDir(), "all.mbox")
				must(t, os.WriteFile(path, nil, 0o600))
				return &mbox{box: box{path: path, size: size}}
			})
		})
	}
}

func TestMailboxOfFolder(t *testing.T) {
	t.Parallel()
	providertest.Mailbox(t, func(t providertest.T) providertest.Harness {
		return &folder{box: box{path: t.TempDir(), size: 7}}
	})
}

func must(t providertest.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
}

// box is what the harnesses share: an archive at a path, of which they learn the ids.
type box struct {
	path   string
	size   int
	probe  provider.Mailbox
	cursor provider.Cursor
	ids    map[provider.RemoteID]bool
}

func (b *box) Open(t providertest.T) provider.Mailbox {
	m, err := archive.New(b.path, archive.Options{Own: []string{"owner@own.example"},
		PageSize: b.size}).Open(t.Context(), provider.Credential{}, nil)
	must(t, err)
	return m
}

// learn returns the id of the one message that is new since it was called last.
func (b *box) learn(t providertest.T) provider.RemoteID {
	if b.probe == nil {
		b.probe, b.ids = b.Open(t), make(map[provider.RemoteID]bool)
	}
	var id provider.RemoteID
	for batch, err := range b.probe.Changes(t.Context(), b.cursor, provider.Walk{}) {
		must(t, err)
		b.cursor = batch.Next
		for _, h := range batch.Put {
			if !b.ids[h.ID] {
				id = h.ID
			}
			b.ids[h.ID] = true
		}
	}
	return id
}

// maildir is a Maildir. Its files are named after the received time.
type maildir struct {
	box
	n     int
	files map[provider.RemoteID]string
}

func (m *maildir) Deliver(t providertest.T, mail providertest.Mail) provider.RemoteID {
	return m.DeliverTo(t, mail, provider.FolderMail, true, false)
}

func (m *maildir) DeliverTo(
	t providertest.T, mail providertest.Mail, kind provider.Folder, unread, sent bool,
) provider.RemoteID {
	m.n++
	where, marks := "new", ""
	if !unread {
		where, marks = "cur", ":2,S"
	}
	switch {
	case sent:
		where = ".Sent/" + where
	case kind == provider.FolderSpam:
		where = ".Spam/" + where
	case kind == provider.FolderDraft:
		where, marks = "cur", ":2,DS"
	case kind == provider.FolderTrash:
		where, marks = "cur", ":2,ST"
	}
	name := filepath.Join(where, fmt.Sprintf("%d.M%dP1.desk%s", mail.Received.Unix(), m.n, marks))
	must(t, os.WriteFile(filepath.Join(m.path, name), mail.Raw, 0o600))
	id := m.learn(t)
	if m.files == nil {
		m.files = make(map[provider.RemoteID]string)
	}
	m.files[id] = name
	return id
}

func (m *maildir) MarkRead(t providertest.T, id provider.RemoteID) {
	seen := filepath.Join("cur", filepath.Base(m.files[id])+":2,S")
	must(t, os.Rename(filepath.Join(m.path, m.files[id]), filepath.Join(m.path, seen)))
	m.files[id] = seen
}

func (m *maildir) Remove(t providertest.T, id provider.RemoteID) {
	must(t, os.Remove(filepath.Join(m.path, m.files[id])))
}

// mbox is an mbox file, to which messages are added at the end.
type mbox struct {
	box
	order []provider.RemoteID
	texts []string
}

func (m *mbox) Deliver(t providertest.T, mail providertest.Mail) provider.RemoteID {
	var b strings.Builder
	fmt.Fprintf(&b, "From someone %s\n", mail.Received.Format(time.ANSIC))
	for line := range bytes.Lines(bytes.ReplaceAll(mail.Raw, []byte("\r\n"), []byte("\n"))) {
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			b.WriteByte('>')
		}
		b.Write(line)
	}
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
	m.texts = append(m.texts, b.String()+"\n")
	m.write(t)
	id := m.learn(t)
	m.order = append(m.order, id)
	return id
}

func (m *mbox) Remove(t providertest.T, id provider.RemoteID) {
	for i, have := range m.order {
		if have == id {
			m.order = append(m.order[:i:i], m.order[i+1:]...)
			m.texts = append(m.texts[:i:i], m.texts[i+1:]...)
			break
		}
	}
	m.write(t)
}

func (m *mbox) write(t providertest.T) {
	must(t, os.WriteFile(m.path, []byte(strings.Join(m.texts, "")), 0o600))
}

// folder is a folder of messages. The time of a file is its received time.
type folder struct {
	box
	n     int
	files map[provider.RemoteID]string
}

func (f *folder) Deliver(t providertest.T, mail providertest.Mail) provider.RemoteID {
	f.n++
	name := filepath.Join(f.path, fmt.Sprintf("%d.eml", f.n))
	must(t, os.WriteFile(name, mail.Raw, 0o600))
	must(t, os.Chtimes(name, time.Time{}, mail.Received))
	id := f.learn(t)
	if f.files == nil {
		f.files = make(map[provider.RemoteID]string)
	}
	f.files[id] = name
	return id
}

func (f *folder) Remove(t providertest.T, id provider.RemoteID) { must(t, os.Remove(f.files[id])) }
