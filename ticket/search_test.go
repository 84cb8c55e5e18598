package ticket_test

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// vocabulary are words of which none is in another word of the mails here.
var vocabulary = []string{"offer", "price", "invoice", "report", "draft", "of", "a"}

func someWords(r *rand.Rand, most int) string {
	var words []string
	for range r.IntN(most + 1) {
		words = append(words, vocabulary[r.IntN(len(vocabulary))])
	}
	return strings.Join(words, " ")
}

// putWords puts mail with words into the archive of an inbox: some of it private, some with quotes,
// names of files, and blind copies to people whose names are words.
func (w *world) putWords(r *rand.Rand, in inbox.ID, n int) {
	w.t.Helper()
	st, err := w.store.SyncState(w.t.Context(), in)
	require.NoError(w.t, err)
	imp := inbox.Import{State: st}
	for i := range n {
		w.advance(time.Minute)
		m := inbox.Message{
			ID: inbox.MessageID(w.id()), Site: site, Inbox: in, Thread: inbox.ThreadID(fmt.Sprintf("%s-%d", in, r.IntN(n/3+1))),
			Subject: someWords(r, 2), From: []rfc822.Address{{Name: someWords(r, 1), Address: "ann@acme.com"}},
			Bcc:      []rfc822.Address{{Name: "secret", Address: "secret@acme.com"}},
			Received: w.clock(), Direction: filter.Inbound, Class: rfc822.ClassHuman, Private: r.IntN(4) == 0,
		}
		m.Remote = provider.RemoteID(m.ID)
		text := someWords(r, 4)
		if r.IntN(2) == 0 {
			text += "\n\nOn Monday Bob wrote:\n> " + someWords(r, 3) + "\n"
		}
		c := inbox.Content{Message: m.ID, Text: text}
		if i%3 == 0 {
			m.Attachments, c.Parts = 1, []rfc822.Part{{Name: someWords(r, 1) + ".pdf"}}
		}
		imp.Put = append(imp.Put, inbox.Put{Message: m, Content: c})
	}
	_, err = w.store.Commit(w.t.Context(), imp)
	require.NoError(w.t, err)
	_, err = w.svc.Collect(w.t.Context(), in)
	require.NoError(w.t, err)
}

// read is an entry as somebody reads it.
type read struct {
	ticket ticket.ID
	at     time.Time
	fields [5][]string
}

// reads returns all an actor can read, through the lists and views they have.
func (w *world) reads(actor acl.Actor, q ticket.Query) (all []read) {
	w.t.Helper()
	words := func(texts ...string) []string {
		return strings.FieldsFunc(strings.ToLower(strings.Join(texts, " ")), func(r rune) bool {
			return strings.ContainsRune(" \n>@.,:", r)
		})
	}
	for t, err := range w.svc.Tickets(w.t.Context(), actor, q) {
		require.NoError(w.t, err)
		for e, err := range w.svc.Entries(w.t.Context(), actor, t.ID) {
			require.NoError(w.t, err)
			one := read{ticket: t.ID, at: e.At}
			if e.Message == "" {
				one.fields[3] = words(e.Text)
				all = append(all, one)
				continue
			}
			v, err := w.inboxes.View(w.t.Context(), actor, e.Message, htmlsafe.Options{})
			require.NoError(w.t, err)
			one.fields[0] = words(v.Message.Subject)
			one.fields[1] = words(v.Message.From[0].Name, v.Message.From[0].Address)
			for _, p := range v.Content.Parts {
				one.fields[2] = append(one.fields[2], words(p.Name)...)
			}
			one.fields[3] = words(v.Body.New, v.Body.Signature)
			one.fields[4] = words(v.Body.Quoted)
			all = append(all, one)
		}
	}
	return all
}

// question is a part of a search, and how a person would look for it.
type question struct {
	words       []string
	prefix, not bool
	in          ticket.Fields
}

func (q *question) text() string {
	text := strings.Join(q.words, " ")
	if q.prefix {
		text += "*"
	}
	if len(q.words) > 1 {
		text = `"` + text + `"`
	}
	text = map[ticket.Fields]string{ticket.InSubject: "subject:", ticket.InPeople: "people:", ticket.InFiles: "file:"}[q.in] + text
	if q.not {
		text = "-" + text
	}
	return text
}

