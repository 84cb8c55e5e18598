package gmail_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
)

// emulatorEnv switches on the tests against the emulator, which need node, npm and a registry.
const emulatorEnv = "WORKINBOX_TEST_EMULATOR"

// TestEmulator runs the provider against a server by other hands than ours: @emulators/google 0.11.2
// (https://www.npmjs.com/package/@emulators/google). Where it is not like Gmail, and what of the
// provider it cannot show therefore:
//
//   - History ids have 21 digits, there is no profile, "-in:" is not understood: see emulatorProxy.
//   - A search knows neither {} nor cc: nor larger:, and looks for such words in the text. So a
//     narrowed walk finds nothing here, and giants are not found.
//   - The headers of format=metadata are ten fixed ones, without any X- field. So Find finds no
//     marker, and what a mail is (Auto-Submitted, List-Id) is only told by its raw bytes.
//   - A mail that is sent keeps its Message-ID; any threadId is taken, known or not.
//   - An upload is taken for the mail itself, JSON part and boundaries included. So only mail that
//     fits into the JSON of the call is sent here.
//   - History never expires, deleted messages keep no labels of a draft's life, and "fields" is
//     ignored.
//   - 5,000 requests an hour and token, then 403 without Google's error in it. No units.
func TestEmulator(t *testing.T) {
	t.Parallel()
	if os.Getenv(emulatorEnv) != "1" {
		t.Skip("set " + emulatorEnv + "=1 to run against npm @emulators/google; it needs node, npm and a registry")
	}
	names := []string{"consent", "walk", "resume", "history", "send"}
	e := startEmulator(t, names)
	for name, check := range map[string]func(*testing.T, *emulated){
		"consent": emulatorConsents, "walk": emulatorWalks, "resume": emulatorResumes,
		"history": emulatorTellsHistory, "send": emulatorSends,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, e.account(t, addressAt(name)))
		})
	}
}

func addressAt(name string) string { return name + "@own.example" }

// emulator is a running emulator with a proxy before it.
type emulator struct{ direct, proxied string }

func startEmulator(t *testing.T, names []string) *emulator {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"package.json", "server.mjs"} {
		text, err := os.ReadFile(filepath.Join("testdata", "emulator", file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), text, 0o600))
	}
	install := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	said, err := install.CombinedOutput()
	require.NoError(t, err, "npm install: %s", said)

	args := []string{"server.mjs"}
	for _, name := range names {
		args = append(args, addressAt(name))
	}
	server := exec.Command("node", args...)
	server.Dir, server.Stderr = dir, os.Stderr
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the port")
	target, err := url.Parse("http://127.0.0.1:" + strings.TrimSpace(line))
	require.NoError(t, err)
	return &emulator{direct: target.String(), proxied: newEmulatorProxy(t, target)}
}

// emulated is one account of the emulator: what its owner does by other ways, and how the library
// opens it.
type emulated struct {
	e       *emulator
	address string
	o       gmail.Options
	consent provider.Consent
}

// account connects an account by the emulator's own consent, tokens and PKCE.
func (e *emulator) account(t *testing.T, address string) *emulated {
	t.Helper()
	a := &emulated{e: e, address: address, o: gmail.Options{
		ClientID: "client", ClientSecret: "secret", PageSize: 20, Quota: gmail.Quota{InFlight: 4},
		Endpoints: gmail.Endpoints{
			Auth: e.proxied + "/o/oauth2/v2/auth", Token: e.proxied + "/oauth2/token",
			Revoke: e.proxied + "/oauth2/revoke", API: e.proxied,
		},
	}}
	a.deliver(t, "import", "first", noon.Add(-48*time.Hour), "INBOX") // without mail there is no history id
	p, err := gmail.New(a.o)
	require.NoError(t, err)
	const back, verifier = "https://host.example/back", "verifier-verifier-verifier-verifier-verifier-1"
	page, err := p.AuthURL(t.Context(), provider.AuthRequest{State: "state", Verifier: verifier, RedirectURL: back})
	require.NoError(t, err)
	u, err := url.Parse(page)
	require.NoError(t, err)
	form := u.Query() // its page has these as hidden fields, and a button for each account
	form.Set("email", address)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.PostForm(e.proxied+"/o/oauth2/v2/auth/callback", form)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	to, err := resp.Location()
	require.NoError(t, err)
	require.Equal(t, "state", to.Query().Get("state"))
	a.consent, err = p.Exchange(t.Context(), provider.AuthResponse{
		Code: to.Query().Get("code"), Verifier: verifier, RedirectURL: back,
	})
	require.NoError(t, err)
	return a
}

// open opens the mailbox with a provider of its own, as another process does.
func (a *emulated) open(t *testing.T) provider.Mailbox {
	t.Helper()
	p, err := gmail.New(a.o)
	require.NoError(t, err)
	m, err := p.Open(t.Context(), a.consent.Credential, nil)
	require.NoError(t, err)
	return m
}

