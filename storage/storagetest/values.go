package storagetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

var valueChecks = []check[inbox.Store]{
	{"Times/MicrosecondsUTC", checkTimes},
	{"Text/AnyUTF8", checkText},
	{"Text/BigContent", checkBigContent},
	{"IDs/CaseSensitive", checkIDs},
	{"Values/AreCopies", checkCopies},
}

// texts are strings that databases have been seen to change. None has a NUL, which mail text never
// has either.
var texts = []string{
	"plain", " around ", "\ttab\r\nlines\n", `quote ' " \ % _ ?`, "{}", "null", "0", "1e3",
	"naïve café", "e\u0301 is not é", "grüße", "日本語の件名", "שלום עולם", "مرحبا", "नमस्ते",
	"👩‍👩‍👧‍👦 family, 🇩🇪 flag", "\u202eright to left\u202c", "\ufeffmark", "\u200bzero width",
	"\ufffd replaced", "\U0010ffff last", "\x01 control \x7f",
}

// moments are times in zones and ages that databases have been seen to change.
func moments() []time.Time {
	east, west := time.FixedZone("east", 5*3600+1800), time.FixedZone("west", -9*3600)
	return []time.Time{
		{}, at(0), at(0).Add(time.Microsecond), at(0).In(east), at(1).In(west),
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(1911, 2, 3, 4, 5, 6, 7000, east),
		time.Date(2100, 2, 28, 23, 59, 59, 1000, west),
		time.Date(2026, 10, 25, 2, 30, 0, 500_000, time.UTC),
	}
}

func checkTimes(b *inboxes) {
	ctx := b.Context()
	for i, now := range moments() {
		id := fmt.Sprintf("%d", i)
		in := mailbox(inbox.ID("in " + id))
		in.CreatedAt, in.ConnectedAt, in.DeletedAt = now, now, now
		in.Revisions = []filter.Revision{{Version: 1, At: now}}
		create(b, in)
		got, err := b.s.Inbox(ctx, in.ID)
		ok(b, "inbox", err)
		in.Version = 1
		equal(b, fmt.Sprintf("inbox of %v", now), got, in)

		p := mail(in.ID, id, 0)
		p.Message.Received, p.Message.Date, p.Message.StoredAt = now, now, now
		st := inbox.SyncState{Inbox: in.ID, Begun: now, LastSync: now}
		queue := inbox.Queued{Remote: "q", Thread: "t", Received: now, NotBefore: now}
		run := inbox.Run{ID: id, Inbox: in.ID, Started: now, Ended: now}
		_, err = b.s.Commit(ctx, inbox.Import{
			State: st, Put: []inbox.Put{p}, Queue: []inbox.Queued{queue}, Run: &run,
			Threads: []inbox.Thread{{ID: "t", Opened: now}},
			Reject:  []inbox.Rejected{{Remote: "r", Thread: "t", Received: now}},
		})
		ok(b, "commit", err)
		update(b, got, inbox.Change{Kind: inbox.ChangeAccess, At: now})
		shot := look(b, in.ID, []provider.RemoteID{"q", "r"}, []inbox.ThreadID{"t"})
		m := shot.Messages[0]
		log := shot.Log[len(shot.Log)-1]
		equal(b, fmt.Sprintf("times of %v as read", now), []time.Time{
			shot.State.Begun, shot.State.LastSync, m.Received, m.Date, m.StoredAt,
			shot.Queue[0].Received, shot.Queue[0].NotBefore, shot.Runs[0].Started, shot.Runs[0].Ended,
			shot.Seen["q"].Received, shot.Seen["r"].Received, shot.Threads["t"].Opened, log.At,
		}, []time.Time{now, now, now, now, now, now, now, now, now, now, now, now, now})

		co, cu := company(inbox.CompanyID(id)), customer(inbox.CustomerID(id), id+"@example.com")
		co.CreatedAt, cu.CreatedAt, cu.Since, cu.Bounced = now, now, now, now
		co.Domains = []inbox.CompanyDomain{{Pattern: pattern("d" + id + ".example"), Since: now}}
		co, cu = saveCompany(b, co), saveCustomers(b, cu)[0]
		e := happened(id)
		e.At = now
		saveEvents(b, e)
		equal(b, fmt.Sprintf("times of %v with clients and events", now), []time.Time{
			co.CreatedAt, co.Domains[0].Since, cu.CreatedAt, cu.Since, cu.Bounced, events(b)[i].At,
		}, []time.Time{now, now, now, now, now, now})
	}
}

