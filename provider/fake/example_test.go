package fake_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

// A mailbox is connected, read, and read again after something happened.
func Example() {
	ctx := context.Background()
	service := fake.New(fake.Options{})
	account := service.Account("olivia@agency.example")
	account.Deliver([]byte("From: bob@acme.example\r\nSubject: Draft\r\n\r\nPlease look.\r\n"),
		fake.Delivery{Received: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)})

	consent, err := service.Exchange(ctx, provider.AuthResponse{Code: "olivia@agency.example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mailbox, err := service.Open(ctx, consent.Credential, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var cursor provider.Cursor
	read := func() {
		for batch, err := range mailbox.Changes(ctx, cursor, provider.Walk{}) {
			if err != nil {
				fmt.Println(err)
				return
			}
			for _, h := range batch.Put {
				fmt.Println("put", h.ID, "from", h.From[0].Address, "walking", batch.Walking)
			}
			for _, id := range batch.Removed {
				fmt.Println("removed", id)
			}
			cursor = batch.Next
		}
	}
	read()
	r, err := mailbox.Open(ctx, "m1")
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, _ := io.ReadAll(r)
	fmt.Println(strings.TrimSpace(string(raw[len(raw)-14:])))

	account.Deliver([]byte("From: carla@acme.example\r\n\r\n"), fake.Delivery{})
	account.Remove("m1")
	read()
	fmt.Println("opened", account.Opens("m1"), "times")
	// Output:
	// put m1 from bob@acme.example walking true
	// Please look.
	// put m2 from carla@acme.example walking false
	// removed m1
	// opened 1 times
}
