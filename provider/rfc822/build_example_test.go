package rfc822_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// An answer carries its parent's ids, one "Re: ", and a quote.
func ExampleBuild() {
	parent := rfc822.Envelope{
		MessageID: "offer-1@example.org",
		From:      []rfc822.Address{{Name: "Bob", Address: "bob@example.org"}},
		Subject:   "AW: Chairs",
		Date:      time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC),
	}
	d := rfc822.Draft{
		From:      rfc822.Address{Name: "Ann Lee", Address: "ann@example.com"},
		Subject:   rfc822.ReplySubject(parent.Subject),
		MessageID: rfc822.NewMessageID([]byte("0123456789abcdef"), "example.com"),
		Date:      time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC),
		Text:      "Four, please.\n\n" + rfc822.QuoteText(parent, "How many?"),
	}
	d.To, d.Cc = rfc822.ReplyAllRecipients(parent, []string{"ann@example.com"})
	d.InReplyTo, d.References = rfc822.ReplyHeaders(parent)
	var message strings.Builder
	if err := rfc822.Build(&message, d); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	fmt.Println(strings.ReplaceAll(message.String(), "\r", ""))
	// Output:
	// Date: Thu, 05 Mar 2026 09:00:00 +0000
	// From: Ann Lee <ann@example.com>
	// To: Bob <bob@example.org>
	// Subject: Re: Chairs
	// Message-ID: <wi.gaytemzugu3doobzmfrggzdfmy@example.com>
	// In-Reply-To: <offer-1@example.org>
	// References: <offer-1@example.org>
	// MIME-Version: 1.0
	// Content-Type: text/plain; charset=utf-8
	// Content-Transfer-Encoding: 7bit
	//
	// Four, please.
	//
	// On Wed, 4 Mar 2026 at 05:06 +0000, Bob <bob@example.org> wrote:
	// > How many?
}
