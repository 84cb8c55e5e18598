package providertest

import (
	"time"

	"github.com/workinbox/workinbox/provider"
)

func liveChecks() []Check {
	return []Check{
		{"Changes/LiveAfterWalk", nil, liveAfterWalk},
		{"Changes/LiveAfterEmptyWalk", nil, liveAfterEmptyWalk},
		{"Changes/Moved", can[Mover](), moved},
		{"Changes/MarkedRead", can[Reader](), markedRead},
		{"Changes/Removed", can[Remover](), removed},
	}
}

func liveAfterWalk(t T, h Harness) {
	deliver(t, h, 5)
	m := h.Open(t)
	cursor := must(t, m, "", provider.Walk{}).next("")
	for i, name := range []string{"first", "second"} {
		id := h.Deliver(t, letter{id: name + "@live.example",
			received: base.Add(time.Duration(i+1) * time.Minute)}.mail())
		got := must(t, m, cursor, provider.Walk{})
		got.all(t, []provider.RemoteID{id}, "mail after the walk")
		for _, b := range got.batches {
			if b.Walking {
				t.Errorf("mail after the walk, %s: got Walking true, want false", name)
			}
		}
		cursor = got.next(cursor)
	}
	id := h.Deliver(t, letter{id: "third@live.example", received: base.Add(3 * time.Minute)}.mail())
	must(t, h.Open(t), cursor, provider.Walk{}).all(t, []provider.RemoteID{id},
		"mail after the walk, seen by another process")
}

func liveAfterEmptyWalk(t T, h Harness) {
	m := h.Open(t)
	w := provider.Walk{Since: base}
	cursor := must(t, m, "", w).next("")
	id := h.Deliver(t, letter{id: "first@live.example", received: base.Add(time.Minute)}.mail())
	must(t, m, cursor, w).all(t, []provider.RemoteID{id}, "the first mail of an empty account")
}

func moved(t T, h Harness) {
	ids := deliver(t, h, 3)
	m := h.Open(t)
	cursor := must(t, m, "", provider.Walk{}).next("")
	for _, folder := range []provider.Folder{provider.FolderTrash, provider.FolderMail} {
		h.(Mover).Move(t, ids[1], folder)
		got := must(t, m, cursor, provider.Walk{})
		header, ok := got.put()[ids[1]]
		if !ok || header.Folder != folder || got.gone()[ids[1]] {
			t.Errorf("moved to folder %q: got put %v in folder %q, removed %v, want a put in that folder",
				folder, ok, header.Folder, got.gone()[ids[1]])
		}
		cursor = got.next(cursor)
	}
}

func markedRead(t T, h Harness) {
	ids := deliver(t, h, 3)
	m := h.Open(t)
	walk := must(t, m, "", provider.Walk{})
	if !walk.put()[ids[1]].Unread {
		t.Errorf("a message that nobody read: got Unread false, want true")
	}
	h.(Reader).MarkRead(t, ids[1])
	header, ok := must(t, m, walk.next(""), provider.Walk{}).put()[ids[1]]
	if !ok || header.Unread {
		t.Errorf("marked as read: got put %v with Unread %v, want a put with false", ok, header.Unread)
	}
}

func removed(t T, h Harness) {
	ids := deliver(t, h, 3)
	m := h.Open(t)
	cursor := must(t, m, "", provider.Walk{}).next("")
	h.(Remover).Remove(t, ids[1])
	got := must(t, m, cursor, provider.Walk{})
	_, put := got.put()[ids[1]]
	if !got.gone()[ids[1]] || put {
		t.Errorf("deleted for good: got removed %v and put %v, want removed alone",
			got.gone()[ids[1]], put)
	}
	for _, id := range []provider.RemoteID{ids[0], ids[2]} {
		if got.gone()[id] {
			t.Errorf("message %q is still there: got it among Removed", id)
		}
	}
	if _, walked := must(t, h.Open(t), "", provider.Walk{}).put()[ids[1]]; walked {
		t.Errorf("a new walk lists a message that was deleted for good")
	}
}
