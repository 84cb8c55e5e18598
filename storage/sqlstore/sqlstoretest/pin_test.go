package sqlstoretest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// modernc.org/sqlite works only with the modernc.org/libc of its own go.mod: it says so in its
// documentation (https://pkg.go.dev/modernc.org/sqlite#section-readme).
func TestLibcIsTheOneSQLiteWants(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skipf("there is no go tool to ask for the versions: %v", err)
	}
	list := func(format, module string) string {
		c := exec.CommandContext(t.Context(), tool, "list", "-m", "-f", format, module)
		c.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off")
		out, err := c.Output()
		if err != nil {
			t.Skipf("the go tool does not tell the version of %s here: %v", module, err)
		}
		return strings.TrimSpace(string(out))
	}
	file := list("{{.GoMod}}", "modernc.org/sqlite")
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Skipf("the module cache has no go.mod of modernc.org/sqlite: %v", err)
	}
	want := regexp.MustCompile(`modernc\.org/libc (v\S+)`).FindSubmatch(text)
	require.NotNil(t, want, "modernc.org/libc in the go.mod of modernc.org/sqlite")
	require.Equal(t, string(want[1]), list("{{.Version}}", "modernc.org/libc"),
		"modernc.org/libc here, and in the go.mod of modernc.org/sqlite")
}
