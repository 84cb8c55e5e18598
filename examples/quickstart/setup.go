package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/seal"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/ticket/desk"
)

// host is a program that has the library built in: where things are kept, who its people are, and
// which mail there is.
type host struct {
	desk    *desk.Desk
	store   *sqlstore.Store
	service provider.Provider // whose mailbox it is
	browse  browser           // how a person comes to the page of consent; nil: there is none
	disk    *archive.Archive  // the mail that lies on disk; nil for that of a service
	path    string            // where it lies
	sent    string            // the folder that takes what is sent from it
	people  *memory.Host
	me      []string // nobody knows it of a service before consent
	clock   *clock
	meter   *meter
	kept    *inbox.Inbox // the inbox of an earlier run with the same database; nil when there is none

	closers []func() error
}

// openHost opens the files and wires the library. When it fails it leaves nothing open.
func openHost(ctx context.Context, o options) (*host, error) {
	h := &host{meter: &meter{}}
	if err := h.open(ctx, o); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *host) open(ctx context.Context, o options) error {
	temp, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return err
	}
	h.closers = append(h.closers, func() error { return os.RemoveAll(temp) })
	mail := source{path: o.mail}
	if mail.path == "" {
		mail.key = []byte("the sample, wherever it lies")
		if mail.path, err = writeSample(temp); err != nil {
			return err
		}
	}
	if _, err := archive.Detect(mail.path); err != nil {
		return err
	}
	db := o.db
	if db == "" {
		db = filepath.Join(temp, "quickstart.db")
	}
	h.sent = db + ".sent"
	last := lastChange(db)
	blobs, keys, err := h.openFiles(ctx, db)
	if err != nil {
		return err
	}
	if err := h.findKept(ctx); err != nil {
		return err
	}
	if o.gmail {
		err = h.openGmail(ctx, o, mail)
	} else {
		err = h.openDisk(ctx, o, mail, last)
	}
	if err != nil {
		return err
	}
	h.people = staff(h.me)
	h.desk, err = desk.New(desk.Config{
		Store: h.store, Vault: seal.New(h.store, keys), Blobs: blobs,
		People: h.people, Sites: h.people, Providers: []provider.Provider{h.service},
		Now: h.clock.now, Meter: h.meter,
	})
	return err
}

// findKept looks for the inbox of an earlier run.
func (h *host) findKept(ctx context.Context) error {
	for in, err := range h.store.Inboxes(ctx, inbox.Query{Site: site}) {
		if err != nil {
			return err
		}
		h.kept = &in
		break
	}
	return nil
}

// openFiles opens the database, and beside it the raw mail and the key that seals credentials.
func (h *host) openFiles(ctx context.Context, path string) (*blob.Dir, seal.KeyProvider, error) {
	if err := reserve(path); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDatabase, err)
	}
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	if err != nil {
		return nil, nil, err
	}
	h.closers = append(h.closers, db.Close)
	if err := sqlstore.Migrate(ctx, db, sqlstore.Options{}); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDatabase, err)
	}
	if h.store, err = sqlstore.Open(ctx, db, sqlstore.Options{}); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDatabase, err)
	}
	h.closers = append(h.closers, h.store.Close)
	blobs, err := blob.Open(path+".blobs", blob.Options{})
	if err != nil {
		return nil, nil, err
	}
	h.closers = append(h.closers, blobs.Close)
	keys, err := sealingKey(path + ".key")
	return blobs, keys, err
}

// reserve makes the file of a database that is not there, for its owner's eyes only: it will hold mail.
func reserve(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sealingKey reads the master key from a file, or makes one. A host in service has it in its key
// management instead.
func sealingKey(path string) (seal.KeyProvider, error) {
	secret, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		secret = make([]byte, seal.KeySize)
		_, _ = rand.Read(secret)
		err = os.WriteFile(path, secret, 0o600)
	}
	if err != nil {
		return nil, err
	}
	key, err := seal.NewKey("file", secret)
	if err != nil {
		return nil, err
	}
	return seal.StaticKeys(key)
}

// close gives everything back, the last opened first.
func (h *host) close() error {
	var errs []error
	for i := len(h.closers) - 1; i >= 0; i-- {
		errs = append(errs, h.closers[i]())
	}
	h.closers = nil
	return errors.Join(errs...)
}