func (q *question) stands(one *read, fields ticket.Fields) bool {
	for f, words := range one.fields {
		if fields&(1<<f) == 0 || q.in != 0 && q.in&(1<<f) == 0 {
			continue
		}
		for at := range words {
			if at+len(q.words) > len(words) {
				break
			}
			last := len(q.words) - 1
			if slices.Equal(words[at:at+last], q.words[:last]) && (words[at+last] == q.words[last] ||
				q.prefix && strings.HasPrefix(words[at+last], q.words[last])) {
				return true
			}
		}
	}
	return false
}

// rank says how well an entry answers all questions; zero is not at all.
func rank(one *read, questions []question) ticket.Rank {
	best := ticket.Rank(0)
	for r, fields := range map[ticket.Rank]ticket.Fields{ticket.RankQuote: ticket.AllFields,
		ticket.RankText: ticket.AllFields &^ ticket.InQuote, ticket.RankSubject: ticket.InSubject} {
		all := true
		for _, q := range questions {
			if q.not {
				all = all && !q.stands(one, ticket.AllFields)
			} else {
				all = all && q.stands(one, fields)
			}
		}
		if all {
			best = max(best, r)
		}
	}
	return best
}

func ask(r *rand.Rand) []question {
	questions := []question{{words: []string{vocabulary[r.IntN(len(vocabulary))]}}}
	for range r.IntN(3) {
		q := question{not: r.IntN(3) == 0, words: strings.Fields(someWords(r, 2))}
		if len(q.words) == 0 {
			continue
		}
		q.in = []ticket.Fields{0, 0, 0, ticket.InSubject, ticket.InPeople, ticket.InFiles}[r.IntN(6)]
		if last := &q.words[len(q.words)-1]; r.IntN(4) == 0 && len(*last) > 3 {
			*last, q.prefix = (*last)[:3], true
		}
		questions = append(questions, q)
	}
	return questions
}

// Property: whatever is searched by whoever, what is found is what they would find by reading all they
// may read, in the promised order, in pages of any size.
func TestSearchFindsWhatTheActorCanRead(t *testing.T) { // R-ACL-04, R-MSG-04, R-CHG-07, row 38
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRand(seed)
			w, carls, zoes := two(t)
			w.putWords(r, carls.ID, 25)
			w.putWords(r, zoes.ID, 15)
			for _, tk := range w.tickets() {
				if r.IntN(3) > 0 {
					continue
				}
				w.advance(time.Minute)
				author := map[inbox.ID]acl.UserID{carls.ID: "carl", zoes.ID: "zoe"}[tk.Inbox]
				_, err := w.svc.Note(t.Context(), w.actor(author), tk.ID, "note "+someWords(r, 4))
				require.NoError(t, err)
			}
			found := 0
			for range 60 {
				user := []acl.UserID{"olga", "carl", "rita", "rob", "zoe", "adam"}[r.IntN(6)]
				questions := ask(r)
				var texts []string
				for _, q := range questions {
					texts = append(texts, q.text())
				}
				found += w.checkSearch(user, strings.Join(texts, " "), questions, ticket.Query{Unassigned: r.IntN(2) == 0})
			}
			require.Greater(t, found, 100, "hits that were compared")
			for _, user := range []acl.UserID{"olga", "carl", "rob"} { // blind copies
				require.Empty(t, w.search(user, ticket.SearchQuery{Text: "secret"}), "%s searches a blind copy", user)
			}
		})
	}
}

// More matches than the service looks at at once are found as few are, in pages too.
func TestSearchFindsMoreThanItLooksAtAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.putWords(newRand(5), w.in.ID, 180)
	for _, word := range []string{"offer", "of"} {
		tickets := w.checkSearch("carl", word, []question{{words: []string{word}}}, ticket.Query{})
		require.Greater(t, tickets, 40, "tickets found")
	}
}

func (w *world) search(user acl.UserID, q ticket.SearchQuery) (hits []ticket.Hit) {
	w.t.Helper()
	for h, err := range w.svc.Search(w.t.Context(), w.actor(user), q) {
		require.NoError(w.t, err, "search %+v", q)
		hits = append(hits, h)
	}
	return hits
}

