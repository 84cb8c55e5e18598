//go:build unix

package sqlstoretest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// sendEnv makes this program a process that sends, and dies where it is told.
const sendEnv = "SQLSTORETEST_SEND"

// farOff is when a mail leaves that is written for later.
const farOff = 30 * 24 * time.Hour

// sendJob is what such a process does.
type sendJob struct {
	importtest.Death
	stored
	Gmail   *gmail.Endpoints // or else
	Outlook *outlook.Endpoints
	Inbox   inbox.ID
	Wishes  []wish
	Clock   time.Duration // how far it is ahead
}

// wish is what a person wants done on a ticket, and the words that tell it from all others.
type wish struct {
	Ticket ticket.ID
	Do     string // one of deeds
	Text   string
}

// deeds are the ways to send, and not to.
var deeds = []string{"reply", "forward", "draft", "recall", "reschedule"}

// open wires a desk as every process does.
func (j sendJob) open(ctx context.Context, d *importtest.Dying, now func() time.Time) (*member, error) {
	m, host, err := j.member(ctx, 4)
	if err != nil {
		return nil, err
	}
	mail, err := j.provider(d)
	if err != nil {
		return nil, err
	}
	m.desk, err = desk.New(desk.Config{
		Store: mortalStore{m.store, d}, Vault: m.store, Blobs: d.Blobs(m.blobs), People: host, Sites: host,
		Providers: []provider.Provider{mail}, Now: now,
	})
	return m, err
}

func (j sendJob) provider(d *importtest.Dying) (provider.Provider, error) {
	client := &http.Client{Transport: d.Transport(&http.Transport{})}
	if j.Gmail != nil {
		return gmail.New(gmail.Options{ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret,
			Endpoints: *j.Gmail, HTTP: client})
	}
	return outlook.New(outlook.Options{ClientID: outlooktest.ClientID, ClientSecret: outlooktest.ClientSecret,
		Endpoints: *j.Outlook, HTTP: client})
}

// mortalStore is a store whose process may die before and after it writes what sending writes.
type mortalStore struct {
	*sqlstore.Store
	d *importtest.Dying
}

func (s mortalStore) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) ([]ticket.Ticket, error) {
	s.d.Call(importtest.OpStore)
	out, err := s.Store.SaveTickets(ctx, w, ev...)
	s.d.Call(importtest.OpStore)
	return out, err
}

func (s mortalStore) SaveDraft(ctx context.Context, draft ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	s.d.Call(importtest.OpStore)
	out, err := s.Store.SaveDraft(ctx, draft, was)
	s.d.Call(importtest.OpStore)
	return out, err
}

func (s mortalStore) DeleteDraft(ctx context.Context, entry ticket.EntryID, expect storage.Version) error {
	s.d.Call(importtest.OpStore)
	err := s.Store.DeleteDraft(ctx, entry, expect)
	s.d.Call(importtest.OpStore)
	return err
}

func (s mortalStore) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	s.d.Call(importtest.OpStore)
	return s.Store.Commit(ctx, imp, ev...)
}

// sendChild grants the wishes one after the other, and keeps the inbox going between them.
func sendChild(text string) error {
	var j sendJob
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx := context.Background()
	d := importtest.NewDying(j.Death)
	m, err := j.open(ctx, d, func() time.Time { return time.Now().Add(j.Clock) })
	if err != nil {
		return err
	}
	defer m.close()
	actor, err := m.desk.Inboxes.Actor(ctx, importSite, "olivia")
	if err != nil {
		return err
	}
	for _, w := range j.Wishes {
		for try := 1; ; try++ {
			err := m.grant(ctx, actor, w)
			if err == nil {
				break
			}
			if try == 20 || !errors.Is(err, storage.ErrConflict) {
				return fmt.Errorf("%s: %w", w.Do, err)
			}
		}
		if err := m.keep(ctx, j.Inbox); err != nil {
			return err
		}
	}
	return nil
}

// keep does once what desk.Run does again and again.
func (m *member) keep(ctx context.Context, id inbox.ID) error {
	_, sent := m.desk.Tickets.Dispatch(ctx, 0)
	_, looked := m.desk.Look(ctx, id, desk.ByRing)
	if errors.Is(looked, storage.ErrConflict) {
		looked = nil // another process collects
	}
	return errors.Join(sent, looked)
}

