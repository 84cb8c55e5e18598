package outlooktest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// endpoint is an application's notification endpoint.
type endpoint struct {
	mu     sync.Mutex
	got    []map[string]any
	posts  int
	proofs []string // paths that were validated
	refuse int      // notifications to answer with 503
	proof  func(token string) (status int, body string)
	slow   time.Duration
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("validationToken"); token != "" {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.proofs = append(e.proofs, r.URL.Path)
		status, body := 200, token
		if e.proof != nil {
			status, body = e.proof(token)
		}
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return
	}
	e.mu.Lock()
	slow := e.slow
	e.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
			return
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.posts++
	if e.refuse > 0 {
		e.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var body struct {
		Value []map[string]any `json:"value"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, n := range body.Value {
		n["path"] = r.URL.Path
		e.got = append(e.got, n)
	}
	w.WriteHeader(http.StatusAccepted)
}

// taken returns what came since it was last asked, as "changeType id" or "event path".
func (e *endpoint) taken() []string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, n := range e.got {
		if event, ok := n["lifecycleEvent"]; ok {
			out = append(out, fmt.Sprintf("%s %s", event, n["path"]))
			continue
		}
		out = append(out, fmt.Sprintf("%s %s", n["changeType"], n["resourceData"].(map[string]any)["id"]))
	}
	e.got = nil
	return out
}

func withEndpoint(t *testing.T, p outlooktest.Push, run func(t *testing.T, g graph, e *endpoint)) {
	t.Helper()
	e := &endpoint{}
	p.Handler = e
	inBubble(t, outlooktest.Config{Push: p}, func(t *testing.T, g graph) { run(t, g, e) })
}

func subscribe(resource string, life time.Duration, more string) string {
	return fmt.Sprintf(`{"changeType":"created,updated,deleted","notificationUrl":"https://host.example/push",`+
		`"lifecycleNotificationUrl":"https://host.example/life","resource":%q,"expirationDateTime":%q,"clientState":"secret"%s}`,
		resource, time.Now().Add(life).UTC().Format(time.RFC3339), more)
}

func (g graph) subscribed(resource string) string {
	g.t.Helper()
	a := g.do("POST", "/subscriptions", subscribe(resource, time.Hour, ""), "Prefer", immutable)
	require.Equal(g.t, 201, a.status, "%s", a.body)
	return a.text("id")
}

func TestSubscriptionTellsOfChanges(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{}, func(t *testing.T, g graph, e *endpoint) {
		a := g.do("POST", "/subscriptions", subscribe("me/messages", time.Hour, ""), "Prefer", immutable)
		require.Equal(t, 201, a.status, "%s", a.body)
		require.Equal(t, []string{"/push", "/life"}, e.proofs, "both addresses are validated")
		for _, k := range []string{"@odata.context", "id", "resource", "applicationId", "changeType", "clientState",
			"notificationUrl", "lifecycleNotificationUrl", "expirationDateTime", "creatorId", "latestSupportedTlsVersion",
			"includeResourceData", "encryptionCertificate", "encryptionCertificateId", "notificationUrlAppId"} {
			require.Contains(t, a.json, k)
		}
		id := g.a.Deliver(hello(1), outlooktest.Delivery{})
		require.Equal(t, []string{"created " + id}, e.taken())
		g.a.MarkRead(id, true)
		g.a.Move(id, "archive")
		require.Equal(t, []string{"updated " + id, "updated " + id}, e.taken())
		g.a.Delete(id)
		require.Equal(t, []string{"deleted " + id}, e.taken())
		require.Equal(t, outlooktest.PushStats{Published: 4, Attempts: 4, Delivered: 4}, g.s.Pushes())
	})
}

func TestNotificationShape(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{}, func(t *testing.T, g graph, e *endpoint) {
		id := g.subscribed("me/mailFolders('inbox')/messages")
		message := g.a.Deliver(hello(1), outlooktest.Delivery{})
		synctest.Wait()
		n := e.got[0]
		require.Equal(t, id, n["subscriptionId"])
		require.Equal(t, "secret", n["clientState"])
		require.Equal(t, g.a.Tenant(), n["tenantId"])
		require.Equal(t, "Users/"+g.a.ObjectID()+"/Messages/"+message, n["resource"])
		data := n["resourceData"].(map[string]any)
		require.Equal(t, "#Microsoft.Graph.Message", data["@odata.type"])
		require.Equal(t, n["resource"], data["@odata.id"])
		require.Equal(t, g.get("/me/messages/"+message).text("@odata.etag"), data["@odata.etag"])
		require.Contains(t, n, "subscriptionExpirationDateTime")
	})
}

func TestFolderSubscriptionTellsOfItsFolderAlone(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{}, func(t *testing.T, g graph, e *endpoint) {
		g.subscribed("/me/mailFolders/inbox/messages")
		g.a.Deliver(hello(0), outlooktest.Delivery{Folder: "archive"})
		id := g.a.Deliver(hello(1), outlooktest.Delivery{})
		g.a.Move(id, "archive")
		got := e.taken()
		require.ElementsMatch(t, []string{"created " + id, "deleted " + id}, got)
	})
}

func TestSubscriptionRefusals(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{}, func(t *testing.T, g graph, e *endpoint) {
		const week = 10_080 * time.Minute
		for _, test := range []struct{ name, body string }{
			{"too long", subscribe("me/messages", week+time.Minute, "")},
			{"in the past", subscribe("me/messages", -time.Minute, "")},
			{"other resource", subscribe("me/events", time.Hour, "")},
			{"other change", strings.Replace(subscribe("me/messages", time.Hour, ""), "created,", "moved,", 1)},
			{"no address", strings.Replace(subscribe("me/messages", time.Hour, ""), "https://host.example/push", "", 1)},
			{"long state", strings.Replace(subscribe("me/messages", time.Hour, ""), `"secret"`, `"`+strings.Repeat("x", 129)+`"`, 1)},
			{"rich", subscribe("me/messages", time.Hour, `,"includeResourceData":true`)},
		} {
			require.Equal(t, "InvalidRequest", g.do("POST", "/subscriptions", test.body).code(), test.name)
		}
		require.Equal(t, 201, g.do("POST", "/subscriptions", subscribe("me/messages", week, "")).status)
		g.refused(g.do("POST", "/subscriptions", subscribe("me/mailFolders/none/messages", time.Hour, "")), 404, "ErrorItemNotFound")
		for _, proof := range []func(string) (int, string){
			func(token string) (int, string) { return 202, token },
			func(string) (int, string) { return 200, "something" },
			func(token string) (int, string) { return 200, strings.ReplaceAll(token, " ", "+") },
		} {
			e.proof = proof
			g.refused(g.do("POST", "/subscriptions", subscribe("me/messages", time.Hour, "")), 400, "ValidationError")
		}
	})
}

func TestSubscriptionLife(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{Clip: 30 * time.Minute}, func(t *testing.T, g graph, e *endpoint) {
		id := g.subscribed("me/messages")
		at := "/subscriptions/" + id
		read := func() time.Time {
			expires, err := time.Parse(time.RFC3339, g.get(at).text("expirationDateTime"))
			require.NoError(t, err)
			return expires
		}
		require.Equal(t, time.Now().Add(30*time.Minute).UTC(), read(), "less than was asked for")
		time.Sleep(20 * time.Minute)
		renewed := g.do("PATCH", at, `{"expirationDateTime":"`+time.Now().Add(20*time.Minute).UTC().Format(time.RFC3339)+`"}`)
		require.Equal(t, 200, renewed.status)
		require.Equal(t, time.Now().Add(20*time.Minute).UTC(), read())
		require.Len(t, g.get("/subscriptions").items(), 1)
		require.Equal(t, 200, g.do("PATCH", at, `{"notificationUrl":"https://host.example/other"}`).status)
		require.Equal(t, "/other", e.proofs[2])
		time.Sleep(20 * time.Minute)
		g.refused(g.do("PATCH", at, `{}`), 404, "ResourceNotFound")
		g.a.Deliver(hello(1), outlooktest.Delivery{})
		require.Empty(t, e.taken())
		at = "/subscriptions/" + g.subscribed("me/messages")
		require.Equal(t, 204, g.do("DELETE", at, "").status)
		require.Empty(t, g.a.Subscriptions())
	})
}

func TestLifecycleEvents(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{}, func(t *testing.T, g graph, e *endpoint) {
		id := g.subscribed("me/messages")
		g.a.Lifecycle(id, outlooktest.Missed)
		require.Equal(t, []string{"missed /life"}, e.taken())
		g.a.Lifecycle(id, outlooktest.ReauthorizationRequired)
		require.True(t, g.a.Subscriptions()[0].Paused)
		g.a.Deliver(hello(1), outlooktest.Delivery{})
		require.Equal(t, []string{"reauthorizationRequired /life"}, e.taken())
		require.Equal(t, 200, g.do("POST", "/subscriptions/"+id+"/reauthorize", "").status)
		message := g.a.Deliver(hello(2), outlooktest.Delivery{})
		require.Equal(t, []string{"created " + message}, e.taken())
		g.a.Lifecycle(id, outlooktest.SubscriptionRemoved)
		g.a.Deliver(hello(3), outlooktest.Delivery{})
		require.Equal(t, []string{"subscriptionRemoved /life"}, e.taken())
		require.Empty(t, g.a.Subscriptions())
	})
}

func TestNotificationsGoWrong(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{}, func(t *testing.T, g graph, e *endpoint) {
		g.subscribed("me/messages")
		g.s.Disturb(outlooktest.PushFault{Lose: true})
		g.s.Disturb(outlooktest.PushFault{Copies: 1})
		g.s.Disturb(outlooktest.PushFault{Delay: time.Minute})
		g.a.Deliver(hello(1), outlooktest.Delivery{})
		require.Empty(t, e.taken(), "lost")
		two := "created " + g.a.Deliver(hello(2), outlooktest.Delivery{})
		require.Equal(t, []string{two, two}, e.taken())
		three := "created " + g.a.Deliver(hello(3), outlooktest.Delivery{})
		require.Empty(t, e.taken(), "late")
		time.Sleep(time.Minute)
		require.Equal(t, []string{three}, e.taken())
		require.Equal(t, 1, g.s.Pushes().Lost)
		phantom := g.a.PublishPhantom()
		require.Equal(t, []string{"created " + phantom}, e.taken())
		g.refused(g.do("GET", "/me/messages/"+phantom, ""), 404, "ErrorItemNotFound")
	})
}

func TestNotificationsAreSentAgain(t *testing.T) {
	t.Parallel()
	withEndpoint(t, outlooktest.Push{GiveUp: time.Minute}, func(t *testing.T, g graph, e *endpoint) {
		g.subscribed("me/messages")
		e.refuse = 2
		id := g.a.Deliver(hello(1), outlooktest.Delivery{})
		require.Empty(t, e.taken())
		time.Sleep(30 * time.Second)
		require.Equal(t, []string{"created " + id}, e.taken())
		require.Equal(t, 3, g.s.Pushes().Attempts)
		e.mu.Lock()
		e.slow = 4 * time.Second
		e.mu.Unlock()
		g.a.Deliver(hello(2), outlooktest.Delivery{})
		time.Sleep(10 * time.Minute)
		require.Empty(t, e.taken(), "slower than 3 seconds is no answer")
		require.Equal(t, 1, g.s.Pushes().Dropped)
	})
}

func TestPushesOverRealSockets(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("validationToken"); token != "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, token)
			return
		}
		b, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		got <- string(b)
	}))
	t.Cleanup(server.Close)
	body := strings.ReplaceAll(subscribe("me/messages", time.Hour, ""), "https://host.example", server.URL)
	a := g.do("POST", "/subscriptions", body)
	require.Equal(t, 201, a.status, "%s", a.body)
	g.a.Deliver(hello(1), outlooktest.Delivery{})
	require.Contains(t, <-got, `"changeType":"created"`)
}
