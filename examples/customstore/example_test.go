package customstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/workinbox/workinbox/examples/customstore"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
)

// A service over a store of one's own: what it wrote is there when the file is opened again.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "customstore-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "store.jsonl")

	store, err := customstore.Open(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	mail, people, secrets := fake.New(fake.Options{}), memory.NewHost(), memory.New()
	people.SetSite(inbox.Settings{ID: "agency"})
	people.AddPerson(inbox.Person{ID: "olivia", Site: "agency", Role: "agent", State: "active"})
	service, err := inbox.New(inbox.Config{
		Store: store, Vault: secrets, Blobs: secrets, People: people, Sites: people,
		Providers: []provider.Provider{mail},
	})
	if err != nil {
		log.Fatal(err)
	}
	olivia, err := service.Actor(ctx, "agency", "olivia")
	if err != nil {
		log.Fatal(err)
	}
	in, err := service.Create(ctx, olivia, inbox.Draft{Provider: mail.Kind(), Name: "Olivia's mail"})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}

	again, err := customstore.Open(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	in, err = again.Inbox(ctx, in.ID)
	fmt.Println(in.Name, in.State, err)
	// Output: Olivia's mail draft <nil>
}
