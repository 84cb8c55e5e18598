package ticket

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ what, text, want string }{
		{"nothing", "", ""},
		{"no words", " -- !? “” … 🙂", ""},
		{"case", "Offer PRICE iPhone", "offer price iphone"},
		{"punctuation", "left-handed, don't; a/b (c) 1,000.50", "left handed don t a b c 1 000 50"},
		{"an address", "Ann <ann.lee+x@acme.com>", "ann ann lee x acme com"},
		{"underscores part words", "my_file_v2.pdf", "my file v2 pdf"},
		{"accents", "Crème Brûlée À CÔTÉ", "creme brulee a cote"},
		{"accents of their own", "cre\u0300me", "creme"},
		{"letters that lose something", "Straße Łódź Øre Đorđe Æther Þór", "strasse lodz ore dorde aether thor"},
		{"Turkish", "İSTANBUL ısı", "istanbul isi"},
		{"Greek", "Σίσυφος ΣΊΣΥΦΟΣ", "σισυφοσ σισυφοσ"},
		{"Cyrillic", "Москва Ёлка Йод", "москва елка иод"},
		{"Hebrew points", "שָׁלוֹם", "שלום"},
		{"Arabic signs", "مُحَمَّد كـــتاب", "محمد كتاب"},
		{"Persian joiners", "می\u200cروم", "میروم"},
		{"vowels of India stay", "नमस्ते दुनिया", "नमस्ते दुनिया"},
		{"wide letters", "ＡＢＣ　１２３", "abc 123"},
		{"ligatures", "ﬁle oﬃce", "file office"},
		{"soft hyphens", "Donau\u00addampf", "donaudampf"},
		{"Chinese", "東京都", "東京 京都 都"},
		{"one letter", "京", "京"},
		{"Chinese with digits", "第3章 2026年", "第 3 章 2026 年"},
		{"Japanese", "カード", "カー ード ド"},
		{"half wide kana", "ｶｰﾄﾞ", "カー ード ド"},
		{"Korean", "한국어를", "한국 국어 어를 를"},
		{"Thai", "ไทย", "ไท ทย ย"},
		{"mixed", "東京tower", "東京 京 tower"},
		{"not UTF-8", "a\xffb \xc3", "a b"},
		{"a long word", strings.Repeat("x", 100), strings.Repeat("x", 60)},
		{"a long word of long letters", strings.Repeat("ж", 100), strings.Repeat("ж", 30)},
	} {
		require.Equal(t, row.want, strings.Join(wordsOf(row.text, 100), " "), "%s: %q", row.what, row.text)
	}
	require.Equal(t, []string{"a", "b"}, wordsOf("a b c d", 2))
}

