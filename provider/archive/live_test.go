package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/mailgen"
)

func generated(t testing.TB, n int) (*mailgen.Mailbox, string) {
	t.Helper()
	g, err := mailgen.New(mailgen.Config{Seed: 9, Messages: n, DuplicateShare: 0.05,
		AttachmentShare: 0.02})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "all.mbox")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, g.WriteMbox(f))
	require.NoError(t, f.Close())
	return g, path
}

func TestEveryMessageComesBackAsItWas(t *testing.T) {
	t.Parallel()
	g, path := generated(t, 200)
	dir := t.TempDir()
	require.NoError(t, g.WriteMaildir(dir))
	for name, path := range map[string]string{"mbox": path, "maildir": dir} {
		m, all := openAll(t, path)
		require.Len(t, all, g.Len(), name)
		want := map[string]int{}
		for msg := range g.Oldest() {
			want[strings.ReplaceAll(string(msg.Raw), "\r\n", "\n")]++
		}
		threads := map[provider.ThreadID]int{}
		for _, h := range all {
			truth, err := g.Find(h.MessageID)
			require.NoError(t, err)
			want[raw(t, m, h.ID)]--
			if first, seen := threads[h.Thread]; seen {
				require.Equal(t, first, truth.Thread, "%s: one thread for two conversations", name)
			}
			threads[h.Thread] = truth.Thread
			require.Equal(t, name == "maildir" && truth.Outbound, h.Sent == provider.MarkSent)
		}
		for text, n := range want {
			require.Zero(t, n, "%s: message of %d bytes came back %d times too few", name, len(text), n)
		}
	}
}

func TestEqualMessagesOfOneMboxAreTwo(t *testing.T) {
	t.Parallel()
	const message = "From a@b Mon Mar  2 10:00:00 2026\nFrom: a@b\nMessage-ID: <1@x>\n\nx\n\n"
	path := filepath.Join(write(t, map[string]string{"box": strings.Repeat(message, 3)}), "box")
	_, first := openAll(t, path)
	_, again := openAll(t, path)
	require.Len(t, first, 3)
	require.Equal(t, first, again, "a second look by another process")
	require.NotEqual(t, first[0].ID, first[1].ID)
	require.NotEqual(t, first[1].ID, first[2].ID)
	require.Equal(t, first[0].Thread, first[2].Thread)
}

func TestIDsSurviveWhatMailProgramsRewrite(t *testing.T) {
	t.Parallel()
	const mark, rest = "From a@b Mon Mar  2 10:00:00 2026\n", "From: a@b\nMessage-ID: <1@x>\n\nx\n\n"
	dir := write(t, map[string]string{"box": mark + rest})
	path := filepath.Join(dir, "box")
	a := archive.New(path, archive.Options{})
	m := mailbox(t, a)
	all, cursor := walk(t, m, "")
	require.Len(t, all, 1)
	require.False(t, all[0].Unread)
	steps := []struct {
		fields string
		unread bool
		folder provider.Folder
	}{
		{"Status: O\n", true, ""}, {"Status: RO\nX-Status: A\n", false, ""},
		{"X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00000000\n", true, ""},
		{"X-Mozilla-Status: 0009\n", false, provider.FolderTrash},
	}
	for i, s := range steps {
		older := strings.Repeat(mark+fmt.Sprintf("Message-ID: <before%d@x>\n\n\n", i), 2)
		require.NoError(t, os.WriteFile(path, []byte(older+mark+s.fields+rest), 0o600))
		var changed []provider.Header
		changed, cursor = walk(t, m, cursor)
		found := false
		for _, h := range changed {
			if h.ID == all[0].ID {
				found = true
				require.Equal(t, s.unread, h.Unread, "fields %q", s.fields)
				require.Equal(t, s.folder, h.Folder, "fields %q", s.fields)
			}
		}
		require.True(t, found, "fields %q: want the message under its first id", s.fields)
	}
}

func TestKeyMakesTheIDs(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"secret subject.eml": "Subject: x\nFrom: a@b\n\n"})
	id := func(o archive.Options, path string) provider.RemoteID {
		all, _ := walk(t, mailbox(t, archive.New(path, o)), "")
		require.Len(t, all, 1)
		return all[0].ID
	}
	one := id(archive.Options{Key: []byte("one")}, dir)
	require.Regexp(t, "^[0-9a-f]{32}$", one)
	require.NotEqual(t, one, id(archive.Options{Key: []byte("two")}, dir))
	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.Rename(dir, moved))
	require.Equal(t, one, id(archive.Options{Key: []byte("one")}, moved), "moved, with its key")
}