// call makes a call past the library.
func (a *emulated) call(t *testing.T, method, path string, body any) (id string) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), method, a.e.direct+"/gmail/v1/users/me/messages"+path, bytes.NewReader(text))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer seed:"+a.address)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Less(t, resp.StatusCode, 300, "%s %s", method, path)
	var made struct{ ID string }
	if resp.StatusCode != http.StatusNoContent {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&made))
	}
	return made.ID
}

// deliver puts a mail into the account, by import or (with an empty way) insert.
func (a *emulated) deliver(t *testing.T, way, name string, at time.Time, labels ...string) provider.RemoteID {
	t.Helper()
	if way != "" {
		way = "/" + way
	}
	return provider.RemoteID(a.call(t, http.MethodPost, way, map[string]any{
		"raw":      base64.URLEncoding.EncodeToString(a.mail(name)),
		"labelIds": labels, "internalDate": fmt.Sprint(at.UnixMilli()),
	}))
}

func (a *emulated) mail(name string) []byte {
	return mailOf("sam@elsewhere.example", a.address, name, "X-Other: "+name+"\r\n")
}

func (a *emulated) label(t *testing.T, id provider.RemoteID, add, remove string) {
	t.Helper()
	change := map[string][]string{}
	if add != "" {
		change["addLabelIds"] = []string{add}
	}
	if remove != "" {
		change["removeLabelIds"] = []string{remove}
	}
	a.call(t, http.MethodPost, "/"+string(id)+"/modify", change)
}

func emulatorConsents(t *testing.T, a *emulated) {
	require.Equal(t, a.address, a.consent.Account.Address)
	require.NotEmpty(t, a.consent.Account.ID)
	require.Subset(t, a.consent.Scopes, []string{gmail.ScopeRead, gmail.ScopeSend})
	p, err := gmail.New(a.o)
	require.NoError(t, err)
	require.NoError(t, p.Revoke(t.Context(), a.consent.Credential))
}

func emulatorWalks(t *testing.T, a *emulated) {
	raws := make(map[provider.RemoteID][]byte)
	var want []provider.RemoteID // newest first
	for i := range 45 {
		name := fmt.Sprint("m", i)
		labels := [][]string{{"INBOX", "UNREAD"}, {"SENT"}, {"STARRED"}}[i%3]
		id := a.deliver(t, []string{"import", ""}[i%2], name, noon.Add(time.Duration(i)*time.Minute), labels...)
		raws[id] = a.mail(name)
		want = append([]provider.RemoteID{id}, want...)
	}
	for _, label := range []string{"DRAFT", "SPAM", "TRASH"} {
		a.deliver(t, "", label, noon, label)
	}
	walk := provider.Walk{Since: noon, Bodies: provider.BodiesWith, Only: true}
	batches := stream(t, a.open(t), "", walk, 0)
	require.Equal(t, want, idsOf(batches), "newest first, without what is older and what is no mail")
	i := 45
	for _, b := range batches {
		for _, h := range b.Put {
			i--
			require.True(t, bytes.Equal(raws[h.ID], h.Raw), "raw bytes of message %d", i)
			require.True(t, h.Received.Equal(noon.Add(time.Duration(i)*time.Minute)))
			require.Equal(t, i%3 == 0, h.Unread)
			require.Equal(t, map[bool]provider.Mark{true: provider.MarkSent, false: provider.MarkNotSent}[i%3 == 1], h.Sent)
			require.Equal(t, fmt.Sprintf("m%d@l.example", i), h.MessageID)
		}
	}
	walk.Bodies = provider.BodiesNever
	for _, b := range stream(t, a.open(t), "", walk, 0) {
		for _, h := range b.Put {
			require.Nil(t, h.Raw)
			require.Equal(t, "sam@elsewhere.example", h.From[0].Address)
			require.Equal(t, a.address, h.To[0].Address)
		}
	}
}

// A walk goes on in another process, and what came meanwhile is told after it.
func emulatorResumes(t *testing.T, a *emulated) {
	for i := range 50 {
		a.deliver(t, "import", fmt.Sprint("m", i), noon.Add(time.Duration(i)*time.Minute), "INBOX")
	}
	walk := provider.Walk{Since: noon}
	first := stream(t, a.open(t), "", walk, 1)
	late := a.deliver(t, "import", "late", noon.Add(time.Hour), "INBOX")
	rest := stream(t, a.open(t), first[0].Next, walk, 0)
	ids := append(idsOf(first), idsOf(rest)...)
	require.Len(t, ids, 51)
	require.Equal(t, late, ids[50], "behind the walk")
	require.False(t, rest[len(rest)-1].Walking)
	require.Empty(t, stream(t, a.open(t), rest[len(rest)-1].Next, walk, 0), "nothing more")
}

