package outlook_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// prismFiles are what Prism needs: npm packages, the document of the calls, and what makes it.
const prismFiles = "outlooktest/testdata/prism"

// What bounds the installation and the start.
const (
	npmTakes    = 5 * time.Minute
	prismStarts = 2 * time.Minute
)

// installPrism installs the packages in a directory of their own and returns it. The document in the
// repository must be the one that the types of Microsoft give.
func installPrism(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, file := range []string{"package.json", "generate.mjs", "paths.mjs", "openapi.json"} {
		text, err := os.ReadFile(filepath.Join(prismFiles, file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), text, 0o600))
	}
	ctx, cancel := context.WithTimeout(t.Context(), npmTakes)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir, install.WaitDelay = dir, time.Second
	said, err := install.CombinedOutput()
	require.NoError(t, err, "npm install: %s", said)

	generate := exec.CommandContext(ctx, "node", "generate.mjs")
	generate.Dir, generate.Stderr = dir, os.Stderr
	made, err := generate.Output()
	require.NoError(t, err)
	kept, err := os.ReadFile(filepath.Join(dir, "openapi.json"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(kept, made), "openapi.json is not what generate.mjs prints")
	return dir
}

// prism is a running Prism between a client and a server. Links in answers lead back to it.
type prism struct {
	url    string
	server string // the address links of the server begin with
	proxy  *httputil.ReverseProxy

	mu         sync.Mutex
	calls      map[string]int // by method and the kind of path
	violations []string
}

func startPrism(t *testing.T, dir, server string) *prism {
	t.Helper()
	cli := filepath.Join("node_modules", "@stoplight", "prism-cli", "dist", "index.js")
	run := exec.Command("node", cli, "proxy", "--errors", "--cors=false", "-p", "0", "openapi.json", server)
	run.Dir, run.Stderr = dir, os.Stderr
	out, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	read := make(chan struct{})
	t.Cleanup(func() {
		_ = run.Process.Kill()
		<-read
		_ = run.Wait() // it was killed
	})
	slow := time.AfterFunc(prismStarts, func() { _ = run.Process.Kill() })
	lines := bufio.NewScanner(out)
	var target *url.URL
	var said []string
	for target == nil && lines.Scan() {
		said = append(said, lines.Text())
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			target, err = url.Parse(m[1])
		}
	}
	slow.Stop()
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, out) // of every call; the end comes with the process
	}()
	require.NoError(t, err)
	require.NotNil(t, target, "Prism does not listen: %s", strings.Join(said, "\n"))

	p := &prism{server: server, calls: make(map[string]int)}
	p.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: p.look,
	}
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	p.url = front.URL
	return p
}

var listening = regexp.MustCompile(`Prism is listening on (http://\S+)`)

// ServeHTTP passes a request on. Prism writes JSON anew and keeps its length, so that it must come as
// JavaScript writes it.
func (p *prism) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var v any
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil || e.Encode(v) != nil {
			http.Error(w, "no JSON", http.StatusBadRequest)
			return
		}
		b.Truncate(b.Len() - 1) // the line end
		r.Body, r.ContentLength = io.NopCloser(&b), int64(b.Len())
	}
	p.proxy.ServeHTTP(w, r)
}

// kinds of paths, for the count of calls.
var kinds = regexp.MustCompile(`(mailFolders|messages|subscriptions|attachments)(/|\(')[^/$]{20,}`)

// look notes what Prism has found, and leads links back to it.
func (p *prism) look(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	r := resp.Request
	found := resp.Header.Get("sl-violations")
	if found == "" && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		found = string(body)
	}
	p.mu.Lock()
	p.calls[r.Method+" "+kinds.ReplaceAllString(r.URL.Path, "$1/*")]++
	if found != "" {
		p.violations = append(p.violations, fmt.Sprintf("%s %s: %d %s", r.Method, r.URL, resp.StatusCode, found))
	}
	p.mu.Unlock()
	body = bytes.ReplaceAll(body, []byte(p.server), []byte(p.url))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
	return nil
}

// found is what was found so far.
func (p *prism) found() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.violations)
}

// called is how often each kind of call was made.
func (p *prism) called() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.calls)
}
