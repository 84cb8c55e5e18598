package archive_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
)

// walk reads a whole archive.
func walk(t testing.TB, m provider.Mailbox, from provider.Cursor) (
	[]provider.Header, provider.Cursor,
) {
	t.Helper()
	var all []provider.Header
	for b, err := range m.Changes(t.Context(), from, provider.Walk{}) {
		require.NoError(t, err)
		all, from = append(all, b.Put...), b.Next
	}
	return all, from
}

func mailbox(t testing.TB, a *archive.Archive) provider.Mailbox {
	t.Helper()
	m, err := a.Open(t.Context(), provider.Credential{}, nil)
	require.NoError(t, err)
	return m
}

func openAll(t testing.TB, path string) (provider.Mailbox, []provider.Header) {
	t.Helper()
	m := mailbox(t, archive.New(path, archive.Options{}))
	all, _ := walk(t, m, "")
	return m, all
}

func raw(t testing.TB, m provider.Mailbox, id provider.RemoteID) string {
	t.Helper()
	r, err := m.Open(t.Context(), id)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(b)
}

func TestMonthOfAList(t *testing.T) {
	t.Parallel()
	m, all := openAll(t, "testdata/lists/maven-dev-2017-11.mbox")
	require.Equal(t, 317, len(all))
	file, err := os.ReadFile("testdata/lists/maven-dev-2017-11.mbox")
	require.NoError(t, err)
	var marks, times []int64 // of the "From " lines, of the headers
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "From ") {
			at, err := time.Parse(time.ANSIC, strings.TrimSpace(line[strings.Index(line, "  ")+2:]))
			require.NoError(t, err, "line %q", line)
			marks = append(marks, at.Unix())
		}
	}
	threads, ids := map[provider.ThreadID]bool{}, map[provider.RemoteID]bool{}
	size := 0
	for i, h := range all {
		times = append(times, h.Received.Unix())
		threads[h.Thread], ids[h.ID] = true, true
		require.False(t, i > 0 && h.Received.After(all[i-1].Received), "message %d is not older", i)
		require.Equal(t, provider.MarkUnknown, h.Sent)
		require.NotEmpty(t, h.From, "message %d", i)
		require.Equal(t, "<dev.maven.apache.org>", listID(h)[strings.Index(listID(h), "<"):])
		size += len(raw(t, m, h.ID))
	}
	slices.Sort(marks)
	slices.Sort(times)
	for i := range marks {
		// The server that wrote the file took the message a moment after the field was written.
		require.InDelta(t, marks[i], times[i], 2, "received time %d, against that of its From line", i)
	}
	require.Equal(t, 317, len(ids))
	require.Equal(t, 93, len(threads), "conversations, counted by another program")
	lost := len(file) - size
	want := 0
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "From ") {
			want += len(line) + 1 // and the empty line before the next one
		} else if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
			want++
		}
	}
	require.Equal(t, want, lost, "bytes of the file that are in no message")
}

func listID(h provider.Header) string {
	for _, f := range h.Fields {
		if f.Name == "List-Id" {
			return f.Value
		}
	}
	return ""
}

func TestMaildirWithNestedFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list, err := os.ReadFile("testdata/maildir/files.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		name, body, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(body), 0o600))
	}
	format, err := archive.Detect(dir)
	require.NoError(t, err)
	require.Equal(t, archive.FormatMaildir, format)
	m, all := openAll(t, dir)
	got := map[string]provider.Header{}
	for _, h := range all {
		got[raw(t, m, h.ID)] = h
	}
	for _, want := range []struct {
		body     string
		received int64
		folder   provider.Folder
		unread   bool
	}{
		{"a", 1491941793, provider.FolderTrash, false},
		{"b", 1234567890, provider.FolderMail, false},
		{"c", 1035478339, provider.FolderTrash, true},
		{"d", 1276528487, provider.FolderMail, true},
		{"e", 1276533073, provider.FolderMail, true},
		{"f", 1035478339, provider.FolderDraft, true},
	} {
		h, ok := got[want.body]
		require.True(t, ok, "message %q", want.body)
		require.Equal(t, time.Unix(want.received, 0).UTC(), h.Received, "message %q", want.body)
		require.Equal(t, want.folder, h.Folder, "message %q", want.body)
		require.Equal(t, want.unread, h.Unread, "message %q", want.body)
	}
	require.Len(t, all, 6)
}

func TestThreads(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"thread.mbox":  "aaa",   // references in a circle
		"thread2.mbox": "aa",    // one id twice
		"thread3.mbox": "aa",    // one id twice, with subjects
		"thread4.mbox": "ab",    // an equal subject joins nothing
		"thread5.mbox": "aaaaa", // In-Reply-To alone
		"thread6.mbox": "aa",    // both refer to a message nobody has
		"thread7.mbox": "aaaa",
		"thread8.mbox": "aaa",
		// Without any reference every message is alone.
		"thread-orderedsubject.mbox": "abcdefghijklmno",
	} {
		m, all := openAll(t, filepath.Join("testdata/threading", file))
		text, err := os.ReadFile(filepath.Join("testdata/threading", file))
		require.NoError(t, err)
		slices.SortFunc(all, func(a, b provider.Header) int {
			return bytes.Index(text, []byte(raw(t, m, a.ID))) - bytes.Index(text, []byte(raw(t, m, b.ID)))
		})
		names, got := map[provider.ThreadID]byte{}, ""
		for _, h := range all {
			if names[h.Thread] == 0 {
				names[h.Thread] = byte('a' + len(names))
			}
			got += string(names[h.Thread])
		}
		require.Equal(t, want, got, "%s: threads of the messages in the order of the file", file)
	}
}

func TestFolderOfMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dir           string
		mail, skipped int
	}{
		{"testdata/enmime", countFiles(t, "testdata/enmime/*.raw"), 1},
		{"testdata/mail-parser", countFiles(t, "testdata/mail-parser/*.eml"),
			countFiles(t, "testdata/mail-parser/*.json") + 2},
		{"testdata", 317 + 46 + countFiles(t, "testdata/enmime/*.raw") +
			countFiles(t, "testdata/mail-parser/*.eml"), countFiles(t, "testdata/*/*.json") + 8},
	} {
		a := archive.New(c.dir, archive.Options{})
		all, _ := walk(t, mailbox(t, a), "")
		skipped, err := a.Skipped(t.Context())
		require.NoError(t, err)
		require.Equal(t, c.mail, len(all), "messages in %s", c.dir)
		require.Len(t, skipped, c.skipped, "left out in %s: %v", c.dir, skipped)
		for _, s := range skipped {
			require.NotRegexp(t, `\.(eml|raw|mbox)$`, s.Name)
			require.Equal(t, "no header of a mail", s.Why)
		}
		format, err := archive.Detect(c.dir)
		require.NoError(t, err)
		require.Equal(t, archive.FormatFolder, format)
		for _, h := range all {
			require.False(t, h.Received.IsZero())
			require.NotEmpty(t, h.Thread)
		}
	}
}

func countFiles(t *testing.T, pattern string) int {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	return len(files)
}
