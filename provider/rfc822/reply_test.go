package rfc822_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestReplyHeaders(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("%d@x", i))
	}
	for _, c := range []struct {
		name       string
		parent     rfc822.Envelope
		inReplyTo  []string
		references []string
	}{
		{"no id", rfc822.Envelope{References: []string{"a@x"}}, nil, nil},
		{"first answer", rfc822.Envelope{MessageID: "a@x"}, []string{"a@x"}, []string{"a@x"}},
		{
			"References go on",
			rfc822.Envelope{MessageID: "c@x", References: []string{"a@x", "b@x"}}, []string{"c@x"},
			[]string{"a@x", "b@x", "c@x"},
		},
		{
			"In-Reply-To instead", rfc822.Envelope{MessageID: "c@x", InReplyTo: []string{"b@x"}},
			[]string{"c@x"}, []string{"b@x", "c@x"},
		},
		{
			"In-Reply-To of several",
			rfc822.Envelope{MessageID: "c@x", InReplyTo: []string{"a@x", "b@x"}}, []string{"c@x"},
			[]string{"c@x"},
		},
		{
			"ids that cannot be written",
			rfc822.Envelope{MessageID: "c@x", References: []string{"ä@x", "a b", "a@x", "a@x", "c@x", ""}},
			[]string{"c@x"}, []string{"a@x", "c@x"},
		},
		{"an own id that cannot be written", rfc822.Envelope{MessageID: "c >@x"}, nil, nil},
		{
			"a long list", rfc822.Envelope{MessageID: "z@x", References: many}, []string{"z@x"},
			append(append([]string{"0@x"}, many[21:]...), "z@x"),
		},
	} {
		inReplyTo, references := rfc822.ReplyHeaders(c.parent)
		require.Equal(t, c.inReplyTo, inReplyTo, "%s: In-Reply-To for %+v", c.name, c.parent)
		require.Equal(t, c.references, references, "%s: References for %+v", c.name, c.parent)
	}
}

func TestReplyRecipients(t *testing.T) {
	t.Parallel()
	list := func(s string) []rfc822.Address {
		var out []rfc822.Address
		for a := range strings.FieldsSeq(s) {
			out = append(out, rfc822.Address{Address: a})
		}
		return out
	}
	own := []string{"me@x.example", "Alias@bücher.example"}
	for _, c := range []struct {
		name   string
		parent rfc822.Envelope
		to     string // of an answer to the author, and of one to all
		all    string
		cc     string
	}{
		{"the author", rfc822.Envelope{From: list("a@y"), To: list("me@x.example")}, "a@y", "a@y", ""},
		{
			"Reply-To wins",
			rfc822.Envelope{From: list("a@y"), ReplyTo: list("r@y s@y"), To: list("me@x.example")},
			"r@y s@y", "r@y s@y", "",
		},
		{
			"Reply-To that is oneself",
			rfc822.Envelope{From: list("a@y"), ReplyTo: list("me@x.example")}, "a@y", "a@y", "",
		},
		{
			"all",
			rfc822.Envelope{From: list("a@y"), To: list("ME@x.example b@y"), Cc: list("c@y alias@xn--bcher-kva.example")},
			"a@y", "a@y", "b@y c@y",
		},
		{
			"nobody twice",
			rfc822.Envelope{From: list("a@y"), To: list("A@y b@y"), Cc: list("B@Y c@y c@y")}, "a@y",
			"a@y", "b@y c@y",
		},
		{
			"one's own mail",
			rfc822.Envelope{From: list("me@x.example"), To: list("b@y"), Cc: list("c@y")}, "b@y",
			"b@y", "c@y",
		},
		{
			"one's own mail to others in Cc",
			rfc822.Envelope{From: list("me@x.example"), To: list("me@x.example"), Cc: list("c@y")},
			"me@x.example", "c@y", "",
		},
		{
			"one's own mail to oneself",
			rfc822.Envelope{From: list("me@x.example"), To: list("me@x.example")}, "me@x.example",
			"me@x.example", "",
		},
		{
			"no author but a sender", rfc822.Envelope{Sender: rfc822.Address{Address: "s@y"}},
			"s@y", "s@y", "",
		},
		{"Bcc stays hidden", rfc822.Envelope{From: list("a@y"), Bcc: list("h@y")}, "a@y", "a@y", ""},
		{"nobody", rfc822.Envelope{}, "", "", ""},
	} {
		require.Equal(t, list(c.to), rfc822.ReplyRecipients(c.parent, own), "%s: to, for %+v", c.name, c.parent)
		to, cc := rfc822.ReplyAllRecipients(c.parent, own)
		require.Equal(t, list(c.all), to, "%s: to all, for %+v", c.name, c.parent)
		require.Equal(t, list(c.cc), cc, "%s: cc to all, for %+v", c.name, c.parent)
	}
}

