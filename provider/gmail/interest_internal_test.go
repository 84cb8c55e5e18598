package gmail

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
)

func TestWindowTakesInBothBounds(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	until := since.AddDate(0, 1, 0).Add(time.Millisecond)
	for _, c := range []struct {
		name   string
		w      provider.Walk
		before int64
		want   string
	}{
		{"unbounded", provider.Walk{}, 0, "-in:drafts -in:chats"},
		{"since", provider.Walk{Since: since}, 0, "after:1790812799 -in:drafts -in:chats"},
		{"until", provider.Walk{Until: until}, 0, "before:1793491202 -in:drafts -in:chats"},
		{"begun again below until", provider.Walk{Until: until}, 1793491201, "before:1793491201 -in:drafts -in:chats"},
		{"begun again above until", provider.Walk{Until: until}, 1793491203, "before:1793491202 -in:drafts -in:chats"},
		{"all", provider.Walk{Since: since}, 5, "after:1790812799 before:5 -in:drafts -in:chats"},
	} {
		require.Equal(t, c.want, window(c.w, c.before), c.name)
	}
}

func TestInterestTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		interest []string
		want     []string // what follows from: to: and cc:; nil: it cannot be asked
	}{
		{"none", []string{}, []string{}},
		{"a domain", []string{"acme.com"}, []string{"acme.com"}},
		{"a wildcard asks for the domain", []string{"*.acme.com"}, []string{"acme.com"}},
		{"both are one", []string{"acme.com", "*.acme.com", " ACME.com "}, []string{"acme.com"}},
		{"an address", []string{"Bob@acme.com"}, []string{"bob@acme.com"}},
		{"an address of a domain that is asked for", []string{"bob@acme.com", "acme.com"}, []string{"acme.com"}},
		{"tags and hyphens", []string{"bob-b_2+x.y@acme.com"}, []string{"bob-b_2+x.y@acme.com"}},
		{"letters of the world", []string{"jörg@bücher.example"}, []string{"jörg@bücher.example"}},
		{"punycode", []string{"xn--bcher-kva.example"}, []string{"xn--bcher-kva.example"}},
		{"an apostrophe", []string{"o'neil@acme.com"}, []string{`"o'neil@acme.com"`}},
		{"what begins like an exclusion", []string{"-bob@acme.com"}, []string{`"-bob@acme.com"`}},
		{"braces", []string{"a}or{b@acme.com"}, []string{`"a}or{b@acme.com"`}},
		{"a space", []string{"a b@acme.com"}, []string{`"a b@acme.com"`}},
		{"a colon", []string{"in:inbox@acme.com"}, []string{`"in:inbox@acme.com"`}},
		{"a quote asks for the domain", []string{`a"b@acme.com`}, []string{"acme.com"}},
		{"a backslash asks for the domain", []string{`a\b@acme.com`}, []string{"acme.com"}},
		{"a line end asks for the domain", []string{"a\nb@acme.com"}, []string{"acme.com"}},
		{"broken UTF-8 asks for the domain", []string{"a\xffb@acme.com"}, []string{"acme.com"}},
		{"two at signs", []string{"a@b@acme.com"}, []string{`"a@b@acme.com"`}},
		{"a domain with a space", []string{"acme.com or all"}, nil},
		{"a domain with a brace", []string{"acme.com}"}, nil},
		{"a domain that excludes", []string{"-acme.com"}, nil},
		{"an empty label", []string{"acme..com"}, nil},
		{"no domain behind the at", []string{"bob@"}, nil},
		{"nothing before the at", []string{"@acme.com"}, nil},
		{"an address literal", []string{"bob@[192.0.2.1]"}, nil},
		{"empty", []string{""}, nil},
		{"a bare wildcard", []string{"*.*"}, nil},
	} {
		terms, ok := interestTerms(c.interest)
		require.Equal(t, c.want != nil, ok, c.name)
		want := []string{}
		for _, v := range c.want {
			want = append(want, "from:"+v, "to:"+v, "cc:"+v)
		}
		if c.want != nil {
			require.Equal(t, want, terms, c.name)
		}
	}
}

// Of whatever patterns: every one is asked for in every field, each once, in no search above the
// limit, and nothing else stands in a search.
func TestSearchesAskForEveryPattern(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	rest := window(provider.Walk{Since: time.Unix(1790812800, 0)}, 0)
	for range 300 {
		interest := randomInterest(r)
		limit := 1500
		if r.IntN(2) == 0 {
			limit = 180 + r.IntN(400)
		}
		terms, ok := interestTerms(interest)
		require.True(t, ok, "%q", interest)
		queries, ok := anyOf(terms, rest, limit)
		require.True(t, ok, "%q", interest)
		asked := []string{}
		for _, q := range queries {
			require.LessOrEqual(t, len(q), limit)
			inside, found := strings.CutPrefix(strings.TrimSuffix(q, "} "+rest), "{")
			require.True(t, found && strings.HasSuffix(q, "} "+rest), "%q", q)
			asked = append(asked, splitTerms(inside)...)
		}
		require.Equal(t, terms, asked)
		for _, pattern := range interest {
			if !strings.Contains(pattern, "@") {
				pattern = strings.TrimPrefix(pattern, "*.")
			}
			for _, field := range []string{"from:", "to:", "cc:"} {
				require.True(t, slices.ContainsFunc(asked, func(term string) bool {
					return covers(term, field, pattern)
				}), "pattern %q, field %q: not asked for", pattern, field)
			}
		}
	}
}

