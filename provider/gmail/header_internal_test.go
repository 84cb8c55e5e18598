package gmail

import (
	"bytes"
	"net/mail"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestFolderAndMarksComeFromLabels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		labels []string
		folder provider.Folder
		sent   provider.Mark
		unread bool
	}{
		{"archived", nil, provider.FolderMail, provider.MarkNotSent, false},
		{"inbox", []string{"INBOX", "UNREAD", "CATEGORY_PERSONAL"}, provider.FolderMail, provider.MarkNotSent, true},
		{"sent", []string{"SENT"}, provider.FolderMail, provider.MarkSent, false},
		{"sent to oneself", []string{"UNREAD", "SENT", "INBOX"}, provider.FolderMail, provider.MarkSent, true},
		{"the user's own", []string{"Label_7"}, provider.FolderMail, provider.MarkNotSent, false},
		{"draft", []string{"DRAFT"}, provider.FolderDraft, provider.MarkNotSent, false},
		{"draft thrown away", []string{"DRAFT", "TRASH"}, provider.FolderTrash, provider.MarkNotSent, false},
		{"spam", []string{"SPAM", "UNREAD"}, provider.FolderSpam, provider.MarkNotSent, true},
		{"trash", []string{"SENT", "TRASH"}, provider.FolderTrash, provider.MarkSent, false},
		{"chat", []string{"CHAT"}, provider.FolderChat, provider.MarkNotSent, false},
		{"scheduled", []string{"SCHEDULED"}, provider.FolderOutbox, provider.MarkNotSent, false},
	} {
		h := headerOf(&api.Message{Id: "1", LabelIds: c.labels})
		require.Equal(t, c.folder, h.Folder, c.name)
		require.Equal(t, c.sent, h.Sent, c.name)
		require.Equal(t, c.unread, h.Unread, c.name)
	}
}

func TestMetadataHeader(t *testing.T) {
	t.Parallel()
	h, err := metadataHeader(&api.Message{
		Id: "18c1", ThreadId: "18c0", InternalDate: 1759310712345, SizeEstimate: 5321,
		LabelIds: []string{"UNREAD"},
		Payload: &api.MessagePart{Headers: []*api.MessagePartHeader{
			{Name: "From", Value: `"Dunn, Clara" <clara@client.example>`},
			{Name: "to", Value: "Jörg <joerg@third.example>,\r\n =?utf-8?q?J=C3=B6rg?= <j@third.example>"},
			{Name: "Cc", Value: "a@b.example\r\nBcc: forged@b.example"},
			{Name: "Message-Id", Value: "<Facts.CASE@client.example>"},
			{Name: "LIST-ID", Value: "<list.client.example>"},
			{Name: "X-Other", Value: "no"},
		}},
	})
	require.NoError(t, err)
	require.Equal(t, provider.RemoteID("18c1"), h.ID)
	require.Equal(t, provider.ThreadID("18c0"), h.Thread)
	require.Equal(t, time.UnixMilli(1759310712345).UTC(), h.Received)
	require.EqualValues(t, 5321, h.Size)
	require.Equal(t, []mail.Address{{Name: "Dunn, Clara", Address: "clara@client.example"}}, h.From)
	require.Equal(t, []mail.Address{{Name: "Jörg", Address: "joerg@third.example"},
		{Name: "Jörg", Address: "j@third.example"}}, h.To)
	require.Empty(t, h.Bcc, "a field must not begin inside another")
	require.Equal(t, "Facts.CASE@client.example", h.MessageID)
	require.Equal(t, []provider.Field{{Name: "List-Id", Value: "<list.client.example>"}}, h.Fields)
	require.Nil(t, h.Raw)

	h, err = metadataHeader(&api.Message{Id: "18c1"})
	require.NoError(t, err)
	require.Equal(t, provider.ThreadID("18c1"), h.Thread, "never empty")
}

// Strict and frugal walks decide by the same facts.
func TestMetadataTellsWhatTheRawMessageTells(t *testing.T) {
	t.Parallel()
	box, err := mailgen.New(mailgen.Config{Seed: 3, Messages: 200})
	require.NoError(t, err)
	for mail := range box.Oldest() {
		section, err := rfc822.ReadHeader(bytes.NewReader(mail.Raw), rfc822.Limits{})
		require.NoError(t, err)
		msg := &api.Message{Id: "1", ThreadId: "2", Payload: &api.MessagePart{}}
		for name, value := range section.All() {
			msg.Payload.Headers = append(msg.Payload.Headers, &api.MessagePartHeader{Name: name, Value: value})
		}
		strict, err := metadataHeader(msg)
		require.NoError(t, err)
		frugal, err := rawHeader(msg, mail.Raw)
		require.NoError(t, err)
		require.Equal(t, mail.Raw, frugal.Raw)
		require.EqualValues(t, len(mail.Raw), frugal.Size)
		frugal.Raw, frugal.Size = nil, 0
		require.Equal(t, frugal, strict)
	}
}