func (w *world) checkSearch(user acl.UserID, text string, questions []question, filter ticket.Query) int {
	w.t.Helper()
	type answer struct {
		ticket ticket.ID
		rank   ticket.Rank
		at     time.Time
	}
	best := make(map[ticket.ID]answer)
	for _, one := range w.reads(w.actor(user), filter) {
		a := answer{one.ticket, rank(&one, questions), one.at}
		old, ok := best[one.ticket]
		if a.rank > 0 && (!ok || a.rank > old.rank || a.rank == old.rank && a.at.After(old.at)) {
			best[one.ticket] = a
		}
	}
	var want []answer
	for _, a := range best {
		want = append(want, a)
	}
	slices.SortFunc(want, func(a, b answer) int { return cmp.Or(cmp.Compare(b.rank, a.rank), b.at.Compare(a.at)) })
	for _, size := range []int{0, 1, 3} {
		var got []answer
		q := ticket.SearchQuery{Text: text, Filter: filter, Limit: size}
		for {
			page := w.search(user, q)
			for _, h := range page {
				require.Equal(w.t, h.Ticket.ID, h.Entry.Ticket)
				require.NotEmpty(w.t, h.Snippets, "snippets of %q", text)
				got = append(got, answer{h.Ticket.ID, h.Rank, h.Entry.At})
				q.After = h.Key()
			}
			if size == 0 || len(page) < size {
				break
			}
		}
		require.Equal(w.t, want, got, "%s searches %q in %+v, pages of %d", user, text, filter, size)
	}
	return len(want)
}

func TestSearchShowsWhatWasFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.advance(time.Minute)
	w.account.Deliver([]byte(strings.ReplaceAll(string(mailText("Änne <anne@acme.com>", w.account.Address(), "Crème brûlée")),
		"Body of Crème brûlée", "Hello,\r\nwe would like 東京都庁 and a crème caramel.\r\n"+strings.Repeat("More words. ", 50))), fake.Delivery{})
	w.pull()
	for _, row := range []struct {
		text string
		want []string // field: text with the marks in brackets
	}{
		{"creme", []string{"1: [Crème] brûlée", "8: Hello,\nwe would like 東京都庁 and a [crème] caramel.\n"}},
		{`"CREME caramel"`, []string{"8: Hello,\nwe would like 東京都庁 and a [crème caramel].\n"}},
		{"anne@acme.com", []string{"2: Änne <[anne@acme.com]>"}},
		{"京都", []string{"8: Hello,\nwe would like 東[京都]庁 and"}},
		{"庁", []string{"8: Hello,\nwe would like 東京都[庁] and"}},
		{"subject:creme", []string{"1: [Crème] brûlée"}},
		{"bru* -nothing", []string{"1: Crème [brûlée]"}},
	} {
		hits := w.search("rita", ticket.SearchQuery{Text: row.text})
		require.Len(t, hits, 1, "%q", row.text)
		var got []string
		for _, s := range hits[0].Snippets {
			text, last := "", 0
			for _, m := range s.Marks {
				text += s.Text[last:m.Start] + "[" + s.Text[m.Start:m.End] + "]"
				last = m.End
			}
			got = append(got, fmt.Sprintf("%d: %s", s.Field, text+s.Text[last:]))
			require.LessOrEqual(t, len(s.Text), 300)
		}
		require.Len(t, got, len(row.want), "%q: %q", row.text, got)
		for i, want := range row.want {
			require.True(t, strings.HasPrefix(got[i], want), "%q: got %q, want %q", row.text, got[i], want)
		}
	}
	require.Empty(t, w.search("zoe", ticket.SearchQuery{Text: "creme"}), "somebody without a grant")
	for _, text := range []string{"", "-creme"} {
		for _, err := range w.svc.Search(t.Context(), w.actor("rita"), ticket.SearchQuery{Text: text}) {
			require.ErrorIs(t, err, ticket.ErrNoWords)
		}
	}
}

