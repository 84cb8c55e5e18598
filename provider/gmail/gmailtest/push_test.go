package gmailtest_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

const topic = "projects/shop/topics/mail"

// endpoint is an application's push endpoint: it keeps what comes and answers as status says.
type endpoint struct {
	mu     sync.Mutex
	got    []pushed
	status func(n int) int // of the n-th post; nil is 204
}

type pushed struct {
	at      time.Time
	auth    string
	body    string
	data    string
	id      string
	history int64
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var push struct {
		Message struct {
			Data      []byte
			MessageID string `json:"messageId"`
		}
	}
	p := pushed{at: time.Now(), auth: r.Header.Get("Authorization"), body: string(body)}
	if json.Unmarshal(body, &push) == nil {
		p.data, p.id = string(push.Message.Data), push.Message.MessageID
		var data struct{ HistoryID int64 }
		if json.Unmarshal(push.Message.Data, &data) == nil {
			p.history = data.HistoryID
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, p)
	status := http.StatusNoContent
	if e.status != nil {
		status = e.status(len(e.got))
	}
	w.WriteHeader(status)
}

func (e *endpoint) pushes() []pushed {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]pushed(nil), e.got...)
}

// watched is a server in virtual time with a watched account, whose first notification came a while
// ago.
func watched(t *testing.T, target gmailtest.PushTarget, labels ...string) (*gmailtest.Server, *gmailtest.Account, *endpoint) {
	t.Helper()
	e := &endpoint{}
	s, a := open(t, gmailtest.Config{Pipe: true})
	target.Handler = e
	s.PushTo(target)
	watch(t, s, a, &gmail.WatchRequest{TopicName: topic, LabelIds: labels})
	time.Sleep(time.Minute)
	require.Len(t, e.pushes(), 1, "the watch itself is told of at once")
	return s, a, e
}

func watch(t *testing.T, s *gmailtest.Server, a *gmailtest.Account, w *gmail.WatchRequest) {
	t.Helper()
	answer, err := service(t, s, a).Watch("me", w).Do()
	require.NoError(t, err)
	require.Equal(t, time.Now().Add(7*24*time.Hour).UnixMilli(), answer.Expiration)
}

func TestChangeIsPushedInTheShapeOfPubSub(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, a, e := watched(t, gmailtest.PushTarget{})
		a.Deliver(hello(1), gmailtest.Delivery{})
		synctest.Wait()
		got := e.pushes()
		require.Len(t, got, 2)
		require.Equal(t, int64(a.HistoryID()), got[1].history)
		require.Empty(t, got[1].auth, "no service account, no token")
		require.JSONEq(t, `{"message":{"data":"`+base64.StdEncoding.EncodeToString([]byte(got[1].data))+`",
			"messageId":"2072","message_id":"2072","publishTime":"2000-01-01T00:01:00Z","publish_time":"2000-01-01T00:01:00Z"},
			"subscription":"projects/shop/subscriptions/mail"}`, got[1].body)
	})
}

