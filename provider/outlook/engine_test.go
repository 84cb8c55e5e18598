package outlook_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/storage/memory"
)

// team is a host whose teammate has connected the account of a world.
type team struct {
	*world
	svc *inbox.Service
	in  inbox.Inbox
	who acl.Actor
}

// connect makes a host with these clients and connects the account to it, as its owner does.
func (w *world) connect(t *testing.T, strict bool, domains []string) *team {
	t.Helper()
	ctx := t.Context()
	host := memory.NewHost()
	host.SetSite(inbox.Settings{ID: "firm"})
	host.AddPerson(inbox.Person{ID: "olga", Site: "firm", Role: acl.Owner, State: acl.Active})
	store := memory.New()
	svc, err := inbox.New(inbox.Config{Store: store, Vault: store, Blobs: store, People: host, Sites: host,
		Providers: []provider.Provider{w.provider(t)}, Now: time.Now, Strict: strict})
	require.NoError(t, err)
	olga, err := svc.Actor(ctx, "firm", "olga")
	require.NoError(t, err)
	for i, d := range domains {
		_, err := svc.CreateCompany(ctx, olga, inbox.CompanyEdit{Name: fmt.Sprint("Client ", i), Domains: []string{d}})
		require.NoError(t, err)
	}
	in, err := svc.Create(ctx, olga, inbox.Draft{Provider: outlook.Kind, Name: "Olga", Import: true})
	require.NoError(t, err)
	_, err = svc.SetRules(ctx, olga, in.ID, filter.Rules{Mode: filter.ClientAssociated})
	require.NoError(t, err)
	link, err := svc.Connect(ctx, olga, in.ID, "https://host.example/back")
	require.NoError(t, err)
	back, err := w.s.Follow(ctx, link)
	require.NoError(t, err)
	_, err = svc.Consent(ctx, olga, in.ID, inbox.Return{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	require.NoError(t, err)
	in, err = svc.Finish(ctx, olga, in.ID)
	require.NoError(t, err)
	return &team{world: w, svc: svc, in: in, who: olga}
}

// stored counts the messages of the inbox by their Message-ID.
func (tm *team) stored(t *testing.T) map[string]int {
	t.Helper()
	got := make(map[string]int)
	for m, err := range tm.svc.Messages(t.Context(), tm.who, inbox.MessageQuery{Inbox: tm.in.ID}) {
		require.NoError(t, err)
		got[m.RFCID]++
	}
	return got
}

// A whole import, broken off again and again while the owner tidies up, and the mail after it: what
// is stored is the same in every mode, and nothing is stored twice.
func TestImportsAgreeWhateverTheModeAndTheTrouble(t *testing.T) {
	t.Parallel()
	results := make(chan map[string]int, 3)
	t.Run("imports", func(t *testing.T) {
		for name, c := range map[string]struct{ strict, trouble bool }{
			"frugal": {}, "strict": {strict: true}, "frugal, broken off": {trouble: true},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { results <- importAll(t, c.strict, c.trouble) })
			})
		}
	})
	close(results)
	var want []map[string]int
	for r := range results {
		want = append(want, r)
	}
	require.Len(t, want, 3)
	require.Greater(t, len(want[0]), 200)
	require.Equal(t, want[0], want[1])
	require.Equal(t, want[0], want[2])
}

func importAll(t *testing.T, strict, trouble bool) map[string]int {
	time.Sleep(time.Until(time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)))
	w := newWorld(t, outlook.Options{PageSize: 20}, outlooktest.Config{})
	c := mailgen.Config{Seed: 11, Messages: 700, MeanBytes: 4000, AttachmentShare: -1, DuplicateShare: -1, Owner: w.a.Address()}
	box, err := mailgen.New(c)
	require.NoError(t, err)
	var ids []string
	for m := range box.Oldest() {
		ids = append(ids, w.a.Deliver(m.Raw, outlooktest.Delivery{Received: m.Received, Sent: m.Outbound}))
	}
	own := w.a.AddFolder("inbox", "Clients")
	tm := w.connect(t, strict, box.Config().Clients)
	sync := func(ctx context.Context) error {
		_, err := tm.svc.Sync(ctx, tm.in.ID)
		return err
	}
	for n := 5; trouble && n < 600; n += 40 {
		// Broken off in the middle of whatever is going on.
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		f := w.s.Fail(outlooktest.Fault{Times: -1, Match: func(*http.Request) bool {
			if calls++; calls == n {
				cancel()
			}
			return false
		}})
		w.a.Move(ids[n], own)
		w.a.Move(ids[n+1], own)
		err := sync(ctx)
		w.a.Move(ids[n], "inbox")
		f.Remove()
		cancel()
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, sync(t.Context()))
	first := tm.stored(t)
	for i := range 30 {
		from := "sam@elsewhere.example"
		if i%3 == 0 {
			from = "kim@acme.example"
		}
		w.a.Deliver(fmt.Appendf(nil, "From: %s\r\nTo: owner@own.example\r\nSubject: late %d\r\nMessage-ID: <late%d@l.example>\r\n\r\nHello.\r\n",
			from, i, i), outlooktest.Delivery{})
	}
	time.Sleep(time.Minute)
	require.NoError(t, sync(t.Context()))
	last := tm.stored(t)
	require.Equal(t, len(first)+10, len(last), "mail of a client that came afterwards")
	for id, n := range last {
		require.Equal(t, 1, n, "message %s is stored more than once", id)
	}
	require.Zero(t, w.a.Usage().Refused())
	return last
}

// A folder that is younger than the folders a round began with lies in the trash for a moment: what was
// told of its old mail meanwhile is told anew when the folder is known.
func TestOldMailOfANewFolderIsToldAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, ids, cursor := walked(t, outlook.Options{}, outlooktest.Delta{}, 120) // an hour apart
		old := ids[119]
		var young string
		in := w.s.Fail(outlooktest.Fault{Method: "messages.delta", Match: func(*http.Request) bool {
			if young == "" {
				young = w.a.AddFolder("inbox", "Clients")
				w.a.Move(old, young)
				w.a.MoveFolder(young, "deleteditems")
			}
			return false
		}})
		got := w.next(t, cursor)
		in.Remove()
		require.Equal(t, provider.FolderTrash, got.put[old].Folder)
		w.a.MoveFolder(young, "inbox")
		got = w.next(t, got.last)
		require.Contains(t, got.put, old)
		require.Equal(t, provider.FolderMail, got.put[old].Folder)
	})
}
