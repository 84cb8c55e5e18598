package gmailtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// searchable makes a message as an account holds it.
func searchable(header, body string, labels ...string) *message {
	a := &Account{address: "ann@shop.example", labels: map[string]*label{
		"INBOX": {id: "INBOX", name: "INBOX"}, "Label_7": {id: "Label_7", name: "Key clients/Big ones"},
	}}
	m := &message{
		owner: a, raw: []byte(strings.ReplaceAll(header+"\n\n"+body, "\n", "\r\n")),
		internal: time.Date(2026, 10, 1, 7, 0, 0, 0, time.UTC), labels: map[string]bool{},
	}
	m.size = len(m.raw)
	for _, l := range labels {
		m.labels[l] = true
	}
	return m
}

const searchHeader = `From: "Robert Acme" <bob@eu.acme.com>
To: Ann <ann@shop.example>, Carl <carl@partner.example>
Cc: =?UTF-8?Q?J=C3=B6rg?= <joerg@third.example>
Bcc: secret@hidden.example
Delivered-To: sales@shop.example
List-Id: Offers <offers.lists.example>
Message-ID: <one.two@mail.acme.com>
Subject: Re: Your order =?UTF-8?Q?f=C3=BCr?= October
Content-Type: multipart/mixed; boundary=b`

const searchBody = `--b
Content-Type: text/plain; charset=utf-8

The price is 12 euros, we ship on Monday.
--b
Content-Type: application/pdf; name="Final Offer.pdf"
Content-Disposition: attachment; filename="Final Offer.pdf"
Content-Transfer-Encoding: base64

AAAA
--b--
`

func TestQueryFindsWhatGmailFinds(t *testing.T) {
	t.Parallel()
	m := searchable(searchHeader, searchBody, "INBOX", "UNREAD", "Label_7", "CATEGORY_PERSONAL")
	// The message is of midnight Pacific time, 1 October 2026, which is 1790838000.
	now := m.internal.Add(36 * time.Hour)
	for _, c := range []struct {
		q    string
		want bool
	}{
		{"", true},
		{"price", true},
		{"PRICE euros", true},
		{"price dollars", false},
		{"price OR dollars", true},
		{"dollars OR pounds", false},
		{"{dollars price}", true},
		{"(price euros)", true},
		{"pric", false}, // whole words
		{`"ship on monday"`, true},
		{`"monday ship"`, false},
		{"-dollars", true},
		{"-price", false},
		{`-"ship on"`, false},
		{"+price", true},
		{"price -{dollars euros}", false},
		{"price -(dollars euros)", true},
		{"dollars OR price euros", true}, // (dollars OR price) euros
		{"price dollars OR euros", true}, // price (dollars OR euros)
		{"pounds dollars OR euros", false},

		{"from:bob", true},
		{"from:bob@eu.acme.com", true},
		{"from:acme.com", true},
		{"from:@acme.com", true},
		{"from:me.com", false}, // no part of a word
		{"from:notacme.com", false},
		{"from:\"robert acme\"", true},
		{"from:eu.acme", true},
		{"FROM:Bob", true},
		{"from:ann", false},
		{"from:me", false},
		{"to:me", true},
		{"to:ann", true},
		{"to:joerg@third.example", true}, // to: is Cc and Bcc as well
		{"to:jörg", true},
		{"to:secret", true},
		{"cc:third.example", true},
		{"cc:ann", false},
		{"bcc:hidden.example", true},
		{"to:example.carl", false}, // each address by itself
		{"deliveredto:sales@shop.example", true},
		{"deliveredto:ann", false},
		{"list:offers.lists.example", true},
		{"subject:order", true},
		{"subject:(order october)", true},
		{"subject:(order november)", false},
		{"subject:{november october}", true},
		{"subject:für", true},
		{"subject:price", false},
		{"from:(ann OR bob)", true},
		{"from:{ann carl}", false},
		{"-from:acme.com", false},
		{"rfc822msgid:one.two@mail.acme.com", true},
		{"rfc822msgid:<one.two@mail.acme.com>", true},
		{"rfc822msgid:two@mail.acme.com", false},

		{"label:inbox", true},
		{"label:INBOX", true},
		{"label:Label_7", true},
		{"label:key-clients-big-ones", true},
		{`label:"Key clients/Big ones"`, true},
		{"label:key", false},
		{"label:starred", false},
		{"category:primary", true},
		{"category:social", false},
		{"in:inbox", true},
		{"in:anywhere", true},
		{"in:sent", false},
		{"in:archive", false},
		{"-in:drafts -in:chats -in:spam -in:trash", true},
		{"in:drafts", false},
		{"is:unread", true},
		{"is:read", false},
		{"is:starred", false},
		{"is:snoozed", false},
		{"has:attachment", true},
		{"-has:attachment", false},
		{"has:userlabels", true},
		{"has:nouserlabels", false},
		{"filename:pdf", true},
		{`filename:"final offer.pdf"`, true},
		{"filename:docx", false},
		{"larger:100", true},
		{"larger:1M", false},
		{"smaller:10K", true},
		{"smaller:100", false},
		{"larger:0K", true},
		{"size:100", true},

		{"after:1790838000", true}, // the second itself
		{"after:1790838001", false},
		{"before:1790838000", false},
		{"before:1790838001", true},
		{"after:2026/10/01", true}, // midnight Pacific time
		{"after:2026/10/1", true},
		{"after:2026-10-01", true},
		{"after:10/01/2026", true},
		{"before:2026/10/01", false},
		{"after:2026/10/02", false},
		{"before:2026/10/02", true},
		{"newer:2026/10/01", true},
		{"older:2026/10/01", false},
		{"newer_than:2d", true},
		{"newer_than:1d", false},
		{"older_than:1d", true},
		{"newer_than:1m", true},
		{"older_than:1y", false},

		{"offer:price", false}, // words, because there is no such operator
		{"after:tomorrow", false},
		{"is:nonsense", false},
		{"in:inbox is:unread from:acme.com -subject:invoice after:1790000000 {price cost}", true},
	} {
		q, err := parseQuery(c.q)
		require.NoError(t, err, "query %q", c.q)
		require.Equal(t, c.want, q.match(m, now), "query %q, read as %s", c.q, q)
	}
}

func TestQueryReadsWhatDoesNotFitTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ q, want string }{
		{"a b", `("a" "b")`},
		{"a OR b c", `({"a" "b"} "c")`},
		{"a OR b OR c", `{"a" "b" "c"}`},
		{"{a OR b c}", `{{"a" "b"} "c"}`},
		{"a AND b", `("a" "b")`},
		{"OR a", `"a"`},
		{"a OR", `"a"`},
		{"ORANGE", `"ORANGE"`},
		{"a or b", `("a" "or" "b")`},
		{`"a b`, `"a b"`},
		{"(a b", `("a" "b")`},
		{"a) b", `("a" "b")`},
		{"(a} b) c", `(("a" "b") "c")`},
		{"()", ""},
		{"-", ""},
		{"a - b", `("a" "b")`},
		{"--a", `--"a"`},
		{"-(a b)", `-("a" "b")`},
		{"from:", `"from:"`},
		{"...", ""},
		{`from:"x y"@z`, `(from:"x y" "@z")`},
		{"subject:(a from:b)", `(subject:"a" from:"b")`},
		{"subject:(a OR (b c))", `{subject:"a" (subject:"b" subject:"c")}`},
		{"in:sent after:10", `(in:"sent" after:"10")`},
		{"Newer:10", `after:"10"`},
		{"colour:red", `"colour:red"`},
		{"larger:much", `"larger:much"`},
		{`a "" from:""`, `"a"`},
		{"older_than:soon", `"older_than:soon"`},
		{"newer_than:3w", `"newer_than:3w"`},
		{"newer_than:d", `"newer_than:d"`},
		{"has:ideas", `"has:ideas"`},
		{"larger:10M smaller:2G", `(larger:"10M" "smaller:2G")`},
		{"larger:1KM", `"larger:1KM"`},
		{"foo\"bar baz\"", `("foo" "bar baz")`},
		{"a\t\nb\u00a0c", `("a" "b" "c")`},
	} {
		q, err := parseQuery(c.q)
		require.NoError(t, err, "query %q", c.q)
		require.Equal(t, c.want, q.String(), "query %q", c.q)
	}
}

