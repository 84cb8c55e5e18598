package gmailtest_test

import (
	"encoding/base64"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// The mail is sent and the answer is lost: what an application must not take for a failure.
func ExampleServer_Fail() {
	s := gmailtest.New(nil, gmailtest.Config{})
	defer s.Close()
	ann := s.Account("ann@shop.example")
	s.Fail(gmailtest.Fault{Method: "messages.send", Break: gmailtest.CloseServed})

	mail := "From: ann@shop.example\r\nTo: bob@acme.example\r\nSubject: Offer\r\n\r\nHello.\r\n"
	body := `{"raw":"` + base64.URLEncoding.EncodeToString([]byte(mail)) + `"}`
	send, err := http.NewRequest(http.MethodPost, s.Endpoints().APIURL+"gmail/v1/users/me/messages/send",
		strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := ann.Client().Do(send)
	if err == nil {
		_ = answer.Body.Close()
	}
	fmt.Println("answered:", err == nil)
	fmt.Println("sent:", len(ann.Sent()))
	// Output:
	// answered: false
	// sent: 1
}
