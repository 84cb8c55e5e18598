package outlook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// register tells the SDK, once in a process, how JSON is written and read. Its constructors know no
// other way than these registries.
var register = sync.OnceFunc(func() {
	kiota.RegisterDefaultSerializer(func() serialization.SerializationWriterFactory {
		return kjson.NewJsonSerializationWriterFactory()
	})
	kiota.RegisterDefaultDeserializer(func() serialization.ParseNodeFactory {
		return kjson.NewJsonParseNodeFactory()
	})
})

// sdk is the SDK with our way out.
//
// Its default middleware is left out: it compresses requests and repeats those that were refused, in
// an order that differs from client to client, sends included
// (https://github.com/microsoft/kiota-http-go/issues/183). What is left writes addresses as Graph
// documents them.
type sdk struct {
	adapter kiota.RequestAdapter
	base    string
}

// newSDK makes an SDK whose requests leave by base. timeout bounds each of them; zero does not.
func newSDK(endpoint string, base http.RoundTripper, timeout time.Duration) (*sdk, error) {
	register()
	client := &http.Client{
		Timeout: timeout,
		Transport: khttp.NewCustomTransportWithParentTransport(statusCheck{again{base}},
			khttp.NewUrlReplaceHandler(true, core.ReplacementPairs), khttp.NewParametersNameDecodingHandler()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, core.GraphClientOptions{GraphServiceVersion: "v1.0"},
		nil, nil, client)
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(endpoint)
	return &sdk{adapter: adapter, base: endpoint}, nil
}

// me is the account the access token belongs to.
func (s *sdk) me() *users.UserItemRequestBuilder {
	return users.NewUserItemRequestBuilderInternal(
		map[string]string{"baseurl": s.base, "user%2Did": "me-token-to-replace"}, s.adapter)
}

// subscriptions makes one call of the subscriptions resource. Its builders are in a package of their
// own, which nobody compiles for three requests.
func (s *sdk) subscriptions(ctx context.Context, method kiota.HttpMethod, id string, body models.Subscriptionable) (models.Subscriptionable, error) {
	template := "{+baseurl}/subscriptions"
	parameters := map[string]string{"baseurl": s.base}
	if id != "" {
		template, parameters["id"] = template+"/{id}", id
	}
	r := kiota.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method, template, parameters)
	r.Headers = sdkHeaders()
	r.Headers.TryAdd("Accept", "application/json")
	if body != nil {
		if err := r.SetContentFromParsable(ctx, s.adapter, "application/json", body); err != nil {
			return nil, err
		}
	}
	errorsBy := kiota.ErrorMappings{"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue}
	if method == kiota.DELETE {
		return nil, s.adapter.SendNoContent(ctx, r, errorsBy)
	}
	got, err := s.adapter.Send(ctx, r, models.CreateSubscriptionFromDiscriminatorValue, errorsBy)
	if err != nil {
		return nil, err
	}
	sub, ok := got.(models.Subscriptionable)
	if !ok || sub == nil {
		return nil, errNoAnswer
	}
	return sub, nil
}

var errNoAnswer = errors.New("an answer without a body")

// sdkHeaders are the headers of every request of the SDK.
func sdkHeaders() *kiota.RequestHeaders {
	h := kiota.NewRequestHeaders()
	h.Add("Prefer", immutable)
	return h
}

// again lets the transport below send a body once more, after a 401: the SDK's are in memory already
// and say nothing of it.
type again struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (a again) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody || r.GetBody != nil {
		return a.base.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody() // which cannot fail
	return a.base.RoundTrip(r)
}

// statusCheck turns every answer that is no success into an *answerError, with its status: the SDK
// loses it where the body is no JSON, and its own errors panic where the body has no message.
type statusCheck struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s statusCheck) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.base.RoundTrip(r)
	if err != nil || resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, err
	}
	defer resp.Body.Close()
	return nil, readAnswerError(resp)
}
