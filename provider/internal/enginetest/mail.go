package enginetest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// Letter delivers a mail of Bob's, received so long ago.
func (e *Engine) Letter(n int, ago time.Duration, fields ...string) (id string) {
	fields = append([]string{"From: Bob <" + Bob + ">", "To: " + Ann,
		fmt.Sprintf("Message-ID: <quagga-%d@other.example>", n)}, fields...)
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "Subject:") }) {
		fields = append(fields, fmt.Sprintf("Subject: Zebra number %d", n))
	}
	return e.c.Account.Deliver(mail("Okapi text.\r\n", fields...), time.Now().Add(-ago), false)
}

// mail makes a mail from its header fields, each "Name: value", and a body.
func mail(body string, fields ...string) []byte {
	return []byte(strings.Join(fields, "\r\n") + "\r\n\r\n" + body)
}

// thread delivers three mails of one conversation.
func (e *Engine) thread(n int, ago time.Duration) {
	e.Letter(n, ago, "Subject: Zebra offer")
	for i := 1; i < 3; i++ {
		answers := fmt.Sprintf("<quagga-%d@other.example>", n+i-1)
		e.Letter(n+i, ago-time.Duration(i)*time.Minute, "Subject: Re: Zebra offer",
			"In-Reply-To: "+answers, "References: "+answers)
	}
}

// Reply answers the newest ticket as rita, with attachments of so many bytes.
func (e *Engine) Reply(attached ...int) {
	e.t.Helper()
	var last ticket.Ticket
	for t, err := range e.Store.Tickets(e.t.Context(), ticket.Query{AllHidden: true, Limit: 1}) {
		require.NoError(e.t, err)
		last = t
	}
	e.attached = attached
	r := ticket.Reply{Text: "Okapi answer."}
	for _, size := range attached {
		r.Attachments = append(r.Attachments, attachment(size))
	}
	_, err := e.Desk.Tickets.Reply(e.t.Context(), e.Actor("rita"), last.ID, r)
	require.NoError(e.t, e.Said.keep(err))
}

func attachment(size int) rfc822.Attachment {
	return rfc822.Attachment{
		Name: "plan.bin", Type: "application/octet-stream", Size: int64(size),
		Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(bytes.Repeat([]byte("x"), size))), nil
		},
	}
}
