package filter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

func domain(t testing.TB, s string) filter.Domain {
	t.Helper()
	d, err := filter.ParseDomain(s)
	require.NoError(t, err, "domain %q", s)
	return d
}

// company returns a pattern of a company; those of public mail providers are forced.
func company(t testing.TB, s string) filter.Pattern {
	t.Helper()
	p, err := filter.ParseCompanyPattern(s, filter.CompanyOptions{ForcePublic: true})
	require.NoError(t, err, "company pattern %q", s)
	return p
}

func exclusion(t testing.TB, s string) filter.Exclusion {
	t.Helper()
	e, err := filter.ParseExclusion(s)
	require.NoError(t, err, "exclusion %q", s)
	return e
}

func exclusions(t testing.TB, texts ...string) (list []filter.Exclusion) {
	t.Helper()
	for _, s := range texts {
		list = append(list, exclusion(t, s))
	}
	return list
}

func directory(t testing.TB, d filter.DirectoryData) *filter.Directory {
	t.Helper()
	dir, err := filter.NewDirectory(d)
	require.NoError(t, err)
	return dir
}

// compile makes a filter with one revision, version 1.
func compile(t testing.TB, d filter.DirectoryData, r filter.Rules, own ...string) *filter.Filter {
	t.Helper()
	return compileConfig(t, filter.Config{
		Revisions: []filter.Revision{{Version: 1, Rules: r}}, Directory: directory(t, d), Own: own,
	})
}

func compileConfig(t testing.TB, c filter.Config) *filter.Filter {
	t.Helper()
	f, err := filter.Compile(c)
	require.NoError(t, err)
	return f
}

// day returns midnight of a day in November 2026.
func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
