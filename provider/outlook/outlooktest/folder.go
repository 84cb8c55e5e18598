package outlooktest

import (
	"fmt"
	"slices"
	"strings"
)

// folder is one mail folder. All under the server's lock.
type folder struct {
	owner   *Account
	id      string
	known   string // well-known name, or ""
	name    string
	parent  *folder
	hidden  bool
	ordered []*message // oldest first
	log     []change
}

// wellKnown are the folders of every mailbox.
//
// Source: https://learn.microsoft.com/graph/api/resources/mailfolder
var wellKnown = []struct {
	known, name, parent string
	hidden              bool
}{
	{known: "msgfolderroot", name: "Top of Information Store"},
	{known: "archive", name: "Archive", parent: "msgfolderroot"},
	{known: "conversationhistory", name: "Conversation History", parent: "msgfolderroot"},
	{known: "deleteditems", name: "Deleted Items", parent: "msgfolderroot"},
	{known: "drafts", name: "Drafts", parent: "msgfolderroot"},
	{known: "inbox", name: "Inbox", parent: "msgfolderroot"},
	{known: "junkemail", name: "Junk Email", parent: "msgfolderroot"},
	{known: "outbox", name: "Outbox", parent: "msgfolderroot"},
	{known: "sentitems", name: "Sent Items", parent: "msgfolderroot"},
	{known: "clutter", name: "Clutter", parent: "msgfolderroot", hidden: true},
	{known: "recoverableitemsdeletions", name: "Deletions", parent: "msgfolderroot", hidden: true},
	{known: "scheduled", name: "Scheduled", parent: "msgfolderroot", hidden: true},
	{known: "syncissues", name: "Sync Issues", parent: "msgfolderroot", hidden: true},
	{known: "conflicts", name: "Conflicts", parent: "syncissues", hidden: true},
	{known: "localfailures", name: "Local Failures", parent: "syncissues", hidden: true},
	{known: "serverfailures", name: "Server Failures", parent: "syncissues", hidden: true},
}

func (a *Account) addWellKnown() {
	for _, w := range wellKnown {
		f := a.newFolder(w.name, a.folders[w.parent])
		f.known, f.hidden = w.known, w.hidden
		a.folders[w.known] = f
	}
	a.folderLog = nil // what was there from the start is no change
}

// newFolder makes a folder; it is found by its id and, if it has one, by its well-known name.
func (a *Account) newFolder(name string, parent *folder) *folder {
	a.s.serial++
	f := &folder{owner: a, name: name, parent: parent}
	f.id = a.makeID(prefixFolder, a.s.serial, 0)
	a.folders[f.id] = f
	a.folderOrder = append(a.folderOrder, f)
	a.noteFolder(f, false)
	return f
}

// folder returns the folder with that id or well-known name.
func (a *Account) folder(id string) *folder {
	if f := a.folders[id]; f != nil {
		return f
	}
	if f := a.folders[strings.ToLower(id)]; f != nil && f.known != "" {
		return f
	}
	return nil
}

func (f *folder) children(hidden bool) []*folder {
	var out []*folder
	for _, c := range f.owner.folderOrder {
		if c.parent == f && (hidden || !c.hidden) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(x, y *folder) int {
		return strings.Compare(strings.ToLower(x.name), strings.ToLower(y.name))
	})
	return out
}

// dropFolder removes the folder and everything below it for good.
func (a *Account) dropFolder(f *folder) {
	for _, c := range f.children(true) {
		a.dropFolder(c)
	}
	for _, m := range slices.Clone(f.ordered) {
		a.drop(m)
	}
	delete(a.folders, f.id)
	a.folderOrder = slices.DeleteFunc(a.folderOrder, func(x *folder) bool { return x == f })
	a.noteFolder(f, true)
}

var folderFields = []string{
	"id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount",
	"totalItemCount", "sizeInBytes", "isHidden",
}

func (f *folder) write(o *object, sel selection) {
	unread, size := 0, 0
	if sel.wants("unreadItemCount") || sel.wants("sizeInBytes") {
		for _, m := range f.ordered {
			size += m.size()
			if !m.read {
				unread++
			}
		}
	}
	o.text("id", f.id)
	if sel.wants("displayName") {
		o.text("displayName", f.name)
	}
	if sel.wants("parentFolderId") && f.parent != nil {
		o.text("parentFolderId", f.parent.id)
	}
	if sel.wants("childFolderCount") {
		o.number("childFolderCount", len(f.children(false)))
	}
	if sel.wants("unreadItemCount") {
		o.number("unreadItemCount", unread)
	}
	if sel.wants("totalItemCount") {
		o.number("totalItemCount", len(f.ordered))
	}
	if sel.wants("sizeInBytes") {
		o.number("sizeInBytes", size)
	}
	if sel.wants("isHidden") {
		o.truth("isHidden", f.hidden)
	}
}

// Folder returns the id of the folder with that well-known name ("inbox", "sentitems"), id, or path
// of names below the root ("Clients/ACME"). Like all methods that name a folder or a message it
// panics when there is none, which is a mistake of the test.
func (a *Account) Folder(name string) (id string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.mustFolder(name).id
}

func (a *Account) mustFolder(name string) *folder {
	if f := a.folder(name); f != nil {
		return f
	}
	f := a.folders["msgfolderroot"]
	for part := range strings.SplitSeq(name, "/") {
		at := slices.IndexFunc(f.children(true), func(c *folder) bool { return c.name == part })
		if at < 0 {
			panic(fmt.Sprintf("outlooktest: no folder %q", name))
		}
		f = f.children(true)[at]
	}
	return f
}

// AddFolder makes a folder below parent and returns its id.
func (a *Account) AddFolder(parent, name string) (id string) {
	a.do(func() { id = a.newFolder(name, a.mustFolder(parent)).id })
	return id
}

// RenameFolder gives a folder another name.
func (a *Account) RenameFolder(folder, name string) {
	a.do(func() {
		f := a.mustFolder(folder)
		f.name = name
		a.noteFolder(f, false)
	})
}

// MoveFolder puts a folder below another.
func (a *Account) MoveFolder(folder, parent string) {
	a.do(func() {
		f := a.mustFolder(folder)
		f.parent = a.mustFolder(parent)
		a.noteFolder(f, false)
	})
}

// HideFolder sets whether a folder is hidden.
func (a *Account) HideFolder(folder string, hidden bool) {
	a.do(func() {
		f := a.mustFolder(folder)
		f.hidden = hidden
		a.noteFolder(f, false)
	})
}

// DeleteFolder removes a folder and everything below it for good.
func (a *Account) DeleteFolder(folder string) {
	a.do(func() { a.dropFolder(a.mustFolder(folder)) })
}
