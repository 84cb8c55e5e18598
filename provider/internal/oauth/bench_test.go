package oauth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// What a live token costs each call, with callers side by side.
func BenchmarkTransport(b *testing.B) {
	source := oauth.NewSource((&service{}).client(), old(24*time.Hour), nil)
	answered := &http.Response{StatusCode: 200}
	transport := &oauth.Transport{Source: source, Base: roundTripper(func(*http.Request) (*http.Response, error) {
		return answered, nil
	})}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.test/", nil)
		if err != nil {
			b.Error(err)
			return
		}
		for pb.Next() {
			if _, err := transport.RoundTrip(r); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
