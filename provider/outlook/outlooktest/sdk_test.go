package outlooktest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/fileuploader"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

var registerOnce = sync.OnceFunc(func() {
	kiota.RegisterDefaultSerializer(func() serialization.SerializationWriterFactory { return kjson.NewJsonSerializationWriterFactory() })
	kiota.RegisterDefaultDeserializer(func() serialization.ParseNodeFactory { return kjson.NewJsonParseNodeFactory() })
})

// official is Microsoft's own client of the account, with the adapter it makes by itself.
type official struct {
	graph
	adapter kiota.RequestAdapter
}

func openOfficial(t *testing.T, c outlooktest.Config) official {
	t.Helper()
	registerOnce()
	g := open(t, c)
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, core.GraphClientOptions{GraphServiceVersion: "v1.0"},
		nil, nil, g.client)
	require.NoError(t, err)
	adapter.SetBaseUrl(g.s.Endpoints().GraphURL)
	return official{g, adapter}
}

// me is what the SDK calls a user, by the person's own id.
func (o official) me() *users.UserItemRequestBuilder {
	return users.NewUserItemRequestBuilderInternal(
		map[string]string{"baseurl": o.s.Endpoints().GraphURL, "user%2Did": o.a.ObjectID()}, o.adapter)
}

func prefer(values ...string) *kiota.RequestHeaders {
	h := kiota.NewRequestHeaders()
	for _, v := range append(values, immutable) {
		h.Add("Prefer", v)
	}
	return h
}

// same fails when the SDK has read another message than there is.
func (o official) same(got models.Messageable, want outlooktest.Stored) {
	o.t.Helper()
	require.Equal(o.t, want.ImmutableID, *got.GetId())
	require.Equal(o.t, want.ConversationID, *got.GetConversationId())
	require.Equal(o.t, want.MessageID, *got.GetInternetMessageId())
	require.Equal(o.t, want.Received, got.GetReceivedDateTime().UTC())
	require.Equal(o.t, want.Read, *got.GetIsRead())
	require.Equal(o.t, want.Draft, *got.GetIsDraft())
	require.Equal(o.t, o.a.Folder(want.Folder), *got.GetParentFolderId())
	require.Equal(o.t, bob, *got.GetFrom().GetEmailAddress().GetAddress())
	require.Equal(o.t, "Bob", *got.GetFrom().GetEmailAddress().GetName())
	require.Len(o.t, got.GetToRecipients(), 1)
	require.Equal(o.t, ann, *got.GetToRecipients()[0].GetEmailAddress().GetAddress())
	require.Equal(o.t, "Hello.\r\n", *got.GetBody().GetContent())
	require.Equal(o.t, models.TEXT_BODYTYPE, *got.GetBody().GetContentType())
	require.NotEmpty(o.t, got.GetInternetMessageHeaders())
}

var sdkFields = []string{
	"id", "conversationId", "internetMessageId", "receivedDateTime", "isRead", "isDraft", "parentFolderId", "from",
	"toRecipients", "body", "internetMessageHeaders",
}

func TestOfficialSDKReads(t *testing.T) {
	t.Parallel()
	o := openOfficial(t, outlooktest.Config{})
	ctx := t.Context()
	o.fill(23)
	own := o.a.AddFolder("inbox", "Clients")

	user, err := o.me().Get(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, o.a.ObjectID(), *user.GetId())
	require.Equal(t, ann, *user.GetMail())

	folder, err := o.me().MailFolders().ByMailFolderId("inbox").Get(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, int32(23), *folder.GetTotalItemCount())
	require.Equal(t, int32(23), *folder.GetUnreadItemCount())
	require.Equal(t, int32(1), *folder.GetChildFolderCount())
	children, err := o.me().MailFolders().ByMailFolderId("inbox").ChildFolders().Get(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, own, *children.GetValue()[0].GetId())
	require.Equal(t, "Clients", *children.GetValue()[0].GetDisplayName())

	stored := o.a.Messages()
	slices.Reverse(stored) // newest first
	top := int32(10)
	first, err := o.me().Messages().Get(ctx, &users.ItemMessagesRequestBuilderGetRequestConfiguration{
		Headers: prefer(`outlook.body-content-type="text"`),
		QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{
			Top: &top, Select: sdkFields, Orderby: []string{"receivedDateTime desc"}, Count: new(true),
		},
	})
	require.NoError(t, err)
	require.Equal(t, int64(23), *first.GetOdataCount())
	pages, err := core.NewPageIterator[models.Messageable](first, o.adapter, models.CreateMessageCollectionResponseFromDiscriminatorValue)
	require.NoError(t, err)
	pages.SetHeaders(prefer(`outlook.body-content-type="text"`))
	n := 0
	require.NoError(t, pages.Iterate(ctx, func(m models.Messageable) bool {
		o.same(m, stored[n])
		n++
		return true
	}))
	require.Equal(t, 23, n)

	raw, err := o.me().Messages().ByMessageId(stored[0].ImmutableID).Content().Get(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, string(stored[0].Raw), string(raw))
}

