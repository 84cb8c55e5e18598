package gmail

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	api "google.golang.org/api/gmail/v1"
)

func TestReadRaw(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789\r\n", 20_000)
	for _, c := range []struct {
		name, json, raw string
	}{
		{"padded", `{"id":"1","raw":"SGVsbG8gYQ=="}`, "Hello a"},
		{"unpadded", `{"id":"1","raw":"SGVsbG8gYQ"}`, "Hello a"},
		{"padding as Google escapes it", `{"id":"1","raw":"SGVsbG8gYQ\u003d\u003d"}`, "Hello a"},
		{"the other alphabet", `{"id":"1","raw":"+/+/"}`, "\xfb\xff\xbf"},
		{"this alphabet", `{"id":"1","raw":"-_-_"}`, "\xfb\xff\xbf"},
		{"an escaped slash", `{"id":"1","raw":"+\/+\/"}`, "\xfb\xff\xbf"},
		{"raw first, spaces", "{ \"raw\" : \"SGVsbG8gYQ\" ,\n \"id\" : \"1\" }", "Hello a"},
		{"empty", `{"id":"1","raw":""}`, ""},
		{"names within", `{"id":"1","x":{"raw":"!"},"labelIds":["raw"],"rawer":"!","snippet":"\"raw\":\"","raw":"SGVsbG8gYQ"}`, "Hello a"},
		{"long", `{"id":"1","raw":"` + base64.URLEncoding.EncodeToString([]byte(long)) + `"}`, long},
	} {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(c.json), "byte by byte": iotest.OneByteReader(strings.NewReader(c.json)),
		} {
			msg, raw, err := readRaw(r, int64(len(c.json)))
			require.NoError(t, err, "%s, %s", c.name, name)
			require.Equal(t, c.raw, string(raw), "%s, %s", c.name, name)
			require.Equal(t, "1", msg.Id, "%s, %s", c.name, name)
			require.Empty(t, msg.Raw)
		}
	}
}

func TestReadRawTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	var syntax *json.SyntaxError
	for _, c := range []struct {
		name, json string
		is         func(error) bool
	}{
		{"nothing", "", func(err error) bool { return errors.As(err, &syntax) }},
		{"cut in the object", `{"id":"1","la`, func(err error) bool { return errors.As(err, &syntax) }},
		{"cut in the raw bytes", `{"id":"1","raw":"SGVs`, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"cut in an escape", `{"id":"1","raw":"SGVs\u00`, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"cut behind it", `{"id":"1","raw":"SGVs"`, func(err error) bool { return errors.As(err, &syntax) }},
		{"no base64", `{"id":"1","raw":"SG!s"}`, func(err error) bool { return errors.Is(err, errBadRaw) }},
		{"an impossible length", `{"id":"1","raw":"SGVsb"}`, func(err error) bool { return errors.Is(err, errBadRaw) || errors.Is(err, io.ErrUnexpectedEOF) }},
		{"an escape of something else", `{"id":"1","raw":"SG\u20acs"}`, func(err error) bool { return errors.Is(err, errBadRaw) }},
		{"no raw bytes", `{"id":"1"}`, func(err error) bool { return errors.Is(err, errNoRaw) }},
		{"too much else", `{"id":"` + strings.Repeat("1", maxRest) + `"}`, func(err error) bool { return errors.Is(err, errTooFar) }},
	} {
		_, _, err := readRaw(strings.NewReader(c.json), -1)
		require.Error(t, err, c.name)
		require.True(t, c.is(err), "%s: %v", c.name, err)
	}
	broken := errors.New("reset")
	_, _, err := readRaw(io.MultiReader(strings.NewReader(`{"raw":"SGVs`), iotest.ErrReader(broken)), 0)
	require.ErrorIs(t, err, broken)
}

// Whatever the generated client reads, readRaw reads the same.
func FuzzReadRaw(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","raw":"SGVsbG8gYQ=="}`, `{"raw":"SGVs\u003d","labelIds":["A"]}`,
		`{"a":{"raw":"x"},"raw":"-_-_","internalDate":"5"}`, `{"raw":1}`, `{"raw":"a","raw":"b"}`, `[]`, `{}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		msg, raw, err := readRaw(strings.NewReader(text), 0)
		if err != nil {
			return
		}
		var want api.Message
		if json.Unmarshal([]byte(text), &want) != nil {
			t.Fatalf("%q: read, and the generated client reads an error", text)
		}
		if strings.Count(text, `"raw"`) != 1 || strings.Contains(text, `\u00`) {
			return // a member named twice: either may count
		}
		decoded, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("=", "", "+", "-", "/", "_").Replace(want.Raw))
		if err != nil || !bytes.Equal(decoded, raw) || want.Id != msg.Id {
			t.Fatalf("%q: got %q, want %q (%v)", text, raw, decoded, err)
		}
	})
}

func BenchmarkReadRaw(b *testing.B) {
	text := `{"id":"1","labelIds":["INBOX"],"raw":"` +
		base64.URLEncoding.EncodeToString(bytes.Repeat([]byte("0123456789abcdef"), 35<<20/16)) + `"}`
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := readRaw(strings.NewReader(text), int64(len(text))); err != nil {
			b.Fatal(err)
		}
	}
}
