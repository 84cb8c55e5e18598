package ticket

import (
	"unicode"
	"unicode/utf8"
)

// begins says whether what a reader sees as one character begins at this byte of a text, or the text
// ends there. It follows the extended grapheme clusters of Unicode (UAX #29), and parts a few less.
func begins(text string, at int) bool {
	if at == 0 || at == len(text) {
		return true
	}
	if !utf8.RuneStart(text[at]) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(text[at:])
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	if r < 0x300 && before < 0x300 {
		return r != '\n' || before != '\r'
	}
	switch {
	case extends(r), before == '\u200d', // a zero width joiner
		virama(before) && unicode.IsLetter(r):
		return false
	case regional(r) && regional(before): // of flags, which are two each
		n := 0
		for at > 0 && regional(before) {
			n++
			at -= utf8.RuneLen(before)
			before, _ = utf8.DecodeLastRuneInString(text[:at])
		}
		return n%2 == 0
	}
	return true
}

// extends tells what is never a character of its own: marks, joiners, the tones of a face, the tags of
// a flag, the vowels and ends of Korean syllables that are written in parts.
func extends(r rune) bool {
	return unicode.IsMark(r) || r == '\u200c' || r == '\u200d' || r >= 0x1f3fb && r <= 0x1f3ff ||
		r >= 0xe0020 && r <= 0xe007f || r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7fb ||
		r == 0xff9e || r == 0xff9f || r == 0x0e33 || r == 0x0eb3
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// virama tells the signs that tie two letters of India together.
func virama(r rune) bool {
	switch r {
	case 0x094d, 0x09cd, 0x0acd, 0x0b4d, 0x0c4d, 0x0d4d:
		return true
	}
	return false
}

// wholeCharacters widens a mark to the characters it begins and ends in.
func wholeCharacters(text string, m Mark) Mark {
	for !begins(text, m.Start) {
		m.Start--
	}
	for !begins(text, m.End) {
		m.End++
	}
	return m
}