// grant does what a person does who cannot know how far the process got that died: they look at the
// ticket first.
func (m *member) grant(ctx context.Context, actor acl.Actor, w wish) error {
	s := m.desk.Tickets
	e, err := m.done(ctx, w)
	if err != nil {
		return err
	}
	later := s.Now().Add(farOff)
	to := []rfc822.Address{{Address: "partner@else.example"}}
	switch {
	case w.Do == "draft" && e == nil:
		return m.draft(ctx, actor, w)
	case w.Do == "forward" && e == nil:
		_, _, err = s.Forward(ctx, actor, w.Ticket, ticket.Forward{To: to, Text: w.Text})
		return err
	case e == nil:
		r := ticket.Reply{Text: w.Text}
		if w.Do != "reply" {
			r.SendAt = later
		}
		written, err := s.Reply(ctx, actor, w.Ticket, r)
		if err != nil {
			return err
		}
		e = &written
	}
	waits := e.Outgoing.State == ticket.OutgoingQueued && e.Outgoing.NotBefore.After(later.Add(-farOff/2))
	switch {
	case w.Do == "recall" && waits:
		_, err = s.Recall(ctx, actor, w.Ticket, e.ID)
	case w.Do == "reschedule" && waits:
		_, err = s.Reschedule(ctx, actor, w.Ticket, e.ID, time.Time{})
	}
	return err
}

// draft writes with a file, and sends.
func (m *member) draft(ctx context.Context, actor acl.Actor, w wish) error {
	s := m.desk.Tickets
	d, err := s.Draft(ctx, actor, w.Ticket)
	if errors.Is(err, storage.ErrNotFound) {
		d, err = s.SaveDraft(ctx, actor, w.Ticket, ticket.Draft{Kind: ticket.EntryReplied, Text: w.Text})
	}
	if err == nil && len(d.Files) == 0 {
		_, err = s.AttachToDraft(ctx, actor, w.Ticket, d.Entry, ticket.DraftFile{Name: "offer.txt", Type: "text/plain"},
			strings.NewReader("File of "+w.Text))
	}
	if err == nil {
		_, _, err = s.SendDraft(ctx, actor, w.Ticket, d.Entry)
	}
	return err
}

