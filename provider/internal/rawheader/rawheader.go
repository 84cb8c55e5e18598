// Package rawheader fills a provider.Header from the header section of a raw message, for services
// that hand over raw mail and say nothing of its header themselves.
package rawheader

import (
	"io"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// byLength lists provider.ClassFields by the length of the name.
var byLength = func() map[int][]string {
	m := make(map[int][]string)
	for _, name := range provider.ClassFields() {
		m[len(name)] = append(m[len(name)], name)
	}
	return m
}()

// Fill reads the header section at the beginning of r and sets the addresses, the MessageID and the
// Fields of h; it leaves the rest of h alone. It may read past the section. The header comes back
// for what a provider needs besides, with what could be read when r fails; the error is that of r.
func Fill(h *provider.Header, r io.Reader) (rfc822.Header, error) {
	raw, err := rfc822.ReadHeader(r, rfc822.Limits{})
	Set(h, raw)
	return raw, err
}

// Set is Fill with a header that has been read already.
func Set(h *provider.Header, raw rfc822.Header) {
	e := raw.Envelope()
	h.From, h.Sender, h.ReplyTo = e.From, e.Sender, e.ReplyTo
	h.To, h.Cc, h.Bcc = e.To, e.Cc, e.Bcc
	h.MessageID = e.MessageID
	h.Fields = nil
	for name, value := range raw.All() {
		for _, canonical := range byLength[len(name)] {
			if strings.EqualFold(name, canonical) {
				h.Fields = append(h.Fields, provider.Field{Name: canonical, Value: value})
			}
		}
	}
}
