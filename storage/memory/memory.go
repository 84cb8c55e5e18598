// Package memory is the reference store: everything in maps, nothing on disk. It keeps every promise
// of inbox.Store, inbox.Vault, inbox.Blobs and ticket.Store, and it is what tests and examples use.
// What it holds is gone with the process.
//
//  1. One lock guards the whole store. It is held while a page of a list is gathered and while a
//     write is done, never while a list yields.
//  2. A write first checks everything and then does everything, so a refused one changes nothing.
//  3. Stored values are never changed in place: a write replaces them. Values are copied on the way
//     in and on the way out, and times are cut to microseconds, as a database would.
package memory

import (
	"cmp"
	"context"
	"iter"
	"sync"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Store keeps inboxes, messages, clients, events, secrets, blobs and tickets in memory. Only New
// makes one. All methods may be called concurrently.
type Store struct {
	mu       sync.RWMutex
	inboxes  *index[inbox.Inbox]
	boxes    map[inbox.ID]*box
	messages map[inbox.MessageID]*message
	claims   map[claim]inbox.ID
	clients  map[inbox.SiteID]*clients
	events   *index[event]
	waiting  map[string]*event
	secrets  map[inbox.VaultKey]secret
	blobs    map[inbox.ID]*blobs
	desk     *deskRows
	leases   *leases
}

var (
	_ inbox.Store  = (*Store)(nil)
	_ inbox.Vault  = (*Store)(nil)
	_ inbox.Blobs  = (*Store)(nil)
	_ ticket.Store = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	return &Store{
		inboxes: newIndex(
			func(a, b *inbox.Inbox) int { return cmp.Compare(a.ID, b.ID) },
			func(in *inbox.Inbox) []key { return []key{{by: bySite, site: in.Site}} },
		),
		boxes:    make(map[inbox.ID]*box),
		messages: make(map[inbox.MessageID]*message),
		claims:   make(map[claim]inbox.ID),
		clients:  make(map[inbox.SiteID]*clients),
		events:   newIndex(func(a, b *event) int { return cmp.Compare(a.ID, b.ID) }, nil),
		waiting:  make(map[string]*event),
		secrets:  make(map[inbox.VaultKey]secret),
		blobs:    make(map[inbox.ID]*blobs),
		desk:     newDesk(),
		leases:   newLeases(),
	}
}

// pageSize is how many values a list looks at before it lets go of the lock.
const pageSize = 256

// list says how to read one list of the store.
type list[T any] struct {
	from  func() *sorted[T] // called with the lock held, for every page; nil is an empty list
	after *T                // continues behind this place
	keep  func(*T) bool     // called with the lock held
	copy  func(T) T         // nil where the caller of yield copies
	limit int               // zero is none
}

// yield reads the list a page at a time and yields without the lock. Each page is found by the place
// of the last value, so that the caller may write to what it reads.
func (l list[T]) yield(ctx context.Context, s *Store) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		place, left := l.after, l.limit
		for {
			page, last := l.page(s, place, left)
			for _, v := range page {
				if err := ctx.Err(); err != nil {
					yield(none, err)
					return
				}
				if !yield(l.value(v), nil) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
			if err := ctx.Err(); err != nil {
				yield(none, err)
				return
			}
			if last == nil {
				return
			}
			place = last
		}
	}
}

func (l list[T]) value(v *T) T {
	if l.copy == nil {
		return *v
	}
	return l.copy(*v)
}

// page gathers what a page of the list keeps, as much as is left to yield, and returns the place it
// got to, nil at the end.
func (l list[T]) page(s *Store, place *T, left int) (page []*T, last *T) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	looked := 0
	for v := range l.from().behind(place) {
		if l.keep == nil || l.keep(v) {
			page = append(page, v)
		}
		if looked++; looked == pageSize || left > 0 && len(page) == left {
			return page, v
		}
	}
	return page, nil
}

// read locks the store for reading, unless the context has ended.
func (s *Store) read(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	return s.mu.RUnlock, nil
}

// write locks the store for writing, unless the context has ended.
func (s *Store) write(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}

func refuse[ID ~string](op, what string, id ID, err error) error {
	return &storage.Error{Op: op, Entity: what, ID: string(id), Err: err}
}
