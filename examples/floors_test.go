package examples_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the path of this module, as imports begin with it.
const module = "github.com/workinbox/workinbox"

// place is where a package stands in the picture of floors.
type place string

// The places. A floor imports lower floors only. A leaf imports floors, never another leaf; a
// provider leaf just what a provider may know. Test leaves and examples import what they like.
const (
	floor0   place = "floor 0"
	floor1   place = "floor 1"
	floor2   place = "floor 2"
	floor3   place = "floor 3"
	leaf     place = "leaf"
	service  place = "provider leaf"
	within   place = "provider/internal"
	testLeaf place = "test leaf"
	example  place = "example"
)

// places says where every package stands. A name that ends in "/" stands for what lies below it and
// is not named itself; the longest name counts. A new package belongs in here.
var places = map[string]place{
	"storage":         floor0,
	"filter":          floor0,
	"acl":             floor0,
	"provider":        floor0,
	"provider/rfc822": floor0,
	"inbox/htmlsafe":  floor0,
	"inbox":           floor1,
	"ticket":          floor2,
	"ticket/desk":     floor3,

	"storage/":           leaf,
	"inbox/notify":       leaf,
	"inbox/inboxmock":    testLeaf,
	"ticket/desk/river":  leaf,
	"provider/":          service,
	"provider/internal/": within,

	"ticket/desk/desktest":           testLeaf,
	"storage/storagetest":            testLeaf,
	"storage/sqlstore/sqlstoretest":  testLeaf,
	"storage/sqlstore/sqlstoretest/": testLeaf,
	"provider/providertest":          testLeaf,
	"provider/mailgen":               testLeaf,
	"provider/gmail/gmailtest":       testLeaf,
	"provider/outlook/outlooktest":   testLeaf,
	// What the test servers share is for them alone: no provider may play a service at work.
	"provider/internal/testserver": testLeaf,
	"provider/internal/enginetest": testLeaf,

	"examples":  example,
	"examples/": example,
}

// below says what may be imported of ours from each place.
var below = map[place][]place{
	floor0:  {},
	floor1:  {floor0},
	floor2:  {floor0, floor1},
	floor3:  {floor0, floor1, floor2},
	leaf:    {floor0, floor1, floor2, floor3},
	service: {within}, // and what providerKnows names
	within:  {within},
}

// providerKnows is all that a provider may know of the rest.
var providerKnows = []string{"provider", "provider/rfc822"}

// owners says which one package imports each third-party module, beside tests and examples.
// golang.org/x may be imported by all.
var owners = map[string]string{
	"github.com/emersion/go-message":     "provider/rfc822",
	"github.com/emersion/go-msgauth":     "provider/rfc822",
	"github.com/gogs/chardet":            "provider/rfc822",
	"github.com/microcosm-cc/bluemonday": "inbox/htmlsafe",
	"github.com/klauspost/compress":      "storage/blob",
	"github.com/pressly/goose/v3":        "storage/sqlstore",
	"google.golang.org/api":              "provider/gmail",
	"gocloud.dev/blob":                   "storage/blob/bucket",
	"gocloud.dev/gcerrors":               "storage/blob/bucket",
	"github.com/riverqueue/river":        "ticket/desk/river",

	"github.com/microsoft/kiota-abstractions-go":       "provider/outlook",
	"github.com/microsoft/kiota-http-go":               "provider/outlook",
	"github.com/microsoft/kiota-serialization-json-go": "provider/outlook",
	"github.com/microsoftgraph/msgraph-sdk-go":         "provider/outlook",
	"github.com/microsoftgraph/msgraph-sdk-go-core":    "provider/outlook",
}

// testOnly are the modules every test may import.
var testOnly = []string{"github.com/stretchr/testify", "github.com/google/go-cmp", "go.uber.org/mock"}

// drivers are database drivers: their weight is the host's to choose.
var drivers = []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql"}

// driversIn are the packages that may import a driver, tests included.
// River's own driver is one of pgx.
var driversIn = []string{"storage/sqlstore/sqlstoretest", "storage/sqlstore/sqlstoretest/", "ticket/desk/river", "examples/"}

// source is what one file imports.
type source struct {
	pkg     string // folder below the module, with slashes
	test    bool
	imports []string
}

func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	sources := sources(t)
	require.Greater(t, len(sources), 200, "files read")
	require.Empty(t, problems(sources), "change the import, or floors_test.go if the picture changed")
}

