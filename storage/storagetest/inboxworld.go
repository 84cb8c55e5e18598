package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// inboxes is the bench of the checks of inbox.Store.
type inboxes = bench[inbox.Store]

const (
	acme  inbox.SiteID = "acme"
	other inbox.SiteID = "other"
)

// mailbox returns an active inbox of the site acme that nobody else claims.
func mailbox(id inbox.ID) inbox.Inbox {
	return inbox.Inbox{
		ID: id, Site: acme, Kind: acl.Individual, Provider: "fake", Name: "Mail of " + string(id),
		Creator: "ann", State: inbox.StateActive, CreatedAt: at(0),
	}
}

func create(b *inboxes, in inbox.Inbox, ev ...inbox.Event) inbox.Inbox {
	b.Helper()
	made, err := b.s.CreateInbox(b.Context(), in, ev...)
	ok(b, fmt.Sprintf("create inbox %q", in.ID), err)
	return made
}

func update(b *inboxes, in inbox.Inbox, log ...inbox.Change) inbox.Inbox {
	b.Helper()
	saved, err := b.s.UpdateInbox(b.Context(), in, log)
	ok(b, fmt.Sprintf("update inbox %q", in.ID), err)
	return saved
}

// mail returns a message of the inbox, received n minutes after day, alone in its thread.
func mail(in inbox.ID, id string, n int) inbox.Put {
	return inbox.Put{
		Message: inbox.Message{
			ID: inbox.MessageID(id), Site: acme, Inbox: in,
			Remote: provider.RemoteID("remote " + id), Thread: inbox.ThreadID("thread " + id),
			Subject: "About " + id, Received: at(n), StoredAt: at(1000),
			Direction: filter.Inbound, Reason: filter.CompanyDomain, Rules: 1,
		},
		Content: inbox.Content{Message: inbox.MessageID(id), Text: "Text of " + id},
	}
}

// commit stores an import on top of what is stored.
func commit(b *inboxes, id inbox.ID, imp inbox.Import, ev ...inbox.Event) inbox.SyncState {
	b.Helper()
	st, err := b.s.Commit(b.Context(), based(b, id, imp), ev...)
	ok(b, fmt.Sprintf("commit to inbox %q", id), err)
	return st
}

// based puts the import on top of the stored state. The state says when the sync ran.
func based(b *inboxes, id inbox.ID, imp inbox.Import) inbox.Import {
	b.Helper()
	st, err := b.s.SyncState(b.Context(), id)
	ok(b, fmt.Sprintf("sync state of inbox %q", id), err)
	imp.State.Inbox, imp.State.Version = id, st.Version
	if imp.State.LastSync.IsZero() {
		imp.State.LastSync = at(1000)
	}
	return imp
}

// happened returns an event of the inbox.
func happened(id string) inbox.Event {
	return inbox.Event{ID: id, Name: inbox.EventInboxEdited, At: at(0), Site: acme}
}

// picture is everything a store tells of one inbox, of the clients and of the outbox. Two pictures
// show whether a write changed anything.
type picture struct {
	Inbox      *inbox.Inbox
	State      inbox.SyncState
	Log        []inbox.Change
	Messages   []inbox.Message
	Contents   []inbox.Content
	Seen       map[provider.RemoteID]inbox.Seen
	Threads    map[inbox.ThreadID]inbox.Thread
	Queue      []inbox.Queued
	Poison     []inbox.Queued
	Runs       []inbox.Run
	Rejections map[filter.Reason]int
	Tally      inbox.Tally
	Companies  []inbox.Company
	Customers  []inbox.Customer
	Events     []inbox.Due
}

// look takes a picture of the inbox. It asks for the fate of the remote ids and threads given.
func look(
	b *inboxes, id inbox.ID, remote []provider.RemoteID, threads []inbox.ThreadID,
) (p picture) {
	b.Helper()
	ctx := b.Context()
	var errs [6]error
	for in := range b.s.Inboxes(ctx, inbox.Query{}) {
		if in.ID == id {
			p.Inbox = &in
		}
	}
	p.State, errs[0] = b.s.SyncState(ctx, id)
	p.State.Inbox = id
	p.Log = collect(b, "log", b.s.Log(ctx, id, 0))
	p.Messages = collect(b, "messages",
		b.s.Messages(ctx, inbox.MessageQuery{Inbox: id, Hidden: true}))
	for _, m := range p.Messages {
		c, err := b.s.Content(ctx, m.ID)
		ok(b, "content of a listed message", err)
		p.Contents = append(p.Contents, c)
	}
	p.Seen, errs[1] = b.s.Seen(ctx, id, remote)
	p.Threads, errs[2] = b.s.Threads(ctx, id, threads)
	p.Queue = collect(b, "queue", b.s.Queue(ctx, inbox.QueueQuery{Inbox: id}))
	p.Poison = collect(b, "poison", b.s.Queue(ctx, inbox.QueueQuery{Inbox: id, Poison: true}))
	p.Runs = collect(b, "runs", b.s.Runs(ctx, id, 0))
	p.Rejections, errs[3] = b.s.Rejections(ctx, id)
	p.Tally, errs[4] = b.s.Tally(ctx, id)
	p.Companies = collect(b, "companies",
		b.s.Companies(ctx, inbox.CompanyQuery{Site: acme, Deleted: true}))
	p.Customers = collect(b, "customers",
		b.s.Customers(ctx, inbox.CustomerQuery{Site: acme, Deleted: true}))
	p.Events = events(b)
	for _, err := range errs {
		ok(b, "look at inbox", err)
	}
	return p
}

// events returns what waits in the outbox, whenever it is due.
func events(b *inboxes) []inbox.Due {
	b.Helper()
	return collect(b, "events", b.s.DueEvents(b.Context(), at(1_000_000), 0))
}

// everything is an import that leaves something of every kind behind. Its ids begin with name.
func everything(in inbox.ID, name string) inbox.Import {
	r := func(s string) provider.RemoteID { return provider.RemoteID(name + " " + s) }
	th := func(s string) inbox.ThreadID { return inbox.ThreadID(name + " " + s) }
	return inbox.Import{
		State: inbox.SyncState{Cursor: provider.Cursor(name), Walking: true, Begun: at(1)},
		Put:   []inbox.Put{mail(in, name+" a", 1), mail(in, name+" b", 2)},
		Reject: []inbox.Rejected{{
			Remote: r("rejected"), Thread: th("t"), Received: at(3), Client: true,
			Reason: filter.NotClientAssociated, Rules: 2,
		}},
		Queue: []inbox.Queued{
			{Remote: r("queued"), Thread: th("t"), Received: at(4), NotBefore: at(5), Code: "open"},
			{Remote: r("poison"), Thread: th("t"), Received: at(4), Poison: true, Code: "open"},
		},
		Gone:    []inbox.Gone{{Remote: r("gone"), Thread: th("t")}},
		Threads: []inbox.Thread{{ID: th("t"), Opened: at(3)}},
		Run: &inbox.Run{
			ID: name + " run", Inbox: in, Kind: inbox.RunSync, Started: at(1), Listed: 6, Stored: 2,
		},
	}
}

// namesOf returns the remote ids and threads of everything.
func namesOf(name string) (remote []provider.RemoteID, threads []inbox.ThreadID) {
	for _, s := range []string{"rejected", "queued", "poison", "gone"} {
		remote = append(remote, provider.RemoteID(name+" "+s))
	}
	for _, s := range []string{"a", "b"} {
		remote = append(remote, provider.RemoteID("remote "+name+" "+s))
	}
	return remote, []inbox.ThreadID{inbox.ThreadID(name + " t")}
}
