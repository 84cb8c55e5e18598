package outlooktest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Push says how notifications travel.
type Push struct {
	// Handler is the application's endpoint for all notification URLs instead of a server that
	// listens there: nothing leaves the process, as it must be in a testing/synctest bubble.
	Handler http.Handler
	// MaxLife is the longest life of a subscription. Default 10,080 minutes; tables of Microsoft
	// had 4,230 until 2025.
	MaxLife time.Duration
	// Clip grants less life than was asked for, when it is longer than this. Zero: never.
	Clip time.Duration
	// Answer is how long an endpoint may take. Default 3 seconds.
	Answer time.Duration
	// Backoff is how long the service waits before it sends again what was not taken; it doubles.
	// Default 10 seconds. After GiveUp, 4 hours by default, the notification is dropped.
	Backoff, GiveUp time.Duration
}

func (p Push) withDefaults() Push {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&p.MaxLife, 10_080 * time.Minute}, {&p.Answer, 3 * time.Second},
		{&p.Backoff, 10 * time.Second}, {&p.GiveUp, 4 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return p
}

// PushFault makes notifications go wrong.
type PushFault struct {
	// Times is how many notifications are hit. Default one; negative is no end.
	Times int
	// Lose never sends them.
	Lose bool
	// Copies sends each as often again.
	Copies int
	// Delay sends them later.
	Delay time.Duration
}

// PushStats counts notifications.
type PushStats struct {
	Published int // changes that somebody subscribed to, and lifecycle events
	Lost      int // lost because a test asked for it
	Attempts  int // posts, repetitions included
	Delivered int // notifications that were taken
	Dropped   int // given up
}

// notice is one notification on its way.
type notice struct {
	target string
	body   []byte
}

type pushes struct {
	s      *Server
	client *http.Client
	own    *http.Transport

	mu     sync.Mutex
	queue  []notice
	faults []*PushFault
	stats  PushStats
}

