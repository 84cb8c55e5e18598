package ticket

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// marked says what a search box holding text marks in a mail, in brackets; empty is no hit.
func marked(t *testing.T, mail, text string) string {
	t.Helper()
	terms, err := ParseTerms(text)
	require.NoError(t, err, "%q", text)
	words := wordsOf(mail, MaxWords)
	for i := range terms {
		if terms[i].Not == holdsTerm(words, &terms[i]) {
			return ""
		}
	}
	out, last := "", 0
	for _, m := range marksOf(mail, InText, terms) {
		out += mail[last:m.Start] + "[" + mail[m.Start:m.End] + "]"
		last = m.End
	}
	return out + mail[last:]
}

func holdsTerm(words []string, t *Term) bool {
	for at := range words {
		last := at + len(t.Words) - 1
		row := last < len(words)
		for i := 0; row && i < len(t.Words); i++ {
			row = words[at+i] == t.Words[i] || at+i == last && t.Prefix && strings.HasPrefix(words[last], t.Words[i])
		}
		if row {
			return true
		}
	}
	return false
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ mail, text, want string }{
		{"Un CAFÉ, s'il vous plaît", "café plait", "Un [CAFÉ], s'il vous [plaît]"},
		{"cafe\u0301 noir", "café", "[cafe\u0301] noir"},
		{"café noir", "cafe\u0301", "[café] noir"},
		{"Straße", "STRASSE", "[Straße]"}, {"Strasse", "straße", "[Strasse]"}, {"STRAẞE", "straße", "[STRAẞE]"},
		{"DİYARBAKIR ılık", "diyarbakır ilik", "[DİYARBAKIR] [ılık]"},
		{"ΟΔΥΣΣΕΎΣ", "Οδυσσεύς", "[ΟΔΥΣΣΕΎΣ]"}, {"Οδυσσεύς", "οδυσσευσ", "[Οδυσσεύς]"},
		{"Ёлка и йод", "елка", "[Ёлка] и йод"}, {"Е\u0308лка", "ёлка", "[Е\u0308лка]"},
		{"請求書を送ります。", "請求書", "[請求書]を送ります。"}, {"請求書を送ります。", "求書", "請[求書]を送ります。"},
		{"請求書を送ります。", "書", "請求[書]を送ります。"}, {"請求書を送ります。", "請書", ""},
		{"ｶﾞｽ料金", "ガス", "[ｶﾞｽ]料金"}, {"ガス料金", "ｶﾞｽ", "[ガス]料金"}, {"ガス料金", "カス", ""},
		{"か\u3099く生", "がく", "[か\u3099く]生"}, {"ＡＢＣ商事", "abc", "[ＡＢＣ]商事"},
		{"안녕하세요", norm.NFD.String("하세"), "안녕[하세]요"},
		{norm.NFD.String("안녕하세요"), "하세요", norm.NFD.String("안녕") + "[" + norm.NFD.String("하세요") + "]"},
		{norm.NFD.String("안녕하세요"), "녕", norm.NFD.String("안") + "[" + norm.NFD.String("녕하") + "]" + norm.NFD.String("세요")},
		{"مُحَمَّد أحمد", "محمد احمد", "[مُحَمَّد] [أحمد]"}, {"كـــتاب", "كتاب", "[كـــتاب]"},
		{"שָׁלוֹם עולם", "שלום", "[שָׁלוֹם] עולם"}, {`צה״ל`, `צה"ל`, "[צה]״[ל]"},
		{"ขอใบเสนอราคาน้ำมัน", "น้ำ", "ขอใบเสนอราคา[น้ำ]มัน"}, {"ที่อยู่", "ท", "[ที่]อยู่"},
		{"नमस्ते दुनिया", "नमस्ते", "[नमस्ते] दुनिया"},
		{"Done 👍🏽 ok", "done ok 👍🏽", "[Done] 👍🏽 [ok]"}, {"1️⃣ first", "1", "[1️⃣] first"},
		{"to ann.lee+x@mail.acme.com now", "ann.lee+x@mail.acme.com", "to [ann.lee+x@mail.acme.com] now"},
		{"to ann@mail.acme.com now", "acme.com", "to ann@mail.[acme.com] now"},
		{"a left-handed, left handed", "left-handed", "a [left-handed], [left handed]"},
		{"Invoice 2026-0042, not 0042-2026", "2026-0042", "Invoice [2026-0042], not 0042-2026"},
		{"Call +49 (0)30 123-456", `"49 (0)30 123-456"`, "Call +[49 (0)30 123-456]"},
		{"It is €1,234.50 in all", "1,234.50", "It is €[1,234.50] in all"}, {"It is €1,234.50 in all", "1234", ""},
		{"see https://acme.com/a?b=c#d", "https://acme.com/a?b=c", "see [https://acme.com/a?b=c]#d"},
		{"Dear Ann, thanks: we agree", `"ann, thanks: we"`, "Dear [Ann, thanks: we] agree"},
		{"le rapport annuel", "«rapport annuel»", "le [rapport annuel]"}, {"rapport, annuel", "« annuel rapport »", ""},
		{"契約の更新", "「契約の」", "[契約の]更新"},
		{"invoices of may", "invoi*", "[invoices] of may"}, {"the Crèmerie", "crè*", "the [Crèmerie]"},
		{"an offer", "offer -draft", "an [offer]"}, {"an offer, a draft", "offer -draft", ""},
		{"東京 offer", "offer -京", ""},
	} {
		require.Equal(t, row.want, marked(t, row.mail, row.text), "%q in %q", row.text, row.mail)
	}
}

