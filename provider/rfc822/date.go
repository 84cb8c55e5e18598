package rfc822

import (
	"strings"
	"time"
)

// zones are the names RFC 5322 section 4.3 keeps and those that mail of other continents carries,
// in minutes east of UTC. A name nobody knows counts as UTC.
var zones = map[string]int{
	"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
	"PST": -480, "PDT": -420, "AST": -240, "ADT": -180, "AKST": -540, "AKDT": -480, "HST": -600,
	"WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "MEZ": 60,
	"MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "SAST": 120, "IST": 330,
	"JST": 540, "KST": 540, "HKT": 480, "SGT": 480, "AEST": 600, "AEDT": 660, "ACST": 570,
	"AWST": 480, "NZST": 720, "NZDT": 780, "BRT": -180, "ART": -180,
}

const months = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"

// dateParser collects what it recognises in any order, so that the many wrong forms of a date need
// no list.
type dateParser struct {
	s                         string
	i                         int
	year, month, day          int
	hour, minute, second      int
	offset                    int // minutes east of UTC
	hasYear, hasDay, hasClock bool
	yearFirst                 bool
	zoned                     bool
}

// parseDate reads a date of RFC 5322, of its predecessors, of ISO 8601, of ctime, and most of what
// is written instead. The result is in UTC, or zero when there is no day, month and year.
func parseDate(s string) time.Time {
	p := dateParser{s: stripComments(s)}
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case asciiDigit(c):
			p.number()
		case asciiLetter(c):
			p.name()
		case (c == '+' || c == '-') && p.hasClock && !p.zoned && p.i+1 < len(p.s) && asciiDigit(p.s[p.i+1]):
			p.zone(c)
		default:
			p.i++
		}
	}
	if !p.hasYear || !p.hasDay || p.month == 0 || p.year < 1900 || p.year > 9999 {
		return time.Time{}
	}
	t := time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, 0, time.UTC)
	return t.Add(-time.Duration(p.offset) * time.Minute)
}

// digits reads a run of digits; n is its length. Long runs are no part of a date.
func (p *dateParser) digits() (v, n int) {
	for p.i < len(p.s) && asciiDigit(p.s[p.i]) {
		if n < 6 {
			v = v*10 + int(p.s[p.i]-'0')
		}
		n++
		p.i++
	}
	return v, n
}

func (p *dateParser) number() {
	v, n := p.digits()
	if n <= 2 && !p.hasClock && p.clock(v) {
		return
	}
	switch {
	case n == 4 && !p.hasYear:
		p.year, p.hasYear, p.yearFirst = v, true, !p.hasDay
	case n <= 2 && p.yearFirst && p.month == 0 && v >= 1 && v <= 12:
		p.month = v
	case n <= 2 && !p.hasDay && v >= 1 && v <= 31:
		p.day, p.hasDay = v, true
	case n <= 3 && !p.hasYear && p.hasDay:
		// RFC 5322 section 4.3
		switch {
		case n == 3:
			v += 1900
		case v < 50:
			v += 2000
		default:
			v += 1900
		}
		p.year, p.hasYear = v, true
	}
}

// clock reads the rest of hh:mm[:ss] or hh.mm.ss after its hour.
func (p *dateParser) clock(hour int) bool {
	rest := p.s[p.i:]
	if len(rest) < 2 || rest[0] != ':' && rest[0] != '.' || !asciiDigit(rest[1]) || hour > 24 {
		return false
	}
	sep := rest[0]
	if sep == '.' && (len(rest) < 6 || rest[3] != '.' || !asciiDigit(rest[4]) || !asciiDigit(rest[5]) ||
		len(rest) > 6 && asciiDigit(rest[6])) {
		return false
	}
	p.i++
	minute, _ := p.digits()
	second := 0
	if p.i+1 < len(p.s) && p.s[p.i] == sep && asciiDigit(p.s[p.i+1]) {
		p.i++
		second, _ = p.digits()
	}
	if p.i+1 < len(p.s) && (p.s[p.i] == '.' || p.s[p.i] == ',') && asciiDigit(p.s[p.i+1]) {
		p.i++
		p.digits() // a fraction
	}
	if minute > 59 || second > 61 {
		return true
	}
	p.hour, p.minute, p.second, p.hasClock = hour, minute, min(second, 59), true
	return true
}

// zone reads +hhmm, +hh:mm or +h.
func (p *dateParser) zone(sign byte) {
	p.i++
	v, n := p.digits()
	hours, minutes := v/100, v%100
	if n <= 2 {
		hours, minutes = v, 0
		if p.i+1 < len(p.s) && p.s[p.i] == ':' && asciiDigit(p.s[p.i+1]) {
			p.i++
			minutes, _ = p.digits()
		}
	}
	if hours > 15 || minutes > 59 || n > 4 {
		hours, minutes = 0, 0
	}
	p.offset, p.zoned = hours*60+minutes, true
	if sign == '-' {
		p.offset = -p.offset
	}
}

func (p *dateParser) name() {
	begin := p.i
	for p.i < len(p.s) && asciiLetter(p.s[p.i]) {
		p.i++
	}
	word := strings.ToUpper(p.s[begin:p.i])
	switch word {
	case "PM", "AM":
		if p.hasClock && p.hour <= 12 {
			p.hour %= 12
			if word == "PM" {
				p.hour += 12
			}
		}
		return
	}
	if minutes, ok := zones[word]; ok && p.hasClock && !p.zoned {
		p.offset, p.zoned = minutes, true
		return
	}
	if len(word) >= 3 && p.month == 0 {
		if k := strings.Index(months, word[:3]); k >= 0 && k%3 == 0 {
			p.month = k/3 + 1
		}
	}
}

func asciiDigit(c byte) bool { return c >= '0' && c <= '9' }

func asciiLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
