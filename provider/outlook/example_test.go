package outlook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// A person connects a mailbox; outlooktest stands in for Microsoft.
func Example() {
	ctx := context.Background()
	microsoft := outlooktest.New(nil, outlooktest.Config{})
	defer microsoft.Close()
	microsoft.Account("ann@acme.example")
	at := microsoft.Endpoints()

	p, err := outlook.New(outlook.Options{
		ClientID: outlooktest.ClientID, ClientSecret: outlooktest.ClientSecret,
		// Without Endpoints and HTTP these are Microsoft's own.
		Endpoints: outlook.Endpoints{Authority: at.LoginURL, Graph: at.GraphURL},
		HTTP:      microsoft.Client(),
	})
	if err != nil {
		panic(err)
	}
	const verifier, redirect = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "https://host.example/consent"
	page, err := p.AuthURL(ctx, provider.AuthRequest{State: "once", Verifier: verifier, RedirectURL: redirect})
	if err != nil {
		panic(err)
	}
	back, err := microsoft.Follow(ctx, page) // what the person's browser does
	if err != nil {
		panic(err)
	}
	consent, err := p.Exchange(ctx, provider.AuthResponse{
		Code: back.Query().Get("code"), Verifier: verifier, RedirectURL: redirect,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(consent.Account.Address)
	fmt.Println(consent.Credential) // keep what Reveal returns

	box, err := p.Open(ctx, consent.Credential, func(context.Context, provider.Credential) error {
		return nil // store it: Microsoft changes the token at every use
	})
	if err != nil {
		panic(err)
	}
	_, sends := provider.As[provider.Sender](box)
	fmt.Println(sends)
	// Output:
	// ann@acme.example
	// [redacted]
	// true
}

// The handler of Options.NotificationURL answers Graph's handshake and rings for what it signed.
func ExampleProvider_PushHandler() {
	p, err := outlook.New(outlook.Options{
		ClientID: outlooktest.ClientID, ClientSecret: outlooktest.ClientSecret,
		NotificationURL: "https://host.example/outlook",
	})
	if err != nil {
		panic(err)
	}
	h, err := p.PushHandler(outlook.PushOptions{Ring: func(_ context.Context, account string) error {
		fmt.Println("look at", account) // wake the worker that syncs this account
		return nil
	}})
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/outlook?validationToken=hello", strings.NewReader("")))
	fmt.Println(w.Code, w.Body)
	// Output: 200 hello
}
