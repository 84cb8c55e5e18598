package archive_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
)

// write makes files below a new folder; a name that ends with "/" makes a folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func TestDetect(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"box":               "From a@b Mon Mar  2 10:00:00 2026\nSubject: x\n\nx\n",
		"one.txt":           "Subject: x\nFrom: a@b\n\nx\n",
		"empty.eml":         "",
		"nothing":           "",
		"notes.md":          "# From here on\n\nSubject: none\n",
		"settings.yaml":     "name: x\nversion: 1\n",
		"source.note":       "source: github.com/x/y\ncommit: 123\nlicence: MIT\n\ntext\n",
		"maildir/cur/":      "",
		"maildir/new/":      "",
		"deep/a/b/c.eml":    "",
		"none/settings.ini": "[x]\n",
		"hollow/":           "",
	})
	for name, want := range map[string]archive.Format{
		"box": archive.FormatMbox, "one.txt": archive.FormatMessage, "empty.eml": archive.FormatMessage,
		"maildir": archive.FormatMaildir, "deep": archive.FormatFolder, ".": archive.FormatFolder,
	} {
		got, err := archive.Detect(filepath.Join(dir, name))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	for name, want := range map[string]error{
		"missing": archive.ErrNotThere, "nothing": archive.ErrEmpty, "notes.md": archive.ErrNotMail,
		"settings.yaml": archive.ErrNotMail, "source.note": archive.ErrNotMail,
		"none": archive.ErrEmpty, "hollow": archive.ErrEmpty,
	} {
		_, err := archive.Detect(filepath.Join(dir, name))
		require.ErrorIs(t, err, want, name)
		require.NotContains(t, err.Error(), dir, "the error of %s", name)
		_, err = archive.New(filepath.Join(dir, name), archive.Options{}).Exchange(t.Context(),
			provider.AuthResponse{Code: "any"})
		require.ErrorIs(t, err, want, "connecting %s", name)
	}
}

func TestTakeout(t *testing.T) {
	t.Parallel()
	const message = "From 17@xxx Mon Mar 02 10:00:00 +0000 2026\nX-GM-THRID: %t\n" +
		"X-Gmail-Labels: %l\nMessage-ID: <%i@x>\nFrom: a@b\n\n>From here\n\n"
	cases := []struct {
		labels string
		folder provider.Folder
		sent   provider.Mark
		unread bool
	}{
		{"Inbox,Unread", provider.FolderMail, provider.MarkNotSent, true},
		{"Archived,Sent,Opened", provider.FolderMail, provider.MarkSent, false},
		{"Drafts", provider.FolderDraft, provider.MarkNotSent, false},
		{"Spam,Unread", provider.FolderSpam, provider.MarkNotSent, true},
		{"Trash,Opened", provider.FolderTrash, provider.MarkNotSent, false},
		{"Chat", provider.FolderChat, provider.MarkNotSent, false},
		{"=?UTF-8?Q?Archiviert,Gesendet,Ge=C3=B6ffnet?=", provider.FolderMail, provider.MarkSent, false},
		{"Projekt A", provider.FolderMail, provider.MarkUnknown, false},
	}
	var file strings.Builder
	for i, c := range cases {
		thread := "1600"
		if i > 3 {
			thread = "1700"
		}
		file.WriteString(strings.NewReplacer("%t", thread, "%l", c.labels, "%i", string(rune('a'+i))).
			Replace(message))
	}
	dir := write(t, map[string]string{"Takeout/All mail.mbox": file.String()})
	m, all := openAll(t, dir)
	require.Len(t, all, len(cases))
	byID := map[string]provider.Header{}
	for _, h := range all {
		byID[h.MessageID] = h
		require.Contains(t, raw(t, m, h.ID), "\nFrom here\n")
		require.Equal(t, time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), h.Received)
	}
	for i, c := range cases {
		h := byID[string(rune('a'+i))+"@x"]
		require.Equal(t, c.folder, h.Folder, "labels %q", c.labels)
		require.Equal(t, c.sent, h.Sent, "labels %q", c.labels)
		require.Equal(t, c.unread, h.Unread, "labels %q", c.labels)
		first := byID["a@x"]
		if i > 3 {
			first = byID["e@x"]
		}
		require.Equal(t, first.Thread, h.Thread, "message %d: thread by X-GM-THRID", i)
	}
	require.NotEqual(t, byID["a@x"].Thread, byID["e@x"].Thread)
}

