package mailgen

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"time"
)

const (
	headerMean = 1300 // mean bytes of all header fields, part headers included
	leastText  = 160  // bytes
	htmlFactor = 1.32 // bytes of HTML for a byte of text
	htmlFrame  = 420  // bytes of HTML around the text
	spread     = 0.6  // of the logarithm of the length of a text
	dateLayout = "Mon, 02 Jan 2006 15:04:05 -0700"
)

// textMean is how long texts must be on average for the mean size to come out.
func (m *Mailbox) textMean() float64 {
	file := float64(m.c.AttachmentMin+m.c.AttachmentMax) / 2 * (78.0 / 57)
	rest := float64(m.c.MeanBytes) - m.c.AttachmentShare*file - headerMean - htmlFrame
	return math.Max(rest/(1+htmlFactor), 2*leastText)
}

// writer renders one message.
type writer struct {
	bytes.Buffer
	r *rand.Rand
	m *Mailbox
	s spec
	i int // index of the original
}

func (m *Mailbox) render(i int) []byte {
	s := m.specs[i]
	at := i
	if s.copy >= 0 {
		at = int(s.copy)
	}
	w := &writer{m: m, s: s, i: at, r: rand.New(rand.NewPCG(m.c.Seed, uint64(at)+1))}
	if !s.outbound {
		w.trace(i)
	}
	w.identity()
	w.origin()
	switch s.class {
	case Bounce:
		w.bounce()
	default:
		w.content()
	}
	return w.Bytes()
}

func (w *writer) field(name, value string) { fmt.Fprintf(w, "%s: %s\r\n", name, value) }

// trace writes the fields of the way here. Those of a copy differ from those of its original.
func (w *writer) trace(i int) {
	received := time.Unix(w.s.received, 0).UTC()
	from := w.m.correspondent(w.s)
	path := "<" + from.addr + ">"
	if w.s.class == Bounce {
		path = "<>"
	}
	host := "mx." + domainOf(from.addr)
	w.field("Return-Path", path)
	w.field("Delivered-To", w.m.c.Owner)
	w.field("Received", fmt.Sprintf("from %s (%s [192.0.2.%d])\r\n\tby mx.%s with ESMTPS id q%dx%d"+
		"\r\n\tfor <%s>; %s", host, host, i%250, domainOf(w.m.c.Owner), i, w.s.received,
		w.m.c.Owner, received.Format(dateLayout)))
	w.field("Received", fmt.Sprintf("from desk.%s ([198.51.100.%d])\r\n\tby %s with ESMTPSA id %x;"+
		"\r\n\t%s", domainOf(from.addr), w.r.IntN(250), host, w.r.Uint32(),
		received.Add(-2*time.Second).In(time.FixedZone("", 2*3600)).Format(dateLayout)))
	w.field("Authentication-Results", fmt.Sprintf("mx.%s;\r\n\tdkim=pass header.i=@%s header.s=s1;"+
		"\r\n\tspf=pass smtp.mailfrom=%s; dmarc=pass", domainOf(w.m.c.Owner), domainOf(from.addr),
		strings.Trim(path, "<>")))
	signature := base64.StdEncoding.EncodeToString(w.noise(256))
	w.field("DKIM-Signature", fmt.Sprintf("v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s1;\r\n\t"+
		"h=from:to:subject:date:message-id; bh=%s;\r\n\tb=%s", domainOf(from.addr),
		base64.StdEncoding.EncodeToString(w.noise(32)), fold(signature, 70)))
}

// identity writes the fields that say who, to whom, when and in answer to what.
func (w *writer) identity() {
	owner := person{"Olivia Hart", w.m.c.Owner}
	from, to := w.m.correspondent(w.s), owner
	if w.s.outbound {
		from, to = owner, from
	}
	w.field("From", mailbox(from))
	w.field("To", mailbox(to))
	if w.s.class == Personal && w.r.IntN(4) == 0 {
		w.field("Cc", mailbox(w.m.person(spec{client: w.s.client, domain: w.s.domain, who: w.s.who + 7})))
	}
	w.field("Subject", w.subject())
	w.date()
	w.field("Message-ID", "<"+w.m.messageID(w.i)+">")
	if chain := w.chain(); len(chain) > 0 {
		w.field("In-Reply-To", chain[len(chain)-1])
		if !w.s.noChain {
			w.field("References", strings.Join(chain, "\r\n\t"))
		}
	}
}

func (w *writer) date() {
	sent := time.Unix(w.m.specs[w.i].received, 0).Add(-3 * time.Second)
	if w.s.outbound {
		sent = sent.Add(3 * time.Second)
	}
	switch w.s.anomaly {
	case DateMissing:
		return
	case DateGarbage:
		w.field("Date", "yesterday at noon")
		return
	case DateFuture:
		sent = sent.AddDate(10, 0, 0)
	case DateEpoch:
		sent = time.Unix(0, 0)
	}
	w.field("Date", sent.UTC().Format(dateLayout))
}

// chain lists the ids of the messages this one follows, oldest first, no more than 20.
func (w *writer) chain() []string {
	var ids []string
	for p := w.s.parent; p >= 0 && len(ids) < 20; p = w.m.specs[p].parent {
		ids = append(ids, "<"+w.m.messageID(int(p))+">")
	}
	slices.Reverse(ids)
	return ids
}

func (w *writer) subject() string {
	root := w.i
	for w.m.specs[root].parent >= 0 {
		root = int(w.m.specs[root].parent)
	}
	r := rand.New(rand.NewPCG(w.m.c.Seed, ^uint64(root)))
	subject := fmt.Sprintf("%s %s %s", subjects[r.IntN(len(subjects))], word(r), word(r))
	switch {
	case w.s.class == Bounce:
		subject = "Undelivered Mail Returned to Sender"
	case w.s.class == AutoReply:
		subject = "Automatic reply: " + subject
	case root != w.i:
		subject = "Re: " + subject
	}
	return mime.QEncoding.Encode("utf-8", subject)
}

