package gmail

import (
	"bytes"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/rawheader"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// The system labels that matter (https://developers.google.com/workspace/gmail/api/guides/labels).
const (
	labelDraft     = "DRAFT"
	labelSpam      = "SPAM"
	labelTrash     = "TRASH"
	labelChat      = "CHAT"
	labelScheduled = "SCHEDULED"
	labelSent      = "SENT"
	labelUnread    = "UNREAD"
)

// metadataHeaders are the header fields that a provider.Header is made of.
var metadataHeaders = append([]string{
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID",
}, provider.ClassFields()...)

// folderOf says by its labels where a message lies. A draft in the trash is trash.
func folderOf(labels []string) provider.Folder {
	for _, f := range []struct {
		label  string
		folder provider.Folder
	}{
		{labelTrash, provider.FolderTrash}, {labelSpam, provider.FolderSpam},
		{labelScheduled, provider.FolderOutbox}, {labelDraft, provider.FolderDraft},
		{labelChat, provider.FolderChat},
	} {
		if slices.Contains(labels, f.label) {
			return f.folder
		}
	}
	return provider.FolderMail
}

// aside says whether mail with these labels is none that a walk lists.
func aside(labels []string) bool { return folderOf(labels) != provider.FolderMail }

// headerOf makes a Header of what a message says beside its content.
func headerOf(msg *api.Message) provider.Header {
	h := provider.Header{
		ID: provider.RemoteID(msg.Id), Thread: provider.ThreadID(msg.ThreadId),
		Received: time.UnixMilli(msg.InternalDate).UTC(),
		Folder:   folderOf(msg.LabelIds), Sent: provider.MarkNotSent,
		Unread: slices.Contains(msg.LabelIds, labelUnread), Size: msg.SizeEstimate,
	}
	if h.Thread == "" {
		h.Thread = provider.ThreadID(msg.Id)
	}
	if slices.Contains(msg.LabelIds, labelSent) {
		h.Sent = provider.MarkSent
	}
	return h
}

// rawHeader is headerOf with the header read from the message itself, which h.Raw becomes.
func rawHeader(msg *api.Message, raw []byte) (provider.Header, error) {
	h := headerOf(msg)
	h.Raw, h.Size = raw, int64(len(raw))
	_, err := rawheader.Fill(&h, bytes.NewReader(raw))
	return h, err
}

// metadataHeader is headerOf with the header fields of a message asked for with format=metadata.
func metadataHeader(msg *api.Message) (provider.Header, error) {
	h := headerOf(msg)
	var b strings.Builder
	if msg.Payload != nil {
		for _, f := range msg.Payload.Headers {
			b.WriteString(oneLine(f.Name) + ": " + oneLine(f.Value) + "\r\n")
		}
	}
	b.WriteString("\r\n")
	section, err := rfc822.ReadHeader(strings.NewReader(b.String()), rfc822.Limits{})
	rawheader.Set(&h, section)
	return h, err
}

// lineEnds turns the folding of a field into the spaces it stands for (RFC 5322 section 2.2.3), so
// that no field can begin inside another.
var lineEnds = strings.NewReplacer("\r\n", "", "\r", " ", "\n", " ")

func oneLine(s string) string { return lineEnds.Replace(s) }
