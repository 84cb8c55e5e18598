package outlooktest_test

import (
	"encoding/json"
	"fmt"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// A server with one mailbox, read as an application reads it.
func Example() {
	s := outlooktest.New(nil, outlooktest.Config{})
	defer s.Close()
	a := s.Account("ann@acme.example")
	a.Deliver([]byte("From: Bob <bob@other.example>\r\nSubject: Hello\r\n\r\nHi Ann"), outlooktest.Delivery{})

	resp, err := a.Client("Mail.Read").Get(s.Endpoints().GraphURL + "/me/mailFolders/inbox/messages?$select=subject")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var page struct {
		Value []struct{ Subject string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.StatusCode, page.Value[0].Subject)
	fmt.Println(s.Stats().Requests["messages.list"], a.Usage().Refused())
	// Output:
	// 200 Hello
	// 1 0
}
