package outlooktest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

const inboxDelta = "/me/mailFolders/inbox/messages/delta"

// summary is what a record says in short: "+Subject", "-id" or "~id" for a partial one.
func summary(items []map[string]any) []string {
	out := []string{}
	for _, m := range items {
		switch {
		case m["@removed"] != nil:
			out = append(out, "-"+m["id"].(string))
		case m["@odata.etag"] == nil:
			out = append(out, fmt.Sprintf("~%s %v", m["id"], m["isRead"]))
		default:
			out = append(out, fmt.Sprintf("+%s", m["subject"]))
		}
	}
	return out
}

func TestDeltaRounds(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.fill(25)
	items, link, pages := g.pages(inboxDelta, "Prefer", immutable+", odata.maxpagesize=20")
	require.Len(t, items, 25)
	require.Equal(t, 2, pages)
	first := g.get(inboxDelta, "Prefer", immutable)
	require.Len(t, first.items(), 10, "the default page")
	require.Contains(t, first.text("@odata.nextLink"), "/messages/delta?$skiptoken=")
	require.Contains(t, link, "$deltatoken=")

	g.a.MarkRead(id[0], true)
	g.a.Flag(id[1], true)
	g.a.Delete(id[2])
	g.a.Move(id[3], "archive")
	g.a.Deliver(hello(100), outlooktest.Delivery{})
	want := []string{"~" + id[0] + " true", "+Hello 1", "-" + id[2], "-" + id[3], "+Hello 100"}
	items, next, _ := g.pages(link, "Prefer", immutable)
	require.Equal(t, want, summary(items))
	again, _, _ := g.pages(link, "Prefer", immutable)
	require.Equal(t, want, summary(again), "the old link can be asked again")
	items, _, _ = g.pages(next, "Prefer", immutable)
	require.Empty(t, items)
	items, _, _ = g.pages("/me/mailFolders/archive/messages/delta", "Prefer", immutable)
	require.Equal(t, []string{"+Hello 3"}, summary(items))
}

func TestDeltaOfMoves(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		config  outlooktest.Delta
		prefer  string
		moves   []string
		source  string // records of the inbox, with S for the id before and E for the id after
		archive string
	}{
		{"away, default ids", outlooktest.Delta{}, "", []string{"archive"}, "-S", "+Hello 0"},
		{"away, immutable ids", outlooktest.Delta{}, immutable, []string{"archive"}, "-E", "+Hello 0"},
		{"away, destination lost", outlooktest.Delta{LoseMoves: true}, immutable, []string{"archive"}, "-E", ""},
		{"destination kept with default ids", outlooktest.Delta{LoseMoves: true}, "", []string{"archive"}, "-S", "+Hello 0"},
		{"back again, immutable ids", outlooktest.Delta{}, immutable, []string{"archive", "inbox"}, "-E", "-E"},
		{"back again, all reported", outlooktest.Delta{KeepReturns: true}, immutable, []string{"archive", "inbox"}, "+Hello 0", "-E"},
		{"back again, default ids", outlooktest.Delta{}, "", []string{"archive", "inbox"}, "-S +Hello 0", "-M"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := open(t, outlooktest.Config{Delta: test.config})
			stable := g.fill(1)[0]
			before := g.a.Messages()[0].ID
			const archiveDelta = "/me/mailFolders/archive/messages/delta"
			_, inbox, _ := g.pages(inboxDelta)
			_, archive, _ := g.pages(archiveDelta)
			middle := ""
			for _, f := range test.moves {
				middle = g.a.Messages()[0].ID
				g.a.Move(stable, f)
			}
			names := strings.NewReplacer(before, "S", stable, "E", middle, "M")
			items, _, _ := g.pages(inbox, "Prefer", test.prefer)
			require.Equal(t, test.source, names.Replace(strings.Join(summary(items), " ")))
			items, _, _ = g.pages(archive, "Prefer", test.prefer)
			require.Equal(t, test.archive, names.Replace(strings.Join(summary(items), " ")))
		})
	}
}

func TestDeltaFilterLeaksAndCaps(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{Delta: outlooktest.Delta{FilterCap: 3}})
	id := g.fill(6)
	since := query("$filter", "receivedDateTime ge "+day(1).Add(time.Minute).Format(time.RFC3339))
	items, link, _ := g.pages(inboxDelta+since, "Prefer", immutable)
	require.Equal(t, []string{id[5], id[4], id[3]}, ids(items), "the newest, no more than the cap")
	g.a.MarkRead(id[0], true)
	g.a.Flag(id[0], true)
	items, link, _ = g.pages(link, "Prefer", immutable)
	require.Empty(t, items, "a change outside the filter")
	g.a.MarkRead(id[0], false)
	g.a.Deliver(hello(9), outlooktest.Delivery{Received: day(1)})
	items, link, _ = g.pages(link, "Prefer", immutable)
	require.Equal(t, []string{"~" + id[0] + " false"}, summary(items))
	g.a.Delete(id[0])
	items, _, _ = g.pages(link, "Prefer", immutable)
	require.Equal(t, []string{"-" + id[0]}, summary(items))
}

func TestDeltaNoise(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{Delta: outlooktest.Delta{
		DuplicateEvery: 5, EmptyPageEvery: 2, MoveReason: "changed", PartialETag: true, NoLeak: true,
	}})
	id := g.fill(20)
	items, link, pages := g.pages(inboxDelta, "Prefer", immutable)
	require.Len(t, items, 24, "every fifth twice")
	require.Equal(t, 4, pages, "three pages and an empty one")
	g.a.Move(id[0], "archive")
	g.a.MarkRead(id[1], true)
	items, _, _ = g.pages(link, "Prefer", immutable)
	require.Equal(t, map[string]any{"reason": "changed"}, items[0]["@removed"])
	require.Contains(t, items[1], "@odata.etag")
}