func TestOfficialSDKFollowsDeltas(t *testing.T) {
	t.Parallel()
	o := openOfficial(t, outlooktest.Config{Delta: outlooktest.Delta{EmptyPageEvery: 3}})
	id := o.fill(23)
	inbox := o.me().MailFolders().ByMailFolderId("inbox").Messages().Delta()
	link, all := o.round(inbox)
	require.Len(t, all, 23)
	o.a.MarkRead(id[3], true)
	o.a.Delete(id[4])
	fresh := o.a.Deliver(hello(99), outlooktest.Delivery{})
	link, all = o.round(users.NewItemMailFoldersItemMessagesDeltaRequestBuilder(link, o.adapter))
	require.Len(t, all, 3)
	require.True(t, *all[id[3]].GetIsRead())
	require.Nil(t, all[id[3]].GetSubject(), "of a change the changed property alone is told")
	require.Contains(t, all[id[4]].GetAdditionalData(), "@removed")
	require.Equal(t, "Hello 99", *all[fresh].GetSubject())
	o.a.EvictDelta("inbox")
	_, err := users.NewItemMailFoldersItemMessagesDeltaRequestBuilder(link, o.adapter).GetAsDeltaGetResponse(t.Context(), nil)
	o.failed(err, http.StatusGone, "SyncStateNotFound")
}

// round reads one round of a delta query.
func (o official) round(b *users.ItemMailFoldersItemMessagesDeltaRequestBuilder) (string, map[string]models.Messageable) {
	o.t.Helper()
	all := make(map[string]models.Messageable)
	for range 100 {
		p, err := b.GetAsDeltaGetResponse(o.t.Context(), &users.ItemMailFoldersItemMessagesDeltaRequestBuilderGetRequestConfiguration{
			Headers: prefer("odata.maxpagesize=10"),
		})
		require.NoError(o.t, err)
		for _, m := range p.GetValue() {
			all[*m.GetId()] = m
		}
		if p.GetOdataDeltaLink() != nil {
			return *p.GetOdataDeltaLink(), all
		}
		b = users.NewItemMailFoldersItemMessagesDeltaRequestBuilder(*p.GetOdataNextLink(), o.adapter)
	}
	o.t.Fatal("a round without an end")
	return "", nil
}

// failed fails unless the SDK has read that error.
func (o official) failed(err error, status int, code string) {
	o.t.Helper()
	var e *odataerrors.ODataError
	require.ErrorAs(o.t, err, &e)
	require.Equal(o.t, status, e.ResponseStatusCode)
	require.Equal(o.t, code, *e.GetErrorEscaped().GetCode())
	require.NotEmpty(o.t, *e.GetErrorEscaped().GetMessage())
}

func TestOfficialSDKReadsErrors(t *testing.T) {
	t.Parallel()
	o := openOfficial(t, outlooktest.Config{})
	ctx := t.Context()
	_, err := o.me().Messages().ByMessageId("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AnMissing").Get(ctx, nil)
	require.Error(t, err)
	var e *odataerrors.ODataError
	require.ErrorAs(t, err, &e)
	require.Contains(t, []int{400, 404}, e.ResponseStatusCode)
	_, err = o.me().Messages().Get(ctx, &users.ItemMessagesRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{
			Filter: new("subject eq 'x'"), Orderby: []string{"receivedDateTime desc"},
		},
	})
	o.failed(err, http.StatusBadRequest, "InefficientFilter")
	o.s.Fail(outlooktest.Fault{Reply: outlooktest.AccessDenied()})
	_, err = o.me().Get(ctx, nil)
	o.failed(err, http.StatusForbidden, "ErrorAccessDenied")
}

func recipient(address string) models.Recipientable {
	a := models.NewEmailAddress()
	a.SetAddress(&address)
	r := models.NewRecipient()
	r.SetEmailAddress(a)
	return r
}

func TestOfficialSDKWritesAndSends(t *testing.T) {
	t.Parallel()
	o := openOfficial(t, outlooktest.Config{})
	ctx := t.Context()
	parent := o.fill(1)[0]

	draft := models.NewMessage()
	draft.SetSubject(new("A draft"))
	draft.SetToRecipients([]models.Recipientable{recipient(bob)})
	made, err := o.me().Messages().Post(ctx, draft, &users.ItemMessagesRequestBuilderPostRequestConfiguration{Headers: prefer()})
	require.NoError(t, err)
	require.True(t, *made.GetIsDraft())
	require.NotEmpty(t, *made.GetInternetMessageId())

	body := models.NewItemBody()
	body.SetContent(new("Said by the SDK."))
	body.SetContentType(new(models.TEXT_BODYTYPE))
	change := models.NewMessage()
	change.SetBody(body)
	item := o.me().Messages().ByMessageId(*made.GetId())
	changed, err := item.Patch(ctx, change, &users.ItemMessagesMessageItemRequestBuilderPatchRequestConfiguration{Headers: prefer()})
	require.NoError(t, err)
	require.Equal(t, "A draft", *changed.GetSubject())

	small := models.NewFileAttachment()
	small.SetName(new("small.txt"))
	small.SetContentType(new("text/plain"))
	small.SetContentBytes([]byte("small"))
	attached, err := item.Attachments().Post(ctx, small, nil)
	require.NoError(t, err)
	require.Equal(t, "small.txt", *attached.GetName())
	large := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	o.upload(item, large)

	require.NoError(t, item.Send().Post(ctx, nil))
	sent := o.a.Sent()
	require.Len(t, sent, 1)
	require.Equal(t, *made.GetInternetMessageId(), sent[0].MessageID)
	require.Equal(t, []string{bob}, sent[0].To)
	require.Contains(t, string(sent[0].Raw), "small.txt")
	require.Greater(t, len(sent[0].Raw), len(large))

	reply, err := o.me().Messages().ByMessageId(parent).CreateReply().Post(ctx,
		users.NewItemMessagesItemCreateReplyPostRequestBody(), nil)
	require.NoError(t, err)
	require.Equal(t, "RE: Hello 0", *reply.GetSubject())
	require.NoError(t, o.me().Messages().ByMessageId(*reply.GetId()).Delete(ctx, nil))
}

