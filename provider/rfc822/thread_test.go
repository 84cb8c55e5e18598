package rfc822_test

import (
	"math/rand/v2"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// threadMail is one message of a thread script.
type threadMail struct {
	ref     rfc822.Ref
	date    time.Time
	subject string
}

func readThreadMails(t *testing.T, name string) []threadMail {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "threading", name+".mbox"))
	require.NoError(t, err)
	var mails []threadMail
	for _, text := range strings.Split("\n"+string(raw), "\nFrom user@domain")[1:] {
		arrived, text, _ := strings.Cut(text, "\n")
		m, err := mail.ReadMessage(strings.NewReader(text))
		require.NoError(t, err)
		date, err := m.Header.Date()
		if err != nil {
			layout := "Mon Jan 2 15:04:05 2006"
			if strings.Contains(arrived, "+") {
				layout += " -0700"
			}
			date, err = time.Parse(layout, strings.TrimSpace(arrived))
			require.NoError(t, err)
		}
		one := threadMail{date: date, subject: m.Header.Get("Subject")}
		if ids := scanIDs(m.Header.Get("Message-Id")); len(ids) > 0 {
			one.ref.ID = ids[0]
		}
		one.ref.InReplyTo = scanIDs(m.Header.Get("In-Reply-To"))
		one.ref.References = scanIDs(m.Header.Get("References"))
		mails = append(mails, one)
	}
	return mails
}

func scanIDs(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("<> ", r) })
}