func TestDeltaTypesAndSelection(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.fill(2)
	_, link, _ := g.pages(inboxDelta + query("changeType", "created", "$select", "subject"))
	g.a.Flag(id[0], true)
	g.a.Delete(id[1])
	g.a.Deliver(hello(7), outlooktest.Delivery{})
	items, _, _ := g.pages(link)
	require.Equal(t, []string{"+Hello 7"}, summary(items))
	require.ElementsMatch(t, []string{"@odata.type", "@odata.etag", "id", "subject"}, keys(items[0]))
}

func TestDeltaTokensEnd(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{Delta: outlooktest.Delta{Location: true, Tokens: 2}})
	folder := g.a.AddFolder("inbox", "Clients")
	target := "/me/mailFolders/" + folder + "/messages/delta"
	_, old, _ := g.pages(target + query("$select", "id"))
	_, link, _ := g.pages(target)
	g.a.EvictDelta("Inbox/Clients")
	a := g.do("GET", link, "")
	g.refused(a, 410, "SyncStateNotFound")
	fresh, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	require.Empty(t, fresh.RawQuery)
	_, link, _ = g.pages(fresh.String())
	g.refused(g.do("GET", old, ""), 410, "SyncStateNotFound")

	g.pages(target)
	g.pages(target)
	g.refused(g.do("GET", link, ""), 410, "SyncStateNotFound") // the third oldest was evicted
	_, link, _ = g.pages(target)
	g.refused(g.do("GET", link+"&$select=id", ""), 400, "ErrorInvalidUrlQuery")
	g.refused(g.do("GET", g.s.Endpoints().GraphURL+target+"?$deltatoken=bogus", ""), 400, "BadRequest")
	g.refused(g.do("GET", strings.Replace(link, folder, g.a.Folder("inbox"), 1), ""), 400, "BadRequest")
	g.a.DeleteFolder(folder)
	g.refused(g.do("GET", link, ""), 404, "ErrorSyncFolderNotFound")
	g.refused(g.do("GET", target, ""), 404, "ErrorItemNotFound")
}

func TestDeltaRefusals(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	for _, q := range []string{
		query("$filter", "receivedDateTime le 2026-10-01T00:00:00Z"),
		query("$filter", "isRead eq true"),
		query("$filter", "   "),
		query("filter", "receivedDateTime ge 2026-10-01T00:00:00Z"),
		query("$orderby", "subject"), query("$search", `"x"`), query("changeType", "moved"),
	} {
		a := g.do("GET", inboxDelta+q, "")
		require.Equal(t, 400, a.status, q)
		require.Equal(t, "ErrorInvalidUrlQuery", a.code(), q)
	}
	g.refused(g.do("GET", "/me/messages/delta", ""), 400, "BadRequest")
}

func TestDeltaPagesCanBeTooLarge(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{MaxPage: 50})
	g.fill(60)
	a := g.do("GET", inboxDelta, "", "Prefer", "odata.maxpagesize=60")
	require.Equal(t, 504, a.status)
	require.Len(t, g.get(inboxDelta+query("$select", "id"), "Prefer", "odata.maxpagesize=60").items(), 60)
	items, _, _ := g.pages(inboxDelta, "Prefer", "odata.maxpagesize=50")
	require.Len(t, items, 60)
}

func TestDeltaIsLate(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Delta: outlooktest.Delta{Lag: time.Minute}}, func(t *testing.T, g graph) {
		_, link, _ := g.pages(inboxDelta)
		g.a.Deliver(hello(1), outlooktest.Delivery{})
		items, link, _ := g.pages(link)
		require.Empty(t, items)
		time.Sleep(time.Minute)
		items, _, _ = g.pages(link)
		require.Equal(t, []string{"+Hello 1"}, summary(items))
	})
}

func TestDeltaOfFolders(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	items, link, _ := g.pages("/me/mailFolders/delta")
	require.Contains(t, ids(items), g.a.Folder("inbox"))
	require.NotContains(t, ids(items), g.a.Folder("syncissues"), "hidden")
	one, two := g.a.AddFolder("msgfolderroot", "One"), g.a.AddFolder("inbox", "Two")
	g.a.RenameFolder(one, "Uno")
	items, link, _ = g.pages(link)
	require.Equal(t, []string{one, two}, ids(items))
	require.Equal(t, "Uno", items[0]["displayName"])
	g.a.MoveFolder(two, one)
	g.a.HideFolder(one, true)
	items, link, _ = g.pages(link)
	require.Equal(t, one, items[1]["id"])
	require.Equal(t, map[string]any{"reason": "deleted"}, items[1]["@removed"])
	require.Equal(t, one, items[0]["parentFolderId"])
	g.a.EvictDelta("")
	g.refused(g.do("GET", link, ""), 410, "SyncStateNotFound")
}

func TestDeltaTellsOfAnIDThatChangedInPlace(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.fill(3)
	old := g.a.Messages()[1].ID
	g.a.ChangeID(id[1])
	require.NotEqual(t, old, g.a.Messages()[1].ID)
	items, _, _ := g.pages(inboxDelta, "Prefer", immutable)
	require.True(t, slices.Contains(ids(items), id[1]))
}
