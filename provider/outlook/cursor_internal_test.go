package outlook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
)

func TestCursorsComeBack(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"small": 1, "compressed": 300} {
		at := place{Version: cursorVersion, Round: 7, Since: 5, Walking: true, Before: 99, Seen: []mark{1, markOf("a")},
			Tree: tree{Link: "tree"}}
		for i := range n {
			at.Tree.Spots = append(at.Tree.Spots, spot{ID: fmt.Sprint("id", i), Parent: "p", Kind: kindSpam, Root: true,
				Link: "https://graph.microsoft.com/v1.0/" + strings.Repeat("x", 900) + fmt.Sprint(i)})
		}
		c := at.cursor()
		require.Equal(t, n > 1, strings.HasPrefix(string(c), packed), name)
		back, err := parseCursor(c)
		require.NoError(t, err, name)
		require.Equal(t, at, back, name)
		require.False(t, back.live().Walking)
	}
}

func TestCursorsOfOthersHaveExpired(t *testing.T) {
	t.Parallel()
	for _, c := range []provider.Cursor{"x", "{}", `{"v":2,"t":1}`, `{"v":1}`, "z", "zAAAA", "z!!", "[]", "null"} {
		_, err := parseCursor(c)
		require.ErrorIs(t, err, provider.ErrCursorExpired, "%q", c)
	}
}

// A cursor that is read is written as it was.
func FuzzCursor(f *testing.F) {
	f.Add(string(place{Round: 1, Before: 2}.cursor()))
	f.Add(string(place{Round: 1, Tree: tree{Spots: []spot{{ID: strings.Repeat("a", 3000)}}}}.cursor()))
	f.Add("z")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseCursor(provider.Cursor(text))
		if err != nil {
			return
		}
		again, err := parseCursor(p.cursor())
		require.NoError(t, err)
		require.Equal(t, p.cursor(), again.cursor())
	})
}

func TestKindsGoDownTheTree(t *testing.T) {
	t.Parallel()
	all := tree{Spots: []spot{
		{ID: "trash", Parent: "top", Root: true, Kind: kindTrash}, {ID: "inbox", Parent: "top"},
		{ID: "a", Parent: "inbox"}, {ID: "b", Parent: "a"}, {ID: "loop1", Parent: "loop2"}, {ID: "loop2", Parent: "loop1"},
	}}
	require.Empty(t, all.settle())
	all.find("a").Parent = "trash"
	require.Equal(t, []string{"a", "b"}, all.settle())
	kind, known := all.kindOf("b")
	require.True(t, known)
	require.Equal(t, kindTrash, kind)
	_, known = all.kindOf("nobody")
	require.False(t, known)
	_, known = all.kindOf("loop1")
	require.True(t, known)
}

// Whatever the spread, the spans of a plan join without gap or overlap and come to an end.
func TestPlansCoverTheWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left  span
		total int64
		each  int
	}{
		"even": {span{1_000_000, 3_592_000}, 3_000, 100}, "empty": {span{1_000_000, 3_592_000}, 3_000, 0},
		"crowded": {span{1_000_000, 1_000_500}, 30_000, 400}, "no beginning": {span{0, 1_790_000_000}, 3_000, 80},
		"no beginning, nothing": {span{0, 1_790_000_000}, 3_000, 0}, "unknown": {span{5, 10}, -1, 3},
		"one second": {span{10, 11}, 500, 500},
	} {
		p := planner{left: c.left, total: c.total, width: 86_400}
		at, n := c.left.to, 0
		for {
			s, more := p.next(100, 0)
			if !more {
				break
			}
			require.Equal(t, at, s.to, name)
			require.Less(t, s.from, s.to, name)
			at = s.from
			p.had(100, c.each)
			n++
			require.Less(t, n, 5_000, name)
		}
		require.Equal(t, c.left.from, at, name)
	}
}