func TestAnotherProcessTellsWhatIsNew(t *testing.T) {
	t.Parallel()
	g, path := generated(t, 600)
	all, cursor := walk(t, mailbox(t, archive.New(path, archive.Options{})), "")
	require.Len(t, all, g.Len())
	same, kept := walk(t, mailbox(t, archive.New(path, archive.Options{})), cursor)
	require.Empty(t, same, "nothing has changed")
	require.Equal(t, cursor, kept)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("From a@b Tue Mar 31 13:00:00 2026\nMessage-ID: <new@x>\n\nnew\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	news, next := walk(t, mailbox(t, archive.New(path, archive.Options{})), cursor)
	require.Less(t, len(news), g.Len()/20, "messages told, of which one is new")
	found := false
	for _, h := range news {
		found = found || h.MessageID == "new@x"
	}
	require.True(t, found)
	last, _ := walk(t, mailbox(t, archive.New(path, archive.Options{})), next)
	require.Empty(t, last)
}

func TestMailAddedWhileTheWalkRuns(t *testing.T) {
	t.Parallel()
	g, path := generated(t, 300)
	m := mailbox(t, archive.New(path, archive.Options{PageSize: 20}))
	seen, n := map[provider.RemoteID]bool{}, 0
	for b, err := range m.Changes(t.Context(), "", provider.Walk{}) {
		require.NoError(t, err)
		for _, h := range b.Put {
			seen[h.ID] = true
		}
		// The file is another after every batch, and every offset in it.
		if n++; n <= 5 {
			old, err := os.ReadFile(path)
			require.NoError(t, err)
			mail := fmt.Sprintf("From a@b Mon Mar  2 10:00:00 2026\nMessage-ID: <new%d@x>\n\nnew\n\n", n)
			require.NoError(t, os.WriteFile(path, append([]byte(mail), old...), 0o600))
		}
	}
	require.Len(t, seen, g.Len()+5)
}

func TestArchiveThatIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"mail/a.eml": "Subject: x\nFrom: a@b\n\n", "mail/b.eml": ""})
	path := filepath.Join(dir, "mail")
	m := mailbox(t, archive.New(path, archive.Options{}))
	all, cursor := walk(t, m, "")
	require.Len(t, all, 2)
	away := func(want error) {
		t.Helper()
		for b, err := range m.Changes(t.Context(), cursor, provider.Walk{}) {
			require.ErrorIs(t, err, provider.ErrRetry)
			require.ErrorIs(t, err, want)
			require.Empty(t, b.Removed)
			require.NotContains(t, err.Error(), dir)
		}
		_, err := m.Open(t.Context(), all[0].ID)
		require.ErrorIs(t, err, provider.ErrRetry, "no word of the archive that the message is gone")
	}
	require.NoError(t, os.Rename(path, path+"2"))
	away(archive.ErrNotThere)
	require.NoError(t, os.Mkdir(path, 0o700))
	away(archive.ErrEmpty)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Rename(path+"2", path))
	back, _ := walk(t, m, cursor)
	require.Empty(t, back)
	raw(t, m, all[0].ID)
}

func TestFilesThatChangeUnderTheReader(t *testing.T) {
	t.Parallel()
	const text = "From: a@b\n\n>From x\n"
	dir := write(t, map[string]string{"one.eml": text,
		"box": "From a@b Mon Mar  2 10:00:00 2026\nMessage-ID: <1@x>\n" + text})
	m, all := openAll(t, dir)
	require.Len(t, all, 2)
	single, box := all[0], all[1]
	if single.MessageID != "" {
		single, box = box, single
	}
	longer := text + strings.Repeat("more\n", 20_000)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one.eml"), []byte(longer), 0o600))
	require.Equal(t, longer, raw(t, m, single.ID), "a message that was written again")
	r, err := m.Open(t.Context(), box.ID)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(filepath.Join(dir, "box"), 60))
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, provider.ErrRetry, "an mbox that is cut while it is read")
	require.NotContains(t, err.Error(), dir)
	require.NoError(t, r.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "box")))
	_, err = m.Open(t.Context(), box.ID)
	require.ErrorIs(t, err, provider.ErrGone)
}

