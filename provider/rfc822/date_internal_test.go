package rfc822

import (
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDate(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"Tue, 15 Nov 1994 08:12:31 +0200":        "1994-11-15T06:12:31Z",
		"15 Nov 1994 08:12 -0500":                "1994-11-15T13:12:00Z",
		"Tue, 15 Nov 94 08:12:31 GMT":            "1994-11-15T08:12:31Z",
		"Tue, 15 Nov 04 08:12:31 EST":            "2004-11-15T13:12:31Z",
		"Tue, 15 Nov 104 08:12:31 UT":            "2004-11-15T08:12:31Z",
		"Tue,15 Nov 1994 08:12:31 +0200 (CEST)":  "1994-11-15T06:12:31Z",
		"Tue, 15 Nov 1994 08:12:31 GMT+0200":     "1994-11-15T06:12:31Z",
		"Tue, 15 Nov 1994 08:12:31 +02:00":       "1994-11-15T06:12:31Z",
		"Tue, 15 Nov 1994 08:12:31":              "1994-11-15T08:12:31Z",
		"Tue, 15-Nov-1994 08:12:31 PDT":          "1994-11-15T15:12:31Z",
		"Tue Nov 15 08:12:31 1994":               "1994-11-15T08:12:31Z",
		"Tue Nov 15 08:12:31 PST 1994":           "1994-11-15T16:12:31Z",
		"November 15, 1994 8:12 PM +0000":        "1994-11-15T20:12:00Z",
		"1994-11-15T08:12:31.5Z":                 "1994-11-15T08:12:31Z",
		"1994-11-15 08:12:31 -0300":              "1994-11-15T11:12:31Z",
		"15 November 1994 08.12.31 +0200":        "1994-11-15T06:12:31Z",
		"Tue, 15 (of (the)) Nov 1994 08:12 +0":   "1994-11-15T08:12:00Z",
		"Tue, 15 Nov 1994 23:59:60 +0000":        "1994-11-15T23:59:59Z",
		"Tue, 15 Nov 1994 08:12:31 -9999":        "1994-11-15T08:12:31Z",
		"":                                       "",
		"yesterday":                              "",
		"Tue, Nov 1994":                          "",
		"Whenever":                               "",
		"Tue, 15 Nov 1 08:12:31 +0200 and so on": "2001-11-15T06:12:31Z",
	} {
		got := ""
		if d := parseDate(value); !d.IsZero() {
			got = d.Format(time.RFC3339)
			require.Equal(t, time.UTC, d.Location(), "date %q", value)
		}
		require.Equal(t, want, got, "date %q", value)
	}
}

// TestParseDateAgreesWithNetMail: every Date of the list that net/mail reads gives the same time.
func TestParseDateAgreesWithNetMail(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/lists/maven-dev-2017-11.mbox")
	require.NoError(t, err)
	checked := 0
	for line := range strings.Lines(string(raw)) {
		value, ok := strings.CutPrefix(line, "Date: ")
		if !ok {
			continue
		}
		if want, err := mail.ParseDate(strings.TrimSpace(value)); err == nil {
			require.True(t, want.Equal(parseDate(value)), "date %q: got %v, want %v", value, parseDate(value), want)
			checked++
		}
	}
	require.Greater(t, checked, 250)
}

func FuzzParseDate(f *testing.F) {
	f.Add("Tue, 15 Nov 1994 08:12:31 +0200 (CEST)")
	f.Add("1994-11-15T08:12:31.5Z")
	f.Add("Tue Nov 15 08:12:31 PST 1994")
	f.Fuzz(func(t *testing.T, value string) {
		// A date that was read is written and read again as the same time.
		d := parseDate(value)
		if d.IsZero() {
			return
		}
		if again := parseDate(d.Format(time.RFC1123Z)); !again.Equal(d) {
			t.Fatalf("%q: got %v, written and read again %v", value, d, again)
		}
	})
}
