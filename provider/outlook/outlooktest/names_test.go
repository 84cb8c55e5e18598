package outlooktest_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackageCommentNamesEveryCall holds the names in the package comment against the routes.
func TestPackageCommentNamesEveryCall(t *testing.T) {
	t.Parallel()
	doc := readFile(t, "doc.go")
	names := regexp.MustCompile(`(?m)^\s+\{?\s*"([a-zA-Z.]+)", "(?:GET|POST|PATCH|DELETE)"`)
	found := names.FindAllStringSubmatch(readFile(t, "route.go"), -1)
	require.Greater(t, len(found), 40)
	for _, m := range found {
		require.Regexp(t, `[ (]`+regexp.QuoteMeta(m[1])+`[ ,;:]`, doc)
	}
}
