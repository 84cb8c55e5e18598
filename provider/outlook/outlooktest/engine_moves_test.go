package outlooktest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// owner is a person who tidies up: the mail and the folders there are.
type owner struct {
	e       *engine
	r       *rand.Rand
	mails   []string // ids
	folders []string // of her own
	n       int
}

// places are where mail lies beside the owner's folders.
var places = []string{"inbox", "archive", "deleteditems", "junkemail"}

func (o *owner) anywhere() string {
	all := append(o.folders, places...)
	return all[o.r.IntN(len(all))]
}

// act does one thing.
func (o *owner) act() {
	a, mail := o.e.a, o.mails[o.r.IntN(len(o.mails))]
	o.n++
	switch o.r.IntN(10) {
	case 0:
		o.mails = append(o.mails, o.e.Letter(1000+o.n, 0))
	case 1, 2, 3:
		a.Move(mail, o.anywhere())
	case 4, 5: // there and back
		var from string
		for _, m := range a.Messages() {
			if m.ImmutableID == mail {
				from = m.Folder
			}
		}
		a.Move(mail, o.anywhere())
		a.Move(mail, from)
	case 6:
		a.RenameFolder(o.folders[o.r.IntN(len(o.folders))], fmt.Sprint("Renamed ", o.n))
	case 7:
		o.folders = append(o.folders, a.AddFolder("inbox", fmt.Sprint("New ", o.n)))
	case 8:
		a.MoveFolder(o.folders[o.r.IntN(len(o.folders))], []string{"inbox", "archive", "deleteditems"}[o.r.IntN(3)])
	case 9:
		a.MarkRead(mail, o.r.IntN(2) == 0)
	}
}

// Whatever the owner does with her mail and her folders while it is imported and afterwards, and however
// Graph tells of it, in the end all mail is stored, once.
func TestTidyingUpLosesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		delta outlooktest.Delta
		evict string // whose delta tokens are forgotten while it goes on: "", a folder, "all"
	}{
		{name: "as documented", delta: outlooktest.Delta{KeepReturns: true}},
		{name: "as observed"},
		{name: "destination lost", delta: outlooktest.Delta{LoseMoves: true}},
		{name: "destination lost, reason changed", delta: outlooktest.Delta{LoseMoves: true, MoveReason: "changed"}},
		{name: "changes late", delta: outlooktest.Delta{Lag: 40 * time.Second}},
		{name: "doubled records and empty pages", delta: outlooktest.Delta{DuplicateEvery: 2, EmptyPageEvery: 2}},
		{name: "tokens of the inbox forgotten", evict: "inbox"},
		{name: "tokens of the inbox forgotten, with a location", evict: "inbox", delta: outlooktest.Delta{Location: true}},
		{name: "all tokens forgotten", evict: "all", delta: outlooktest.Delta{LoseMoves: true}},
		{name: "few tokens kept", delta: outlooktest.Delta{Tokens: 24}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(4) {
				synctest.Test(t, func(t *testing.T) { tidyUp(t, seed, c.delta, c.evict) })
			}
		})
	}
}

func tidyUp(t *testing.T, seed uint64, delta outlooktest.Delta, evict string) {
	time.Sleep(time.Until(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)))
	e := newEngine(t, engineConfig{
		server: outlooktest.Config{Delta: delta, Limits: outlooktest.Unlimited()}, o: outlook.Options{PageSize: 7},
	})
	o := &owner{e: e, r: rand.New(rand.NewPCG(seed, 4))}
	for i := range 40 {
		o.mails = append(o.mails, e.Letter(i, time.Duration(i)*7*time.Hour))
	}
	for i := range 3 {
		o.folders = append(o.folders, e.a.AddFolder("inbox", fmt.Sprint("Own ", i)))
	}
	e.Connect()
	_, err := e.Desk.Inboxes.Edit(t.Context(), e.Actor("carl"), e.ID, inbox.Edit{Settings: &inbox.InboxSettings{MirrorDeletes: true}})
	require.NoError(t, err)
	// With ids that change when a message is moved nothing here would hold.
	changing := e.s.Fail(outlooktest.Fault{Times: -1, Match: func(r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/v1.0/me/m") && !strings.Contains(r.Header.Get("Prefer"), immutable)
	}, Reply: outlooktest.GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")})
	for range 6 {
		// In the middle of whatever is going on.
		meanwhile := e.s.Fail(outlooktest.Fault{Times: -1, Match: func(*http.Request) bool {
			if o.r.IntN(4) == 0 {
				o.act()
			}
			return false
		}})
		_ = e.Step() // what it could not do it does the next time
		meanwhile.Remove()
		for range o.r.IntN(5) {
			o.act()
		}
		switch evict {
		case "":
		case "all":
			e.a.EvictDelta("")
		default:
			e.a.EvictDelta(evict)
		}
		time.Sleep(time.Minute)
	}
	for range 3 {
		time.Sleep(5 * time.Minute)
		require.NoError(t, e.Step())
	}
	require.Zero(t, changing.Hits(), "calls that did not ask for immutable ids")
	require.Zero(t, e.s.Stats().DefaultIDs)
	changing.Remove()
	o.matches(t, evict == "" && delta.Tokens == 0)
	e.Silent()
}

// matches fails when mail of the mailbox is not stored, or is put aside though it is not there. Where all
// is told, no token having been forgotten, what is stored is as there: of mail that came into a folder and
// left it again between two rounds only the token of the other folder tells where it is.
func (o *owner) matches(t *testing.T, told bool) {
	t.Helper()
	stored := make(map[provider.RemoteID]inbox.Message)
	for m, err := range o.e.Store.Messages(t.Context(), inbox.MessageQuery{Inbox: o.e.ID, Hidden: true}) {
		require.NoError(t, err)
		require.NotContains(t, stored, m.Remote, "stored twice")
		stored[m.Remote] = m
	}
	for _, m := range o.e.a.Messages() {
		got, ok := stored[provider.RemoteID(m.ImmutableID)]
		aside := o.aside(m.Folder)
		require.True(t, ok || aside, "mail in %q is missing", m.Folder)
		if !ok {
			continue
		}
		require.False(t, got.Removed && !aside, "removed here, and in %q there", m.Folder)
		if told {
			require.Equal(t, aside, got.Removed, "removed here, and in %q there", m.Folder)
			require.Equal(t, !m.Read, got.Unread, "read or not, in %q", m.Folder)
		}
	}
	for _, r := range o.e.Runs() {
		require.NoError(t, r.Balance())
	}
}

// aside says whether a folder is the trash or junk, or lies in there.
func (o *owner) aside(folder string) bool {
	if folder == "deleteditems" || folder == "junkemail" {
		return true
	}
	g := graph{o.e.t, o.e.s, o.e.a, o.e.a.Client()}
	for range 5 {
		f := g.get("/me/mailFolders/" + folder)
		parent := f.text("parentFolderId")
		switch parent {
		case o.e.a.Folder("deleteditems"):
			return true
		case o.e.a.Folder("inbox"), o.e.a.Folder("archive"), "":
			return false
		}
		folder = parent
		if parent == f.text("id") || f.text("displayName") == "Top of Information Store" {
			return false
		}
	}
	return false
}
