package gmailtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// wants says whether the change is one to tell of.
func (w *watch) wants(r *record) bool {
	if len(w.labels) == 0 {
		return true
	}
	has := slices.Contains(w.labels, r.label) || slices.ContainsFunc(w.labels, func(l string) bool {
		return slices.Contains(r.labels, l)
	})
	return has != w.exclude
}

// PushTarget is where Pub/Sub posts to: a push subscription of the topic that accounts are watched
// by. It belongs to all topics of the server.
type PushTarget struct {
	// URL is the address of the application's endpoint.
	URL string
	// Handler is the endpoint itself instead of a server at URL: nothing leaves the process, as it
	// must be in a testing/synctest bubble.
	Handler http.Handler
	// Audience and ServiceAccount are in the token that comes with each push. Audience defaults to
	// URL. Without a ServiceAccount pushes come without a token.
	Audience, ServiceAccount string
	// QuoteHistoryID writes the history id as a string, as Google's documents show it, instead of
	// the number that arrives in practice.
	QuoteHistoryID bool
	// AckDeadline is how long the endpoint may take. Default 10 seconds.
	AckDeadline time.Duration
	// Backoff is how long Pub/Sub waits before it delivers again what was not acknowledged; it
	// doubles up to a minute. Default a second.
	Backoff time.Duration
	// Client makes the posts. Default: one of the server's own.
	Client *http.Client
}

// PushStats counts notifications.
type PushStats struct {
	Published int // told to Pub/Sub
	Dropped   int // never told: more than one a second for an account
	Lost      int // lost because a test asked for it
	Attempts  int // posts, repetitions included
	Delivered int // posts that were acknowledged
}

// pushes is Pub/Sub.
type pushes struct {
	wait sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	target  *PushTarget
	own     *http.Transport
	queue   *PushQueue
	last    map[*Account]time.Time
	late    map[*Account][]notice
	serial  int
	plans   []*PushFault
	stats   PushStats
	keys    int // how often they were changed

	// told is how far each watch has looked at the changes, under the server's lock.
	told map[*Account]told
}

type told struct {
	watch   *watch
	history uint64
}

// notice is one message of Pub/Sub.
type notice struct {
	id      string
	topic   string
	address string
	history uint64
	at      time.Time
	copies  int
	delay   time.Duration
}

// PushTo subscribes the endpoint. A later call replaces it; what is under way still goes to the
// former one.
func (s *Server) PushTo(t PushTarget) {
	if t.Audience == "" {
		t.Audience = t.URL
	}
	if t.AckDeadline == 0 {
		t.AckDeadline = 10 * time.Second
	}
	if t.Backoff == 0 {
		t.Backoff = time.Second
	}
	p := &s.pushes
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Client == nil {
		t.Client = &http.Client{Transport: p.own}
	}
	if t.Handler != nil {
		t.Client = &http.Client{Transport: testserver.InMemory{Handler: t.Handler}}
		if t.URL == "" {
			t.URL = "http://push.invalid/"
		}
	}
	p.target = &t
}

// Pushes returns the figures so far.
func (s *Server) Pushes() PushStats {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	return s.pushes.stats
}

// startPushes is called by New before requests come.
func (s *Server) startPushes() {
	s.pushes.own = &http.Transport{DisableCompression: true}
	s.pushes.last, s.pushes.late = make(map[*Account]time.Time), make(map[*Account][]notice)
	s.pushes.told = make(map[*Account]told)
}

// stopPushes ends all deliveries and waits for them. The HTTP server must be closing.
func (s *Server) stopPushes() {
	p := &s.pushes
	p.mu.Lock()
	p.stopped = true
	if p.queue != nil {
		p.queue.close()
	}
	p.mu.Unlock()
	p.wait.Wait()
	p.own.CloseIdleConnections()
}

// changed tells the watcher of an account that it has changed. It is called without locks after
// every change, and after a watch began, which is told of at once.
func (s *Server) changed(a *Account) {
	n, ok := a.news()
	if !ok {
		return
	}
	p := &s.pushes
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	if last, told := p.last[a]; told && n.at.Sub(last) < time.Second {
		p.stats.Dropped++
		return
	}
	p.last[a] = n.at
	p.serial++
	n.id = strconv.Itoa(2070 + p.serial)
	p.stats.Published++
	lose, late := p.plan(&n)
	if lose {
		p.stats.Lost++
		return
	}
	if late {
		p.late[a] = append(p.late[a], n)
		return
	}
	// What was held back comes after what overtook it.
	all := append([]notice{n}, p.late[a]...)
	delete(p.late, a)
	target, queue := p.target, p.queue
	p.wait.Go(func() {
		for _, n := range all {
			if n.delay > 0 && !s.http.Pause(s.http.Closing(), n.delay) {
				return
			}
			for range 1 + n.copies {
				if queue != nil {
					queue.add(n.payload(false))
				}
				if target != nil {
					s.push(target, n)
				}
			}
		}
	})
}

// news says whether there is anything to tell, and what.
func (a *Account) news() (notice, bool) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	w, now := a.watch, a.s.now()
	if w == nil || !now.Before(w.expires) {
		return notice{}, false
	}
	before := a.s.pushes.told[a]
	wanted := before.watch != w // its beginning is told of
	for i := len(a.history) - 1; i >= 0 && a.history[i].id > before.history && !wanted; i-- {
		wanted = w.wants(&a.history[i])
	}
	a.s.pushes.told[a] = told{w, a.historyID}
	return notice{topic: w.topic, address: a.address, history: a.historyID, at: now}, wanted
}

// payload is what Gmail publishes.
func (n notice) payload(quoted bool) []byte {
	var id any = n.history
	if quoted {
		id = formatID(n.history)
	}
	b, err := json.Marshal(struct {
		EmailAddress string `json:"emailAddress"`
		HistoryID    any    `json:"historyId"`
	}{n.address, id})
	if err != nil {
		panic(err) // strings and numbers marshal
	}
	return b
}

// body is what Pub/Sub posts (https://docs.cloud.google.com/pubsub/docs/push).
func (n notice) body(quoted bool) []byte {
	at := n.at.UTC().Format("2006-01-02T15:04:05.999Z")
	type message struct {
		Data         string `json:"data"`
		MessageID    string `json:"messageId"`
		MessageID2   string `json:"message_id"`
		PublishTime  string `json:"publishTime"`
		PublishTime2 string `json:"publish_time"`
	}
	b, err := json.Marshal(struct {
		Message      message `json:"message"`
		Subscription string  `json:"subscription"`
	}{
		message{base64.StdEncoding.EncodeToString(n.payload(quoted)), n.id, n.id, at, at},
		strings.Replace(n.topic, "/topics/", "/subscriptions/", 1),
	})
	if err != nil {
		panic(err) // strings marshal
	}
	return b
}