// splitTerms parts a search at the spaces outside of quotes.
func splitTerms(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

// covers says whether a term finds all mail of a pattern.
func covers(term, field, pattern string) bool {
	value, ok := strings.CutPrefix(term, field)
	value = strings.Trim(value, `"`)
	return ok && (value == pattern || strings.HasSuffix(pattern, "@"+value))
}

func randomInterest(r *rand.Rand) []string {
	interest := make([]string, r.IntN(120))
	for i := range interest {
		domain := fmt.Sprintf("%s%d.example", strings.Repeat("x", r.IntN(20)), r.IntN(60))
		switch r.IntN(5) {
		case 0:
			interest[i] = domain
		case 1:
			interest[i] = "*." + domain
		default:
			const odd = `abcXYZ019._-+'!#$%&*/=?^{|}~(),:;<>[] "\`
			local := make([]byte, 1+r.IntN(30))
			for j := range local {
				local[j] = odd[r.IntN(len(odd))]
			}
			interest[i] = strings.ToLower(string(local)) + "@" + domain
			if strings.TrimSpace(interest[i]) != interest[i] {
				interest[i] = "a" + interest[i]
			}
		}
	}
	for i := range interest {
		interest[i] = strings.ToLower(interest[i])
	}
	return interest
}

func FuzzInterestStaysInsideItsTerms(f *testing.F) {
	f.Add("bob@acme.com")
	f.Add(`a" OR in:anywhere "@acme.com`)
	f.Add("-x@acme.com")
	f.Add("*.acme.com")
	f.Fuzz(func(t *testing.T, pattern string) {
		terms, ok := interestTerms([]string{pattern})
		if !ok {
			return
		}
		for i, term := range terms {
			name, value, _ := strings.Cut(term, ":")
			require.Equal(t, []string{"from", "to", "cc"}[i%3], name)
			if inner, ok := strings.CutPrefix(value, `"`); ok {
				inner, ok = strings.CutSuffix(inner, `"`)
				require.True(t, ok && !strings.ContainsAny(inner, "\"\\\r\n"), "%q", term)
				continue
			}
			require.False(t, strings.ContainsAny(value, " \t\r\n\"'(){}[]:|\\") || strings.HasPrefix(value, "-"), "%q", term)
		}
	})
}

func TestTermThatDoesNotFitIsNotCut(t *testing.T) {
	t.Parallel()
	_, ok := anyOf([]string{"from:a.example", "from:" + strings.Repeat("b", 50)}, "rest", 40)
	require.False(t, ok)
	queries, ok := anyOf([]string{"abc", "def"}, "rest", 10)
	require.True(t, ok)
	require.Equal(t, []string{"{abc} rest", "{def} rest"}, queries)
	queries, ok = anyOf([]string{"abc", "def"}, "rest", 14)
	require.True(t, ok)
	require.Equal(t, []string{"{abc def} rest"}, queries)
	queries, ok = anyOf(nil, "rest", 14)
	require.True(t, ok)
	require.Empty(t, queries)
}

// What package rfc822 takes for the subject of a report or an automatic reply is searched for.
func TestReportsAreAskedForByAllSubjectsThatAreKnown(t *testing.T) {
	t.Parallel()
	known := append(listIn(t, "../rfc822/autoreply.go", "autoReplySubjects"),
		listIn(t, "../rfc822/bouncetext.go", "bounceSubjects")...)
	require.Greater(t, len(known), 80)
	for _, subject := range known {
		if subject == "auto" {
			continue // see reportSubjects
		}
		require.True(t, slices.ContainsFunc(reportSubjects, func(phrase string) bool {
			return strings.Contains(" "+subject+" ", " "+phrase+" ")
		}), "subject %q is not searched for", subject)
	}
	for _, term := range reportTerms() {
		require.LessOrEqual(t, len(term), 100)
	}
	queries, ok := anyOf(reportTerms(), window(provider.Walk{Since: time.Unix(1790812800, 0)}, 0), 1500)
	require.True(t, ok)
	require.LessOrEqual(t, len(queries), 3, "searches for reports")
}

// listIn reads a list of strings out of a source file.
func listIn(t *testing.T, file, name string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var list []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != name {
			return true
		}
		for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
			s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
			require.NoError(t, err)
			list = append(list, s)
		}
		return false
	})
	require.NotEmpty(t, list, "%s in %s", name, file)
	return list
}
