package gmail

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
)

func TestCursorsOfAnythingElseAreExpired(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]provider.Cursor{
		"no JSON": "live 1 2", "half of one": `{"v":1,"h":"12`, "no object": `[1]`, "null": "null",
		"no version": `{"h":"12"}`, "another version": `{"v":2,"h":"12"}`, "no history id": `{"v":1}`,
		"history id zero": `{"v":1,"h":"0"}`, "history id no number": `{"v":1,"h":"x"}`,
		"history id too large": `{"v":1,"h":"18446744073709551616"}`, "more behind it": `{"v":1,"h":"12"}{}`,
	} {
		_, err := parseCursor(c)
		require.ErrorIs(t, err, provider.ErrCursorExpired, name)
		require.NotContains(t, err.Error(), string(c), name)
	}
}

func TestCursorKeepsItsPlace(t *testing.T) {
	t.Parallel()
	for _, p := range []place{
		{History: 1},
		{History: 1<<64 - 1},
		{History: 7, Walking: true},
		{History: 7, Walking: true, Page: "09\"12", Last: "18c1", Received: 1759310712000, Before: 1759310713},
	} {
		got, err := parseCursor(p.cursor())
		p.Version = cursorVersion
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(string(place{History: 7, Walking: true, Page: "p", Last: "l", Received: 1, Before: 2}.cursor()))
	f.Add("live 1 2")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseCursor(provider.Cursor(text))
		if err != nil {
			require.ErrorIs(t, err, provider.ErrCursorExpired)
			return
		}
		again, err := parseCursor(p.cursor())
		require.NoError(t, err, "a cursor of what was read from %q", text)
		require.Equal(t, p, again)
	})
}

func TestListBeginsAgainADayAboveTheLastMessage(t *testing.T) {
	t.Parallel()
	received := time.Date(2026, 10, 1, 9, 0, 0, 5e6, time.UTC)
	p := place{History: 7, Walking: true, Page: "p", Last: "l", Received: received.UnixMilli()}
	next, ok := p.again()
	require.True(t, ok)
	require.Equal(t, place{History: 7, Walking: true, Received: p.Received,
		Before: received.Add(24*time.Hour).Unix() + 1}, next)

	next.Page, next.Last = "p2", "l2"
	_, ok = next.again()
	require.False(t, ok, "nothing was yielded since: the same list would come again")

	next.Received -= 2000
	further, ok := next.again()
	require.True(t, ok, "two seconds further down")
	require.Equal(t, next.Before-2, further.Before)

	top, ok := place{History: 7, Walking: true, Page: "p"}.again()
	require.True(t, ok)
	require.Equal(t, place{History: 7, Walking: true}, top, "nothing yielded so far: from the top")
}

func TestIDSetTellsApartWhatIsWrittenDifferently(t *testing.T) {
	t.Parallel()
	var s idSet
	require.False(t, s.has("18c1"))
	ids := []string{"18c1", "ffffffffffffffff", "1", "0", "018c1", "18C1", "18c10000000000000", "message-1", "", "+18", "18c1 "}
	for i, id := range ids {
		require.False(t, s.has(id), "%q before it is added", id)
		s.add(id)
		require.True(t, s.has(id), "%q", id)
		require.Equal(t, i+1, s.len())
	}
	s.add("18c1")
	require.Equal(t, len(ids), s.len())
	require.Len(t, s.numbers, 3, "ids of Gmail are kept as numbers")
}

// The ids of 500,000 messages must fit into memory.
func BenchmarkIDSet(b *testing.B) {
	ids := make([]string, 500_000)
	for i := range ids {
		ids[i] = strconv.FormatUint(0x19a2b3c4d5e6f700+uint64(i)*7919, 16)
	}
	b.ReportAllocs()
	for b.Loop() {
		var s idSet
		for _, id := range ids {
			s.add(id)
		}
	}
}
