package bucket

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"
)

// inMemory is how much of a message is held in memory. Nearly all messages are shorter.
const inMemory = 1 << 20

var memories = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// spool holds a message until its name is known: the beginning in memory, the rest in a file.
type spool struct {
	dir     string
	memory  *bytes.Buffer
	file    *os.File // nil: all is in memory
	size    int64
	sum     hash.Hash
	service hash.Hash // MD5, which services check
}

func newSpool(dir string) *spool {
	return &spool{dir: dir, memory: memories.Get().(*bytes.Buffer), sum: sha256.New(), service: md5.New()}
}

// fill takes all of r.
func (s *spool) fill(r io.Reader) error {
	r = io.TeeReader(r, io.MultiWriter(s.sum, s.service))
	n, err := s.memory.ReadFrom(io.LimitReader(r, inMemory))
	s.size = n
	if err != nil || n < inMemory {
		return err
	}
	if s.file, err = os.CreateTemp(s.dir, "workinbox-"); err != nil {
		return err
	}
	if runtime.GOOS != "windows" {
		// So that a killed process leaves no mail lying around. Windows removes no open file.
		if err := os.Remove(s.file.Name()); err != nil {
			return err
		}
	}
	n, err = io.Copy(s.file, r)
	s.size += n
	return err
}

// hash returns the SHA-256 of the message in hex.
func (s *spool) hash() string { return hex.EncodeToString(s.sum.Sum(nil)) }

func (s *spool) md5() []byte { return s.service.Sum(nil) }

// reader returns the message from its beginning.
func (s *spool) reader() (io.Reader, error) {
	head := bytes.NewReader(s.memory.Bytes())
	if s.file == nil {
		return head, nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return io.MultiReader(head, s.file), err
}

// close forgets the message.
func (s *spool) close() error {
	s.memory.Reset()
	memories.Put(s.memory)
	s.memory = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}
