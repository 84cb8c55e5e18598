package rfc822_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/workinbox/workinbox/provider/rfc822"
)

const raw = "From: =?utf-8?q?J=C3=B6rg?= <joerg@client.example>\r\n" +
	"To: ann@a.example\r\nSubject: Offer\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\n\r\nPlease see below.\r\n" +
	"--b\r\nContent-Type: application/pdf; name=offer.pdf\r\n" +
	"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n"

func ExampleParse() {
	m, err := rfc822.Parse(strings.NewReader(raw), rfc822.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Envelope.From[0].Name, m.Envelope.Subject, m.Signals.Class)
	fmt.Println(m.Text)
	for _, p := range m.Parts {
		fmt.Println(p.Path, p.Type, p.Name, p.Size)
	}
	// Output:
	// Jörg Offer human
	// Please see below.
	// 2 application/pdf offer.pdf 4
}

func ExampleOpenPart() {
	_, content, err := rfc822.OpenPart(strings.NewReader(raw), "2", rfc822.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := io.ReadAll(content)
	fmt.Println(string(b), err)
	// Output: %PDF <nil>
}
