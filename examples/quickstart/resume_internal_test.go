package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/mailgen"
)

func TestSecondRunStoresNothing(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "team.db")
	first := tryJSON(t, "-db", db)
	require.Equal(t, 32, first.Stored)
	info, err := os.Stat(db)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode(), "who may read the database, which holds mail")
	}
	second := tryJSON(t, "-db", db)
	require.Zero(t, second.Stored, "stored by the second run")
	require.Equal(t, second.Listed, second.Known, "what the second run looked at is known")
	require.Less(t, second.Listed, 317/10, "mails the second run looked at")
	first.Tickets++ // the child of the mail ravi forwarded
	require.Equal(t, totals(first), totals(second), "what the database holds")

	code, stdout, stderr := try(t, "-db", db)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `Going on with inbox "Mail of rfscholte@apache.org" of this database`)
}

func TestNewMailOfASecondRunIsFetched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, box := filepath.Join(dir, "team.db"), filepath.Join(dir, "box.mbox")
	mail, err := os.ReadFile(list)
	require.NoError(t, err)
	half := bytes.Index(mail[len(mail)/2:], []byte("\n\nFrom ")) + len(mail)/2 + 2
	require.NoError(t, os.WriteFile(box, mail[:half], 0o600))
	first := tryJSON(t, "-db", db, "-mail", box)
	require.NoError(t, os.WriteFile(box, mail, 0o600))
	second := tryJSON(t, "-db", db, "-mail", box)
	require.Positive(t, first.Stored)
	require.Equal(t, 317, first.Stored+second.Stored)
	require.Equal(t, 317, second.Messages)
	require.Equal(t, 93+1, second.Tickets, "conversations of the whole month, and the child of a forwarded mail")
}

// totals is what a database holds, whatever runs it took.
func totals(s summary) [4]int { return [4]int{s.Messages, s.Tickets, s.Customers, s.Companies} }

// bigBox writes a mailbox that takes a while to import.
func bigBox(t *testing.T) string {
	t.Helper()
	m, err := mailgen.New(mailgen.Config{Seed: 7, Messages: 800, MeanBytes: 4000, AttachmentShare: 0.001})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "big.mbox")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, m.WriteMbox(f))
	require.NoError(t, f.Close())
	return path
}

func TestStoppedInTheMiddleAndRunAgain(t *testing.T) {
	t.Parallel()
	box := bigBox(t)
	args := []string{"-mail", box, "-days", "0", "-json"}
	want := tryJSON(t, args...)
	require.Equal(t, 800, want.Listed)
	for _, row := range []struct {
		name string
		stop syscall.Signal
		said string
	}{
		{"kill", syscall.SIGKILL, ""},
		{"interrupt", syscall.SIGINT, "quickstart: stopped; the same command goes on where it was\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-db", filepath.Join(t.TempDir(), "team.db")}, args...)
			cmd, temp := program(t, args...)
			var stdout bytes.Buffer
			cmd.Stdout = &stdout
			pipe, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			stderr := bufio.NewReader(pipe)
			line, err := stderr.ReadString('\n')
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(line, "imported "), "first line: %q", line)
			require.NoError(t, cmd.Process.Signal(row.stop))
			rest, err := io.ReadAll(stderr)
			require.NoError(t, err)
			require.Error(t, cmd.Wait(), "the run came to its end before it was stopped")
			require.Empty(t, stdout.String())
			require.True(t, strings.HasSuffix(string(rest), row.said), "last words: %q", rest)
			if row.stop == syscall.SIGINT {
				left, err := os.ReadDir(temp)
				require.NoError(t, err)
				require.Empty(t, left, "what the run left in its temporary folder")
			}

			got := tryJSON(t, args...)
			require.Less(t, got.Stored, want.Stored, "something had been stored before")
			require.Equal(t, totals(want), totals(got), "messages, tickets, customers, companies")
			require.Equal(t, map[filter.Reason]int{}, got.Rejected)
			again := tryJSON(t, args...)
			require.Zero(t, again.Stored, "stored by one more run")
		})
	}
}
