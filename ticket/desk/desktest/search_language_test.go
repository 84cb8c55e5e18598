package desktest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// languages are the mails that are searched, each by a name of its own.
var languages = map[string]string{
	"french": "Le rapport « annuel » : CRÈME BRÛLÉE, s'il vous plaît", "french apart": norm.NFD.String("une crème brûlée"),
	"german": "Die Straße in GRÖSSE 42, Fußgänger", "turkish": "DİYARBAKIR'da ılık ısı", "greek": "Ο ΟΔΥΣΣΕΎΣ και ο Σίσυφος",
	"russian": "Ёлка и съёмка", "polish": "Łódź i Kraków", "chinese": "请查收发票，谢谢。東京都的發票。",
	"japanese": "請求書を送ります。ガス料金はカードで。", "half-wide": "ｶﾞｽ料金ﾉ請求書", "wide": "ＡＢＣ商事　２０２６",
	"korean": "안녕하세요. 한국어를 배웁니다", "korean apart": norm.NFD.String("한국어를 배웁니다"),
	"arabic": "السَّلامُ عليكم يا مُحَمَّد، كـــتاب", "hebrew": "שָׁלוֹם עולם, צה״ל", "thai": "ขอใบเสนอราคาน้ำมันที่อยู่", "hindi": "नमस्ते दुनिया",
	"emoji": "Done 👍🏽 1️⃣ offer👩‍👩‍👧ready", "numbers": "Invoice 2026-0042 of €1,234.50, call +49 (0)30 123-456",
	"addresses": "Write to ann.lee+x@mail.acme.com or see https://acme.com/a?b=c#d, my_file_v2.pdf, left-handed",
	"operators": "a AND b OR NOT c NEAR(d e) 'quoted' \\x %y_z% f:* g <-> h; DROP TABLE mails --",
}

// Whatever language a mail is in, every store finds it by the same words.
func TestLanguagesOnEveryStore(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, k.open(t))
			w.host.SetSite(inbox.Settings{ID: site})
			w.host.AddPerson(inbox.Person{ID: "carl", Site: site, Role: acl.Agent, State: acl.Active})
			carl := w.person("carl", site)
			id, account := w.connect(carl, "Mail", "me@firm.example", filter.Rules{})
			for name, text := range languages {
				w.advance(time.Minute)
				account.Deliver(fmt.Appendf(nil, "From: x@y.example\r\nTo: me@firm.example\r\nSubject: (%s)\r\nMessage-ID: <%x@y.example>\r\n"+
					"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n",
					name, name, text), fake.Delivery{})
			}
			w.pull(id)
			for _, row := range []struct{ text, want string }{
				{"creme", "french, french apart"}, {"CRÈME " + norm.NFD.String("brûlée"), "french, french apart"}, {"crè*", "french, french apart"},
				{"«rapport annuel»", "french"}, {`"annuel rapport"`, ""}, {"strasse", "german"}, {"STRAẞE", "german"}, {"größe -straße", ""},
				{"diyarbakır ilik", "turkish"}, {"οδυσσευς", "greek"}, {"ΣΊΣΥΦΟΣ", "greek"}, {"елка", "russian"}, {"СЪЕМКА", "russian"},
				{"lodz kraków", "polish"}, {"发票", "chinese"}, {"東京", "chinese"}, {"京都", "chinese"}, {"東都", ""}, {"票", "chinese"},
				{"請求書", "half-wide, japanese"}, {"ガス", "half-wide, japanese"}, {"ｶﾞｽ料金", "half-wide, japanese"}, {"カス", ""},
				{"「請求書を送」", "japanese"}, {"料金 -カード", "half-wide"}, {"abc", "wide"}, {"2026", "numbers, wide"},
				{"한국어", "korean, korean apart"}, {norm.NFD.String("배웁니다"), "korean, korean apart"}, {"국", "korean, korean apart"},
				{"한국 -안녕", "korean apart"}, {"السلام محمد", "arabic"}, {"كتاب", "arabic"}, {"שלום", "hebrew"}, {`צה"ל`, "hebrew"},
				{"ราคา", "thai"}, {"น้ำมัน", "thai"}, {"नमस्ते", "hindi"}, {"नमस", ""}, {"नमस*", "hindi"}, {"1", "emoji, numbers"}, {"offer ready", "emoji"},
				{"2026-0042", "numbers"}, {"0042-2026", ""}, {"1,234.50", "numbers"}, {`"30 123-456"`, "numbers"},
				{"mail.acme.com", "addresses"}, {"ann.lee+x@mail.acme.com", "addresses"}, {"acme.com/a", "addresses"}, {"my_file_v2.pdf", "addresses"},
				{"left-handed", "addresses"}, {"handed-left", ""}, {"NEAR(d e)", "operators"}, {`a AND b OR NOT c -draft`, "operators"},
				{`'quoted' \x`, "operators"}, {"%y_z%", "operators"}, {"f:*", "operators"}, {"<-> h;", "operators"}, {"--", "no words"},
				{"{subject} : mails", ""}, {"👍🏽", "no words"},
			} {
				var got []string
				for h, err := range w.desk.Tickets.Search(t.Context(), carl, ticket.SearchQuery{Text: row.text}) {
					if err != nil {
						require.ErrorIs(t, err, ticket.ErrNoWords, "%q", row.text)
						got = append(got, "no words")
						break
					}
					got = append(got, strings.Trim(h.Ticket.Subject, "()"))
					require.NotEmpty(t, h.Snippets, "%q", row.text)
				}
				slices.Sort(got)
				require.Equal(t, row.want, strings.Join(got, ", "), "search for %q", row.text)
			}
		})
	}
}