// What is lower than full gives no hit by what it does not show, nor shows it.
func TestSearchAtALowerLevel(t *testing.T) { // 11.2
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Note(t.Context(), w.actor("carl"), offer.ID, "noted")
	require.NoError(t, err)
	for _, row := range []struct {
		text  string
		level ticket.Level
		hits  int
	}{
		{"body", ticket.LevelFull, 1}, {"body", ticket.LevelSubject, 0}, {"body", ticket.LevelMetadata, 0},
		{"noted", ticket.LevelFull, 1}, {"noted", ticket.LevelSubject, 0},
		{"offer", ticket.LevelSubject, 1}, {"offer", ticket.LevelMetadata, 0}, {"subject:offer", ticket.LevelMetadata, 0},
		{"acme", ticket.LevelSubject, 1}, {"acme", ticket.LevelMetadata, 1}, {"acme", "unheard of", 1}, {"offer", "unheard of", 0},
		{"acme -body", ticket.LevelFull, 0}, {"acme -body", ticket.LevelSubject, 1}, {"acme -offer", ticket.LevelMetadata, 1},
		{"acme -offer", ticket.LevelSubject, 0}, {"acme -subject:offer", ticket.LevelMetadata, 1},
	} {
		hits := w.search("rita", ticket.SearchQuery{Text: row.text, Levels: map[inbox.ID]ticket.Level{w.in.ID: row.level}})
		require.Len(t, hits, row.hits, "%q at level %q", row.text, row.level)
		for _, h := range hits {
			require.Equal(t, row.level == ticket.LevelFull || row.level == ticket.LevelSubject, h.Ticket.Subject != "",
				"subject of a hit at level %q", row.level)
			for _, s := range h.Snippets {
				require.True(t, row.level == ticket.LevelFull || !strings.Contains(s.Text, "Body"), "snippet at level %q", row.level)
			}
		}
	}
}

func TestSearchExcludesWorkEmails(t *testing.T) { // R-FEA-03
	t.Parallel()
	w, carls, zoes := two(t)
	stored, err := w.store.Inbox(t.Context(), zoes.ID)
	require.NoError(t, err)
	stored.Kind = acl.Team
	_, err = w.store.UpdateInbox(t.Context(), stored, nil)
	require.NoError(t, err)
	for _, row := range []struct {
		q    ticket.Query
		want []string
	}{
		{ticket.Query{}, []string{"z2", "z1", "c2", "c1"}},
		{ticket.Query{ExcludeWorkEmails: true}, []string{"z2", "z1"}},
		{ticket.Query{ExcludeWorkEmails: true, Inboxes: []inbox.ID{carls.ID}}, []string{}},
		{ticket.Query{ExcludeInboxes: []inbox.ID{zoes.ID}}, []string{"c2", "c1"}},
		{ticket.Query{ExcludeInboxes: []inbox.ID{zoes.ID}, Inboxes: []inbox.ID{zoes.ID}}, []string{}},
	} {
		require.Equal(t, row.want, w.listed("olga", row.q), "%+v", row.q)
		var found []string
		for _, h := range w.search("olga", ticket.SearchQuery{Text: "body", Filter: row.q}) {
			found = append(found, h.Ticket.Subject)
		}
		require.Equal(t, row.want, append([]string{}, found...), "search in %+v", row.q)
		counts, err := w.svc.Counts(t.Context(), w.actor("olga"), row.q)
		require.NoError(t, err)
		require.Equal(t, len(row.want), counts.View("", "olga"), "count of %+v", row.q)
	}
}

// A mail leaves the search in the step in which it is hidden, or erased for good.
func TestHiddenAndErasedMailIsNotFound(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	found := func(user acl.UserID) int { return len(w.search(user, ticket.SearchQuery{Text: "body"})) }
	require.Equal(t, []int{1, 1}, []int{found("carl"), found("rita")})
	yes := true
	commit := func(imp inbox.Import) {
		t.Helper()
		var err error
		imp.State, err = w.store.SyncState(t.Context(), w.in.ID)
		require.NoError(t, err)
		_, err = w.store.Commit(t.Context(), imp)
		require.NoError(t, err)
		w.collect()
	}
	commit(inbox.Import{Changed: []inbox.MessageChange{{ID: offer.Last, Hidden: &yes}}})
	require.Equal(t, []int{1, 0}, []int{found("carl"), found("rita")})
	commit(inbox.Import{Erase: []inbox.MessageID{offer.Last}})
	require.Equal(t, []int{0, 0}, []int{found("carl"), found("rita")})
	for m := range w.store.Matches(t.Context(), ticket.MatchQuery{
		Tickets: ticket.Query{Site: site, AllHidden: true, Deleted: true}, Terms: []ticket.Term{{Words: []string{"body"}}},
	}) {
		t.Fatalf("the store still finds %+v", m)
	}
}