// upload hands over an attachment by an upload session.
func (o official) upload(item *users.ItemMessagesMessageItemRequestBuilder, content []byte) {
	o.t.Helper()
	about := models.NewAttachmentItem()
	about.SetAttachmentType(new(models.FILE_ATTACHMENTTYPE))
	about.SetName(new("large.bin"))
	about.SetSize(new(int64(len(content))))
	request := users.NewItemMessagesItemAttachmentsCreateUploadSessionPostRequestBody()
	request.SetAttachmentItem(about)
	session, err := item.Attachments().CreateUploadSession().Post(o.t.Context(), request, nil)
	require.NoError(o.t, err)
	path := o.t.TempDir() + "/large.bin"
	require.NoError(o.t, os.WriteFile(path, content, 0o600))
	file, err := os.Open(path)
	require.NoError(o.t, err)
	defer file.Close()
	// The address of a session takes no access token.
	bare, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, core.GraphClientOptions{}, nil, nil, o.s.Client())
	require.NoError(o.t, err)
	done := fileuploader.NewLargeFileUploadTask[models.FileAttachmentable](bare, session, file, 10*320<<10,
		models.CreateFileAttachmentFromDiscriminatorValue,
		kiota.ErrorMappings{"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue}).Upload(func(int64, int64) {})
	require.True(o.t, done.GetUploadSucceeded(), "%v", done.GetResponseErrors())
}

func TestOfficialSDKSubscribes(t *testing.T) {
	t.Parallel()
	o := openOfficial(t, outlooktest.Config{Push: outlooktest.Push{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
	})}})
	x := models.NewSubscription()
	x.SetChangeType(new("created,updated"))
	x.SetResource(new("me/messages"))
	x.SetNotificationUrl(new("https://host.example/push"))
	x.SetClientState(new("state"))
	until := time.Now().UTC().Add(time.Hour).Truncate(time.Second)
	x.SetExpirationDateTime(&until)
	made := o.subscriptions(kiota.POST, "", x)
	held := o.a.Subscriptions()
	require.Len(t, held, 1)
	require.Equal(t, held[0].ID, *made.GetId())
	require.Equal(t, "created,updated", *made.GetChangeType())
	require.Equal(t, "state", *made.GetClientState())
	require.Equal(t, until, made.GetExpirationDateTime().UTC())

	later := until.Add(time.Hour)
	renewal := models.NewSubscription()
	renewal.SetExpirationDateTime(&later)
	require.Equal(t, later, o.subscriptions(kiota.PATCH, held[0].ID, renewal).GetExpirationDateTime().UTC())
	require.Equal(t, later, o.a.Subscriptions()[0].Expires)
	o.subscriptions(kiota.DELETE, held[0].ID, nil)
	require.Empty(t, o.a.Subscriptions())
}

// subscriptions makes one call of the resource, whose builders are in a package of the SDK that takes
// as long to compile as all others here.
func (o official) subscriptions(method kiota.HttpMethod, id string, body models.Subscriptionable) models.Subscriptionable {
	o.t.Helper()
	template, parameters := "{+baseurl}/subscriptions", map[string]string{"baseurl": o.s.Endpoints().GraphURL}
	if id != "" {
		template, parameters["id"] = template+"/{id}", id
	}
	ctx := context.WithoutCancel(o.t.Context())
	r := kiota.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method, template, parameters)
	r.Headers.TryAdd("Accept", "application/json")
	mapped := kiota.ErrorMappings{"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue}
	if body == nil {
		require.NoError(o.t, o.adapter.SendNoContent(ctx, r, mapped))
		return nil
	}
	require.NoError(o.t, r.SetContentFromParsable(ctx, o.adapter, "application/json", body))
	got, err := o.adapter.Send(ctx, r, models.CreateSubscriptionFromDiscriminatorValue, mapped)
	require.NoError(o.t, err)
	return got.(models.Subscriptionable)
}
