package sqlstoretest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// What a child process of a test is to do, and on which file.
const (
	childJob  = "SQLSTORETEST_JOB"
	childFile = "SQLSTORETEST_FILE"
)

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(fleetEnv); ok {
		if err := fleetChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if text, ok := os.LookupEnv(sendEnv); ok {
		if err := sendChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if importtest.IsChild() {
		os.Exit(importtest.Main(m, func(ctx context.Context, j importtest.Job) error { return j.Import(ctx) }))
	}
	// Connections are broken on purpose, and the driver would tell of each.
	_ = mysql.SetLogger(&mysql.NopLogger{})
	job, isChild := os.LookupEnv(childJob)
	if !isChild {
		os.Exit(sqlstoretest.Main(m))
	}
	if err := runJob(job, os.Getenv(childFile)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runJob(job, path string) error {
	ctx := context.Background()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := sqlstore.Migrate(ctx, db, sqlstore.Options{}); err != nil {
		return err
	}
	switch job {
	case "migrate":
		return nil
	case "commit":
		return commitForever(ctx, db)
	}
	return fmt.Errorf("there is no job %q", job)
}

// commitForever stores page after page and says the number of each once it is stored.
func commitForever(ctx context.Context, db *sql.DB) error {
	s, err := sqlstore.Open(ctx, db, sqlstore.Options{})
	if err != nil {
		return err
	}
	st, err := s.SyncState(ctx, "in-1")
	if err != nil {
		return err
	}
	for {
		page := int(st.Seq) / crashPage
		imp := inbox.Import{
			State: st, Put: mails("in-1", page*crashPage, crashPage),
			Queue: []inbox.Queued{{Remote: remote(page), Code: inbox.QueueOpen}},
			Run:   &inbox.Run{ID: fmt.Sprintf("run-%06d", page), Inbox: "in-1", Started: day},
		}
		imp.Queue[0].Remote += "-queued"
		event := inbox.Event{ID: fmt.Sprintf("event-%06d", page), Site: "acme", At: day}
		if st, err = s.Commit(ctx, imp, event); err != nil {
			return err
		}
		fmt.Println(page)
	}
}

// child returns the command of a child process.
func child(t *testing.T, job, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), childJob+"="+job, childFile+"="+path)
	return c
}
