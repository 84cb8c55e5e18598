package ticket

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTransitionTable(t *testing.T) { // R-STA-08
	t.Parallel()
	text, err := os.ReadFile("testdata/transitions.txt")
	require.NoError(t, err)
	columns := regexp.MustCompile(` {2,}`)
	rows := make(map[Cause]int)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		c := columns.Split(line, -1)
		require.Len(t, c, 6, "%s", line)
		cause, from, locked := Cause(c[1]), Status(c[2]), c[3] == "yes"
		if from == "none" {
			from = ""
		}
		rows[cause]++
		to, fresh := next(cause, from, "triage", locked)
		require.Equal(t, Status(c[4]), to, "status: %s", line)
		require.Equal(t, c[5] == "yes", fresh, "a new ticket: %s", line)
	}
	for _, cause := range []Cause{CauseCustomer, CauseOwnerMail, CauseAutomated, CauseTaskDone, CauseQuiet} {
		require.NotZero(t, rows[cause], "the table has nothing of %q", cause)
		delete(rows, cause)
	}
	require.Empty(t, rows, "causes nobody knows")
}