// TestTheTableIsNeeded keeps names of what is gone out of the table of modules.
func TestTheTableIsNeeded(t *testing.T) {
	t.Parallel()
	imported := make(map[string]bool)
	for _, s := range sources(t) {
		for _, i := range s.imports {
			imported[moduleOf(i)] = true
		}
	}
	for m := range owners {
		require.True(t, imported[m], "nothing imports %q any more", m)
	}
}

func TestImportsThatGoTheWrongWay(t *testing.T) {
	t.Parallel()
	ours := func(p string) string { return module + "/" + p }
	for _, row := range []struct {
		name string
		in   source
		want string // empty: fine
	}{
		{"floor 1 on floor 0", source{"inbox", false, []string{ours("acl")}}, ""},
		{"floor 0 on floor 0", source{"filter", false, []string{ours("acl")}}, "floor 0 may not import acl"},
		{"floor 0 on a floor above", source{"acl", false, []string{ours("inbox")}}, "may not import inbox"},
		{"floor 1 on floor 2", source{"inbox", false, []string{ours("ticket")}}, "may not import ticket"},
		{"floor 1 on a leaf", source{"inbox", false, []string{ours("storage/memory")}}, "may not import"},
		{"floor 2 on a leaf", source{"ticket", false, []string{ours("provider/fake")}}, "may not import"},
		{"floor 3 on a leaf", source{"ticket/desk", false, []string{ours("inbox/notify")}}, "may not import"},
		{"a floor's test on a leaf", source{"inbox", true, []string{ours("storage/memory")}}, ""},
		{"a leaf on floors", source{"storage/memory", false, []string{ours("ticket"), ours("inbox")}}, ""},
		{"a leaf on a leaf", source{"storage/seal", false, []string{ours("storage/memory")}}, "may not import"},
		{"a leaf on a test leaf", source{"storage/blob", false, []string{ours("storage/storagetest")}}, "may not"},
		{"a test leaf on a leaf", source{"storage/storagetest", false, []string{ours("storage/memory")}}, ""},
		{"a test leaf on an example", source{"provider/mailgen", false, []string{ours("examples/x")}}, "may not"},
		{"a provider on provider", source{"provider/gmail", false, []string{ours("provider")}}, ""},
		{"a provider on what it shares", source{"provider/x", false, []string{ours("provider/internal/y")}}, ""},
		{"a provider on the test servers' part", source{"provider/x", false,
			[]string{ours("provider/internal/testserver")}}, "may not"},
		{"a test server on its part", source{"provider/gmail/gmailtest", false,
			[]string{ours("provider/internal/testserver")}}, ""},
		{"a provider on inbox", source{"provider/gmail", false, []string{ours("inbox")}}, "may not import inbox"},
		{"a provider on filter", source{"provider/gmail", false, []string{ours("filter")}}, "may not import"},
		{"a provider on a provider", source{"provider/x", false, []string{ours("provider/fake")}}, "may not"},
		{"provider/internal on acl", source{"provider/internal/y", false, []string{ours("acl")}}, "may not"},
		{"anything on an example", source{"ticket", true, []string{ours("examples/x")}}, "may not import"},
		{"a package of no place", source{"core/misc", false, nil}, "core/misc has no place"},

		{"a module by its owner", source{"storage/blob", false, []string{"github.com/klauspost/compress/zstd"}}, ""},
		{"a module by another", source{"inbox", false, []string{"github.com/klauspost/compress/zstd"}},
			"belongs to storage/blob alone"},
		{"a module by another's test", source{"inbox", true, []string{"github.com/gogs/chardet"}},
			"belongs to provider/rfc822 alone"},
		{"an unknown module", source{"inbox", false, []string{"github.com/some/thing/sub"}},
			"github.com/some/thing has no owner"},
		{"an assertion outside of tests", source{"inbox", false, []string{"github.com/stretchr/testify/require"}},
			"is for tests"},
		{"an assertion in a test", source{"inbox", true, []string{"github.com/stretchr/testify/require"}}, ""},
		{"golang.org/x", source{"filter", false, []string{"golang.org/x/net/idna"}}, ""},
		{"a driver in its place", source{"storage/sqlstore/sqlstoretest", false, []string{"modernc.org/sqlite"}}, ""},
		{"a driver below its place", source{"storage/sqlstore/sqlstoretest/x", false, []string{"modernc.org/sqlite"}}, ""},
		{"a driver beside its place", source{"storage/sqlstore/x", false, []string{"modernc.org/sqlite"}}, "driver"},
		{"a driver in an example", source{"examples/quickstart", false, []string{"modernc.org/sqlite"}}, ""},
		{"a driver in a store", source{"storage/sqlstore", false, []string{"modernc.org/sqlite"}}, "driver"},
		{"a driver in a test", source{"storage/sqlstore", true, []string{"github.com/jackc/pgx/v5/stdlib"}}, "driver"},
		{"the standard library", source{"acl", false, []string{"net/http", "database/sql"}}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := problems([]source{row.in})
			if row.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], row.want)
		})
	}
}

