package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// Each row is a conversation. "ann: a b" is a mail of ann to the mailbox with a and b in Cc, "all" an
// answer to all and "all: a" one with that Cc given, "one" an answer to the sender, "bcc x" one with
// a blind copy. The last line says who is in Cc of an answer to all then.
func TestWhoIsOnTheThread(t *testing.T) { // R-MSG-04
	t.Parallel()
	for _, row := range []struct{ name, talk, want string }{
		{"those the client named", "ann: tom eve", "tom eve"},
		{"missing ones are kept", "ann: tom eve; all; ann: eve", "tom eve"},
		{"also when only the sender was answered", "ann: tom eve; one; ann:", "tom eve"},
		{"taken off stays off", "ann: tom eve; all: eve; ann: tom eve", "eve"},
		{"and comes back when he writes", "ann: tom eve; all: eve; tom:", "ann eve"},
		{"all taken off", "ann: tom eve; all:; ann: tom", ""},
		{"a third party joins", "ann:; all; bob:", "ann"},
		{"and is kept", "ann:; all; bob:; all; ann:", "bob"},
		{"added by a teammate", "ann:; all: bob; ann:", "bob"},
		{"a blind copy that answers does not show", "ann:; bcc bob; bob:; ann:", ""},
		{"until somebody names him", "ann:; bcc bob; bob:; ann: bob", "bob"},
		{"no mailbox and no teammate who sends", "ann: two@firm.example rita@firm.example me@firm.example tom", "tom"},
		{"the same person written otherwise", "ann: tom TOM@Third.org", "tom"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			w.account = w.mail.Account("two@firm.example")
			w.connect("rob", false)
			w.account = w.mail.Account("me@firm.example")
			w.open(false)
			w.advance(time.Minute)
			refs := ""
			for i, line := range strings.Split(row.talk, "; ") {
				w.advance(time.Minute)
				who, rest, said := strings.Cut(line, ":")
				if verb, name, _ := strings.Cut(who, " "); verb == "all" || verb == "one" || verb == "bcc" {
					r := ticket.Reply{Text: "x", All: verb == "all"}
					if said {
						r.Cc = addresses(rest)
					}
					if verb == "bcc" {
						r.Bcc = addresses(name)
					}
					_, err := w.svc.Reply(t.Context(), w.actor("rita"), w.only().ID, r)
					require.NoError(t, err)
					w.advance(time.Minute)
					w.pull()
					continue
				}
				id := "m" + string(rune('a'+i)) + "@third.org"
				more := []string{"Message-ID: <" + id + ">"}
				if refs != "" {
					more = append(more, "References: <"+refs+">")
				}
				if cc := bare(addresses(rest)); cc != "" {
					more = append(more, "Cc: "+strings.ReplaceAll(cc, " ", ", "))
				}
				refs = id
				w.deliver(bare(addresses(who)), "offer", more...)
				w.pull()
			}
			w.advance(time.Minute)
			_, err := w.svc.Reply(t.Context(), w.actor("rita"), w.only().ID, ticket.Reply{Text: "x", All: true})
			require.NoError(t, err)
			require.Equal(t, bare(addresses(row.want)), bare(w.lastSent().Envelope.Cc))
		})
	}
}

// addresses makes addresses of names; a bare name is one at third.org.
func addresses(names string) []rfc822.Address {
	out := []rfc822.Address{}
	for _, n := range strings.Fields(names) {
		if !strings.Contains(n, "@") {
			n += "@third.org"
		}
		out = append(out, rfc822.Address{Address: n})
	}
	return out
}