func checkText(b *inboxes) {
	for i, text := range texts {
		id := fmt.Sprint(i)
		in := mailbox(inbox.ID("in " + id))
		in.Name, in.Settings.Signature = text, text
		create(b, in)
		p := mail(in.ID, id, 0)
		p.Message.Subject, p.Message.Preview, p.Message.RFCID = text, text, text
		p.Message.From = []rfc822.Address{{Name: text, Address: "x@example.com"}}
		p.Content.Text, p.Content.HTML = text, text
		commit(b, in.ID, inbox.Import{Put: []inbox.Put{p}})
		co, cu := company(inbox.CompanyID(id)), customer(inbox.CustomerID(id), id+"@example.com")
		co.Name, cu.Name = text, text
		saveCompany(b, co)
		saveCustomers(b, cu)

		shot := look(b, in.ID, nil, nil)
		m := shot.Messages[0]
		gotCo, err := b.s.Company(b.Context(), acme, co.ID)
		ok(b, "company", err)
		gotCu, err := b.s.Customer(b.Context(), acme, cu.ID)
		ok(b, "customer", err)
		for j, got := range []string{
			shot.Inbox.Name, shot.Inbox.Settings.Signature, m.Subject, m.Preview, m.RFCID,
			m.From[0].Name, shot.Contents[0].Text, shot.Contents[0].HTML, gotCo.Name, gotCu.Name,
		} {
			equal(b, fmt.Sprintf("text %d in place %d", i, j), got, text)
		}
		equal(b, fmt.Sprintf("messages with text %d as Message-ID", i),
			listed(b, inbox.MessageQuery{Inbox: in.ID, RFCIDs: []string{text}}),
			[]inbox.MessageID{m.ID})
	}
}

func checkBigContent(b *inboxes) {
	create(b, mailbox("in-1"))
	p := mail("in-1", "m-1", 0)
	p.Content.Text = strings.Repeat("Ein längerer Text, 本文, 📨.\r\n", 60_000)
	p.Content.HTML = "<p>" + strings.Repeat("é", 1_500_000) + "</p>"
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{p}})
	got, err := b.s.Content(b.Context(), "m-1")
	ok(b, "content", err)
	if got.Text != p.Content.Text || got.HTML != p.Content.HTML {
		b.Errorf("big content: got %d bytes of text and %d of HTML, want %d and %d, byte by byte",
			len(got.Text), len(got.HTML), len(p.Content.Text), len(p.Content.HTML))
	}
}

// checkIDs stores everything under ids that a collation may take for one another.
func checkIDs(b *inboxes) {
	ids := []string{"AAkA", "AAka", "aaka", "aaka ", "é", "e\u0301", "e", "ß", "ss"}
	for i, id := range ids {
		in := mailbox(inbox.ID(id))
		in.Name = fmt.Sprint(i)
		create(b, in)
		saveCompany(b, inbox.Company{ID: inbox.CompanyID(id), Site: acme, Name: fmt.Sprint(i)})
		saveCustomers(b, inbox.Customer{
			ID: inbox.CustomerID(id), Site: acme, Name: fmt.Sprint(i),
			Address: fmt.Sprint(i, "@example.com"),
		})
	}
	var imp inbox.Import
	for i, id := range ids {
		p := mail("AAkA", id, i)
		p.Message.Remote, p.Message.Thread = provider.RemoteID(id), inbox.ThreadID(id)
		imp.Put = append(imp.Put, p)
		imp.Queue = append(imp.Queue, waiting(provider.RemoteID("queued "+id), i))
		imp.Threads = append(imp.Threads, inbox.Thread{ID: inbox.ThreadID(id), Opened: at(i)})
	}
	commit(b, "AAkA", imp)
	for i, id := range ids {
		in, err := b.s.Inbox(b.Context(), inbox.ID(id))
		ok(b, "inbox", err)
		co, err := b.s.Company(b.Context(), acme, inbox.CompanyID(id))
		ok(b, "company", err)
		cu, err := b.s.Customer(b.Context(), acme, inbox.CustomerID(id))
		ok(b, "customer", err)
		m, err := b.s.Message(b.Context(), inbox.MessageID(id))
		ok(b, "message", err)
		remote := provider.RemoteID(id)
		seen, err := b.s.Seen(b.Context(), "AAkA", []provider.RemoteID{remote, "queued " + remote})
		ok(b, "seen", err)
		th, err := b.s.Threads(b.Context(), "AAkA", []inbox.ThreadID{m.Thread})
		ok(b, "threads", err)
		equal(b, fmt.Sprintf("what has the id %q", id), []any{
			in.Name, co.Name, cu.Name, m.Remote, seen[remote].Message,
			seen["queued "+remote].Queued.NotBefore, th[m.Thread].Opened,
		}, []any{
			fmt.Sprint(i), fmt.Sprint(i), fmt.Sprint(i), remote, m.ID, at(i), at(i),
		})
		equal(b, fmt.Sprintf("messages of thread %q", id),
			listed(b, inbox.MessageQuery{Inbox: "AAkA", Thread: m.Thread}), []inbox.MessageID{m.ID})
	}
	_, err := b.s.Message(b.Context(), "AaKa")
	refused(b, "a message in other case", err, storage.ErrNotFound)
}

