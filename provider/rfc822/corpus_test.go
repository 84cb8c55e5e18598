package rfc822_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// sample is one message of the corpora.
type sample struct {
	name string
	raw  []byte
}

// samples reads the files that match the patterns below testdata.
func samples(t testing.TB, patterns ...string) []sample {
	t.Helper()
	var all []sample
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join("testdata", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, names, "pattern %q", pattern)
		for _, name := range names {
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			all = append(all, sample{filepath.Base(name), raw})
		}
	}
	return all
}

// listMessages splits the mailbox of the list at its From lines.
func listMessages(t testing.TB) []sample {
	t.Helper()
	raw, err := os.ReadFile("testdata/lists/maven-dev-2017-11.mbox")
	require.NoError(t, err)
	var all []sample
	for _, m := range bytes.Split(append([]byte("\n"), raw...), []byte("\nFrom ")) {
		if _, body, ok := bytes.Cut(m, []byte("\n")); ok {
			all = append(all, sample{"list", body})
		}
	}
	return all
}

// everything is every message of the corpora.
func everything(t testing.TB) []sample {
	t.Helper()
	all := samples(t, "mail-parser/rfc/*.eml", "mail-parser/malformed/*.eml", "enmime/mail/*.raw",
		"enmime/low-quality/*.raw", "bounces/*.eml")
	return append(all, listMessages(t)...)
}

func parse(t testing.TB, raw []byte) *rfc822.Message {
	t.Helper()
	m, err := rfc822.Parse(bytes.NewReader(raw), rfc822.Limits{})
	require.NoError(t, err)
	return m
}

// badString returns the name of the first string of a message that a database would refuse, or "".
func badString(m *rfc822.Message) string {
	bad := ""
	check := func(name, s string) {
		if bad == "" && (!utf8.ValidString(s) || bytes.IndexByte([]byte(s), 0) >= 0) {
			bad = name
		}
	}
	check("Text", m.Text)
	check("HTML", m.HTML)
	check("Subject", m.Envelope.Subject)
	check("MessageID", m.Envelope.MessageID)
	check("Calendar", m.Calendar)
	for name, value := range m.Header.All() {
		check("field name", name)
		check("field value", value)
		check("decoded field", m.Header.Text(name))
	}
	lists := [][]rfc822.Address{m.Envelope.From, {m.Envelope.Sender}, m.Envelope.ReplyTo, m.Envelope.To,
		m.Envelope.Cc, m.Envelope.Bcc}
	for _, list := range lists {
		for _, a := range list {
			check("address name", a.Name)
			check("address", a.Address)
		}
	}
	for _, ids := range [][]string{m.Envelope.InReplyTo, m.Envelope.References} {
		for _, id := range ids {
			check("id", id)
		}
	}
	for _, p := range m.Parts {
		for _, s := range []string{p.Path, p.Type, p.Charset, p.Name, p.ContentID, p.Disposition, p.Method} {
			check("part", s)
		}
	}
	if m.Report != nil {
		check("OriginalID", m.Report.OriginalID)
		check("Feedback", m.Report.Feedback)
		for _, r := range m.Report.Recipients {
			for _, s := range []string{r.Address, r.Action, r.Status, r.Diagnostic} {
				check("report recipient", s)
			}
		}
	}
	return bad
}