// origin writes the fields that machines put into what they send.
func (w *writer) origin() {
	domain := domainOf(w.m.correspondent(w.s).addr)
	switch w.s.class {
	case Newsletter:
		w.field("List-Id", "News <news."+domain+">")
		w.field("List-Unsubscribe", fmt.Sprintf("<https://%s/u/%x>", domain, w.r.Uint64()))
		w.field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		w.field("Precedence", "bulk")
		w.field("Feedback-ID", fmt.Sprintf("%d:news:%s", w.r.IntN(1000), domain))
	case Notification:
		w.field("Auto-Submitted", "auto-generated")
	case AutoReply:
		w.field("Auto-Submitted", "auto-replied")
		w.field("X-Auto-Response-Suppress", "All")
	case Bounce:
		w.field("Auto-Submitted", "auto-replied")
	}
	w.field("MIME-Version", "1.0")
}

// content writes the text in plain and HTML, and the attached file.
func (w *writer) content() {
	length := w.m.words * math.Exp(spread*w.r.NormFloat64()-spread*spread/2)
	words := text(w.r, max(leastText, int(length)))
	if w.s.parent >= 0 && w.s.class == Personal {
		cut := len(words) / 3
		cut += max(strings.IndexByte(words[cut:], '\n'), 0) + 1
		words = words[:cut] + "\nOn Monday they wrote:\n> " +
			strings.ReplaceAll(strings.TrimSpace(words[min(cut, len(words)):]), "\n", "\n> ") + "\n"
	}
	words += "\n-- \n" + people[int(w.s.who)%len(people)] + "\n"
	if w.s.attached {
		outer := w.boundary("mixed")
		fmt.Fprintf(w, "\r\n--%s\r\n", outer)
		w.alternatives(words)
		fmt.Fprintf(w, "\r\n--%s\r\n", outer)
		w.file()
		fmt.Fprintf(w, "\r\n--%s--\r\n", outer)
		return
	}
	w.alternatives(words)
}

func (w *writer) alternatives(words string) {
	inner := w.boundary("alternative")
	html := "<html><head><style>p{margin:0 0 1em;font:14px/1.4 Arial,sans-serif;color:#222}</style>" +
		"</head>\n<body><div class=\"message\">\n<p>" +
		strings.NewReplacer("> ", "&gt;&nbsp;", "\n\n", "</p>\n<p style=\"margin:0 0 1em 0\">",
			"\n", "<br>\n").Replace(words) + "</p>\n</div></body></html>\n"
	for _, part := range []struct{ kind, body string }{{"plain", words}, {"html", html}} {
		fmt.Fprintf(w, "\r\n--%s\r\nContent-Type: text/%s; charset=utf-8\r\n"+
			"Content-Transfer-Encoding: quoted-printable\r\n\r\n", inner, part.kind)
		q := quotedprintable.NewWriter(w)
		_, _ = q.Write([]byte(strings.ReplaceAll(part.body, "\n", "\r\n")))
		_ = q.Close()
	}
	fmt.Fprintf(w, "\r\n--%s--\r\n", inner)
}

// file writes an attached file, as dense as a PDF.
func (w *writer) file() {
	n := w.m.c.AttachmentMin + w.r.IntN(w.m.c.AttachmentMax-w.m.c.AttachmentMin+1)
	w.field("Content-Type", "application/pdf; name=\"draft.pdf\"")
	w.field("Content-Disposition", "attachment; filename=\"draft.pdf\"")
	w.field("Content-Transfer-Encoding", "base64")
	w.WriteString("\r\n")
	data := append([]byte("%PDF-1.7\n"), w.noise(n)...)
	line := make([]byte, 0, 76)
	for len(data) > 0 {
		k := min(57, len(data))
		line = base64.StdEncoding.AppendEncode(line[:0], data[:k])
		w.Write(line)
		w.WriteString("\r\n")
		data = data[k:]
	}
}

// bounce writes a delivery report about the parent.
func (w *writer) bounce() {
	b := fmt.Sprintf("report-%x", w.r.Uint64())
	to := w.m.person(w.s).addr
	w.field("Content-Type", "multipart/report; report-type=delivery-status;\r\n\tboundary=\""+b+"\"")
	fmt.Fprintf(w, "\r\n--%s\r\nContent-Type: text/plain\r\n\r\nYour mail to %s could not be "+
		"delivered.\r\n\r\n--%s\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "+
		"mx.%s\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\n"+
		"Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n--%s\r\nContent-Type: "+
		"text/rfc822-headers\r\n\r\n", b, to, b, domainOf(to), to, b)
	w.field("From", w.m.c.Owner)
	w.field("To", to)
	w.field("Message-ID", "<"+w.m.messageID(int(w.s.parent))+">")
	fmt.Fprintf(w, "\r\n--%s--\r\n", b)
}

func (w *writer) boundary(kind string) string {
	b := fmt.Sprintf("%s-%016x", kind, w.r.Uint64())
	w.field("Content-Type", "multipart/"+kind+"; boundary=\""+b+"\"")
	return b
}

func (w *writer) noise(n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		v := w.r.Uint64()
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40),
			byte(v>>48), byte(v>>56))
	}
	return b[:n]
}

func mailbox(p person) string {
	return mime.QEncoding.Encode("utf-8", p.name) + " <" + p.addr + ">"
}

func fold(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\r\n\t")
		s = s[n:]
	}
	return b.String() + s
}
