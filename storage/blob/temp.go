package blob

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// temp is a blob that is not whole yet. Its file is made by claim or with the first write.
type temp struct {
	d       *Dir
	folder  string
	name    string
	file    *os.File
	claimed bool // the name is the blob's own
}

// claim gives a blob its own name from the start when all of it is in memory. Where the name is taken,
// or must not be there before its content is durable, the blob gets a temporary one as any other.
func (t *temp) claim(hash string) error {
	if t.file != nil || t.d.flush == nil {
		return nil
	}
	err := t.create(shard(t.folder, hash), hash)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	t.claimed = err == nil
	return err
}

func (t *temp) write(b []byte) error {
	if t.file == nil {
		if err := t.create(t.folder, tempPrefix+rand.Text()); err != nil {
			return err
		}
	}
	if err := t.d.at("write"); err != nil {
		return err
	}
	_, err := t.file.Write(b)
	return err
}

// create makes the file, which must not be there, and the folder where there is none.
func (t *temp) create(folder, name string) error {
	if err := t.d.at("create"); err != nil {
		return err
	}
	path := filepath.Join(folder, name)
	err := t.open(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Inside the gate no Sweep removes the folder while it is empty.
	if err := t.d.gate.enter(); err != nil {
		return err
	}
	defer t.d.gate.leave()
	if err := t.d.root.MkdirAll(folder, dirMode); err != nil {
		return err
	}
	return t.open(path)
}

func (t *temp) open(path string) (err error) {
	t.file, err = t.d.root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err == nil {
		t.name = path
	}
	return err
}

// place closes the file and gives it its name. Before that, unless the whole file system is flushed
// later, it makes the content durable.
func (t *temp) place(hash string) error {
	if err := t.d.at("sync"); err != nil {
		return err
	}
	if t.d.flush == nil {
		if err := t.file.Sync(); err != nil {
			return err
		}
	}
	err := t.file.Close()
	if err != nil {
		return err
	}
	t.file = nil
	if !t.claimed {
		if err := t.rename(hash); err != nil {
			return err
		}
	}
	t.name = ""
	return t.d.at("placed")
}

func (t *temp) rename(hash string) error {
	if err := t.d.at("rename"); err != nil {
		return err
	}
	if err := t.d.gate.enter(); err != nil {
		return err
	}
	defer t.d.gate.leave()
	err := t.d.root.Rename(t.name, filePath(t.folder, hash))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = t.d.root.Mkdir(shard(t.folder, hash), dirMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return t.d.root.Rename(t.name, filePath(t.folder, hash))
}

// discard closes and removes the file, if there is one.
func (t *temp) discard() error {
	if t.claimed && t.name != "" {
		return t.unclaim()
	}
	var errs []error
	if t.file != nil {
		errs = append(errs, t.file.Close())
	}
	if t.name != "" {
		errs = append(errs, t.d.root.Remove(t.name))
	}
	return errors.Join(errs...)
}

// unclaim is discard for a blob that has its own name, which another put of the same content may
// have taken over. What cannot be told apart is left to Sweep.
func (t *temp) unclaim() error {
	ours, err := t.file.Stat()
	if err := errors.Join(err, t.file.Close()); err != nil {
		return err
	}
	return t.d.gate.alone(func() error {
		there, err := t.d.root.Lstat(t.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !os.SameFile(ours, there) {
			return err
		}
		return t.d.root.Remove(t.name)
	})
}
