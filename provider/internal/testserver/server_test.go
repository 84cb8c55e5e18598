package testserver_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// serve starts a server that ends with the test.
func serve(t *testing.T, inMemory bool, h http.HandlerFunc) *testserver.Server {
	t.Helper()
	s := testserver.New("mail.invalid", inMemory)
	s.Serve(h)
	t.Cleanup(s.Close)
	return s
}

// do posts a body and returns the answer, read as far as it goes.
func do(t *testing.T, s *testserver.Server, body string) (status int, answer string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/send", strings.NewReader(body))
	require.NoError(t, err)
	resp, err := s.Client().Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }() // read as far as it goes
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestServes(t *testing.T) {
	t.Parallel()
	for name, inMemory := range map[string]bool{"on a port": false, "in memory": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, inMemory, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(w, r.Body)
			})
			status, answer, err := do(t, s, "hello")
			require.NoError(t, err)
			require.Equal(t, 200, status)
			require.Equal(t, "hello", answer)
			s.Close()
			s.Close()
			_, _, err = do(t, s, "hello")
			require.Error(t, err, "closed")
		})
	}
}

func TestCloseWaitsForAllThatItStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan string, 2)
		var s *testserver.Server
		began := make(chan bool)
		s = serve(t, true, func(_ http.ResponseWriter, r *http.Request) {
			close(began)
			<-r.Context().Done()
			time.Sleep(2 * time.Second)
			ended <- "request"
		})
		go func() { _, _, _ = do(t, s, "") }() // ends with the server
		<-began
		require.True(t, s.Go(func() {
			<-s.Closing().Done()
			time.Sleep(time.Second)
			ended <- "work"
		}))
		begin := time.Now()
		s.Close()
		require.Equal(t, 2*time.Second, time.Since(begin))
		require.Equal(t, []string{"work", "request"}, []string{<-ended, <-ended})
		require.False(t, s.Go(func() { t.Error("begun after the end") }))
	})
}

func TestPauseEndsWithWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true, func(http.ResponseWriter, *http.Request) {})
		begin := time.Now()
		require.True(t, s.Pause(t.Context(), time.Hour))
		require.Equal(t, time.Hour, time.Since(begin))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.False(t, s.Pause(ctx, time.Hour), "the client went away")
		require.Equal(t, time.Hour+time.Second, time.Since(begin))

		require.True(t, s.Go(func() {
			if s.Pause(s.Closing(), time.Hour) {
				t.Error("waited to the end")
			}
		}))
		s.Close()
		require.False(t, s.Pause(t.Context(), time.Hour), "closed")
		require.Equal(t, time.Hour+time.Second, time.Since(begin))
	})
}

func TestInMemoryServesLikeAServer(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: testserver.InMemory{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.RequestURI != "/bell?x=1" || r.Host != "push.invalid" {
				t.Errorf("uri %q, host %q", r.RequestURI, r.Host)
			}
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.Copy(w, r.Body)
		}),
	}}
	resp, err := client.Post("http://push.invalid/bell?x=1", "text/plain", strings.NewReader("ding"))
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 202, resp.StatusCode)
	require.Equal(t, "ding", string(b))
}