func emulatorTellsHistory(t *testing.T, a *emulated) {
	old := a.deliver(t, "import", "old", noon, "INBOX", "UNREAD")
	other := a.deliver(t, "import", "other", noon, "INBOX")
	walk := provider.Walk{Bodies: provider.BodiesWith}
	batches := stream(t, a.open(t), "", walk, 0)
	at := batches[len(batches)-1].Next
	for _, step := range []struct {
		name    string
		happen  func() provider.RemoteID
		put     bool
		folder  provider.Folder
		raw     bool
		removed bool
	}{
		{name: "nothing", happen: func() provider.RemoteID { return "" }},
		{name: "mail arrives", happen: func() provider.RemoteID {
			return a.deliver(t, "import", "new", noon, "INBOX", "UNREAD")
		}, put: true, raw: true},
		{name: "mail is sent elsewhere", happen: func() provider.RemoteID { return a.deliver(t, "", "sent", noon, "SENT") }, put: true, raw: true},
		{name: "a draft is begun", happen: func() provider.RemoteID { a.deliver(t, "", "draft", noon, "DRAFT"); return "" }},
		{name: "mail is read", happen: func() provider.RemoteID { a.label(t, old, "", "UNREAD"); return old }, put: true},
		{name: "mail becomes spam", happen: func() provider.RemoteID { a.label(t, old, "SPAM", "INBOX"); return old },
			put: true, folder: provider.FolderSpam},
		{name: "and is rescued", happen: func() provider.RemoteID { a.label(t, old, "INBOX", "SPAM"); return old }, put: true, raw: true},
		{name: "mail is trashed", happen: func() provider.RemoteID {
			a.call(t, http.MethodPost, "/"+string(other)+"/trash", nil)
			return other
		}, put: true, folder: provider.FolderTrash},
		{name: "and deleted", happen: func() provider.RemoteID {
			a.call(t, http.MethodDelete, "/"+string(other), nil)
			return other
		}, removed: true},
	} {
		id := step.happen()
		batches := stream(t, a.open(t), at, walk, 0)
		if len(batches) > 0 {
			at = batches[len(batches)-1].Next
		}
		var got provider.Batch
		for _, b := range batches {
			require.False(t, b.Walking, step.name)
			got.Put, got.Removed = append(got.Put, b.Put...), append(got.Removed, b.Removed...)
		}
		if step.removed {
			require.Equal(t, []provider.RemoteID{id}, got.Removed, step.name)
		} else {
			require.Empty(t, got.Removed, step.name)
		}
		if !step.put {
			require.Empty(t, got.Put, step.name)
			continue
		}
		require.Len(t, got.Put, 1, step.name)
		require.Equal(t, id, got.Put[0].ID, step.name)
		require.Equal(t, step.folder, got.Put[0].Folder, step.name)
		require.Equal(t, step.raw, got.Put[0].Raw != nil, step.name)
	}
	_, err := a.open(t).Open(t.Context(), other)
	require.ErrorIs(t, err, provider.ErrGone)
}

func emulatorSends(t *testing.T, a *emulated) {
	a.deliver(t, "import", "question", noon, "INBOX")
	batches := stream(t, a.open(t), "", provider.Walk{Since: noon}, 0)
	thread, at := batches[0].Put[0].Thread, batches[len(batches)-1].Next

	m := a.open(t)
	sender, ok := provider.As[provider.Sender](m)
	require.True(t, ok)
	raw := mailOf(a.address, "sam@elsewhere.example", "answer", provider.MarkerHeader+": marker-1\r\n",
		"In-Reply-To: <question@l.example>\r\n")
	sent, err := sender.Send(t.Context(), provider.Outgoing{
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
		Size: int64(len(raw)), Thread: thread, Marker: "marker-1",
	})
	require.NoError(t, err)
	require.Equal(t, thread, sent.Thread)
	require.Equal(t, "answer@l.example", sent.MessageID, "Gmail would have replaced it")

	r, err := m.Open(t.Context(), sent.ID)
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, string(raw), string(got))

	batches = stream(t, a.open(t), at, provider.Walk{}, 0)
	require.Equal(t, []provider.RemoteID{sent.ID}, idsOf(batches), "it comes back by the history")
	require.Equal(t, provider.MarkSent, batches[0].Put[0].Sent)
	require.Equal(t, thread, batches[0].Put[0].Thread)

	finder, ok := provider.As[provider.Finder](m)
	require.True(t, ok)
	_, err = finder.Find(t.Context(), "marker-1", thread, noon)
	require.ErrorIs(t, err, provider.ErrGone, "its thread and all sent mail are looked through, and tell no marker")
}
