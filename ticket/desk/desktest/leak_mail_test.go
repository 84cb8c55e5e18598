package desktest_test

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/workinbox/workinbox/inbox"
)

// rich is a client's mail with a secret word in each of its fields, for these people.
func (w *leakWorld) rich(what string, who []string) []byte {
	s := func(field string) string { return w.secret(what+field, who...) }
	body := s("preview") + strings.Repeat(" and so on", 100) + "\r\n" + s("body")
	return mailOf(s("name")+" <"+s("address")+"@acme.example>", "undisclosed <"+s("to")+"@other.example>",
		"about "+s("subject"), "--cut\r\nContent-Type: text/plain\r\n\r\n"+body+
			"\r\n--cut\r\nContent-Type: text/html\r\n\r\n<p>"+body+" <b>"+s("html")+"</b></p>"+
			"\r\n--cut\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="+s("file")+".txt\r\n\r\n"+
			s("content")+"\r\n--cut--", "Content-Type: multipart/mixed; boundary=cut", "Cc: "+s("copied")+"@other.example",
		"Message-ID: <"+s("rfcid")+"@acme.example>")
}

// strange is a mail of nobody's client, for carl alone once the rules are narrow.
func (w *leakWorld) strange(what string) []byte {
	return bytes.ReplaceAll(w.rich(what, []string{"carl"}), []byte("@acme.example>\r\nTo"), []byte("@private.example>\r\nTo"))
}

// private is automated mail, which is for carl alone.
func (w *leakWorld) private(what string) []byte {
	return append([]byte("Auto-Submitted: auto-generated\r\n"), w.rich(what, []string{"carl"})...)
}

func mailOf(from, to, subject, body string, more ...string) []byte {
	lines := append([]string{"From: " + from, "To: " + to, "Subject: " + subject}, more...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + body + "\r\n")
}

// noticeText keeps what each person was told, as text.
type noticeText struct {
	mu  sync.Mutex
	got map[string]string
}

func (n *noticeText) Notify(_ context.Context, notice inbox.Notice) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got[string(notice.To.ID)] += spell(notice) + "\n"
	return nil
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