// What a teammate sends is found at once by its words, its subject and the names of its files, and as
// one mail when its copy has come back.
func TestSentMailIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	files := []rfc822.Attachment{{Name: `C:\home\Terms 2026-0042.pdf`, Type: "application/pdf",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}}
	for _, row := range []struct {
		name    string
		subject string
		send    func(w *world, id ticket.ID) error
	}{
		{"reply", "subject:re", func(w *world, id ticket.ID) error {
			_, err := w.svc.Reply(w.t.Context(), w.actor("rita"), id,
				ticket.Reply{Text: "thingamajig", Bcc: addresses("hush"), Attachments: files})
			return err
		}},
		{"draft", "subject:re", func(w *world, id ticket.ID) error {
			w.save("rita", id, ticket.Draft{Kind: ticket.EntryReplied, Text: "thingamajig", Bcc: addresses("hush")})
			w.attach("rita", id, "Terms 2026-0042.pdf", "x")
			_, _, err := w.svc.SendDraft(w.t.Context(), w.actor("rita"), id, w.draftOf("rita", id))
			return err
		}},
		{"forward", "subject:fwd", func(w *world, id ticket.ID) error {
			_, _, err := w.svc.Forward(w.t.Context(), w.actor("rita"), id, ticket.Forward{Text: "thingamajig",
				To: addresses("tom"), Bcc: addresses("hush"), Attachments: files})
			return err
		}},
		{"start", "subject:news", func(w *world, _ ticket.ID) error {
			_, _, err := w.svc.Start(w.t.Context(), w.actor("carl"), w.in.ID, ticket.Start{Text: "thingamajig", Subject: "news",
				To: addresses("tom"), Bcc: addresses("hush"), Attachments: files})
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.advance(time.Minute)
			require.NoError(t, row.send(w, offer.ID))
			check := func(when string) {
				t.Helper()
				for text, want := range map[string]int{
					"thingamajig": 1, row.subject + " thingamajig": 1, "file:terms": 1, `file:"2026-0042"`: 1,
					"file:terms thingamajig": 1, "file:home": 0, "hush": 0, "thingamajig -file:terms": 0,
				} {
					require.Len(t, w.search("rob", ticket.SearchQuery{Text: text}), want, "%q %s", text, when)
				}
				require.Len(t, w.listed("rob", ticket.Query{WithFiles: true}), 1, when)
				found := 0
				for _, err := range w.store.Matches(t.Context(), ticket.MatchQuery{
					Tickets: ticket.Query{Site: site}, Terms: []ticket.Term{{Words: []string{"thingamajig"}}},
				}) {
					require.NoError(t, err)
					found++
				}
				require.Equal(t, 1, found, "entries %s", when)
				metadata := map[inbox.ID]ticket.Level{w.in.ID: ticket.LevelMetadata}
				for _, h := range w.search("rob", ticket.SearchQuery{Text: "third", Levels: metadata}) {
					if o := h.Entry.Outgoing; o != nil {
						require.Empty(t, strings.Join(o.Files, "")+o.Subject, "what metadata is not, %s", when)
					}
				}
				require.Empty(t, w.search("rob", ticket.SearchQuery{Text: "file:terms", Levels: metadata}), when)
			}
			check("before the copy")
			w.pull()
			check("with the copy")
		})
	}
}

// A mail that was taken back is found by what was written, and is no mail with files any more.
func TestARecalledMailIsFoundWithoutItsFiles(t *testing.T) { // R-MSG-09
	t.Parallel()
	for _, row := range []struct {
		name string
		back func(w *world, e ticket.Entry) error
	}{
		{"recalled", func(w *world, e ticket.Entry) error {
			_, err := w.svc.Recall(w.t.Context(), w.actor("carl"), e.Ticket, e.ID)
			return err
		}},
		{"deleted", func(w *world, e ticket.Entry) error {
			w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
			if _, err := w.svc.Delete(w.t.Context(), w.actor("carl"), e.Ticket); err != nil {
				return err
			}
			_, err := w.svc.Restore(w.t.Context(), w.actor("carl"), e.Ticket)
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{
				Text: "thingamajig", SendAt: w.clock().Add(time.Hour),
				Attachments: []rfc822.Attachment{{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}},
			})
			require.NoError(t, err)
			require.Len(t, w.listed("rob", ticket.Query{WithFiles: true}), 1, "a file without a name")
			require.NoError(t, row.back(w, e))
			require.Len(t, w.search("rob", ticket.SearchQuery{Text: "thingamajig"}), 1)
			require.Empty(t, w.listed("rob", ticket.Query{WithFiles: true}))
		})
	}
}

