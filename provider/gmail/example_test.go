package gmail_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// A person connects a mailbox; gmailtest stands in for Google.
func Example() {
	ctx := context.Background()
	google := gmailtest.New(nil, gmailtest.Config{})
	defer google.Close()
	google.Account("ann@acme.example")
	at := google.Endpoints()

	p, err := gmail.New(gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret,
		// Without Endpoints and HTTP these are Google's own.
		Endpoints: gmail.Endpoints{Auth: at.AuthURL, Token: at.TokenURL, Revoke: at.RevokeURL, API: at.APIURL},
		HTTP:      google.Client(),
	})
	if err != nil {
		panic(err)
	}
	const verifier, redirect = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "https://host.example/consent"
	page, err := p.AuthURL(ctx, provider.AuthRequest{State: "once", Verifier: verifier, RedirectURL: redirect})
	if err != nil {
		panic(err)
	}
	back, err := google.Follow(ctx, page) // what the person's browser does
	if err != nil {
		panic(err)
	}
	consent, err := p.Exchange(ctx, provider.AuthResponse{
		Code: back.Query().Get("code"), Verifier: verifier, RedirectURL: redirect,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(consent.Account.Address, len(consent.Scopes))
	fmt.Println(consent.Credential) // keep what Reveal returns

	box, err := p.Open(ctx, consent.Credential, func(context.Context, provider.Credential) error {
		return nil // store it: Google may have changed the token
	})
	if err != nil {
		panic(err)
	}
	_, sends := provider.As[provider.Sender](box)
	fmt.Println(sends)
	// Output:
	// ann@acme.example 4
	// [redacted]
	// true
}

// The endpoint of a Pub/Sub push subscription.
func ExamplePushHandler() {
	h, err := gmail.PushHandler(gmail.PushOptions{
		Audience:       "https://host.example/push",
		ServiceAccount: "push@project.iam.gserviceaccount.com",
	}, func(_ context.Context, address string) error {
		fmt.Println("sync the inbox of", address)
		return nil
	})
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/push", strings.NewReader("{}")))
	fmt.Println(w.Code)
	// Output: 401
}
