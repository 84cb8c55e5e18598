//go:build unix

package importtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

// jobEnv holds the job of a child process, as JSON.
const jobEnv = "IMPORTTEST_JOB"

// IsChild says whether this process is a child, for packages whose TestMain has more to do.
func IsChild() bool {
	_, isChild := os.LookupEnv(jobEnv)
	return isChild
}

// Main runs the tests of a package, or in a child process its job. It returns what os.Exit wants. It
// belongs into TestMain of every package that uses Command or Run.
func Main[Job any](m *testing.M, child func(context.Context, Job) error) int {
	text, isChild := os.LookupEnv(jobEnv)
	if !isChild {
		return m.Run()
	}
	var job Job
	err := json.Unmarshal([]byte(text), &job)
	if err == nil {
		err = child(context.Background(), job)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Command is this test program as a child process with a job, which must survive JSON. What the child
// says on its standard error is heard; the caller starts it and waits for it.
func Command[Job any](ctx context.Context, job Job) (*exec.Cmd, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self)
	c.Env = append(os.Environ(), jobEnv+"="+string(text))
	c.Stderr = os.Stderr
	return c, nil
}

// Run runs a child and returns what it reports; lived is false when it killed itself. Any other end
// fails the test.
func Run[Job any](tb testing.TB, job Job) (report Report, lived bool) {
	tb.Helper()
	c, err := Command(tb.Context(), job)
	require.NoError(tb, err)
	out, err := c.Output()
	if err == nil {
		require.NoError(tb, json.Unmarshal(out, &report))
		return report, true
	}
	require.NotNil(tb, c.ProcessState, "child: %v", err)
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	require.True(tb, ok && status.Signaled() && status.Signal() == syscall.SIGKILL, "child: %v", err)
	return report, false
}

// Report is what a child that lived says.
type Report struct {
	Run     inbox.Run
	PeakRSS float64 // the most memory it ever held, in MiB; zero where the system does not tell
}

// WriteReport says to Run what the import of this process came to.
func WriteReport(run inbox.Run) error {
	return json.NewEncoder(os.Stdout).Encode(Report{Run: run, PeakRSS: peakRSS()})
}

// peakRSS is VmHWM of proc_pid_status(5).
func peakRSS() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
	return float64(kib) / 1024
}