func TestMboxSeparators(t *testing.T) {
	t.Parallel()
	const mark = "From a@b Mon Mar  2 10:00:00 2026\n"
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"two", mark + "A: 1\n\nx\n\n" + mark + "A: 2\n\ny\n", []string{"A: 1\n\nx\n", "A: 2\n\ny\n"}},
		{"empty line at the end", mark + "A: 1\n\nx\n\n", []string{"A: 1\n\nx\n"}},
		{"no line end at the end", mark + "A: 1\n\nx", []string{"A: 1\n\nx"}},
		{"CRLF", strings.ReplaceAll(mark+"A: 1\n\nx\n\n"+mark+"A: 2\n\ny\n", "\n", "\r\n"),
			[]string{"A: 1\r\n\r\nx\r\n", "A: 2\r\n\r\ny\r\n"}},
		{"quoting", mark + "A: 1\n\n>From x\n>>From y\n> From z\n>Fromage\n",
			[]string{"A: 1\n\nFrom x\n>From y\n> From z\n>Fromage\n"}},
		{"prose without a date", mark + "A: 1\n\nx\n\nFrom here on it is prose\nand more\n",
			[]string{"A: 1\n\nx\n\nFrom here on it is prose\nand more\n"}},
		{"a date but no empty line", mark + "A: 1\n\nx\n" + mark + "y\n",
			[]string{"A: 1\n\nx\n" + mark + "y\n"}},
		{"no empty line but a header", mark + "A: 1\n\nx\n" + mark + "Subject: y\n\ny\n",
			[]string{"A: 1\n\nx\n", "Subject: y\n\ny\n"}},
		{"no date but a header", mark + "A: 1\n\nx\n\nFrom MAILER\nReceived: y\n\ny\n",
			[]string{"A: 1\n\nx\n", "Received: y\n\ny\n"}},
		{"empty messages", mark + "\n" + mark + "\n" + mark, []string{"", "", ""}},
		{"a right Content-Length (mboxcl2)",
			mark + "Content-Length: 46\n\nfirst\n\n" + mark + ">From\n\n" + mark + "A: 2\n\ny\n",
			[]string{"Content-Length: 46\n\nfirst\n\n" + mark + ">From", "A: 2\n\ny\n"}},
		{"a right Content-Length, no empty line and no header",
			mark + "Content-Length: 4\n\nabcd\n" + mark + "y\n", []string{"Content-Length: 4\n\nabcd", "y\n"}},
		{"a wrong Content-Length", mark + "Content-Length: 4\n\nfirst\n\n" + mark + "A: 2\n\ny\n",
			[]string{"Content-Length: 4\n\nfirst\n", "A: 2\n\ny\n"}},
	} {
		path := filepath.Join(write(t, map[string]string{"box": c.file}), "box")
		m, all := openAll(t, path)
		got := map[string]int{}
		for _, h := range all {
			got[raw(t, m, h.ID)]++
		}
		want := map[string]int{}
		for _, w := range c.want {
			want[w]++
		}
		require.Equal(t, want, got, "%s: %q", c.name, c.file)
	}
}