// TestALaterLookSeesWhatAFirstOneWould changes a folder step by step: the index that takes over what
// has not changed must be the one made of all files anew.
func TestALaterLookSeesWhatAFirstOneWould(t *testing.T) {
	t.Parallel()
	const mark = "From a@b Mon Mar  2 10:00:00 2026\n"
	message := func(id, more string) string {
		return fmt.Sprintf("From: a@b\nDate: Mon, 2 Mar 2026 10:00:00 +0000\nMessage-ID: <%s@x>\n%s\nx\n\n", id, more)
	}
	dir := write(t, map[string]string{
		"takeout.mbox":  mark + message("t1", "X-GM-THRID: 71\n") + mark + message("t2", "References: <t1@x>\n"),
		"list.mbox":     mark + message("l1", "") + mark + message("l2", "References: <l1@x> <lost@x>\n"),
		"m/new/1":       message("m1", "X-GM-THRID: 72\nReferences: <lost@x>\n"),
		"m/cur/2:2,":    message("m2", "In-Reply-To: <m1@x>\n"),
		"m/cur/3:2,S":   message("m3", ""),
		"loose/one.eml": message("o1", "X-GM-THRID: 71\n"),
	})
	a := archive.New(dir, archive.Options{Key: []byte("key")})
	m := mailbox(t, a)
	path := func(name string) string { return filepath.Join(dir, name) }
	steps := []struct {
		name string
		do   func() error
	}{
		{"nothing", func() error { return nil }},
		{"a flag", func() error { return os.Rename(path("m/new/1"), path("m/cur/1:2,S")) }},
		{"a new file", func() error {
			return os.WriteFile(path("m/new/4"), []byte(message("m4", "References: <m3@x> <l2@x>\n")), 0o600)
		}},
		{"a longer mbox", func() error {
			grown := mark + message("t0", "") + mark + message("t1", "X-GM-THRID: 71\n")
			return os.WriteFile(path("takeout.mbox"), []byte(grown), 0o600)
		}},
		{"what joined two threads goes", func() error { return os.Remove(path("m/new/4")) }},
		{"an mbox goes", func() error { return os.Remove(path("list.mbox")) }},
	}
	for _, s := range steps {
		require.NoError(t, s.do(), s.name)
		got, _ := walk(t, m, "")
		want, _ := walk(t, mailbox(t, archive.New(dir, archive.Options{Key: []byte("key")})), "")
		require.Equal(t, want, got, "headers after %s", s.name)
		require.NotEmpty(t, want, s.name)
	}
}

func TestForeignCursors(t *testing.T) {
	t.Parallel()
	_, path := generated(t, 10)
	m := mailbox(t, archive.New(path, archive.Options{}))
	_, live := walk(t, m, "")
	for _, c := range []provider.Cursor{"x", "walk", "live x", "walk x.y 1 2", live + " 1", live[:90],
		provider.Cursor("walk" + strings.TrimPrefix(string(live), "live"))} {
		n := 0
		for _, err := range m.Changes(t.Context(), c, provider.Walk{}) {
			require.ErrorIs(t, err, provider.ErrCursorExpired, "cursor %q", c)
			n++
		}
		require.Equal(t, 1, n)
	}
}

func TestConsentIsTrivial(t *testing.T) {
	t.Parallel()
	_, path := generated(t, 3)
	a := archive.New(path, archive.Options{Own: []string{"a@b.example", "c@b.example"}})
	url, err := a.AuthURL(t.Context(), provider.AuthRequest{State: "s 1",
		RedirectURL: "https://host.example/back?x=1"})
	require.NoError(t, err)
	require.Equal(t, "https://host.example/back?code=archive&state=s+1&x=1", url)
	consent, err := a.Exchange(t.Context(), provider.AuthResponse{Code: "archive"})
	require.NoError(t, err)
	require.Equal(t, []string{"a@b.example", "c@b.example"}, consent.Account.Own())
	m, err := a.Open(t.Context(), consent.Credential, nil)
	require.NoError(t, err)
	of, _ := provider.As[provider.Addresses](m)
	account, err := of.Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, consent.Account, account)
	_, err = archive.New(path+"x", archive.Options{}).Open(t.Context(), consent.Credential, nil)
	require.ErrorIs(t, err, provider.ErrAuth)
	require.NoError(t, a.Revoke(t.Context(), consent.Credential))
	require.Equal(t, archive.Kind, a.Kind())
	require.Empty(t, a.Scopes())
}

func TestCancelWhileFilesAreRead(t *testing.T) {
	t.Parallel()
	_, path := generated(t, 50)
	m := mailbox(t, archive.New(path, archive.Options{}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	count, _ := provider.As[provider.Counter](m)
	_, err := count.Count(ctx, provider.Walk{})
	require.True(t, errors.Is(err, context.Canceled), "got %v", err)
}
