package rfc822_test

import (
	"mime"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ subject, base, reply, forward string }{
		{"", "", "Re:", "Fwd:"},
		{"Offer", "Offer", "Re: Offer", "Fwd: Offer"},
		{"re: Offer", "Offer", "Re: Offer", "Fwd: Offer"},
		{"Re: RE: re : Offer", "Offer", "Re: Offer", "Fwd: Offer"},
		{"AW: WG: Angebot", "Angebot", "Re: WG: Angebot", "Fwd: Angebot"},
		{"Fwd: Offer", "Offer", "Re: Fwd: Offer", "Fwd: Offer"},
		{"Re[2]: Offer", "Offer", "Re: Offer", "Fwd: Offer"},
		{"Re (3): Offer", "Offer", "Re: Offer", "Fwd: Offer"},
		{"Re^2: Offer", "Offer", "Re: Offer", "Fwd: Offer"},
		{"回复：转发：你好", "你好", "Re: 转发：你好", "Fwd: 你好"},
		{"[list] Re: Offer", "Offer", "Re: [list] Offer", "Fwd: [list] Offer"},
		{"Re: [list] Re: Offer", "Offer", "Re: [list] Offer", "Fwd: [list] Offer"},
		{"[list]", "[list]", "Re: [list]", "Fwd: [list]"},
		{"Offer  (fwd)", "Offer", "Re: Offer (fwd)", "Fwd: Offer (fwd)"},
		{"  Offer \r\n\t two ", "Offer two", "Re: Offer two", "Fwd: Offer two"},
		{"Regarding: Offer", "Regarding: Offer", "Re: Regarding: Offer", "Fwd: Regarding: Offer"},
		{"Re Offer", "Re Offer", "Re: Re Offer", "Fwd: Re Offer"},
		{"Re[x]: Offer", "Re[x]: Offer", "Re: Re[x]: Offer", "Fwd: Re[x]: Offer"},
		{"Re:", "", "Re:", "Fwd:"},
	} {
		require.Equal(t, c.base, rfc822.BaseSubject(c.subject), "base of %q", c.subject)
		require.Equal(t, c.reply, rfc822.ReplySubject(c.subject), "answer to %q", c.subject)
		require.Equal(t, c.forward, rfc822.ForwardSubject(c.subject), "%q forwarded", c.subject)
	}
}

// The scripts group messages by base subject (RFC 5256, ORDEREDSUBJECT).
func TestBaseSubjectMatchesTheThreadScripts(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`\d+`)
	for _, name := range []string{"thread-orderedsubject", "thread-orderedsubject2"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "threading", name))
		require.NoError(t, err)
		_, list, found := strings.Cut(string(raw), "* THREAD ")
		require.True(t, found)
		want := map[int]int{} // message to group
		depth, group := 0, 0
		for i := 0; i < len(list); i++ {
			switch list[i] {
			case '(':
				if depth++; depth == 1 {
					group++
				}
			case ')':
				depth--
			default:
				if digits := number.FindString(list[i:]); digits != "" && list[i] >= '0' && list[i] <= '9' {
					n, err := strconv.Atoi(digits)
					require.NoError(t, err)
					want[n-1] = group
					i += len(digits) - 1
				}
			}
		}
		mails := readThreadMails(t, name)
		require.Len(t, want, len(mails))
		for a := range mails {
			for b := range mails {
				x, y := base(t, mails[a].subject), base(t, mails[b].subject)
				require.Equal(t, want[a] == want[b], strings.EqualFold(x, y),
					"%s: bases %q and %q of messages %d and %d", name, x, y, a+1, b+1)
			}
		}
	}
}

func base(t *testing.T, subject string) string {
	t.Helper()
	decoded, err := new(mime.WordDecoder).DecodeHeader(subject)
	require.NoError(t, err)
	return rfc822.BaseSubject(decoded)
}

func FuzzSubject(f *testing.F) {
	for _, s := range []string{"Re: a", "[l] Fwd: [m] Re[2]: a (fwd)", "re: [fwd: [fwd: re: b]]", "回复：a", "[", "Re ("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, change := range map[string]func(string) string{
			"base": rfc822.BaseSubject, "reply": rfc822.ReplySubject, "forward": rfc822.ForwardSubject,
		} {
			once := change(s)
			require.Equal(t, once, change(once), "%s subject of %q, twice", name, s)
		}
	})
}