func parent() rfc822.Envelope {
	return rfc822.Envelope{
		From:    []rfc822.Address{{Name: "Ann <Lee>", Address: "ann@example.com"}},
		To:      []rfc822.Address{{Name: "Bob", Address: "bob@example.org"}},
		Cc:      []rfc822.Address{{Address: "cyd@example.org"}},
		Bcc:     []rfc822.Address{{Address: "hidden@example.org"}},
		Subject: "Offer & more",
		Date:    time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC),
	}
}

func TestQuotesAreFoundAgain(t *testing.T) {
	t.Parallel()
	const text = "Hello,\r\n\r\n> older\r\nbye\r\n"
	for name, quote := range map[string]string{
		"quote":            rfc822.QuoteText(parent(), text),
		"quote, own words": rfc822.QuoteText(parent(), text, "Am 4.3.2026 um 5:06 schrieb Ann:"),
		"quote, no date":   rfc822.QuoteText(rfc822.Envelope{From: parent().From}, text),
		"forward":          rfc822.ForwardText(parent(), text),
	} {
		body := rfc822.SplitText("See below.\n\n" + quote)
		require.Equal(t, "See below.", body.New, "%s: new text above %q", name, quote)
		require.Equal(t, strings.TrimRight(quote, "\n"), body.Quoted, "%s: quoted text", name)
		require.NotContains(t, quote, "hidden", "%s: Bcc is never quoted", name)
	}
	const page = `<html><head><title>x</title><style>p{}</style></head><body></div><p>Hello<b></p></blockquote></body></html>`
	for name, quote := range map[string]string{
		"quote":            rfc822.QuoteHTML(parent(), page),
		"quote, own words": rfc822.QuoteHTML(parent(), page, "Ann, <yesterday>"),
		"forward":          rfc822.ForwardHTML(parent(), page),
	} {
		fresh, quoted := rfc822.SplitHTML("<p>See below.</p>" + quote)
		require.Equal(t, "<p>See below.</p>", fresh, "%s: new part above %q", name, quote)
		require.Equal(t, quote, quoted, "%s: quoted part", name)
		require.True(t, wellNested(quote), "%s: tags of %q", name, quote)
		require.NotContains(t, quote, "hidden", "%s: Bcc is never quoted", name)
		require.NotContains(t, quote, "<Lee>", "%s: names are escaped", name)
	}
}

func TestQuoteText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "On Wed, 4 Mar 2026 at 05:06 +0000, Ann <Lee> <ann@example.com> wrote:\n> a\n>\n>> b\n",
		rfc822.QuoteText(parent(), "a\r\n\r\n> b\r\n\r\n"))
	require.Equal(t, "---------- Forwarded message ---------\nFrom: Ann <Lee> <ann@example.com>\n"+
		"Date: Wed, 4 Mar 2026 at 05:06 +0000\nSubject: Offer & more\nTo: Bob <bob@example.org>\n"+
		"Cc: <cyd@example.org>\n\na\n", rfc822.ForwardText(parent(), "a\r\n"))
}

func FuzzQuoteHTML(f *testing.F) {
	f.Add("<p>a<b>b</p></div></blockquote>")
	f.Add("<!DOCTYPE html><body><script>'</div>'</script><div")
	f.Add("<table><tr><td></table><plaintext>")
	f.Fuzz(func(t *testing.T, source string) {
		quote := rfc822.QuoteHTML(parent(), source)
		require.True(t, wellNested(quote), "tags of %q from %q", quote, source)
	})
}
