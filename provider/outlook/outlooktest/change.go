package outlooktest

import "time"

// changeKind says what happened to a message in a folder.
type changeKind uint8

const (
	changeAdded    changeKind = iota + 1 // new in the mailbox
	changeMovedIn                        // from another folder
	changeUpdated                        // properties
	changeRead                           // the read state alone
	changeMovedOut                       // to another folder
	changeRemoved                        // gone for good
)

func (k changeKind) in() bool { return k == changeAdded || k == changeMovedIn }

func (k changeKind) out() bool { return k == changeMovedOut || k == changeRemoved }

// change is one entry of the log of a folder.
type change struct {
	version uint64
	at      time.Time
	m       *message
	kind    changeKind
	id      string // the default id at that time
	stable  string // the immutable id at that time
}

// folderChange is one entry of the log of all folders.
type folderChange struct {
	version uint64
	at      time.Time
	f       *folder
	removed bool
}

// note logs a change for delta queries and for subscriptions.
func (a *Account) note(f *folder, m *message, kind changeKind) {
	a.version++
	if !kind.out() {
		m.version = a.version
	}
	if kind == changeUpdated || kind == changeRead {
		m.modified = a.s.now().UTC().Truncate(time.Second)
	}
	c := change{
		version: a.version, at: a.s.now(), m: m, kind: kind, id: m.id, stable: m.immutable,
	}
	f.log = append(f.log, c)
	a.publish(f, c)
}

func (a *Account) noteFolder(f *folder, removed bool) {
	a.version++
	a.folderLog = append(a.folderLog, folderChange{
		version: a.version, at: a.s.now(), f: f, removed: removed,
	})
}
