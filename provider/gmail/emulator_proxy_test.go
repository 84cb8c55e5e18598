package gmail_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// emulatorProxy stands before the emulator and makes up for what keeps Gmail's own client from using
// it at all: history ids that are larger than an int64, no profile, "-in:".
type emulatorProxy struct {
	target *url.URL
	proxy  *httputil.ReverseProxy

	mu    sync.Mutex
	whole map[string]string // by token and short id: the largest id that was cut to it
}

func newEmulatorProxy(t *testing.T, target *url.URL) string {
	t.Helper()
	p := &emulatorProxy{target: target, whole: make(map[string]string)}
	p.proxy = &httputil.ReverseProxy{Rewrite: p.rewrite, ModifyResponse: p.modify}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

func (p *emulatorProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/gmail/v1/users/me/profile" {
		p.profile(w, r)
		return
	}
	p.proxy.ServeHTTP(w, r)
}

// rewrite gives ids back what was cut, and says "-in:" in the emulator's words. It knows no chats.
func (p *emulatorProxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.target)
	r.Out.Header.Del("Accept-Encoding")
	q := r.Out.URL.Query()
	if start := q.Get("startHistoryId"); start != "" {
		q.Set("startHistoryId", p.extend(tokenOf(r.In), start))
	}
	if text := q.Get("q"); text != "" {
		q.Set("q", strings.NewReplacer("-in:drafts", "-label:DRAFT", "-in:chats", "").Replace(text))
	}
	r.Out.URL.RawQuery = q.Encode()
}

// modify cuts the ids in an answer.
func (p *emulatorProxy) modify(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	body = p.cutAll(tokenOf(resp.Request), body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
	return nil
}

// The last two digits are random, or count what happened in the same millisecond.
var longID = regexp.MustCompile(`"(id|historyId)":"(\d{19})(\d{2})"`)

func (p *emulatorProxy) cutAll(token string, body []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return longID.ReplaceAllFunc(body, func(match []byte) []byte {
		m := longID.FindSubmatch(match)
		short, whole := string(m[2]), string(m[2])+string(m[3])
		p.whole[token+short] = max(p.whole[token+short], whole)
		return fmt.Appendf(nil, `"%s":"%s"`, m[1], short)
	})
}

func tokenOf(r *http.Request) string { return r.Header.Get("Authorization") }

// extend returns the largest id that was cut to this one, so that records behind it are found and
// those that were told are not told again.
func (p *emulatorProxy) extend(token, short string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if whole, ok := p.whole[token+short]; ok {
		return whole
	}
	return short + "00"
}

// profile answers users.getProfile from what the emulator does know: the id of the newest change
// stands in every history, the address in the first of the addresses to send as.
func (p *emulatorProxy) profile(w http.ResponseWriter, r *http.Request) {
	var history struct{ HistoryID string }
	var settings struct {
		SendAs []struct{ SendAsEmail string }
	}
	for path, into := range map[string]any{"history?startHistoryId=0&maxResults=1": &history, "settings/sendAs": &settings} {
		if status, err := p.ask(r, path, into); err != nil || status != http.StatusOK {
			http.Error(w, fmt.Sprint(err), max(status, http.StatusBadGateway))
			return
		}
	}
	if len(settings.SendAs) == 0 {
		http.Error(w, "no address", http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"emailAddress": settings.SendAs[0].SendAsEmail, "historyId": history.HistoryID,
	})
}

// ask asks the emulator on behalf of another request.
func (p *emulatorProxy) ask(r *http.Request, path string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, p.target.String()+"/gmail/v1/users/me/"+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", r.Header.Get("Authorization"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.Unmarshal(p.cutAll(tokenOf(r), body), into)
}
