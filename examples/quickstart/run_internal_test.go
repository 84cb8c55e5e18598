package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// asProgram makes the test binary the program itself, for tests that kill it.
const asProgram = "WORKINBOX_QUICKSTART"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the test binary as the program, with its own temporary folder.
func program(t *testing.T, args ...string) (cmd *exec.Cmd, temp string) {
	t.Helper()
	temp = t.TempDir()
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+temp)
	return cmd, temp
}

// try runs the program inside the test.
func try(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// tryJSON runs the program with -json, and demands one object and a ledger that balances.
func tryJSON(t *testing.T, args ...string) summary {
	t.Helper()
	code, stdout, stderr := try(t, append(args, "-json")...)
	require.Zero(t, code, "%q: %s", args, stderr)
	return parseSummary(t, stdout)
}

func parseSummary(t *testing.T, stdout string) summary {
	t.Helper()
	var s summary
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&s), "output: %s", stdout)
	require.False(t, d.More(), "more than one object: %s", stdout)
	rejected := 0
	for _, n := range s.Rejected {
		rejected += n
	}
	require.Equal(t, s.Listed+s.Retried, s.Stored+s.Known+rejected+s.Gone+s.Queued+s.Poisoned,
		"the ledger does not balance: %s", stdout)
	return s
}

var changing = regexp.MustCompile(`(?m)^It took .*\n|"[0-9a-z]{26}"`)

func TestSampleSaysTheSameEveryTime(t *testing.T) {
	t.Parallel()
	cmd, temp := program(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.Contains(t, stderr.String(), "imported 317 of 317\n", "progress where nobody watches")
	require.NotContains(t, stderr.String(), "\r")

	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left, "what the run left in its temporary folder")

	const golden = "testdata/sample.golden"
	got := changing.ReplaceAll(stdout, nil)
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run the test with -update if this is right")
}

func TestSampleInJSON(t *testing.T) {
	t.Parallel()
	s := tryJSON(t)
	require.Equal(t, 317, s.Listed, "mails of the sample")
	require.Equal(t, map[filter.Reason]int{filter.NotClientAssociated: 198, filter.Excluded: 87}, s.Rejected)
	require.Equal(t, 32, s.Stored)
	require.Equal(t, 32, s.Messages)
	require.Equal(t, 11, s.Tickets)
	require.Equal(t, 5, s.Companies)
	require.Positive(t, s.Seconds)
	require.Positive(t, s.PerSecond)
	require.Positive(t, s.CPUPerMessage)
	require.Positive(t, s.PeakRSSMegabytes)
	require.NotEmpty(t, s.Version)
}

func TestPreviewImportsNothing(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "team.db")
	code, stdout, stderr := try(t, "-preview", "-db", db)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "Of 317 mails 32 would enter")
	require.Contains(t, stdout, "git.apache.org                 0   87\n")

	code, stdout, stderr = try(t, "-preview", "-db", db, "-json")
	require.Zero(t, code, stderr)
	var p struct {
		Listed, Accepted int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &p), stdout)
	require.Equal(t, 317, p.Listed)
	require.Equal(t, 32, p.Accepted)

	s := tryJSON(t, "-db", db)
	require.Equal(t, 32, s.Stored, "the run after the preview stores all of it")
}

func TestHelpNamesEveryFlag(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := try(t, "-h")
	require.Zero(t, code)
	require.Empty(t, stderr)
	for _, name := range []string{"mail", "gmail", "me", "as-of", "days", "mode", "client", "exclude", "preview",
		"db", "send-to", "json"} {
		require.Regexp(t, `(?m)^  -`+name+`\b`, stdout)
	}
}
