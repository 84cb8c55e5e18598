package outlook

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// send sends a draft.
func (s *sdk) send(ctx context.Context, draft string) error {
	return s.me().Messages().ByMessageId(draft).Send().Post(ctx,
		&users.ItemMessagesItemSendRequestBuilderPostRequestConfiguration{Headers: sdkHeaders()})
}

// discard deletes a draft.
func (s *sdk) discard(ctx context.Context, draft string) error {
	return s.me().Messages().ByMessageId(draft).Delete(ctx,
		&users.ItemMessagesMessageItemRequestBuilderDeleteRequestConfiguration{Headers: sdkHeaders()})
}

// mark puts the marker of a send on a draft.
func (s *sdk) mark(ctx context.Context, draft, marker string) error {
	x := models.NewMessage()
	setMarker(x, marker)
	_, err := s.patch(ctx, draft, x)
	return err
}

func (s *sdk) patch(ctx context.Context, draft string, x models.Messageable) (models.Messageable, error) {
	return s.me().Messages().ByMessageId(draft).Patch(ctx, x,
		&users.ItemMessagesMessageItemRequestBuilderPatchRequestConfiguration{Headers: sdkHeaders()})
}

// compose makes a draft of what a mail says: an answer to parent, or a new mail where that is empty.
func (s *sdk) compose(ctx context.Context, parent string, mail *rfc822.Message, marker string) (message, error) {
	var got models.Messageable
	var err error
	if parent == "" {
		x := models.NewMessage()
		fillMessage(x, mail, marker)
		x.SetInternetMessageHeaders(markerHeader(marker))
		got, err = s.me().Messages().Post(ctx, x,
			&users.ItemMessagesRequestBuilderPostRequestConfiguration{Headers: sdkHeaders()})
	} else {
		x := models.NewMessage()
		x.SetInternetMessageHeaders(markerHeader(marker))
		body := users.NewItemMessagesItemCreateReplyPostRequestBody()
		body.SetMessage(x)
		got, err = s.me().Messages().ByMessageId(parent).CreateReply().Post(ctx, body,
			&users.ItemMessagesItemCreateReplyRequestBuilderPostRequestConfiguration{Headers: sdkHeaders()})
	}
	if err != nil {
		return message{}, err
	}
	if got == nil || got.GetId() == nil {
		return message{}, errNoAnswer
	}
	return message{ID: *got.GetId(), Conversation: text(got.GetConversationId()), MessageID: text(got.GetInternetMessageId())}, nil
}

// rewrite gives the draft of a reply the recipients, the body and the Message-ID of a mail. The draft had
// one of Exchange's own, so that what it has now is read from the answer.
func (s *sdk) rewrite(ctx context.Context, draft *message, mail *rfc822.Message, marker string) error {
	x := models.NewMessage()
	fillMessage(x, mail, marker)
	got, err := s.patch(ctx, draft.ID, x)
	if err == nil && got != nil && text(got.GetInternetMessageId()) != "" {
		draft.MessageID = text(got.GetInternetMessageId())
	}
	return err
}

// attach adds a small attachment to a draft.
func (s *sdk) attach(ctx context.Context, draft string, part rfc822.Part, content []byte) error {
	a := models.NewFileAttachment()
	a.SetName(&part.Name)
	a.SetContentType(&part.Type)
	a.SetContentBytes(content)
	a.SetIsInline(&part.Inline)
	if part.ContentID != "" {
		a.SetContentId(&part.ContentID)
	}
	_, err := s.me().Messages().ByMessageId(draft).Attachments().Post(ctx, a,
		&users.ItemMessagesItemAttachmentsRequestBuilderPostRequestConfiguration{Headers: sdkHeaders()})
	return err
}

// uploadSession begins to hand over a large attachment and returns the address its bytes go to.
func (s *sdk) uploadSession(ctx context.Context, draft string, part rfc822.Part) (string, error) {
	item := models.NewAttachmentItem()
	kind := models.FILE_ATTACHMENTTYPE
	item.SetAttachmentType(&kind)
	item.SetName(&part.Name)
	item.SetSize(&part.Size)
	item.SetContentType(&part.Type)
	item.SetIsInline(&part.Inline)
	if part.ContentID != "" {
		item.SetContentId(&part.ContentID)
	}
	body := users.NewItemMessagesItemAttachmentsCreateUploadSessionPostRequestBody()
	body.SetAttachmentItem(item)
	got, err := s.me().Messages().ByMessageId(draft).Attachments().CreateUploadSession().Post(ctx, body,
		&users.ItemMessagesItemAttachmentsCreateUploadSessionRequestBuilderPostRequestConfiguration{Headers: sdkHeaders()})
	if err != nil {
		return "", err
	}
	if got == nil {
		return "", errNoAnswer
	}
	return text(got.GetUploadUrl()), nil
}

// fillMessage says in properties what a mail says. The sender is the account itself unless the mail
// names another.
func fillMessage(x models.Messageable, mail *rfc822.Message, marker string) {
	e := mail.Envelope
	x.SetSubject(&e.Subject)
	body, kind := mail.Text, models.TEXT_BODYTYPE
	if mail.HTML != "" {
		body, kind = mail.HTML, models.HTML_BODYTYPE
	}
	b := models.NewItemBody()
	b.SetContent(&body)
	b.SetContentType(&kind)
	x.SetBody(b)
	if len(e.From) > 0 {
		x.SetFrom(recipients(e.From[:1])[0])
	}
	x.SetToRecipients(recipients(e.To))
	x.SetCcRecipients(recipients(e.Cc))
	x.SetBccRecipients(recipients(e.Bcc))
	if len(e.ReplyTo) > 0 {
		x.SetReplyTo(recipients(e.ReplyTo))
	}
	if e.MessageID != "" {
		id := "<" + e.MessageID + ">"
		x.SetInternetMessageId(&id)
	}
	setMarker(x, marker)
}

func setMarker(x models.Messageable, marker string) {
	if marker == "" {
		return
	}
	id := markerProperty
	p := models.NewSingleValueLegacyExtendedProperty()
	p.SetId(&id)
	p.SetValue(&marker)
	x.SetSingleValueExtendedProperties([]models.SingleValueLegacyExtendedPropertyable{p})
}

func markerHeader(marker string) []models.InternetMessageHeaderable {
	if marker == "" {
		return nil
	}
	name := provider.MarkerHeader
	h := models.NewInternetMessageHeader()
	h.SetName(&name)
	h.SetValue(&marker)
	return []models.InternetMessageHeaderable{h}
}

func recipients(list []rfc822.Address) []models.Recipientable {
	out := make([]models.Recipientable, 0, len(list))
	for _, a := range list {
		address := models.NewEmailAddress()
		address.SetAddress(&a.Address)
		if a.Name != "" {
			address.SetName(&a.Name)
		}
		r := models.NewRecipient()
		r.SetEmailAddress(address)
		out = append(out, r)
	}
	return out
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
