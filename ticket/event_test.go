package ticket_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

// The constants of both packages and the list webhooks are offered must not drift apart.
func TestEveryEventIsInTheList(t *testing.T) { // section 10
	t.Parallel()
	var names []inbox.EventName
	for _, path := range []string{"../inbox/event.go", "event.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range d.(*ast.GenDecl).Specs {
				v := s.(*ast.ValueSpec)
				require.True(t, strings.HasPrefix(v.Names[0].Name, "Event"), v.Names[0].Name)
				name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				names = append(names, inbox.EventName(name))
			}
		}
	}
	require.ElementsMatch(t, names, slices.Concat(inbox.Events(), inbox.SiteEvents()))
}
