package sqlstoretest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
)

func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	// The driver is the host's import: modernc.org/sqlite.
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(dir, "inbox.db")))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if _, err := sqlstore.Open(ctx, db, sqlstore.Options{}); err != nil {
		fmt.Println(err)
	}
	if err := sqlstore.Migrate(ctx, db, sqlstore.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	in, err := store.CreateInbox(ctx, inbox.Inbox{ID: "1", Site: "acme", State: inbox.StateDraft})
	fmt.Println(in.ID, in.State, in.Version, err)
	// Output:
	// the schema is older than the program: run Migrate (schema version 0, program version 1)
	// 1 draft 1 <nil>
}
