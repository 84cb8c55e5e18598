package examples_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket/desk"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(text)
}

// TestREADMECompiles demands that the program and the pieces of README.md are those that compile.
func TestREADMECompiles(t *testing.T) {
	t.Parallel()
	text := readme(t)
	program, err := os.ReadFile("host/main.go")
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(program), "\nfunc main")
	require.Contains(t, text, "```go\nfunc main"+body+"```", "the program of examples/host")

	const name = "readme_snippets_test.go"
	snippets, err := os.ReadFile(name)
	require.NoError(t, err)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, snippets, parser.ParseComments)
	require.NoError(t, err)
	shown := 0
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			continue
		}
		piece := string(snippets[fset.Position(d.Pos()).Offset:fset.Position(d.End()).Offset])
		require.Contains(t, text, piece, "a piece of %s", name)
		shown++
	}
	require.Equal(t, 9, shown, "pieces")
	require.Equal(t, strings.Count(text, "```go\n"), 6, "every block of Go is checked here")
}

func TestTheGmailOfREADMEWorks(t *testing.T) {
	t.Setenv("GMAIL_CLIENT_ID", "id")
	t.Setenv("GMAIL_CLIENT_SECRET", "secret")
	mail, err := newGmail()
	require.NoError(t, err)
	store, people := memory.New(), memory.NewHost()
	d, err := desk.New(desk.Config{Store: store, Vault: store, Blobs: store, People: people, Sites: people,
		Providers: []provider.Provider{mail}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	require.NoError(t, servePush(mux, d))
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/push/gmail", strings.NewReader("{}")))
	require.Equal(t, http.StatusUnauthorized, answer.Code, "a push without a token")
}

func TestREADMENamesTheTwoCommands(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"go run ./examples/quickstart\n", "go test ./...\n"} {
		require.Contains(t, readme(t), command)
	}
}

// TestREADMEPathsAreThere looks for every path that README.md links to.
func TestREADMEPathsAreThere(t *testing.T) {
	t.Parallel()
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(readme(t), "")
	links := regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(prose, -1)
	require.NotEmpty(t, links)
	for _, l := range links {
		_, err := os.Stat("../" + l[1])
		require.NoError(t, err, "link to %q", l[1])
	}
}

func TestStillMailbox(t *testing.T) {
	t.Parallel()
	box := still{{ID: "1", Raw: []byte("Subject: hello\r\n\r\n")}}
	for from, want := range map[provider.Cursor]int{"": 1, "walked": 0} {
		n := 0
		for b, err := range box.Changes(t.Context(), from, provider.Walk{}) {
			require.NoError(t, err)
			n += len(b.Put)
		}
		require.Equal(t, want, n, "mails from cursor %q", from)
	}
	r, err := box.Open(t.Context(), "1")
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "Subject: hello\r\n\r\n", string(raw))
	_, err = box.Open(t.Context(), "2")
	require.ErrorIs(t, err, provider.ErrGone)
}

func TestMailerTellsContentOnlyWhereThereIsSome(t *testing.T) {
	t.Parallel()
	var subjects []string
	m := mailer{func(_ context.Context, to, subject, _ string) error {
		require.Equal(t, "ravi@agency.example", to)
		subjects = append(subjects, subject)
		return nil
	}}
	n := inbox.Notice{Event: inbox.Event{Name: "ticket.created"},
		To: inbox.Person{Addresses: []string{"ravi@agency.example"}}}
	require.NoError(t, m.Notify(t.Context(), n))
	n.Content = &inbox.NoticeContent{Subject: "Invoice 17"}
	require.NoError(t, m.Notify(t.Context(), n))
	require.Equal(t, []string{"ticket.created", "ticket.created: Invoice 17"}, subjects)
}

// TestWeight demands that a host which imports the core compiles no more than README.md says.
func TestWeight(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to ask what a package compiles")
	}
	sources(t) // so that a result the go command has kept is not taken after a change
	for _, name := range []string{"../go.mod", "../go.sum"} {
		_, err := os.ReadFile(name)
		require.NoError(t, err)
	}
	_, list, found := strings.Cut(readme(t), "<!-- what the core compiles -->\n")
	require.True(t, found, "README.md has the list")
	list, _, _ = strings.Cut(list, "\n\n")
	var want []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1) {
		want = append(want, m[1])
	}
	out, err := exec.CommandContext(t.Context(), tool, "list", "-deps",
		"-f", "{{if and (not .Standard) .Module}}{{.Module.Path}}{{end}}",
		"../inbox", "../ticket", "../storage/memory", "../provider/fake").Output()
	require.NoError(t, err)
	got := slices.DeleteFunc(strings.Fields(string(out)), func(m string) bool { return m == module })
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, slices.Compact(got), "modules of the core, as README.md lists them")
}