func TestHistoryIDIsANumberOrQuoted(t *testing.T) {
	t.Parallel()
	for quoted, want := range map[bool]string{
		false: `{"emailAddress":"ann@acme.example","historyId":ID}`,
		true:  `{"emailAddress":"ann@acme.example","historyId":"ID"}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			s, a := open(t, gmailtest.Config{Pipe: true})
			e := &endpoint{}
			s.PushTo(gmailtest.PushTarget{Handler: e, QuoteHistoryID: quoted})
			answer, err := service(t, s, a).Watch("me", &gmail.WatchRequest{TopicName: topic}).Do()
			require.NoError(t, err)
			synctest.Wait()
			id, err := json.Marshal(answer.HistoryId)
			require.NoError(t, err)
			require.Equal(t, strings.Replace(want, "ID", string(id), 1), e.pushes()[0].data)
		})
	}
}

func TestMoreThanOneASecondIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a, e := watched(t, gmailtest.PushTarget{})
		for n := range 25 {
			a.Deliver(hello(n), gmailtest.Delivery{})
			time.Sleep(100 * time.Millisecond)
		}
		require.Len(t, e.pushes(), 1+3)
		require.Equal(t, gmailtest.PushStats{Published: 4, Dropped: 22, Attempts: 4, Delivered: 4}, s.Pushes())
		b := s.Account(bob)
		watch(t, s, b, &gmail.WatchRequest{TopicName: topic})
		synctest.Wait()
		require.Len(t, e.pushes(), 5, "another account has a second of its own")
	})
}

func TestWatchEndsAfterSevenDaysOrStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a, e := watched(t, gmailtest.PushTarget{})
		time.Sleep(7*24*time.Hour - 2*time.Minute)
		a.Deliver(hello(1), gmailtest.Delivery{})
		synctest.Wait()
		require.Len(t, e.pushes(), 2)
		time.Sleep(2 * time.Minute)
		a.Deliver(hello(2), gmailtest.Delivery{})
		synctest.Wait()
		require.Len(t, e.pushes(), 2, "the watch is over")

		watch(t, s, a, &gmail.WatchRequest{TopicName: topic})
		time.Sleep(time.Minute)
		require.Len(t, e.pushes(), 3)
		require.NoError(t, service(t, s, a).Stop("me").Do())
		a.Deliver(hello(3), gmailtest.Delivery{})
		time.Sleep(time.Minute)
		require.Len(t, e.pushes(), 3)
	})
}

func TestOnlyChangesOfTheLabelsArePushed(t *testing.T) {
	t.Parallel()
	for behavior, want := range map[string][]int{"include": {1, 3}, "exclude": {2}} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{}
			s, a := open(t, gmailtest.Config{Pipe: true})
			s.PushTo(gmailtest.PushTarget{Handler: e})
			watch(t, s, a, &gmail.WatchRequest{
				TopicName: topic, LabelIds: []string{"INBOX"}, LabelFilterBehavior: behavior,
			})
			time.Sleep(time.Minute)
			var pushed []int
			step := func(n int, do func()) {
				before := len(e.pushes())
				do()
				time.Sleep(time.Minute)
				if len(e.pushes()) > before {
					pushed = append(pushed, n)
				}
			}
			var id string
			step(1, func() { id = a.Deliver(hello(1), gmailtest.Delivery{}) })
			step(2, func() { a.Deliver(hello(2), gmailtest.Delivery{Sent: true}) })
			step(3, func() { a.RemoveLabels(id, "INBOX") })
			require.Equal(t, want, pushed, behavior)
		})
	}
}

func TestPushIsRepeatedUntilAcknowledged(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 202, 204} {
		synctest.Test(t, func(t *testing.T) {
			s, a, e := watched(t, gmailtest.PushTarget{Backoff: 2 * time.Second})
			e.status = func(n int) int {
				return map[int]int{2: 500, 3: 302, 4: 403}[n] + map[int]int{5: status}[n]
			}
			began := time.Now()
			a.Deliver(hello(1), gmailtest.Delivery{})
			time.Sleep(time.Hour)
			var after []time.Duration
			for _, p := range e.pushes()[1:] {
				require.Equal(t, "2072", p.id, "it is the same message")
				after = append(after, p.at.Sub(began))
			}
			require.Equal(t, []time.Duration{0, 2 * time.Second, 6 * time.Second, 14 * time.Second}, after)
			require.Equal(t, 2, s.Pushes().Delivered)
		})
	}
}

func TestSlowEndpointGetsThePushAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := open(t, gmailtest.Config{Pipe: true})
		var posts atomic.Int32
		s.PushTo(gmailtest.PushTarget{AckDeadline: 20 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if posts.Add(1) == 1 {
				<-r.Context().Done()
			}
		})})
		watch(t, s, a, &gmail.WatchRequest{TopicName: topic})
		time.Sleep(21*time.Second - 1)
		require.EqualValues(t, 1, posts.Load())
		time.Sleep(time.Hour)
		require.EqualValues(t, 2, posts.Load())
		require.Equal(t, gmailtest.PushStats{Published: 1, Attempts: 2, Delivered: 1}, s.Pushes())
	})
}

func TestPushesAreLostDoubledDelayedAndOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a, e := watched(t, gmailtest.PushTarget{})
		s.FailPush(gmailtest.PushFault{Account: bob, Times: -1, Lose: true})
		s.FailPush(gmailtest.PushFault{Skip: 1, Lose: true})
		s.FailPush(gmailtest.PushFault{Skip: 1, Copies: 2})
		s.FailPush(gmailtest.PushFault{Skip: 1, Delay: 5 * time.Second})
		s.FailPush(gmailtest.PushFault{Skip: 1, Late: true})
		for n := range 7 {
			a.Deliver(hello(n), gmailtest.Delivery{})
			time.Sleep(2 * time.Second)
		}
		time.Sleep(time.Minute)
		var ids []string
		for _, p := range e.pushes() {
			ids = append(ids, p.id)
		}
		require.Equal(t, []string{"2071", "2072", "2074", "2074", "2074", "2077", "2076", "2075", "2078"}, ids)
		require.Equal(t, 1, s.Pushes().Lost)
	})
}

func TestPushesGoOverRealConnections(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 1)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type")
	}))
	t.Cleanup(web.Close)
	s, a := open(t, gmailtest.Config{})
	s.PushTo(gmailtest.PushTarget{URL: web.URL + "/push", ServiceAccount: "push@shop.example"})
	_, err := service(t, s, a).Watch("me", &gmail.WatchRequest{TopicName: topic}).Do()
	require.NoError(t, err)
	require.Equal(t, "POST /push application/json", <-arrived)
}

func TestCloseEndsDeliveries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a, e := watched(t, gmailtest.PushTarget{})
		e.status = func(int) int { return 500 }
		a.Deliver(hello(1), gmailtest.Delivery{})
		s.FailPush(gmailtest.PushFault{Delay: time.Hour})
		time.Sleep(time.Minute)
		a.Deliver(hello(2), gmailtest.Delivery{})
		queue := s.PullPushes()
		failed := make(chan error)
		go func() {
			_, _, err := queue.Pull(t.Context())
			failed <- err
		}()
		synctest.Wait()
		s.Close()
		require.ErrorIs(t, <-failed, net.ErrClosed)
		a.Deliver(hello(3), gmailtest.Delivery{})
		_, _, err := queue.Pull(t.Context())
		require.ErrorIs(t, err, net.ErrClosed)
		// The bubble fails the test if anything of the server is still there.
	})
}
