package testserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

func TestStats(t *testing.T) {
	t.Parallel()
	var c testserver.Counters
	c.Count("token")
	first, second := c.Begin("list", httptest.NewRecorder()), c.Begin("get", httptest.NewRecorder())
	first.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(second, "12345")
	first.End()
	second.End()
	third := c.Begin("get", httptest.NewRecorder())
	third.End()
	got := c.Stats()
	require.Equal(t, testserver.Stats{
		Requests: map[string]int{"token": 1, "list": 1, "get": 2}, Statuses: map[int]int{429: 1, 200: 1},
		MaxInFlight: 2, BytesOut: 5,
	}, got)

	fourth := c.Begin("get", httptest.NewRecorder())
	c.Reset()
	require.Equal(t, 1, c.Stats().MaxInFlight, "one is still in work")
	require.Len(t, got.Requests, 3, "what the caller got is its own")
	fourth.WriteHeader(http.StatusOK)
	fourth.End()
	require.Equal(t, map[int]int{200: 1}, c.Stats().Statuses)
	require.Empty(t, c.Stats().Requests)
}

// The place is free before the client can know of the answer, however it is given.
func TestCallLeavesBeforeTheFirstByteOfItsAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter) error{
		"status": func(w http.ResponseWriter) error { w.WriteHeader(http.StatusOK); return nil },
		"body":   func(w http.ResponseWriter) error { _, err := io.WriteString(w, "1"); return err },
		"flush":  func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
		"none":   func(http.ResponseWriter) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c testserver.Counters
			left := 0
			w := &watched{ResponseRecorder: httptest.NewRecorder()}
			a := c.Begin("get", w)
			a.WhenLeft(func() { left++ })
			w.touched = func() { require.Equal(t, 1, left, "answered while in work") }
			require.NoError(t, answer(a))
			a.End()
			require.Equal(t, 1, left)
			c.Reset()
			require.Zero(t, c.Stats().MaxInFlight, "none is in work any more")
		})
	}
}

// watched tells when something is sent.
type watched struct {
	*httptest.ResponseRecorder
	touched func()
}

func (w *watched) WriteHeader(status int) {
	w.touched()
	w.ResponseRecorder.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	w.touched()
	return w.ResponseRecorder.Write(b)
}

func (w *watched) Flush() {
	w.touched()
	w.ResponseRecorder.Flush()
}
