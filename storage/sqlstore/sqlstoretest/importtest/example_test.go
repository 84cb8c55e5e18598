package importtest_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

func Example() {
	dir, err := os.MkdirTemp("", "importtest")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := importGenerated(context.Background(), dir); err != nil {
		log.Print(err)
	}
	// Output: stored 50 messages
}

func importGenerated(ctx context.Context, dir string) error {
	mail, err := mailgen.New(mailgen.Config{Seed: 5, Messages: 50})
	if err != nil {
		return err
	}
	mbox, err := os.Create(filepath.Join(dir, "mail.mbox")) // WriteMail does this for tests
	if err != nil {
		return err
	}
	defer mbox.Close()
	if err := mail.WriteMbox(mbox); err != nil {
		return err
	}
	parts := importtest.Parts{Provider: importtest.Archive(mbox.Name(), mail)}
	i, err := importtest.Open(ctx, dir, mail.Config().End, parts)
	if err != nil {
		return err
	}
	defer i.Close()
	id, err := i.Inbox(ctx, filter.Rules{Mode: filter.All}, nil)
	if err != nil {
		return err
	}
	run, err := i.Service.Sync(ctx, id)
	fmt.Println("stored", run.Stored, "messages")
	return err
}