// done is the entry a wish has become, nil where it has not.
func (m *member) done(ctx context.Context, w wish) (*ticket.Entry, error) {
	all, err := m.entriesOf(ctx, w)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// entriesOf returns the mails that were written with the words of a wish, on its ticket or a child.
func (m *member) entriesOf(ctx context.Context, w wish) (out []ticket.Entry, err error) {
	at := []ticket.ID{w.Ticket}
	for len(at) > 0 {
		id := at[0]
		at = at[1:]
		for e, err := range m.store.Entries(ctx, ticket.EntryQuery{Ticket: id}) {
			if err != nil {
				return nil, err
			}
			switch {
			case e.Outgoing != nil && e.Text == w.Text:
				out = append(out, e)
			case e.Outgoing == nil && e.Kind == ticket.EntryForwarded && id == w.Ticket:
				at = append(at, e.Other)
			}
		}
	}
	return out, nil
}

// posts is a mail service with one account on a server, as these tests see it.
type posts struct {
	endpoints func(*sendJob)
	kind      provider.Kind
	follow    func(ctx context.Context, link string) (redirect, error)
	deliver   func(raw []byte)
	sent      func() [][]byte // what left, as its recipients got it
	kept      func() (mails int, drafts [][]byte)
	// onSend has a call that sends broken from now on, with or without the mail being taken, where hit
	// says so. heal ends it.
	onSend func(taken bool, hit func() bool)
	heal   func()
}

// redirect is where a page of consent leads to.
type redirect struct{ state, code string }

const sender = "me@firm.example"

func gmailPosts(tb testing.TB, now func() time.Time) *posts {
	s := gmailtest.New(tb, gmailtest.Config{Limits: gmailtest.Unlimited(), Now: now, TokenLife: farOff})
	a, at := s.Account(sender), gmailEndpoints(s)
	return &posts{
		kind:      gmail.Kind,
		endpoints: func(j *sendJob) { j.Gmail = &at },
		follow: func(ctx context.Context, link string) (redirect, error) {
			back, err := s.Follow(ctx, link)
			if err != nil {
				return redirect{}, err
			}
			return redirect{back.Query().Get("state"), back.Query().Get("code")}, nil
		},
		deliver: func(raw []byte) { a.Deliver(raw, gmailtest.Delivery{}) },
		sent: func() (out [][]byte) {
			for _, m := range a.Sent() {
				out = append(out, m.Raw)
			}
			return out
		},
		kept: func() (int, [][]byte) { return len(a.Messages()), nil },
		onSend: func(taken bool, hit func() bool) {
			f := gmailtest.Fault{Method: "messages.send", Times: -1, Break: gmailtest.CloseUnserved}
			f.Match = func(*http.Request) bool { return hit() }
			if taken {
				f.Break = gmailtest.CloseServed
			}
			s.Fail(f)
		},
		heal: s.Heal,
	}
}

func outlookPosts(tb testing.TB, now func() time.Time) *posts {
	s := outlooktest.New(tb, outlooktest.Config{Limits: outlooktest.Unlimited(), Now: now, TokenLife: farOff})
	a, at := s.Account(sender), s.Endpoints()
	return &posts{
		kind: outlook.Kind,
		endpoints: func(j *sendJob) {
			j.Outlook = &outlook.Endpoints{Authority: at.LoginURL, Graph: at.GraphURL}
		},
		follow: func(ctx context.Context, link string) (redirect, error) {
			back, err := s.Follow(ctx, link)
			if err != nil {
				return redirect{}, err
			}
			return redirect{back.Query().Get("state"), back.Query().Get("code")}, nil
		},
		deliver: func(raw []byte) { a.Deliver(raw, outlooktest.Delivery{}) },
		sent: func() (out [][]byte) {
			for _, m := range a.Sent() {
				out = append(out, m.Raw)
			}
			return out
		},
		kept: func() (mails int, drafts [][]byte) {
			for _, m := range a.Messages() {
				if m.Draft {
					drafts = append(drafts, m.Raw)
				} else {
					mails++
				}
			}
			return mails, drafts
		},
		onSend: func(taken bool, hit func() bool) {
			f := outlooktest.Fault{Method: "messages.send", Times: -1, Break: outlooktest.CloseUnserved}
			f.Match = func(*http.Request) bool { return hit() }
			if taken {
				f.Break = outlooktest.CloseServed
			}
			s.Fail(f)
		},
		heal: s.Heal,
	}
}

// senders is an inbox on a database, a mail service, and a process that sees all to its end.
type senders struct {
	*posts
	job   sendJob
	web   *member
	ahead atomic.Int64 // how far the clock of the test and of the service is
	n     int          // wishes so far
	all   []wish
}

func newSenders(t *testing.T, d sqlstore.Dialect, on func(testing.TB, func() time.Time) *posts) *senders {
	t.Helper()
	db := sqlstoretest.New(t, d)
	s := &senders{}
	s.posts = on(t, s.now)
	s.job = sendJob{stored: storedOn(t, db)}
	s.endpoints(&s.job)
	var err error
	s.web, err = s.job.open(t.Context(), importtest.NewDying(importtest.Death{}), s.now)
	require.NoError(t, err)
	t.Cleanup(s.web.close)

	ctx, in := t.Context(), s.web.desk.Inboxes
	olivia := s.olivia(t)
	box, err := in.Create(ctx, olivia, inbox.Draft{Provider: s.kind, Name: "Olivia", Import: true, Window: -1})
	require.NoError(t, err)
	_, err = in.SetRules(ctx, olivia, box.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	link, err := in.Connect(ctx, olivia, box.ID, "https://host.example/back")
	require.NoError(t, err)
	back, err := s.follow(ctx, link)
	require.NoError(t, err)
	_, err = in.Consent(ctx, olivia, box.ID, inbox.Return{State: back.state, Code: back.code})
	require.NoError(t, err)
	_, err = in.Finish(ctx, olivia, box.ID)
	require.NoError(t, err)
	s.job.Inbox = box.ID
	return s
}

func (s *senders) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (s *senders) olivia(t *testing.T) acl.Actor {
	t.Helper()
	actor, err := s.web.desk.Inboxes.Actor(t.Context(), importSite, "olivia")
	require.NoError(t, err)
	return actor
}

// asked delivers a mail for each deed, and returns what is wished on their tickets.
func (s *senders) asked(t *testing.T) []wish {
	t.Helper()
	var out []wish
	for _, do := range deeds {
		s.n++
		s.deliver(fmt.Appendf(nil, "From: Ann <ann%d@client.example>\r\nTo: %s\r\nSubject: Question %d\r\n"+
			"Message-ID: <%d@client.example>\r\nDate: %s\r\n\r\nWhat does it cost?\r\n", s.n, sender, s.n, s.n,
			s.now().Format(time.RFC1123Z)))
		out = append(out, wish{Do: do, Text: fmt.Sprintf("Answer number %04d by %s", s.n, do)})
	}
	without := func(w wish) bool { return w.Ticket == "" }
	for try := 0; slices.ContainsFunc(out, without); try++ { // again where a process that sends collects too
		require.Less(t, try, 100, "every mail has a ticket")
		require.NoError(t, s.web.keep(t.Context(), s.job.Inbox))
		for tk, err := range s.web.store.Tickets(t.Context(), ticket.Query{Inboxes: []inbox.ID{s.job.Inbox}}) {
			require.NoError(t, err)
			for i := range out {
				if tk.Subject == fmt.Sprintf("Question %d", s.n-len(deeds)+i+1) {
					out[i].Ticket = tk.ID
				}
			}
		}
	}
	s.all = append(s.all, out...)
	return out
}

// read returns a blob whole.
func (m *member) read(t *testing.T, key inbox.BlobKey) string {
	t.Helper()
	r, err := m.blobs.OpenBlob(t.Context(), key)
	require.NoError(t, err, "what is named is there")
	defer r.Close()
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(raw)
}