func (p *pushes) init(s *Server) {
	p.s = s
	p.own = &http.Transport{DisableCompression: true}
	p.client = &http.Client{Transport: p.own, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	if h := s.c.Push.Handler; h != nil {
		p.client.Transport = testserver.InMemory{Handler: h}
	}
}

// Disturb makes notifications go wrong from now on. Of several faults the oldest hits.
func (s *Server) Disturb(f PushFault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	s.push.faults = append(s.push.faults, &f)
}

// Pushes returns the figures so far.
func (s *Server) Pushes() PushStats {
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	return s.push.stats
}

// changeType is what a subscriber is told of a change, or "".
func (sub *subscription) changeType(f *folder, k changeKind) string {
	if sub.folder != nil && sub.folder != f {
		return ""
	}
	whole := sub.folder == nil && sub.immutable // a move changes nothing but a property
	switch k {
	case changeAdded:
		return "created"
	case changeMovedIn:
		if whole {
			return "updated"
		}
		return "created"
	case changeMovedOut:
		if whole {
			return ""
		}
		return "deleted"
	case changeRemoved:
		return "deleted"
	}
	return "updated"
}

// publish queues what the subscribers are told of a change. It is called with the server's lock.
func (a *Account) publish(f *folder, c change) {
	for _, sub := range a.active(a.s.now()) {
		t := sub.changeType(f, c.kind)
		if t == "" || sub.paused || !slices.Contains(sub.types, t) {
			continue
		}
		id := c.id
		if sub.immutable {
			id = c.stable
		}
		resource := "Users/" + a.oid + "/Messages/" + id
		item := newObject()
		item.text("@odata.type", "#Microsoft.Graph.Message")
		item.text("@odata.id", resource)
		item.text("@odata.etag", c.m.etag())
		item.text("id", id)
		o := sub.head()
		o.text("changeType", t)
		o.text("resource", resource)
		o.object("resourceData", item)
		a.s.push.add(notice{sub.target, o.bytes()})
	}
}

// PublishPhantom tells the account's subscribers of a new message that does not exist, as happens with
// the copy in the Outbox of a mail that is sent from Outlook. It returns the message's id.
func (a *Account) PublishPhantom() (id string) {
	a.do(func() {
		a.number++
		m := &message{owner: a, number: a.number}
		m.id = a.makeID(prefixDefault, m.number, 99)
		m.immutable = a.makeID(prefixImmutable, m.number, 99)
		id = m.immutable
		a.publish(a.folders["outbox"], change{m: m, kind: changeAdded, id: m.id, stable: m.immutable})
	})
	return id
}

// head is what all notifications of a subscription have.
func (sub *subscription) head() *object {
	o := newObject()
	o.text("subscriptionId", sub.id)
	o.text("subscriptionExpirationDateTime", sub.expires.UTC().Format(time.RFC3339Nano))
	if sub.state == "" {
		o.null("clientState")
	} else {
		o.text("clientState", sub.state)
	}
	o.text("tenantId", sub.a.tenant)
	return o
}

func (p *pushes) add(n notice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Published++
	p.queue = append(p.queue, n)
}

// kick sends what is queued. It must be called without the server's lock.
func (p *pushes) kick() {
	p.mu.Lock()
	queue := p.queue
	p.queue = nil
	type group struct {
		target string
		delay  time.Duration
	}
	var order []group
	bodies := make(map[group][][]byte)
	put := func(g group, body []byte) {
		if bodies[g] == nil {
			order = append(order, g)
		}
		bodies[g] = append(bodies[g], body)
	}
	for _, n := range queue {
		f := p.fault()
		if f.Lose {
			p.stats.Lost++
			continue
		}
		for range 1 + f.Copies {
			put(group{n.target, f.Delay}, n.body)
		}
	}
	p.mu.Unlock()
	for _, g := range order {
		p.s.http.Go(func() { p.deliver(g.target, g.delay, bodies[g]) })
	}
}

// fault is what hits the next notification. It is called with the lock.
func (p *pushes) fault() PushFault {
	if len(p.faults) == 0 {
		return PushFault{}
	}
	f := p.faults[0]
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			p.faults = slices.Delete(p.faults, 0, 1)
		}
	}
	return *f
}

// deliver posts notifications until they are taken.
func (p *pushes) deliver(target string, delay time.Duration, bodies [][]byte) {
	if delay > 0 && !p.s.http.Pause(p.s.http.Closing(), delay) {
		return
	}
	o := newObject()
	o.list("value", bodies)
	body := string(o.bytes())
	wait, waited := p.s.c.Push.Backoff, time.Duration(0)
	for {
		ok := p.post(target, body)
		p.mu.Lock()
		p.stats.Attempts++
		switch {
		case ok:
			p.stats.Delivered += len(bodies)
		case waited+wait > p.s.c.Push.GiveUp:
			p.stats.Dropped += len(bodies)
			ok = true
		}
		p.mu.Unlock()
		if ok || !p.s.http.Pause(p.s.http.Closing(), wait) {
			return
		}
		waited += wait
		wait *= 2
	}
}

func (p *pushes) post(target, body string) bool {
	ctx, cancel := context.WithTimeout(p.s.http.Closing(), p.s.c.Push.Answer)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := p.client.Do(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // of no interest
	_ = resp.Body.Close()
	return resp.StatusCode/100 == 2
}

// handshakeLimit is how long an endpoint may take to prove that it is one.
//
// Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
const handshakeLimit = 10 * time.Second

// validate asks the endpoint for the token that it was sent.
func (p *pushes) validate(ctx context.Context, target string) bool {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	token := "Validation: Testing client application reachability for subscription Request-Id: " +
		guid("validation", target, p.s.now().String()) + " 100%+"
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	q := u.Query()
	q.Set("validationToken", token)
	u.RawQuery = q.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), http.NoBody)
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	resp, err := p.client.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or of no interest
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return err == nil && resp.StatusCode == http.StatusOK &&
		mediaType(resp.Header) == "text/plain" && string(b) == token
}