func TestReceivedTimeFallsBack(t *testing.T) {
	t.Parallel()
	const received = "Received: from a by b; Mon, 02 Mar 2026 09:00:00 +0000\n" +
		"Received: from c by a; Mon, 02 Mar 2026 08:00:00 +0000\n"
	const date = "Date: Sun, 01 Mar 2026 12:00:00 +0000\n"
	dir := write(t, map[string]string{
		"m/cur/1772500000.1.x:2,S": date + "Subject: name\n\n",
		"m/cur/x1.y:2,S":           date + "Subject: date\n\n",
		"m/cur/1772500001.2.x:2,S": received + date + "Subject: received\n\n",
		"m/new/":                   "",
		"box": "From a Mon Mar  2 10:00:00 2026\n" + date + "Subject: mark\n\n" +
			"From - Mon Mar  2 11:00:00 2026\n" + received + "Subject: received2\n\n",
		"f.eml":  "Received: nonsense\nSubject: file\n\n",
		"e.eml":  "Received: x; Thu, 01 Jan 1970 00:00:00 +0000\n" + date + "Subject: epoch\n\n",
		"no.eml": "",
	})
	stamp := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"f.eml", "no.eml"} {
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), stamp, stamp))
	}
	m, all := openAll(t, dir)
	got := map[string]time.Time{}
	for _, h := range all {
		text := raw(t, m, h.ID)
		_, subject, _ := strings.Cut(text, "Subject: ")
		got[strings.TrimSpace(subject)] = h.Received
	}
	top := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	sent := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	require.Equal(t, map[string]time.Time{
		"name": time.Unix(1772500000, 0).UTC(), "date": sent, "received": top,
		"mark":      time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		"received2": top, "file": stamp, "epoch": sent, "": stamp,
	}, got)
}

func TestFolderNamesTellTheKind(t *testing.T) {
	t.Parallel()
	const text = "Subject: x\nFrom: a@b\n\n"
	dir := write(t, map[string]string{
		"m/cur/1772500000.1.x": text, "m/new/": "", "m/.Sent/cur/2": text, "m/.Sent/new/": "",
		"m/.Archive.Drafts/cur/3": text, "m/.Archive.Drafts/new/": "", "m/.INBOX.Junk/cur/4": text,
		"m/.INBOX.Junk/new/": "", "m/.Trash.2024/cur/5": text, "m/.Trash.2024/new/": "",
		"m/.Sentiment/cur/6": text, "m/.Sentiment/new/": "",
		"Sent": "From a Mon Mar  2 10:00:00 2026\n" + text, "m/dovecot.index": "x", "m/tmp/7": text,
	})
	a := archive.New(dir, archive.Options{})
	all, _ := walk(t, mailbox(t, a), "")
	counts := map[string]int{}
	for _, h := range all {
		name := string(h.Folder)
		if h.Sent == provider.MarkSent {
			name += "sent"
		}
		counts[name]++
	}
	require.Equal(t, map[string]int{"": 2, "sent": 2, "draft": 1, "spam": 1, "trash": 1}, counts)
	skipped, err := a.Skipped(t.Context())
	require.NoError(t, err)
	require.Equal(t, []archive.Skip{{Name: "m/dovecot.index",
		Why: "neither in cur nor in new of its Maildir"}}, skipped)
}

func TestNoMessageIsLost(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"empty.eml": "", "prose.eml": "no header at all\n", "binary.eml": "\x00\x01\x02",
		"a.raw": "Subject: x\nFrom: a@b\n\n", "odd.raw": "// not a mail\n", "x.json": "{}",
		".DS_Store": "x", "b/LICENSE": "MIT", "b/one": "Received: x\n\n",
	})
	require.NoError(t, os.Symlink("loop.eml", filepath.Join(dir, "loop.eml")))
	require.NoError(t, os.Symlink("a.raw", filepath.Join(dir, "link.eml")))
	require.NoError(t, os.Symlink(".", filepath.Join(dir, "again")))
	a := archive.New(dir, archive.Options{})
	all, _ := walk(t, mailbox(t, a), "")
	require.Len(t, all, 7)
	skipped, err := a.Skipped(t.Context())
	require.NoError(t, err)
	why := map[string]string{}
	for _, s := range skipped {
		why[s.Name] = s.Why
	}
	require.Equal(t, map[string]string{"x.json": "no header of a mail", ".DS_Store": "hidden",
		"b/LICENSE": "no header of a mail", "again": "a link to a folder",
		"loop.eml": "cannot be read: too many levels of symbolic links"}, why)
}
