package sqlstoretest_test

import (
	"context"
	"database/sql"
	"errors"
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
	_, err = sqlstore.Open(ctx, db, sqlstore.Options{})
	fmt.Println(errors.Is(err, sqlstore.ErrOldSchema))
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
	// true
	// 1 draft 1 <nil>
}

func ExampleStore_With() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(dir, "host.db")))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
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

	// A customer of the host and the customer its team sees are made together, or neither is.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = tx.ExecContext(ctx, "CREATE TABLE accounts (id TEXT PRIMARY KEY)")
	fmt.Println("the host's own:", err)
	_, err = store.With(tx).SaveCustomers(ctx, []inbox.Customer{{ID: "c-1", Site: "acme", Name: "Cleo"}})
	fmt.Println("the store's:", err)
	fmt.Println("undone:", tx.Rollback())
	_, err = store.Customer(ctx, "acme", "c-1")
	fmt.Println(err)
	// Output:
	// the host's own: <nil>
	// the store's: <nil>
	// undone: <nil>
	// read customer "c-1": not found
}