// What the query languages of the databases are made of is punctuation here, or a word as any other.
func TestOperatorsAreWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`a AND b OR NOT c`: "a|and|b|or|not|c", `NEAR(a b, 5)`: "near a|b|5", `{subject} : x`: "subject|x", `body:x^2`: "body x 2",
		`a & b | !c <-> d:*A`: "a|b|c|d a", `'a' || 'b'; DROP TABLE x --`: "a|b|drop|table|x", `+a ~b <c >d (e) @4`: "a|b|c|d|e|4",
		`\'x\' \\ %y_z%`: "x|y z", "w.rowid MATCH x": "w rowid|match|x", "s/offer": "s offer", "$1 ?1 :a @b": "1|1|a|b",
	} {
		terms, err := ParseTerms(text)
		require.NoError(t, err, text)
		var got []string
		for i := range terms {
			require.False(t, terms[i].Not || terms[i].Prefix, "%q: %+v", text, terms[i])
			require.Zero(t, terms[i].In, text)
			got = append(got, strings.Join(terms[i].Words, " "))
		}
		require.Equal(t, want, strings.Join(got, "|"), text)
	}
}

// A snippet is short, and neither it nor its marks end inside what a reader sees as one character.
func TestSnippetsKeepCharactersWhole(t *testing.T) {
	t.Parallel()
	for what, unit := range map[string]string{
		"a family": "👩‍👩‍👧‍👦", "a tone": "👍🏽", "a flag": "🇩🇪", "a flag of tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
		"a keycap": "✳️", "an accent of its own": "e\u0301", "two accents": "a\u0302\u0323", "Korean in parts": "한",
		"Thai": "ที่", "Hindi": "क्षि", "half-wide kana": "ｶﾞ", "Chinese": "請", "lines": "\r\n", "wide letters": "𝒜",
	} {
		for pad := range 8 {
			around := strings.Repeat("x", pad)
			text := around + strings.Repeat(unit, 80) + " offer " + strings.Repeat(unit, 80) + around
			terms, err := ParseTerms("offer")
			require.NoError(t, err)
			got := snippets(&fieldTexts{3: text}, terms, AllFields)
			require.Len(t, got, 1, what)
			s := got[0]
			require.Equal(t, "offer", s.Text[s.Marks[0].Start:s.Marks[0].End], what)
			require.LessOrEqual(t, len(s.Text), snippetLength, what)
			require.Greater(t, len(s.Text), snippetLength/2, what)
			left := strings.ReplaceAll(s.Text, unit, "")
			require.Contains(t, []string{" offer ", "offer "}, left, "%s behind %d letters", what, pad)
		}
	}
	// What was found may itself be longer than a snippet.
	for what, long := range map[string]string{
		"a key": strings.Repeat("x", 5000), "a word in parts": strings.Repeat("e\u0301", 3000), "a letter of many marks": "x" + strings.Repeat("\u0301", 3000),
	} {
		terms, err := ParseTerms(long[:min(len(long), 900)])
		require.NoError(t, err)
		terms[0].Prefix = true
		got := snippets(&fieldTexts{3: "see " + long + " end"}, terms, AllFields)
		require.Len(t, got, 1, what)
		require.LessOrEqual(t, len(got[0].Text), snippetLength+utf8.UTFMax, what)
		require.Equal(t, len(got[0].Text), got[0].Marks[0].End, what)
		require.True(t, utf8.ValidString(got[0].Text), what)
	}
	// Text of mail is text: who escapes the parts between marks shows no markup of it.
	text := `<b>offer</b> <script>alert("offer")</script> & <img src=x onerror=offer>`
	terms, err := ParseTerms("offer script")
	require.NoError(t, err)
	s := snippets(&fieldTexts{3: text}, terms, AllFields)[0]
	require.Equal(t, text, s.Text)
	require.Len(t, s.Marks, 5)
	for _, m := range s.Marks {
		require.Contains(t, []string{"offer", "script"}, s.Text[m.Start:m.End])
	}
}
