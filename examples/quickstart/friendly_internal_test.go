package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

func TestMistakesAreToldInOneLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(path("empty"), 0o700))
	require.NoError(t, os.WriteFile(path("letter.txt"), []byte("Dear reader,\n\nthis is not mail.\n"), 0o600))
	newer(t, path("newer.db"))
	code, _, stderr := try(t, "-db", path("sample.db"), "-json")
	require.Zero(t, code, stderr)

	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"-mail", path("nothere")}, "there is nothing at"},
		{[]string{"-mail", path("empty")}, "there is no mail in"},
		{[]string{"-mail", path("letter.txt")}, "is not mail; give -mail an mbox file"},
		{[]string{"-db", path("newer.db")}, "is of a newer version of this program"},
		{[]string{"-db", path("letter.txt")}, "cannot be used as a database; give -db another file"},
		{[]string{"-db", path("empty")}, "cannot be used as a database; give -db another file"},
		{[]string{"-db", path("nothere/team.db")}, "cannot be used as a database; give -db another file"},
		{[]string{"-db", path("sample.db"), "-mail", readers + "lists"}, "was filled from other mail"},
		{[]string{"-mode", "some"}, `"some" for flag -mode: give client or all`},
		{[]string{"-days", "-1"}, "-days -1: give 0 or more"},
		{[]string{"-days", "many"}, `"many" for flag -days`},
		{[]string{"-as-of", "yesterday"}, "give a day such as 2017-12-01"},
		{[]string{"-me", "olivia"}, `"olivia" for flag -me: not a mail address`},
		{[]string{"-send-to", "ravi"}, `"ravi" for flag -send-to: not a mail address`},
		{[]string{"-client", "Acme"}, "give a name and its domains"},
		{[]string{"-client", "Acme=gmail.com,co.uk"}, "for flag -client: domain"},
		{[]string{"-client", "A=acme.com", "-client", "B=acme.com"}, "two clients have the same domain"},
		{[]string{"-exclude", "a..b"}, `"a..b" for flag -exclude`},
		{[]string{"-nope"}, "run with -h for all flags"},
		{[]string{"box.mbox"}, `"box.mbox" is no flag (mail is given with -mail)`},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := try(t, append(row.args, "-json")...)
			require.Equal(t, 1, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, row.want)
			require.True(t, strings.HasPrefix(stderr, "quickstart: "), stderr)
			require.Equal(t, 1, strings.Count(stderr, "\n"), "lines of %q", stderr)
		})
	}
}

// newer makes a database that a newer program has migrated.
func newer(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	require.NoError(t, err)
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.Options{}))
	_, err = db.ExecContext(t.Context(), "INSERT INTO "+sqlstore.DefaultPrefix+
		"schema (version_id, is_applied) VALUES (1000000, 1)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestStoppedWithoutDatabase(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err strings.Builder
	require.Equal(t, 1, run(ctx, nil, &out, &err))
	require.Equal(t, "quickstart: stopped; nothing is kept without -db FILE\n", err.String())
}
