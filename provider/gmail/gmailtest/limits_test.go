package gmailtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// A client that knows the limits uses nearly all of them over HTTP and is never refused.
func TestPacedClientIsNeverRefused(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]gmailtest.Limits{
		"new": gmailtest.NewProject(), "legacy": gmailtest.LegacyProject(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limits.Start = -1
				s := gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: limits})
				a := s.Account(ann)
				id := a.Deliver(hello(1), gmailtest.Delivery{})
				users := service(t, s, a)
				s.Fail(gmailtest.Fault{Times: -1, Delay: 80 * time.Millisecond})
				_, err := users.GetProfile("me").Do()
				requireStatus(t, err, 403, "rateLimitExceeded") // the store is empty at first
				var calls sync.WaitGroup
				price := s.Prices()["messages.get"]
				every := time.NewTicker(time.Minute * time.Duration(price) / time.Duration(limits.PerMinute))
				defer every.Stop()
				for range 3 * limits.PerMinute / price {
					<-every.C
					calls.Go(func() {
						if _, err := users.Messages.Get("me", id).Format("minimal").Do(); err != nil {
							t.Error(err)
						}
					})
				}
				calls.Wait()
				u := s.AccountUsage(ann)
				efficiency := float64(u.Units) / float64(u.Allowed)
				t.Logf("efficiency=%.3f units=%d in flight=%d", efficiency, u.Units, u.MaxInFlight)
				require.GreaterOrEqual(t, efficiency, 0.99)
				require.Equal(t, 1, u.Refused(), "the profile at the beginning")
				require.Equal(t, 3*limits.PerMinute, s.Usage().Units)
			})
		})
	}
}

func TestPartsOfABatchCountOneByOne(t *testing.T) {
	t.Parallel()
	s := gmailtest.New(t, gmailtest.Config{Limits: gmailtest.Limits{PerMinute: 50, Prices: gmailtest.Prices{"messages.get": 20}}})
	a := s.Account(ann)
	id := a.Deliver(hello(1), gmailtest.Delivery{})
	status := batchStatuses(t, s, a, fmt.Sprintf("messages/%s?format=minimal", id), 4)
	require.Equal(t, map[int]int{200: 2, 403: 2}, status)
	require.Equal(t, map[gmailtest.Refusal]int{gmailtest.RefusedMinute: 2}, s.Usage().Refusals)
	require.Equal(t, 40, s.Usage().Units)
}

func TestWideBatchMeetsTheLimitOfConcurrentCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: gmailtest.Limits{Concurrent: 20}})
		a := s.Account(ann)
		s.Fail(gmailtest.Fault{Times: -1, Delay: 50 * time.Millisecond})
		require.Equal(t, map[int]int{200: 20, 429: 30}, batchStatuses(t, s, a, "profile", 50))
		require.Equal(t, map[int]int{200: 10}, batchStatuses(t, s, a, "profile", 10))
	})
}

// Who has as many calls under way as allowed makes the next one as soon as an answer comes, which may
// be long before the server has written its end.
func TestCallIsNoLongerInWorkWhenItsAnswerBegins(t *testing.T) {
	t.Parallel()
	s := gmailtest.New(t, gmailtest.Config{Pipe: true, Limits: gmailtest.Limits{Concurrent: 1}})
	a := s.Account(ann)
	id := a.Deliver(mail(strings.Repeat("All work and no play.\r\n", 50_000), "From: "+bob), gmailtest.Delivery{})
	client := a.Client(scopeAll)
	get := func() *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			s.Endpoints().APIURL+"gmail/v1/users/me/messages/"+id+"?format=raw", http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	for range 3 {
		require.Equal(t, 200, get().StatusCode, "no body of a former answer was read")
	}
	require.Equal(t, 1, s.Stats().MaxInFlight)
	require.Equal(t, 1, s.Usage().MaxInFlight)
	require.Zero(t, s.Usage().Refused())
}

// batchStatuses sends the same call n times in one batch and counts the answers by status.
func batchStatuses(t *testing.T, s *gmailtest.Server, a *gmailtest.Account, path string, n int) map[int]int {
	t.Helper()
	s.ResetStats()
	var body string
	for range n {
		body += "--b\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/" + path + "\r\n\r\n"
	}
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoints().APIURL+"batch/gmail/v1",
		strings.NewReader(body+"--b--\r\n"))
	require.NoError(t, err)
	post.Header.Set("Content-Type", "multipart/mixed; boundary=b")
	resp, err := a.Client(scopeAll).Do(post)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	return s.Stats().Statuses
}