// copied is what checkCopies stores.
type copied struct {
	In    inbox.Inbox
	Step  inbox.Import
	Co    inbox.Company
	Cu    inbox.Customer
	Event inbox.Event
}

func newCopied() copied {
	c := copied{
		In: full[inbox.Inbox]("in"), Co: full[inbox.Company]("company"),
		Cu: full[inbox.Customer]("customer"), Event: full[inbox.Event]("event"),
	}
	c.In.Site, c.Co.Site, c.Cu.Site = acme, acme, acme
	c.In.Version, c.Co.Version, c.Cu.Version = 0, 0, 0
	c.Step = everything(c.In.ID, "x")
	c.Step.State.Backfill = &inbox.BackfillState{Since: at(1)}
	c.Step.State.Push = &inbox.Push{Subscription: provider.Subscription{ID: "s", Expires: at(3)}, At: at(2)}
	c.Step.Run.Rejected = map[filter.Reason]int{filter.Excluded: 1}
	m, text := full[inbox.Message]("mail"), full[inbox.Content]("content")
	m.Inbox, m.Received, text.Message = c.In.ID, at(99), m.ID
	m.Hidden, m.Removed = false, false
	c.Step.Put = append(c.Step.Put, inbox.Put{Message: m, Content: text})
	return c
}

// checkCopies changes whatever it gave and whatever it got, and looks again.
func checkCopies(b *inboxes) {
	given := newCopied()
	made := create(b, given.In, given.Event)
	st := commit(b, given.In.ID, given.Step)
	co, cus := saveCompany(b, given.Co), saveCustomers(b, given.Cu)
	scramble(&given)
	scramble(&made)
	scramble(&st)
	scramble(&co)
	scramble(&cus)
	for _, when := range []string{"given", "read"} {
		want := newCopied()
		want.In.Version, want.Co.Version, want.Cu.Version = 1, 1, 1
		remote, threads := namesOf("x")
		shot := look(b, want.In.ID, remote, threads)
		in, err := b.s.Inbox(b.Context(), want.In.ID)
		ok(b, "inbox", err)
		cu, err := b.s.Customer(b.Context(), acme, want.Cu.ID)
		ok(b, "customer", err)
		co, err := b.s.Company(b.Context(), acme, want.Co.ID)
		ok(b, "company", err)
		id := want.Step.Put[2].Message.ID
		m, err := b.s.Message(b.Context(), id)
		ok(b, "message", err)
		text, err := b.s.Content(b.Context(), id)
		ok(b, "content", err)
		want.Step.Put[2].Message.Seq = m.Seq
		read := []any{
			*shot.Inbox, shot.State.Backfill, shot.State.Push, shot.Messages[0], shot.Contents[0], shot.Queue,
			shot.Seen["x queued"].Queued, shot.Runs[0], shot.Rejections, shot.Companies,
			shot.Customers, shot.Events, in, cu, co, m, text,
		}
		equal(b, "what is stored after what was "+when+" is changed", read, []any{
			want.In, want.Step.State.Backfill, want.Step.State.Push, want.Step.Put[2].Message,
			want.Step.Put[2].Content,
			want.Step.Queue[:1], &want.Step.Queue[0], *want.Step.Run,
			map[filter.Reason]int{filter.NotClientAssociated: 1}, []inbox.Company{want.Co},
			[]inbox.Customer{want.Cu}, []inbox.Due{{Event: want.Event}},
			want.In, want.Cu, want.Co, want.Step.Put[2].Message, want.Step.Put[2].Content,
		})
		scramble(&read)
	}
}
