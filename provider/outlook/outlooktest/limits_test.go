package outlooktest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// slow makes every list take a second.
func slow(method string, _ int) time.Duration {
	if method == "messages.list" {
		return time.Second
	}
	return 0
}

func TestFourCallsAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Latency: slow}, func(t *testing.T, g graph) {
		other := g.as(bob)
		var mu sync.Mutex
		statuses := make(map[int]int)
		var wait sync.WaitGroup
		for range 6 {
			wait.Go(func() {
				a := g.do("GET", "/me/messages", "")
				mu.Lock()
				defer mu.Unlock()
				statuses[a.status]++
				if a.status == 429 {
					g.refused(a, 429, "ApplicationThrottled")
					require.Equal(t, "1", a.header.Get("Retry-After"))
				}
			})
		}
		wait.Go(func() { require.Equal(t, 200, other.do("GET", "/me/messages", "").status) })
		wait.Wait()
		require.Equal(t, map[int]int{200: 4, 429: 2}, statuses)
		u := g.a.Usage()
		require.Equal(t, 4, u.MaxInFlight)
		require.Equal(t, 6, u.Requests)
		require.Equal(t, map[outlooktest.Refusal]int{outlooktest.RefusedConcurrent: 2}, u.Refusals)
		require.Equal(t, 2, u.Refused())
		require.Equal(t, 7, g.s.Stats().Requests["messages.list"])
		require.Equal(t, 2, g.s.Stats().Statuses[429])
	})
}

func TestCallsOfTenMinutes(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Limits: outlooktest.Limits{
		Requests: 10, Window: 10 * time.Minute,
	}}, func(t *testing.T, g graph) {
		for range 10 {
			g.get("/me")
			time.Sleep(time.Minute / 2)
		}
		a := g.do("GET", "/me", "")
		g.refused(a, 429, "ApplicationThrottled")
		wait, err := strconv.Atoi(a.header.Get("Retry-After"))
		require.NoError(t, err)
		require.Equal(t, 330, wait, "until the second call leaves the window: the refused one counts")
		time.Sleep(time.Duration(wait) * time.Second)
		g.get("/me")
	})
}

func TestUploadsOfFiveMinutes(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Limits: outlooktest.Limits{
		UploadBytes: 1000, UploadWindow: 5 * time.Minute,
	}}, func(t *testing.T, g graph) {
		draft := `{"subject":"` + strings.Repeat("x", 600) + `"}`
		require.Equal(t, 201, g.do("POST", "/me/messages", draft).status)
		a := g.do("POST", "/me/messages", draft)
		g.refused(a, 429, "ApplicationThrottled")
		require.Equal(t, "300", a.header.Get("Retry-After"))
		time.Sleep(5 * time.Minute)
		require.Equal(t, 201, g.do("POST", "/me/messages", draft).status)
	})
}

// part writes one request of a batch.
func part(id int, target string, more string) string {
	return fmt.Sprintf(`{"id":"%d","method":"GET","url":%q%s}`, id, target, more)
}

func batch(parts ...string) string { return `{"requests":[` + strings.Join(parts, ",") + `]}` }

// answers are the answers of a batch by their ids.
func (a answer) answers() map[string]map[string]any {
	out := make(map[string]map[string]any)
	for _, r := range a.json["responses"].([]any) {
		m := r.(map[string]any)
		out[m["id"].(string)] = m
	}
	return out
}

func TestBatch(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	id := g.fill(1)[0]
	a := g.do("POST", "/$batch", batch(
		part(1, "/me/messages/"+id+"?$select=id,isDraft", `,"headers":{"Prefer":"IdType=\"ImmutableId\""}`),
		part(2, "me/messages/AAkALgnone", ""),
		part(3, "/me/messages/"+id+"/$value", ""),
		`{"id":"4","method":"PATCH","url":"/me/messages/`+id+`","body":{"isRead":true},"headers":{"content-type":"application/json"}}`,
		part(5, "/me", `,"dependsOn":["2"]`), part(6, "/me", `,"dependsOn":["4"]`)))
	require.Equal(t, 200, a.status, "%s", a.body)
	got := a.answers()
	require.Equal(t, id, got["1"]["body"].(map[string]any)["id"])
	require.InDelta(t, 404, got["2"]["status"], 0)
	require.Equal(t, base64Of(hello(0)), got["3"]["body"])
	require.InDelta(t, 200, got["4"]["status"], 0)
	require.True(t, g.a.Messages()[0].Read)
	require.InDelta(t, 424, got["5"]["status"], 0)
	require.InDelta(t, 200, got["6"]["status"], 0)
	first := a.json["responses"].([]any)[0].(map[string]any)
	require.NotEqual(t, "1", first["id"], "not in the order of the requests")
}

func TestBatchPartsPassTheSameGate(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{Latency: slow}, func(t *testing.T, g graph) {
		var parts []string
		for i := range 20 {
			parts = append(parts, part(i, "/me/messages", ""))
		}
		count := func() map[any]int {
			statuses := make(map[any]int)
			for _, r := range g.do("POST", "/$batch", batch(parts...)).answers() {
				statuses[r["status"]]++
				if r["status"] == 429.0 {
					require.Equal(t, "1", r["headers"].(map[string]any)["Retry-After"])
				}
			}
			return statuses
		}
		begin := time.Now()
		require.Equal(t, map[any]int{200.0: 20}, count())
		require.Equal(t, 5*time.Second, time.Since(begin), "four at a time")
		var wait sync.WaitGroup
		wait.Go(func() { g.do("GET", "/me/messages", "") })
		time.Sleep(time.Second / 2)
		require.Equal(t, 429, countRefused(count()))
		wait.Wait()
		require.Equal(t, 4, g.a.Usage().MaxInFlight)
		require.Equal(t, 41, g.a.Usage().Requests)
	})
}

// countRefused is 429 if any was refused.
func countRefused(statuses map[any]int) int {
	if statuses[429.0] > 0 {
		return 429
	}
	return 200
}

func TestBatchRefusals(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	var many []string
	for i := range 21 {
		many = append(many, part(i, "/me", ""))
	}
	for _, test := range []struct{ name, body string }{
		{"too many", batch(many...)},
		{"none", batch()},
		{"one id twice", batch(part(1, "/me", ""), part(1, "/me", ""))},
		{"depends on nothing", batch(part(1, "/me", `,"dependsOn":["9"]`))},
		{"body without a type", batch(`{"id":"1","method":"PATCH","url":"/me/messages/x","body":{}}`)},
		{"no JSON", `{"requests":`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := graph{t, g.s, g.a, g.client}
			g.refused(g.do("POST", "/$batch", test.body), http.StatusBadRequest, "BadRequest")
		})
	}
}