func TestQueryRefusesEndlessNesting(t *testing.T) {
	t.Parallel()
	for _, q := range []string{
		strings.Repeat("(a ", 60), strings.Repeat("(a ", 200), strings.Repeat("-", 1000) + "a", strings.Repeat("from:(a ", 1000),
	} {
		_, err := parseQuery(q)
		require.ErrorIs(t, err, errTooDeep)
	}
	_, err := parseQuery(strings.Repeat("(a ", 40))
	require.NoError(t, err)
}

func TestDaysBeginAtMidnightPacificTime(t *testing.T) {
	t.Parallel()
	m := searchable("From: a@b.example", "x")
	for _, c := range []struct {
		at   string
		q    string
		want bool
	}{
		{"2026-10-01T06:59:59Z", "after:2026/10/01", false}, // summer: seven hours
		{"2026-10-01T06:59:59Z", "before:2026/10/01", true},
		{"2026-10-01T07:00:00Z", "after:2026/10/01", true},
		{"2026-12-01T07:59:59Z", "after:2026/12/01", false}, // winter: eight
		{"2026-12-01T08:00:00Z", "after:2026/12/01", true},
	} {
		var err error
		m.internal, err = time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		q, err := parseQuery(c.q)
		require.NoError(t, err)
		require.Equal(t, c.want, q.match(m, m.internal), "query %q of mail of %s", c.q, c.at)
	}
}

func TestArchivedAndHiddenPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		q      string
		labels []string
		want   bool
	}{
		{"in:archive", nil, true},
		{"in:archive", []string{"SENT"}, false},
		{"in:trash", []string{"TRASH"}, true},
		{"in:bin", []string{"TRASH"}, true},
		{"in:draft", []string{"DRAFT"}, true},
		{"-in:drafts", []string{"DRAFT"}, false},
		{"-in:chats", []string{"CHAT"}, false},
		{"is:read", nil, true},
		{"has:nouserlabels", []string{"INBOX"}, true},
	} {
		q, err := parseQuery(c.q)
		require.NoError(t, err)
		m := searchable("From: a@b.example", "x", c.labels...)
		require.Equal(t, c.want, q.match(m, m.internal),
			"query %q of a message with labels %q", c.q, c.labels)
	}
}

// A query that is written down and read again is the same query, and no query upsets the parser or
// the search.
func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		"", "a b", "{from:a to:b} -in:drafts", `subject:("a b" OR c) after:2026/10/01`, "((a) -(b {c}))",
		`-"x" from:"y`, "older_than:3d larger:5M", "is:unread}{ OR AND", "rfc822msgid:<a@b>", "--+a", "\xff:\xfe",
	} {
		f.Add(s)
	}
	m := searchable(searchHeader, searchBody, "INBOX")
	f.Fuzz(func(t *testing.T, s string) {
		q, err := parseQuery(s)
		if err != nil {
			require.ErrorIs(t, err, errTooDeep)
			return
		}
		again, err := parseQuery(q.String())
		require.NoError(t, err, "query %q was written %q", s, q)
		require.Equal(t, q, again, "query %q was written %q", s, q)
		require.Equal(t, q.match(m, m.internal), again.match(m, m.internal))
	})
}

// A narrowed import asks for dozens of addresses at once.
func BenchmarkQueryOfFortyAddresses(b *testing.B) {
	q, err := parseQuery("after:1790000000 -in:drafts {" +
		strings.Repeat("from:a@client.example to:client.example ", 20) + "}")
	require.NoError(b, err)
	m := searchable(searchHeader, searchBody, "INBOX")
	for b.Loop() {
		q.match(m, m.internal)
	}
}
