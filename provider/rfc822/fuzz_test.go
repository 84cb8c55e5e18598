package rfc822_test

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// tight are limits that a message of a few kilobytes reaches.
var tight = rfc822.Limits{HeaderBytes: 4096, Depth: 4, Parts: 12, TextBytes: 700}

// FuzzParse: Parse never fails or panics, gives only strings that a database takes, stays inside
// its limits, and gives the same for the same bytes. Every part it lists can be opened and has the
// size it says.
func FuzzParse(f *testing.F) {
	for _, s := range everything(f) {
		if len(s.raw) < 20<<10 {
			f.Add(s.raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := rfc822.Parse(bytes.NewReader(raw), tight)
		if err != nil {
			t.Fatalf("got error %v, want none from a reader that does not fail", err)
		}
		checkBounds(t, m, raw)
		again, _ := rfc822.Parse(bytes.NewReader(raw), tight)
		if !reflect.DeepEqual(m, again) {
			t.Fatal("the same bytes gave another message the second time")
		}
		for _, p := range m.Parts {
			checkPart(t, raw, p)
		}
	})
}

func checkBounds(t *testing.T, m *rfc822.Message, raw []byte) {
	t.Helper()
	if bad := badString(m); bad != "" {
		t.Fatalf("%s is not valid UTF-8 without NUL", bad)
	}
	if int64(len(m.Text)) > tight.TextBytes || int64(len(m.HTML)) > tight.TextBytes {
		t.Fatalf("text has %d bytes, HTML %d, limit %d", len(m.Text), len(m.HTML), tight.TextBytes)
	}
	if len(m.Parts) > tight.Parts {
		t.Fatalf("got %d parts, limit %d", len(m.Parts), tight.Parts)
	}
	if m.Size != int64(len(raw)) {
		t.Fatalf("got size %d, want %d", m.Size, len(raw))
	}
	if strings.ContainsAny(m.Envelope.Subject, "\r\n") {
		t.Fatalf("subject %q has several lines", m.Envelope.Subject)
	}
}

func checkPart(t *testing.T, raw []byte, p rfc822.Part) {
	t.Helper()
	got, content, err := rfc822.OpenPart(bytes.NewReader(raw), p.Path, tight)
	if err != nil {
		t.Fatalf("part %q: %v", p.Path, err)
	}
	n, err := io.Copy(io.Discard, content)
	if err != nil || n != p.Size {
		t.Fatalf("part %q has %d bytes (%v), listed with %d", p.Path, n, err, p.Size)
	}
	if got.Type != p.Type || got.Name != p.Name {
		t.Fatalf("part %q opened as %q %q, listed as %q %q", p.Path, got.Type, got.Name, p.Type, p.Name)
	}
}

// FuzzParseAddresses: every address has a local part and a domain on one line, every string is
// valid UTF-8 when the value is, and an address that net/mail accepts is found as net/mail has it. What is
// before the @ can be written into an answer as it is, where it is ASCII and not too long.
func FuzzParseAddresses(f *testing.F) {
	for _, s := range everything(f) {
		h, err := rfc822.ReadHeader(bytes.NewReader(s.raw), rfc822.Limits{})
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range []string{"From", "To", "Cc", "Reply-To", "Sender"} {
			for _, value := range h.Values(name) {
				f.Add(value)
			}
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := rfc822.ParseAddresses(value)
		for _, a := range got {
			at := strings.LastIndexByte(a.Address, '@')
			if at <= 0 || at == len(a.Address)-1 || strings.ContainsAny(a.Address, "\r\n\x00") ||
				strings.ContainsAny(a.Name, "\r\n\x00") {
				t.Fatalf("%q: got address %q, name %q", value, a.Address, a.Name)
			}
			err := rfc822.CheckAddress(a.Address[:at] + "@a.example")
			if err != nil && !errors.Is(err, rfc822.ErrUnicodeLocal) && at < 300 {
				t.Fatalf("%q: got address %q, which cannot be written: %v", value, a.Address, err)
			}
			if utf8.ValidString(value) && !utf8.ValidString(a.Name+a.Address) {
				t.Fatalf("%q: got invalid UTF-8 %q", value, a)
			}
		}
		if len(got) > len(value) {
			t.Fatalf("%q: got %d addresses", value, len(got))
		}
		one, err := mail.ParseAddress(value)
		if err != nil || !plainAddress(one.Address) || !strings.Contains(value, one.Address) {
			return
		}
		if len(got) != 1 || got[0].Address != one.Address {
			t.Fatalf("%q: got %v, want %q", value, got, one.Address)
		}
	})
}

// plainAddress leaves out the addresses whose quoted local part holds what no mail system takes,
// and those longer than a line of mail (RFC 5322 section 2.1.1).
func plainAddress(s string) bool {
	for _, c := range s {
		if c <= ' ' || c == 0x7f || strings.ContainsRune(`<>()[]"',;:\@`, c) && c != '@' {
			return false
		}
	}
	return strings.Count(s, "@") == 1 && len(s) <= 998
}
