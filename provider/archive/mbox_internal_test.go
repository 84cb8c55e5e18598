package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// pieces splits an mbox that is in memory.
func pieces(t testing.TB, file []byte) []piece {
	t.Helper()
	var all []piece
	err := newSplitter(bytes.NewReader(file)).split(func(p piece) error {
		p.mark, p.head = bytes.Clone(p.mark), bytes.Clone(p.head)
		all = append(all, p)
		return nil
	})
	require.NoError(t, err)
	return all
}

// between is what may stand before a message, and between two: the rest of the line before, an empty
// line, and a "From " line.
var between = regexp.MustCompile(`(?s)^(?:\x{feff})?[\r\n]*(?:From [^\n]*\n?)?$`)

// unquoted undoes the quoting in the plainest way.
func unquoted(b []byte) []byte {
	var out []byte
	for line := range bytes.Lines(b) {
		if line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), from) {
			line = line[1:]
		}
		out = append(out, line...)
	}
	return out
}

func FuzzArchive(f *testing.F) {
	for _, pattern := range []string{"testdata/threading/*.mbox", "testdata/enmime/m*.raw"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		require.NotEmpty(f, files)
		for _, name := range files {
			b, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(b)
		}
	}
	list, err := os.ReadFile("testdata/lists/maven-dev-2017-11.mbox")
	require.NoError(f, err)
	f.Add(list[:40_000])
	const mark = "From a@b Mon Mar  2 10:00:00 2026\n"
	f.Add([]byte(mark + "Content-Length: 4\n\nabc\n\n" + mark + ">From x\n>>From y\n" + mark))
	f.Add([]byte(mark + "Content-Length: 4\n\nabcd\n" + mark + ">From x\n" + mark))
	f.Add([]byte("\xef\xbb\xbf\r\n\n" + mark + mark + "\n" + mark + "\r\n\r\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		all := pieces(t, file)
		end := int64(0)
		for i, p := range all {
			if p.off < end || p.size < 0 || p.off+p.size > int64(len(file)) {
				t.Fatalf("input %q: message %d at %d, %d bytes, after one that ends at %d", file, i, p.off,
					p.size, end)
			}
			if gap := file[end:p.off]; !between.Match(gap) {
				t.Fatalf("input %q: %q before message %d is lost", file, gap, i)
			}
			text := file[p.off : p.off+p.size]
			if !bytes.HasPrefix(text, p.head) {
				t.Fatalf("input %q: message %d: head %q does not begin it", file, i, p.head)
			}
			got, err := io.ReadAll(newUnquoter(bytes.NewReader(text)))
			if err != nil || !bytes.Equal(got, unquoted(text)) {
				t.Fatalf("input %q: message %d: unquoted %q and error %v", file, i, got, err)
			}
			if !p.verbatim && !p.quoted && !bytes.Equal(got, text) {
				t.Fatalf("input %q: message %d: quoted lines were overlooked", file, i)
			}
			readKnown(p.head)
			end = p.off + p.size
		}
		if rest := bytes.Trim(file[end:], "\r\n"); len(rest) > 0 && len(all) > 0 {
			t.Fatalf("input %q: %q at the end is lost", file, rest)
		}
		more := append(bytes.Clone(file), "\n\n"+mark+"Subject: x\n\nx\n"...)
		again := pieces(t, more)
		if len(again) < len(all) {
			t.Fatalf("input %q: %d messages, with one more behind them %d", file, len(all), len(again))
		}
		for i := range max(len(all)-1, 0) {
			if p, q := all[i], again[i]; p.off != q.off || p.size != q.size {
				t.Fatalf("input %q: message %d at %d with %d bytes, with one more behind them at %d with %d",
					file, i, p.off, p.size, q.off, q.size)
			}
		}
	})
}

func TestSplitAcrossTheWindow(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	var want []string
	for i := range 200 {
		body := "Subject: " + strings.Repeat("x", i) + "\n\n" +
			strings.Repeat("From the middle of it\n>From\n", (i*37)%1500) + strings.Repeat("y", i*61) + "\n"
		want = append(want, body)
		file.WriteString("From a@b Mon Mar  2 10:00:00 2026\n" + body + "\n")
	}
	require.Greater(t, file.Len(), 3*readAhead)
	all := pieces(t, file.Bytes())
	require.Len(t, all, len(want))
	for i, p := range all {
		require.Equal(t, want[i], string(file.Bytes()[p.off:p.off+p.size]), "message %d", i)
	}
}

// Each of these is read in a moment when the work grows with the size, and in hours when it grows
// with its square.
func TestHostileMboxCostsNoMore(t *testing.T) {
	t.Parallel()
	const mark = "From a@b Mon Mar  2 10:00:00 2026\n"
	for text, each := range map[string]int{ // messages that each repetition makes
		"From ": 0, ">From ": 0, ">": 0, "\nFrom ": 0, "\n": 0, mark: 0,
		mark + "To: x\n": 1, mark + "\n": 1, mark + "Status: x ": 0,
	} {
		n := (1 << 20) / len(text)
		got := len(pieces(t, []byte(mark+"To: x\n\n"+strings.Repeat(text, n))))
		require.InDelta(t, 1+each*n, got, 1, "%d times %q", n, text)
	}
}

func TestOverlongHeadAndLine(t *testing.T) {
	t.Parallel()
	const mark = "From a@b Mon Mar  2 10:00:00 2026\n"
	head := "Subject: " + strings.Repeat("x", 3*headWindow) + "\nMessage-ID: <late@x>\n\n"
	line := strings.Repeat(">", 5000) + "From x\n"
	all := pieces(t, []byte(mark+head+line+"\n"+mark+"Subject: y\n\n"))
	require.Len(t, all, 2)
	require.Len(t, all[0].head, headWindow)
	require.EqualValues(t, len(head)+len(line), all[0].size)
	require.True(t, all[0].quoted)
}

func TestEntriesStaySmall(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, unsafe.Sizeof(entry{}), uintptr(64))
	require.LessOrEqual(t, unsafe.Sizeof(source{}), uintptr(64))
}

func TestPostmarkDates(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"From a@b Mon Mar  2 10:00:00 2026":                     "2026-03-02T10:00:00Z",
		"From - Mon Mar 02 10:00:00 2026":                       "2026-03-02T10:00:00Z",
		"From a at b  Mon Mar  2 10:00:00 2026 +0200":           "2026-03-02T08:00:00Z",
		"From 17@xxx Mon Mar 02 10:00:00 +0000 2026":            "2026-03-02T10:00:00Z",
		"From a@b Mon Mar  2 10:00 2026":                        "2026-03-02T10:00:00Z",
		"From \"Mon day\" <a@b> Mon, 2 Mar 2026 10:00:00 +0000": "2026-03-02T10:00:00Z",
		"From me, on Monday 2 March 2026 at 10:00":              "",
		"From here": "",
		"From ":     "",
	} {
		got, ok := postmark([]byte(line))
		require.Equal(t, want != "", ok, "line %q", line)
		if ok {
			require.Equal(t, want, got.Format("2006-01-02T15:04:05Z07:00"), "line %q", line)
		}
	}
}