// problems says what is wrong, in words.
func problems(all []source) []string {
	var found []string
	for _, s := range all {
		if placeOf(s.pkg) == "" {
			found = append(found, s.pkg+" has no place among the floors")
		}
		for _, i := range s.imports {
			why := ""
			if rest, ours := strings.CutPrefix(i, module+"/"); ours {
				why = wrongOfOurs(s, rest)
			} else if first, _, _ := strings.Cut(i, "/"); strings.Contains(first, ".") {
				why = wrongOfOthers(s, moduleOf(i))
			}
			if why != "" && !slices.Contains(found, why) {
				found = append(found, why)
			}
		}
	}
	slices.Sort(found)
	return found
}

func wrongOfOurs(s source, imported string) string {
	from, to := placeOf(s.pkg), placeOf(imported)
	wrong := fmt.Sprintf("%s, %s may not import %s, %s", s.pkg, from, imported, to)
	switch {
	case from == example || from == "":
		return ""
	case to == example:
		return wrong
	case s.test || from == testLeaf, slices.Contains(below[from], to):
		return ""
	case (from == service || from == within) && slices.Contains(providerKnows, imported):
		return ""
	}
	return wrong
}

func wrongOfOthers(s source, imported string) string {
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool {
			return p == s.pkg || strings.HasSuffix(p, "/") &&
				strings.HasPrefix(s.pkg, p)
		})
	}
	from := placeOf(s.pkg)
	switch owner := owners[imported]; {
	case strings.HasPrefix(imported, "golang.org/x/"):
		return ""
	case slices.Contains(drivers, imported):
		if in(driversIn) {
			return ""
		}
		return fmt.Sprintf("%s imports the driver %s; only %s may", s.pkg, imported, driversIn)
	case slices.Contains(testOnly, imported):
		if s.test || from == testLeaf {
			return ""
		}
		return fmt.Sprintf("%s imports %s, which is for tests", s.pkg, imported)
	case owner == "":
		return fmt.Sprintf("%s imports %s; %s has no owner among the packages", s.pkg, imported, imported)
	case owner != s.pkg && from != testLeaf && from != example:
		return fmt.Sprintf("%s imports %s, which belongs to %s alone", s.pkg, imported, owner)
	}
	return ""
}

func placeOf(pkg string) place {
	if p := places[pkg]; p != "" {
		return p
	}
	for dir := path.Dir(pkg); dir != "."; dir = path.Dir(dir) {
		if p := places[dir+"/"]; p != "" {
			return p
		}
	}
	return ""
}

// moduleOf is the module an import path lies in, as far as the path tells.
func moduleOf(imported string) string {
	parts := strings.Split(imported, "/")
	n := 3
	if !strings.HasPrefix(imported, "github.com/") && !strings.HasPrefix(imported, "golang.org/x/") {
		n = 2
	}
	n = min(n, len(parts))
	if n < len(parts) && len(parts[n]) > 1 && parts[n][0] == 'v' && parts[n][1] >= '2' && parts[n][1] <= '9' {
		n++
	}
	return strings.Join(parts[:n], "/")
}

// sources reads the imports of every file of the module. It reads the files themselves, so that a
// result kept by the go command is not taken when one of them has changed.
func sources(t *testing.T) []source {
	t.Helper()
	const root = ".."
	var all []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := name != root && strings.HasPrefix(d.Name(), ".")
		if d.IsDir() && (hidden || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		s := source{pkg: filepath.ToSlash(dir), test: strings.HasSuffix(name, "_test.go")}
		for _, i := range file.Imports {
			text, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, text)
		}
		all = append(all, s)
		return err
	})
	require.NoError(t, err)
	return all
}
