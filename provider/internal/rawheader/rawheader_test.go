package rawheader_test

import (
	"errors"
	"io"
	"net/mail"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/rawheader"
)

const raw = "return-path: <>\r\n" +
	"Received: from a by b; Wed, 01 Apr 2026 10:00:00 +0200\r\n" +
	"From: =?utf-8?q?J=C3=B6rg?= <joerg@acme.example>\r\n" +
	"Sender: desk@acme.example\r\n" +
	"Reply-To: team@acme.example\r\n" +
	"To: a@b.example, \"B, C\" <b@b.example>\r\n" +
	"Cc: c@b.example\r\nBcc: d@b.example\r\n" +
	"Message-ID: <1@acme.example>\r\n" +
	"X-AUTOREPLY: yes\r\nauthentication-results: one\r\nAuthentication-Results: two\r\n" +
	"Content-Type: text/plain\r\nX-Other: no\r\n\r\nFrom: not@header.example\r\n"

func TestFillTakesAddressesAndClassFields(t *testing.T) {
	t.Parallel()
	h := provider.Header{ID: "1", Size: 7, Fields: []provider.Field{{Name: "Old", Value: "x"}}}
	got, err := rawheader.Fill(&h, strings.NewReader(raw))
	require.NoError(t, err)
	require.Equal(t, []mail.Address{{Name: "Jörg", Address: "joerg@acme.example"}}, h.From)
	require.Equal(t, mail.Address{Address: "desk@acme.example"}, h.Sender)
	require.Equal(t, []mail.Address{{Address: "team@acme.example"}}, h.ReplyTo)
	require.Equal(t, []mail.Address{{Address: "a@b.example"},
		{Name: "B, C", Address: "b@b.example"}}, h.To)
	require.Equal(t, []mail.Address{{Address: "c@b.example"}}, h.Cc)
	require.Equal(t, []mail.Address{{Address: "d@b.example"}}, h.Bcc)
	require.Equal(t, "1@acme.example", h.MessageID)
	require.Equal(t, []provider.Field{
		{Name: "Return-Path", Value: "<>"}, {Name: "X-Autoreply", Value: "yes"},
		{Name: "Authentication-Results", Value: "one"},
		{Name: "Authentication-Results", Value: "two"}, {Name: "Content-Type", Value: "text/plain"},
	}, h.Fields)
	require.Equal(t, provider.RemoteID("1"), h.ID)
	require.EqualValues(t, 7, h.Size)
	require.Len(t, got.Received(), 1)
}

func TestFillKeepsWhatItReadBeforeTheReaderFailed(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	var h provider.Header
	_, err := rawheader.Fill(&h, io.MultiReader(strings.NewReader(raw[:180]), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.Equal(t, "joerg@acme.example", h.From[0].Address)
}

func FuzzFill(f *testing.F) {
	f.Add(raw)
	f.Add("From: a@b\n\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		var h provider.Header
		if _, err := rawheader.Fill(&h, strings.NewReader(raw)); err != nil {
			t.Fatalf("input %q: got error %v, want none: the reader did not fail", raw, err)
		}
		known := strings.Join(provider.ClassFields(), "\n")
		for _, field := range h.Fields {
			if !strings.Contains(known, field.Name) {
				t.Fatalf("input %q: field %q is not one of ClassFields", raw, field.Name)
			}
		}
	})
}
