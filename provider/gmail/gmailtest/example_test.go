package gmailtest_test

import (
	"context"
	"fmt"
	"log"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// A mail arrives, Google's own client reads it, and the person moves it to the trash.
func Example() {
	ctx := context.Background()
	s := gmailtest.New(nil, gmailtest.Config{}) // in a test: gmailtest.New(t, ...), which closes it
	defer s.Close()
	a := s.Account("ann@acme.example")
	start := a.HistoryID()
	id := a.Deliver([]byte("From: bob@other.example\r\nSubject: Offer\r\n\r\nHello Ann.\r\n"),
		gmailtest.Delivery{})

	api, err := gmail.NewService(ctx, option.WithEndpoint(s.Endpoints().APIURL),
		option.WithHTTPClient(a.Client(gmail.GmailReadonlyScope)))
	if err != nil {
		log.Fatal(err)
	}
	m, err := api.Users.Messages.Get("me", id).Format("metadata").MetadataHeaders("Subject").Do()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Payload.Headers[0].Value, m.LabelIds)

	a.Trash(id)
	history, err := api.Users.History.List("me").StartHistoryId(start).Do()
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range history.History {
		fmt.Println(len(h.MessagesAdded), len(h.LabelsAdded), len(h.LabelsRemoved))
	}
	fmt.Println(s.Stats().Requests)
	// Output:
	// Offer [UNREAD INBOX]
	// 1 0 0
	// 0 1 0
	// 0 0 1
	// map[history.list:1 messages.get:1]
}

// The person says no to sending on the consent page; the application gets the rest.
func ExampleConfig_approve() {
	s := gmailtest.New(nil, gmailtest.Config{
		Approve: func(c gmailtest.Consent) gmailtest.Decision {
			return gmailtest.Decision{Scopes: c.Scopes[:1]}
		},
	})
	defer s.Close()
	s.Account("ann@acme.example")
	back, err := s.Follow(context.Background(), consentURL(s, nil))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(back.Path, back.Query().Get("scope"), back.Query().Has("code"))
	// Output: /callback openid true
}
