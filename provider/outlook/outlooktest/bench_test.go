package outlooktest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// BenchmarkList reads 3,000 mails of about 10 KB in pages of 100 with their bodies.
func BenchmarkList(b *testing.B) {
	s := outlooktest.New(b, outlooktest.Config{Limits: outlooktest.Unlimited()})
	g := graph{b, s, s.Account(ann), s.Account(ann).Client()}
	body := "<html><body>" + strings.Repeat("<p>All about the matter at hand.</p>\r\n", 250) + "</body></html>"
	for i := range 3000 {
		g.a.Deliver(mail(body, "From: Bob <bob@other.example>", "To: "+ann, fmt.Sprintf("Message-ID: <%d@x>", i),
			"Subject: Matter", "Content-Type: text/html; charset=utf-8"),
			outlooktest.Delivery{Received: day(1).Add(time.Duration(i) * time.Minute)})
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	for b.Loop() {
		target := g.s.Endpoints().GraphURL + "/me/messages?$top=100&$filter=receivedDateTime+ge+2026-10-01T00:00:00Z&$orderby=receivedDateTime+desc"
		n := 0
		for target != "" {
			a := g.get(target)
			n += len(a.items())
			target = a.text("@odata.nextLink")
		}
		if n != 3000 {
			b.Fatalf("%d mails", n)
		}
	}
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB-held")
	b.ReportMetric(float64(b.N)*3000/b.Elapsed().Seconds(), "mails/s")
}
