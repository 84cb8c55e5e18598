package storagetest_test

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

var background = context.Background()

// accepts stores an inbox whose mailbox another one holds.
func accepts(s *memory.Store) func(inbox.Inbox, []inbox.Event, error) (inbox.Inbox, error) {
	return func(in inbox.Inbox, _ []inbox.Event, err error) (inbox.Inbox, error) {
		if !errors.Is(err, storage.ErrExists) {
			return inbox.Inbox{}, err
		}
		account := in.Account
		in.Account = provider.Account{}
		in, err = s.UpdateInbox(background, in, nil)
		in.Account = account
		return in, err
	}
}

var brokenDirectories = []broken[inbox.Store]{
	{"Inboxes/RoundTrip", "loses a field", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, create: func(in *inbox.Inbox) { in.Settings.Signature = "" }}
	}},
	{"Inboxes/CreateTwiceRefused", "replaces", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, create: func(in *inbox.Inbox) { _ = s.DeleteInbox(background, in.ID) }}
	}},
	{"Inboxes/NotFound", "another error", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, inbox: func(in *inbox.Inbox) error {
			if in.ID == "" {
				return errors.New("no rows")
			}
			return nil
		}}
	}},
	{"Inboxes/StaleVersion", "last write wins", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, update: func(in *inbox.Inbox, _ *[]inbox.Change) {
			stored, _ := s.Inbox(background, in.ID)
			in.Version = stored.Version
		}}
	}},
	{"Inboxes/VersionCountsWrites", "a commit counts too", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, committed: func(imp inbox.Import, _ error) {
			in, _ := s.Inbox(background, imp.State.Inbox)
			_, _ = s.UpdateInbox(background, in, nil)
		}}
	}},
	{"Inboxes/AddressTaken", "lets it be taken", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, updated: accepts(s)}
	}},
	{"Inboxes/AddressTaken", "compares ASCII alone without case", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, update: func(in *inbox.Inbox, _ *[]inbox.Change) {
			in.Account.Address = strings.ReplaceAll(in.Account.Address, "Ä", "_Ä")
		}}
	}},
	{"Inboxes/AccountTaken", "lets it be taken", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, updated: accepts(s)}
	}},
	{"Inboxes/AccountTaken", "one account id in all services", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, update: func(in *inbox.Inbox, _ *[]inbox.Change) { in.Provider = "" }}
	}},
	{"Inboxes/EmptyAccountFree", "empty is unique", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, update: func(in *inbox.Inbox, _ *[]inbox.Change) {
			in.Account.Address = cmp.Or(in.Account.Address, "none@example.com")
		}}
	}},
	{"Inboxes/DeletedReadable", "hides the trash", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, inbox: func(in *inbox.Inbox) error {
			if in.State == inbox.StateDeleted {
				return storage.ErrNotFound
			}
			return nil
		}}
	}},
	{"Inboxes/LogAppended", "forgets the log", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, update: func(_ *inbox.Inbox, log *[]inbox.Change) { *log = nil }}
	}},
	{"Inboxes/ByteOrder", "order of a collation", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, inboxesOut: resorted(func(a, b inbox.Inbox) int {
			return strings.Compare(strings.ToLower(string(a.ID)), strings.ToLower(string(b.ID)))
		})}
	}},
	{"Inboxes/QueryFields", "forgets the states", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, inboxes: func(q *inbox.Query) { q.States = nil }}
	}},
	{"Inboxes/ScopeAgreesWithCheck", "forgets grants", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, inboxes: func(q *inbox.Query) {
			scope := *q.Scope
			scope.User = ""
			q.Scope = &scope
		}}
	}},
	{"Inboxes/ScopeAgreesWithCheck", "forgets the site", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, inboxes: func(q *inbox.Query) {
			if q.Scope.All {
				q.Scope = nil
			}
		}}
	}},
	{"Delete/LeavesNothing", "keeps contents", func(s *memory.Store) inbox.Store {
		kept := map[inbox.MessageID]inbox.Content{}
		return &bent{Store: s, content: func(
			id inbox.MessageID, c inbox.Content, err error,
		) (inbox.Content, error) {
			if old, has := kept[id]; has && err != nil {
				return old, nil
			}
			kept[id] = c
			return c, err
		}}
	}},
	{"Delete/LeavesNothing", "customers still name it", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, customersOut: altered(func(c *inbox.Customer) {
			c.KnownFrom = append(c.KnownFrom, "in-1")
		})}
	}},
	{"Delete/OthersUntouched", "takes what was sent to both", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, remove: func(id inbox.ID) error {
			yes := true
			_, err := s.Commit(background, inbox.Import{
				State:   inbox.SyncState{Inbox: "in-2", Version: versionOf(s, "in-2")},
				Changed: []inbox.MessageChange{{ID: "x a of in-2", Removed: &yes}},
			})
			return err
		}}
	}},
	{"Delete/AbsentIsFine", "absent is not found", func(s *memory.Store) inbox.Store {
		return &bent{Store: s, remove: func(id inbox.ID) error {
			_, err := s.Inbox(background, id)
			return err
		}}
	}},
}
