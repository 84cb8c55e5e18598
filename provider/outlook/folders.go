package outlook

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// folderKind says what a folder, and everything below it, is for. It is stored in cursors.
type folderKind string

// The kinds. A folder of the owner's own, the inbox, the archive and Clutter are kindMail.
const (
	kindMail   folderKind = ""
	kindSent   folderKind = "s"
	kindDraft  folderKind = "d"
	kindSpam   folderKind = "j"
	kindTrash  folderKind = "t"
	kindPurged folderKind = "p" // thrown out of the trash, and still to be had back
	kindOutbox folderKind = "o"
	kindAside  folderKind = "x" // conversation history and what is for the machine
)

// folder is the kind in words of package provider.
func (k folderKind) folder() provider.Folder {
	switch k {
	case kindDraft:
		return provider.FolderDraft
	case kindSpam:
		return provider.FolderSpam
	case kindTrash, kindPurged:
		return provider.FolderTrash
	case kindOutbox:
		return provider.FolderOutbox
	case kindAside:
		return provider.FolderChat
	}
	return provider.FolderMail
}

// followed says whether changes in a folder of that kind are read. Of junk, trash and drafts too:
// what comes out of them is told there first, and sometimes nowhere else.
func (k folderKind) followed() bool { return k != kindAside && k != kindOutbox && k != kindPurged }

// wellKnown are the folders with a meaning, by the names under which Graph finds them in every
// language (https://learn.microsoft.com/graph/api/resources/mailfolder). What lies below them is of
// their kind.
var wellKnown = []struct {
	name string
	kind folderKind
}{
	{"sentitems", kindSent}, {"drafts", kindDraft}, {"junkemail", kindSpam}, {"deleteditems", kindTrash},
	{"recoverableitemsdeletions", kindPurged}, {"outbox", kindOutbox}, {"scheduled", kindOutbox},
	{"conversationhistory", kindAside}, {"syncissues", kindAside}, {"clutter", kindMail},
}

// spot is one folder and how far its changes are read.
type spot struct {
	ID     string     `json:"i"`
	Parent string     `json:"p,omitempty"`
	Root   bool       `json:"r,omitempty"` // Kind is its own and not its parent's
	Kind   folderKind `json:"k,omitempty"`
	Link   string     `json:"l,omitempty"` // delta link, or the next link of a round; empty: none yet
	Floor  int64      `json:"f,omitempty"` // without Link: the received time to begin from, Unix seconds, or fromTheFirst
	// Told counts the records of a round that began at a Floor, and one more; zero is any other round.
	Told int `json:"n,omitempty"`
}

// tree is the folders of a mailbox, as far as they are known.
type tree struct {
	Link  string `json:"l,omitempty"` // delta link of the folders
	Spots []spot `json:"s,omitempty"`
}

func (t *tree) find(id string) *spot {
	for i := range t.Spots {
		if t.Spots[i].ID == id {
			return &t.Spots[i]
		}
	}
	return nil
}

// kindOf says of what kind a folder is, by those above it.
func (t *tree) kindOf(id string) (kind folderKind, known bool) {
	for range len(t.Spots) + 1 { // a loop of parents ends too
		s := t.find(id)
		if s == nil {
			return kindMail, known // above the top
		}
		known = true
		if s.Root {
			return s.Kind, true
		}
		id = s.Parent
	}
	return kindMail, known
}

// settle works out the kinds of all folders, and returns those whose kind is another than before.
func (t *tree) settle() (changed []string) {
	for i := range t.Spots {
		s := &t.Spots[i]
		if s.Root {
			continue
		}
		if kind, _ := t.kindOf(s.ID); kind != s.Kind {
			s.Kind = kind
			changed = append(changed, s.ID)
		}
	}
	return changed
}

// apply takes over what a delta query says of folders. It says whether there is a new one.
func (t *tree) apply(all []folder) (fresh bool) {
	for _, f := range all {
		s := t.find(f.ID)
		switch {
		case f.Removed != nil:
			t.Spots = slices.DeleteFunc(t.Spots, func(s spot) bool { return s.ID == f.ID })
		case s != nil && f.Parent != "":
			s.Parent = f.Parent
		case s == nil:
			t.Spots = append(t.Spots, spot{ID: f.ID, Parent: f.Parent})
			fresh = true
		}
	}
	return fresh
}

// clone is a copy that changes by itself.
func (t tree) clone() tree {
	t.Spots = slices.Clone(t.Spots)
	return t
}

// plant reads all folders and finds the well-known ones among them.
func (m *mailbox) plant(ctx context.Context) (tree, error) {
	var t tree
	if _, err := m.grow(ctx, &t); err != nil {
		return t, err
	}
	return t, nil
}