func TestParseTerms(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want []Term
	}{
		{"offer", []Term{{Words: []string{"offer"}}}},
		{" Offer\tPRICE ", []Term{{Words: []string{"offer"}}, {Words: []string{"price"}}}},
		{`"annual report" 2026`, []Term{{Words: []string{"annual", "report"}}, {Words: []string{"2026"}}}},
		{`„annual report“`, []Term{{Words: []string{"annual", "report"}}}},
		{`"left open`, []Term{{Words: []string{"left", "open"}}}},
		{`a"b c"d`, []Term{{Words: []string{"a"}}, {Words: []string{"b", "c"}}, {Words: []string{"d"}}}},
		{"invo*", []Term{{Words: []string{"invo"}, Prefix: true}}},
		{`"open invo*"`, []Term{{Words: []string{"open", "invo"}, Prefix: true}}},
		{`"open invo"*`, []Term{{Words: []string{"open", "invo"}, Prefix: true}}},
		{"i*", []Term{{Words: []string{"i"}}}},
		{"in*voice", []Term{{Words: []string{"in", "voice"}}}},
		{"offer -draft", []Term{{Words: []string{"offer"}}, {Words: []string{"draft"}, Not: true}}},
		{`offer -"in draft"`, []Term{{Words: []string{"offer"}}, {Words: []string{"in", "draft"}, Not: true}}},
		{"offer - draft", []Term{{Words: []string{"offer"}}, {Words: []string{"draft"}}}},
		{"re-open", []Term{{Words: []string{"re", "open"}}}},
		{"ann@acme.com", []Term{{Words: []string{"ann", "acme", "com"}}}},
		{"subject:offer", []Term{{Words: []string{"offer"}, In: InSubject}}},
		{`-Subject:"an offer" x`, []Term{{Words: []string{"an", "offer"}, Not: true, In: InSubject}, {Words: []string{"x"}}}},
		{"people:ann file:pdf", []Term{{Words: []string{"ann"}, In: InPeople}, {Words: []string{"pdf"}, In: InFiles}}},
		{"subject: offer", []Term{{Words: []string{"offer"}}}}, // whose field got lost
		{"http://x.com", []Term{{Words: []string{"http", "x", "com"}}}},
		{"offer !!! ???", []Term{{Words: []string{"offer"}}}},
		{"東京", []Term{{Words: []string{"東京"}}}},
		{"東京都", []Term{{Words: []string{"東京", "京都"}}}},
		{"京", []Term{{Words: []string{"京"}, Prefix: true}}},
		{"東京*", []Term{{Words: []string{"東京"}}}},
		{"東京tower", []Term{{Words: []string{"東京", "京", "tower"}}}},
		{"\x00offer\x00", []Term{{Words: []string{"offer"}}}},
	} {
		got, err := ParseTerms(row.text)
		require.NoError(t, err, "%q", row.text)
		require.Equal(t, row.want, got, "%q", row.text)
	}
	for text, want := range map[string]error{
		"": ErrNoWords, "  ": ErrNoWords, `""`: ErrNoWords, "!!!": ErrNoWords, "-draft": ErrNoWords, "*": ErrNoWords,
		"-": ErrNoWords, strings.Repeat("a ", 17): ErrLongSearch, strings.Repeat("a", 1001): ErrLongSearch,
	} {
		got, err := ParseTerms(text)
		require.ErrorIs(t, err, want, "%.30q", text)
		require.Nil(t, got)
	}
}

// Property: what is found of a term is in a text that has the same characters, and terms are words as
// texts have them.
func FuzzParseTerms(f *testing.F) {
	for _, seed := range []string{
		"offer", `"annual report" -draft invo*`, "subject:x people:y file:z", "東京都 京", "ﬁ\u0301ne “smart” „quotes”",
		"-\"", "a*b*", "\xff\xfe", "ไทย한국어", strings.Repeat("x", 99), "½ ℡ ①", "İı", "ー・ー", "か\u3099",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		terms, err := ParseTerms(text)
		if err != nil {
			require.Nil(t, terms)
			return
		}
		for i := range terms {
			term := &terms[i]
			require.NotEmpty(t, term.Words)
			for _, w := range term.Words {
				require.True(t, utf8.ValidString(w), "%q of %q", w, text)
				require.NotEmpty(t, w, "of %q", text)
				require.LessOrEqual(t, len(w), maxWord, "%q of %q", w, text)
				require.False(t, strings.ContainsAny(w, " '\"\\:*&|!()<>{}\x00/@"), "%q of %q", w, text)
				require.Equal(t, strings.ToLower(w), w, "%q of %q", w, text)
			}
		}
		// Everything typed, taken as one text, holds every term.
		for i := range terms {
			if marks := marksOf(text, InText, []Term{{Words: terms[i].Words, Prefix: terms[i].Prefix}}); len(marks) == 0 {
				t.Errorf("%q does not hold its own term %+v", text, terms[i])
			}
		}
	})
}

// Property: words lie in the text they are of, in order, and a text is taken apart alike however it
// ends.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{
		"Crème Brûlée", "東京都 tower", "ﬁle ½ ℡", "a\xffb", "नमस्ते ไทย", "\u0301x", "か\u3099き", "한국", "ｶﾞｷﾞ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all []string
		last := 0
		eachWord(text, func(word string, start, end int) bool {
			require.NotEmpty(t, word, "of %q", text)
			require.LessOrEqual(t, len(word), maxWord)
			require.True(t, utf8.ValidString(word), "%q of %q", word, text)
			require.True(t, last <= start && start < end && end <= len(text), "%q at %d:%d of %q", word, start, end, text)
			last = start
			all = append(all, word)
			return true
		})
		require.Equal(t, append(wordsOf(text, len(text)+1), "end"), wordsOf(text+" end", len(text)+5), "%q", text)
		require.Equal(t, len(all), len(wordsOf(text, len(all)+1)))
	})
}