// renderTree writes trees as the THREAD response of IMAP does.
func renderTree(nodes []rfc822.TreeNode) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteByte('(')
		for {
			if n.Ref >= 0 {
				b.WriteString(strconv.Itoa(n.Ref + 1))
			}
			if n.Ref < 0 || len(n.Children) != 1 {
				break
			}
			b.WriteByte(' ')
			n = n.Children[0]
		}
		if len(n.Children) > 0 {
			if n.Ref >= 0 {
				b.WriteByte(' ')
			}
			b.WriteString(renderTree(n.Children))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// mergedBySubject lists the answers of the scripts that join messages by their
// subject (RFC 5256, REFERENCES, step 5), and what is right without that step.
var mergedBySubject = map[string]string{
	"thread3 (1 2)": "(1)(2)", // one id twice, "foo" and "Re: foo"
	"thread4 (1 2)": "(1)(2)", // the reference leads elsewhere, "foo" and "Re: foo"
}

func TestTreeMatchesTheThreadScripts(t *testing.T) {
	t.Parallel()
	scripts := []string{"thread", "thread2", "thread3", "thread4", "thread5", "thread6", "thread7", "thread8"}
	checked := 0
	for _, name := range scripts {
		waiting := readThreadMails(t, name)
		raw, err := os.ReadFile(filepath.Join("testdata", "threading", name))
		require.NoError(t, err)
		var box []threadMail
		if strings.Contains(string(raw), "messages: all") {
			box, waiting = waiting, nil
		}
		deleted := map[int]bool{}
		for line := range strings.Lines(string(raw)) {
			words := strings.Fields(strings.ToLower(line))
			switch {
			case len(words) > 1 && words[1] == "append":
				box, waiting = append(box, waiting[0]), waiting[1:]
			case len(words) > 2 && words[1] == "store":
				for n := range strings.SplitSeq(words[2], ",") {
					i, err := strconv.Atoi(n)
					require.NoError(t, err)
					deleted[i-1] = true
				}
			case len(words) > 1 && words[1] == "expunge":
				var kept []threadMail
				for i, m := range box {
					if !deleted[i] {
						kept = append(kept, m)
					}
				}
				box, deleted = kept, map[int]bool{}
			case len(words) > 2 && words[0] == "*" && words[1] == "thread":
				want := strings.TrimSpace(line[strings.Index(line, "("):])
				if ours, differs := mergedBySubject[name+" "+want]; differs {
					want = ours
				}
				refs := make([]rfc822.Ref, len(box))
				for i, m := range box {
					refs[i] = m.ref
				}
				trees := rfc822.Tree(refs, func(a, b int) bool { return box[a].date.Before(box[b].date) })
				require.Equal(t, want, renderTree(trees), "%s: trees of %+v", name, box)
				checkRefined(t, refs)
				checked++
			}
		}
	}
	require.Equal(t, 14, checked, "answers of the scripts that were compared")
}

// checkRefined holds that no tree spans two threads, and that every message is
// in exactly one tree.
func checkRefined(tb testing.TB, refs []rfc822.Ref) {
	tb.Helper()
	root := rfc822.Threads(refs)
	require.Len(tb, root, len(refs))
	seen := make([]bool, len(refs))
	for _, tree := range rfc822.Tree(refs, nil) {
		thread := -1
		for todo := []rfc822.TreeNode{tree}; len(todo) > 0; {
			n := todo[len(todo)-1]
			todo = append(todo[:len(todo)-1], n.Children...)
			if n.Ref < 0 {
				continue
			}
			require.False(tb, seen[n.Ref], "message %d of %+v is in two trees", n.Ref, refs)
			seen[n.Ref] = true
			if thread < 0 {
				thread = root[n.Ref]
			}
			require.Equal(tb, thread, root[n.Ref], "a tree of %+v spans two threads", refs)
		}
	}
	require.NotContains(tb, seen, false, "a message of %+v is in no tree", refs)
	for i, r := range root {
		require.LessOrEqual(tb, r, i, "thread of message %d of %+v", i, refs)
		require.Equal(tb, r, root[r], "thread of the first message of a thread of %+v", refs)
	}
}

func TestThreadsGroupsById(t *testing.T) {
	t.Parallel()
	ids := func(s string) []string { return strings.Fields(s) }
	for _, c := range []struct {
		name string
		refs []rfc822.Ref
		want []int
	}{
		{"none", nil, []int{}},
		{"an answer", []rfc822.Ref{{ID: "a"}, {ID: "b", InReplyTo: ids("a")}}, []int{0, 0}},
		{
			"an answer that came first", []rfc822.Ref{{ID: "b", InReplyTo: ids("a")}, {ID: "a"}},
			[]int{0, 0},
		},
		{"strangers", []rfc822.Ref{{ID: "a"}, {ID: "b"}, {}, {}}, []int{0, 1, 2, 3}},
		{
			"two answers to a missing mail",
			[]rfc822.Ref{{ID: "a", References: ids("x")}, {ID: "b", References: ids("y x")}},
			[]int{0, 0},
		},
		{"one id twice", []rfc822.Ref{{ID: "a"}, {ID: "c"}, {ID: "a"}}, []int{0, 1, 0}},
		{
			"a message that answers itself",
			[]rfc822.Ref{{ID: "a", InReplyTo: ids("a"), References: ids("a a")}}, []int{0},
		},
		{
			"a circle",
			[]rfc822.Ref{{ID: "a", References: ids("b")}, {ID: "b", References: ids("a")}},
			[]int{0, 0},
		},
		{
			"an empty id joins nobody",
			[]rfc822.Ref{{ID: "a", References: []string{""}}, {ID: "b", InReplyTo: []string{""}}},
			[]int{0, 1},
		},
		{
			"only the first id of In-Reply-To counts",
			[]rfc822.Ref{{ID: "a"}, {ID: "b"}, {ID: "c", InReplyTo: ids("a b")}}, []int{0, 1, 0},
		},
		{
			"In-Reply-To beside References cut short",
			[]rfc822.Ref{{ID: "a"}, {ID: "c", InReplyTo: ids("a"), References: ids("x")}},
			[]int{0, 0},
		},
	} {
		require.Equal(t, c.want, rfc822.Threads(c.refs), "%s: threads of %+v", c.name, c.refs)
		checkRefined(t, c.refs)
	}
}

// Anything slower than about linear would run into the timeout of the test.
func TestThreadsIsLinear(t *testing.T) {
	t.Parallel()
	const n = 50_000
	ids := make([]string, n+1)
	for i := range ids {
		ids[i] = strconv.Itoa(i) + "@example.com"
	}
	chain, star, back := make([]rfc822.Ref, n), make([]rfc822.Ref, n), make([]rfc822.Ref, n)
	for i := range n {
		chain[i] = rfc822.Ref{ID: ids[i+1], InReplyTo: ids[i : i+1]}
		star[i] = rfc822.Ref{ID: ids[i], References: ids[:1]}
		back[n-1-i] = chain[i]
	}
	for _, refs := range [][]rfc822.Ref{chain, star, back} {
		require.Zero(t, slices.Max(rfc822.Threads(refs)), "all messages are one thread")
		require.Len(t, rfc822.Tree(refs, nil), 1)
	}
}

func TestThreadsDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		refs := make([]rfc822.Ref, 12)
		for i := range refs {
			refs[i].ID = strconv.Itoa(rnd.IntN(16))
			for range rnd.IntN(3) {
				refs[i].References = append(refs[i].References, strconv.Itoa(rnd.IntN(24)))
			}
		}
		order := rnd.Perm(len(refs))
		shuffled := make([]rfc822.Ref, len(refs))
		for to, from := range order {
			shuffled[to] = refs[from]
		}
		a, b := rfc822.Threads(refs), rfc822.Threads(shuffled)
		for x := range order {
			for y := range order {
				require.Equal(t, a[order[x]] == a[order[y]], b[x] == b[y],
					"messages %d and %d of %+v share a thread in one order only", order[x], order[y], refs)
			}
		}
	}
}

func FuzzThreads(f *testing.F) {
	f.Add("a;b<a;c<a,b")
	f.Add("a<a;a<b;b<a;;<x;<x")
	f.Fuzz(func(t *testing.T, script string) {
		var refs []rfc822.Ref
		for one := range strings.SplitSeq(script, ";") {
			id, chain, _ := strings.Cut(one, "<")
			refs = append(refs, rfc822.Ref{ID: id, References: strings.Split(chain, ",")})
		}
		checkRefined(t, refs)
	})
}

func BenchmarkThreads(b *testing.B) {
	refs := make([]rfc822.Ref, 100_000)
	for i := range refs {
		refs[i].ID = strconv.Itoa(i)
		for up := i - 1; up >= 0 && up/8 == i/8; up-- {
			refs[i].References = slices.Insert(refs[i].References, 0, strconv.Itoa(up))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		rfc822.Threads(refs)
	}
}