func TestViewsAndCounts(t *testing.T) { // R-STA-01
	t.Parallel()
	w, carls, _ := two(t)
	ctx := t.Context()
	by := map[string]ticket.Ticket{}
	for _, tk := range w.tickets() {
		by[tk.Subject] = tk
	}
	_, err := w.svc.Assign(ctx, w.actor("carl"), by["c1"].ID, "rita")
	require.NoError(t, err)
	views := func(user acl.UserID) (got [4]int) {
		t.Helper()
		counts, err := w.svc.Counts(ctx, w.actor(user), ticket.Query{})
		require.NoError(t, err)
		for i, v := range []ticket.View{ticket.ViewNew, ticket.ViewMine, ticket.ViewAssigned, ticket.ViewUnread} {
			got[i] = counts.View(v, user)
			require.Len(t, w.listed(user, v.Query(user)), got[i], "%s lists the view %q", user, v)
		}
		return got
	}
	require.Equal(t, [4]int{1, 1, 0, 2}, views("rita"))
	require.Equal(t, [4]int{3, 0, 1, 4}, views("rob"))
	require.Equal(t, [4]int{0, 0, 0, 0}, views("adam"))
	counts, err := w.svc.Counts(ctx, w.actor("rob"), ticket.Query{})
	require.NoError(t, err)
	require.Equal(t, 2, counts.Inbox(carls.ID))
	require.Equal(t, 4, counts.Status(ticket.Active))
	require.Equal(t, 4, counts.View("unheard of", "rob"))

	// Read marks are each person's own, and what comes in later is unread again.
	c1 := by["c1"]
	shown, err := w.svc.Ticket(ctx, w.actor("rita"), c1.ID)
	require.NoError(t, err)
	_, err = w.svc.MarkRead(ctx, w.actor("rita"), c1.ID, shown.HeardAt)
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 1, 0, 1}, views("rita"))
	require.Equal(t, [4]int{3, 0, 1, 4}, views("rob"))
	unread, err := w.svc.Unread(ctx, w.actor("rita"), c1.ID)
	require.NoError(t, err)
	require.False(t, unread)
	_, err = w.svc.MarkUnread(ctx, w.actor("rita"), c1.ID)
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 1, 0, 2}, views("rita"))
	_, err = w.svc.MarkRead(ctx, w.actor("rita"), c1.ID, w.clock().Add(time.Hour)) // nobody reads ahead
	require.NoError(t, err)
	later := w.stored(c1.ID)
	w.advance(time.Minute)
	later.HeardAt = w.clock()
	_, err = w.store.SaveTickets(ctx, []ticket.Write{{Ticket: later}})
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 1, 0, 2}, views("rita"))
	_, err = w.svc.MarkRead(ctx, w.actor("rita"), c1.ID, shown.HeardAt) // late, of an old page
	require.NoError(t, err)
	require.Equal(t, [4]int{1, 1, 0, 2}, views("rita"))

	// Whoever lost access is nobody at once, in counts as in lists.
	_, err = w.inboxes.Unshare(ctx, w.actor("carl"), carls.ID, "rita")
	require.NoError(t, err)
	counts, err = w.svc.Counts(ctx, w.actor("carl"), ticket.Query{})
	require.NoError(t, err)
	require.Equal(t, 2, counts.View(ticket.ViewNew, "carl"))
	require.Equal(t, 0, counts.View(ticket.ViewAssigned, "carl"))
}

// stored returns a ticket as it is stored.
func (w *world) stored(id ticket.ID) ticket.Ticket {
	w.t.Helper()
	t, err := w.store.Ticket(w.t.Context(), id)
	require.NoError(w.t, err)
	return t
}
