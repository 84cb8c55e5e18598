package gmailtest

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// maxBackoff is the longest wait between two deliveries of one notification.
const maxBackoff = time.Minute

// push posts a notification until it is acknowledged or the server closes.
func (s *Server) push(t *PushTarget, n notice) {
	for wait := t.Backoff; ; wait = min(2*wait, maxBackoff) {
		if s.post(t, n) || !s.http.Pause(s.http.Closing(), wait) {
			return
		}
	}
}

// post posts a notification once and says whether it was acknowledged.
func (s *Server) post(t *PushTarget, n notice) bool {
	ctx, cancel := context.WithTimeout(s.http.Closing(), t.AckDeadline)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(n.body(t.QuoteHistoryID)))
	if err != nil {
		panic(err) // an address that no post can go to is a mistake of the test
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "CloudPubSub-Google")
	if t.ServiceAccount != "" {
		r.Header.Set("Authorization", "Bearer "+s.SignToken(s.PushClaims(t.Audience, t.ServiceAccount)))
	}
	s.countPush(func(c *PushStats) { c.Attempts++ })
	answer, err := t.Client.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // it says nothing that counts
	if !acknowledges(answer.StatusCode) {
		return false
	}
	s.countPush(func(c *PushStats) { c.Delivered++ })
	return true
}

// acknowledges says which answers Pub/Sub takes for yes
// (https://docs.cloud.google.com/pubsub/docs/push).
func acknowledges(status int) bool {
	switch status {
	case http.StatusProcessing, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return true
	}
	return false
}

func (s *Server) countPush(add func(*PushStats)) {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	add(&s.pushes.stats)
}

// PushFault is something that goes wrong with notifications between Gmail and the application.
// Pub/Sub promises neither order nor that each comes once.
type PushFault struct {
	// Account is the address of the account. Default: all.
	Account string
	// Skip lets that many notifications pass first.
	Skip int
	// Times is how many are hit. Default one; negative is no end.
	Times int

	Lose   bool          // it never arrives
	Copies int           // it arrives that many times more
	Delay  time.Duration // it arrives that much later
	Late   bool          // it arrives after the account's next one
}

// FailPush makes notifications go wrong from now on. Of several PushFaults the oldest that fits is
// taken.
func (s *Server) FailPush(f PushFault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	s.pushes.plans = append(s.pushes.plans, &f)
}

// plan asks the faults what happens to a notification.
func (p *pushes) plan(n *notice) (lose, late bool) {
	for _, f := range p.plans {
		if f.Times == 0 || f.Account != "" && f.Account != n.address {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		n.copies, n.delay = f.Copies, f.Delay
		return f.Lose, f.Late
	}
	return false, false
}
