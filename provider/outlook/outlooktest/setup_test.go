package outlooktest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

const (
	ann = "ann@acme.example"
	bob = "bob@other.example"

	immutable = `IdType="ImmutableId"`
)

// graph speaks to the server as one person's application.
type graph struct {
	t      testing.TB
	s      *outlooktest.Server
	a      *outlooktest.Account
	client *http.Client
}

func open(t testing.TB, c outlooktest.Config, scopes ...string) graph {
	t.Helper()
	s := outlooktest.New(t, c)
	a := s.Account(ann)
	return graph{t, s, a, a.Client(scopes...)}
}

func (g graph) as(address string, scopes ...string) graph {
	a := g.s.Account(address)
	return graph{g.t, g.s, a, a.Client(scopes...)}
}

// answer is what a call gave.
type answer struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any
}

// do makes a call below v1.0, or of a whole address. Headers are pairs.
func (g graph) do(method, target, body string, header ...string) answer {
	g.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = g.s.Endpoints().GraphURL + target
	}
	r, err := http.NewRequestWithContext(g.t.Context(), method, target, strings.NewReader(body))
	require.NoError(g.t, err)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return g.send(r)
}

func (g graph) send(r *http.Request) answer {
	g.t.Helper()
	resp, err := g.client.Do(r)
	require.NoError(g.t, err)
	defer func() { require.NoError(g.t, resp.Body.Close()) }()
	out := answer{status: resp.StatusCode, header: resp.Header}
	out.body, err = io.ReadAll(resp.Body)
	require.NoError(g.t, err)
	_ = json.Unmarshal(out.body, &out.json) // not every answer is JSON
	return out
}

func (g graph) get(target string, header ...string) answer {
	g.t.Helper()
	a := g.do("GET", target, "", header...)
	require.Equal(g.t, 200, a.status, "GET %s: %s", target, a.body)
	return a
}

// query writes the parameters of a query.
func query(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return "?" + strings.Join(out, "&")
}

func (a answer) items() []map[string]any {
	var out []map[string]any
	list, _ := a.json["value"].([]any)
	for _, v := range list {
		out = append(out, v.(map[string]any))
	}
	return out
}

func (a answer) texts(key string) []string {
	out := []string{}
	for _, m := range a.items() {
		s, _ := m[key].(string)
		out = append(out, s)
	}
	return out
}

func (a answer) text(key string) string { s, _ := a.json[key].(string); return s }

// code is the code of an error.
func (a answer) code() string {
	e, _ := a.json["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func (g graph) refused(a answer, status int, code string) {
	g.t.Helper()
	require.Equal(g.t, status, a.status, "%s", a.body)
	require.Equal(g.t, code, a.code(), "%s", a.body)
}

// mail makes a mail from its header fields, each "Name: value", and a body.
func mail(body string, fields ...string) []byte {
	return []byte(strings.Join(fields, "\r\n") + "\r\n\r\n" + body)
}

func hello(n int) []byte {
	return mail("Hello.\r\n", "From: Bob <bob@other.example>", "To: "+ann,
		fmt.Sprintf("Subject: Hello %d", n), fmt.Sprintf("Message-ID: <%d@other.example>", n),
		"Date: Sun, 01 Nov 2026 10:00:00 +0000")
}

// day is a time of receipt; later ones have higher numbers.
func day(n int) time.Time { return time.Date(2026, 10, n, 12, 0, 0, 0, time.UTC) }

// fill delivers n mails, one a minute, the first the oldest, and returns their immutable ids.
func (g graph) fill(n int) []string {
	out := make([]string, n)
	for i := range n {
		out[i] = g.a.Deliver(hello(i), outlooktest.Delivery{Received: day(1).Add(time.Duration(i) * time.Minute)})
	}
	return out
}

// pages follows the links of a list or of one round of a delta query and returns all items and the
// deltaLink.
func (g graph) pages(target string, header ...string) (items []map[string]any, delta string, pages int) {
	g.t.Helper()
	for target != "" {
		a := g.get(target, header...)
		items = append(items, a.items()...)
		target, delta = a.text("@odata.nextLink"), a.text("@odata.deltaLink")
		pages++
	}
	return items, delta, pages
}

func ids(items []map[string]any) []string {
	out := []string{}
	for _, m := range items {
		out = append(out, m["id"].(string))
	}
	return out
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}
