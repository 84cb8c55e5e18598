package rfc822

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/textproto"
	"golang.org/x/net/idna"
)

// Draft is a mail to be built. From, Date and at least one recipient are
// needed; everything else may be zero. Ids are written without angles. A field
// that is empty is left out of the header, and Sender also where it is From.
// Bcc is written, because mail services take recipients from it; they strip it
// on delivery.
type Draft struct {
	From       Address
	Sender     Address
	ReplyTo    []Address
	To         []Address
	Cc         []Address
	Bcc        []Address
	Subject    string
	MessageID  string
	Date       time.Time
	InReplyTo  []string
	References []string

	Text string // any line ends; Build makes no text from HTML
	HTML string

	Inline      []Attachment // what HTML shows by cid:, each with a ContentID
	Attachments []Attachment

	Headers []HeaderField // more fields, such as X-... or Auto-Submitted
}

// HeaderField is a header field as people write it: a decoded value on one line.
type HeaderField struct{ Name, Value string }

// Attachment is a file to send. Open is called once by each Build, and what it
// returns is closed. Type is a media type; "" and what is none become
// application/octet-stream, and so do message/... and multipart/... types,
// which RFC 2046 forbids to encode. Size is the number of bytes Open gives, or
// zero when unknown; another number there is an error, so that no file is sent
// cut short. ContentID, without angles, is what cid: in the HTML names.
type Attachment struct {
	Name      string
	Type      string
	ContentID string
	Size      int64
	Open      func() (io.ReadCloser, error)
}

// Build writes the draft as a message of RFC 5322 and MIME (2045, 2047, 2231):
// ASCII throughout, CRLF line ends, lines of at most 998 octets, headers folded
// at 78 where words allow. Text and HTML become multipart/alternative, inline
// files multipart/related, attachments multipart/mixed. Domains are written as
// A-labels. The same draft gives the same bytes.
//
// Everything but the attachments' content is checked before the first byte is
// written; what does not fit is a *DraftError. Attachments are streamed, so an
// error there leaves a part of the message in w.
func Build(w io.Writer, d Draft) error {
	fields, err := d.header()
	if err != nil {
		return err
	}
	body, err := d.body()
	if err != nil {
		return err
	}
	for _, f := range slices.Backward(fields) {
		body.header.AddRaw(f)
	}
	out := bufio.NewWriter(w)
	if err := textproto.WriteHeader(out, body.header.Header); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	if err := body.writeTo(out); err != nil {
		return err
	}
	if body.open {
		out.WriteString("\r\n")
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// WriteTo is Build as an io.WriterTo.
func (d Draft) WriteTo(w io.Writer) (int64, error) {
	counted := &countingWriter{w: w}
	err := Build(counted, d)
	return counted.n, err
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// NewMessageID makes a Message-ID, without angles, from random bytes (16 or
// more make it unique) and the sender's domain. A domain that is none is
// replaced by mail.invalid (RFC 2606).
func NewMessageID(random []byte, domain string) string {
	name := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random)
	host, err := asciiDomain(domain)
	if err != nil || strings.HasPrefix(host, "[") {
		host = "mail.invalid"
	}
	return "wi." + strings.ToLower(name) + "@" + host
}

// boundary makes a multipart boundary that is fixed by the draft and the
// number of the multipart. "=_" occurs neither in base64 nor in
// quoted-printable, and plain text that holds it at the start of a line is
// encoded, so a boundary is never found inside a part.
func (d Draft) boundary(n int) string {
	h := sha256.New()
	date := d.Date.UTC().String()
	for _, s := range []string{d.MessageID, date, d.From.Address, d.Subject, d.Text, d.HTML} {
		fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	fmt.Fprint(h, n)
	return "=_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// header builds all fields but those that describe the body, topmost first.
func (d Draft) header() ([][]byte, error) {
	b := &headerWriter{}
	if d.Date.IsZero() {
		b.fail("Date", ErrMissing)
	}
	b.line("Date", d.Date.Format(time.RFC1123Z))
	if d.From.Address == "" {
		b.fail("From", ErrMissing)
	}
	b.addresses("From", []Address{d.From})
	if d.Sender.Address != "" && d.Sender.Address != d.From.Address {
		b.addresses("Sender", []Address{d.Sender})
	}
	if len(d.To)+len(d.Cc)+len(d.Bcc) == 0 {
		b.fail("To", ErrNoRecipients)
	}
	b.addresses("Reply-To", d.ReplyTo)
	b.addresses("To", d.To)
	b.addresses("Cc", d.Cc)
	b.addresses("Bcc", d.Bcc)
	b.text("Subject", d.Subject)
	if d.MessageID != "" {
		b.ids("Message-ID", []string{d.MessageID})
	}
	b.ids("In-Reply-To", d.InReplyTo)
	b.ids("References", d.References)
	for _, f := range d.Headers {
		if !isExtraField(f.Name) {
			b.fail("Headers", ErrBadField)
			break
		}
		b.text(f.Name, f.Value)
	}
	b.line("MIME-Version", "1.0")
	return b.fields, b.err
}

// isExtraField says whether a caller may set the field: its name is made of
// token characters, and it is none of those Build or a server writes.
func isExtraField(name string) bool {
	if name == "" || len(name) > 60 {
		return false
	}
	for i := 0; i < len(name); i++ {
		if !isASCIILetter(name[i]) && !isDigit(name[i]) && name[i] != '-' && name[i] != '_' {
			return false
		}
	}
	lower := strings.ToLower(name)
	switch lower {
	case "date", "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "message-id",
		"in-reply-to", "references", "mime-version", "return-path", "received", "apparently-to":
		return false
	}
	return !strings.HasPrefix(lower, "content-") && !strings.HasPrefix(lower, "resent-")
}

// asciiDomain returns the domain as it goes onto the wire.
func asciiDomain(domain string) (string, error) {
	if domain == "" || len(domain) > 253 {
		return "", ErrBadAddress
	}
	for i := 0; i < len(domain); i++ {
		if domain[i] >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(domain)
			if err != nil {
				return "", ErrBadAddress
			}
			return ascii, nil
		}
	}
	literal := strings.HasPrefix(domain, "[") && strings.HasSuffix(domain, "]")
	inner := strings.TrimSuffix(strings.TrimPrefix(domain, "["), "]")
	if !literal {
		inner = domain
	}
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if !isASCIILetter(c) && !isDigit(c) && c != '-' && c != '_' && c != '.' && (!literal || c != ':') {
			return "", ErrBadAddress
		}
	}
	if inner == "" || !literal && (inner[0] == '.' || strings.Contains(inner, "..")) {
		return "", ErrBadAddress
	}
	return domain, nil
}

// wireLines brings all line ends into the form of the wire.
func wireLines(text string) []byte {
	return bytes.ReplaceAll([]byte(unixLines(text)), []byte("\n"), []byte("\r\n"))
}