// grow reads what became of the folders since t. Where a folder is new the well-known ones are looked
// for again, because some are made late. It returns the folders whose kind has changed.
func (m *mailbox) grow(ctx context.Context, t *tree) (changed []string, err error) {
	all, link, err := m.folderChanges(ctx, t.Link)
	if t.Link != "" && lostState(err) {
		// All folders again: those that are not among them are gone.
		if all, link, err = m.folderChanges(ctx, ""); err == nil {
			t.Spots = slices.DeleteFunc(t.Spots, func(s spot) bool {
				return !s.Root && !slices.ContainsFunc(all, func(f folder) bool { return f.ID == s.ID })
			})
		}
	}
	if err != nil {
		return nil, err
	}
	if fresh := t.apply(all); fresh || t.Link == "" {
		if err := m.name(ctx, t); err != nil {
			return nil, err
		}
	}
	t.Link = link
	return t.settle(), nil
}

// folderPage is how many folders a page has.
const folderPage = "odata.maxpagesize=200"

// folderChanges reads a whole round of the folders.
func (m *mailbox) folderChanges(ctx context.Context, link string) (all []folder, next string, err error) {
	address := link
	if address == "" {
		address = m.address(url.Values{"$select": {"id,parentFolderId"}}, "mailFolders", "delta")
	}
	for {
		p, err := get[page[folder]](ctx, m, gate.Bulk, opFolders, address, folderPage)
		switch {
		case err != nil:
			return nil, "", err
		case p.Delta != "":
			return append(all, p.Value...), p.Delta, nil
		case p.Next == "" || p.Next == address:
			return nil, "", noLink(opFolders)
		}
		all, address = append(all, p.Value...), p.Next
	}
}

// noLink is the error of a page behind which there is nothing.
func noLink(op string) error {
	return &provider.RetryError{Err: failed(op, "a page without a link")}
}

// name finds the ids of the well-known folders.
func (m *mailbox) name(ctx context.Context, t *tree) error {
	found := make([]folder, len(wellKnown))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(m.p.o.Quota.InFlight)
	for i, w := range wellKnown {
		g.Go(func() error {
			f, err := get[folder](inner, m, gate.Bulk, opFolder,
				m.address(url.Values{"$select": {"id,parentFolderId"}}, "mailFolders", w.name))
			if errors.Is(err, provider.ErrGone) || failure.Status(err) == 400 {
				return nil // this mailbox has none
			}
			found[i] = f
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, w := range wellKnown {
		f := found[i]
		if f.ID == "" {
			continue
		}
		s := t.find(f.ID)
		if s == nil {
			t.Spots = append(t.Spots, spot{ID: f.ID, Parent: f.Parent})
			s = &t.Spots[len(t.Spots)-1]
		}
		s.Root, s.Kind = true, w.kind
	}
	return nil
}

// placer finds the kinds of folders, also of those that are younger than its tree. It is not safe for
// concurrent use.
type placer struct {
	m     *mailbox
	tree  *tree
	found map[string]folderKind
}

// kind is that of a folder. What cannot be found, or is hidden, is kindAside.
func (p *placer) kind(ctx context.Context, id string) (folderKind, error) {
	if kind, known := p.tree.kindOf(id); known {
		return kind, nil
	}
	if kind, ok := p.found[id]; ok {
		return kind, nil
	}
	kind, err := p.ask(ctx, id)
	if err == nil {
		if p.found == nil {
			p.found = make(map[string]folderKind)
		}
		p.found[id] = kind
	}
	return kind, err
}

// maxDepth is how many folders lie in each other at most (Exchange allows 300; nobody has them).
const maxDepth = 30

func (p *placer) ask(ctx context.Context, id string) (folderKind, error) {
	for range maxDepth {
		f, err := get[folder](ctx, p.m, gate.Bulk, opFolder,
			p.m.address(url.Values{"$select": {"id,parentFolderId,isHidden"}}, "mailFolders", id))
		switch {
		case errors.Is(err, provider.ErrGone), err == nil && f.Hidden:
			return kindAside, nil
		case err != nil:
			return kindAside, err
		}
		if kind, known := p.tree.kindOf(f.Parent); known {
			return kind, nil
		}
		if f.Parent == "" || f.Parent == id || p.tree.top(f.Parent) {
			return kindMail, nil
		}
		id = f.Parent
	}
	return kindAside, nil
}

// top says whether a folder is the one all others lie in.
func (t *tree) top(id string) bool {
	return slices.ContainsFunc(t.Spots, func(s spot) bool { return s.Parent == id }) && t.find(id) == nil
}

// lostState says whether a link of a delta query is of no use any more
// (https://learn.microsoft.com/graph/delta-query-overview#synchronization-reset).
func lostState(err error) bool {
	switch failure.Code(err) {
	case "SyncStateNotFound", "SyncStateInvalid", "resyncRequired", "ResyncRequired", "syncStateNotFound":
		return true
	}
	return failure.Status(err) == 410
}
