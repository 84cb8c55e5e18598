package blob

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

// children are what this test binary does when it is started as a child process.
var children = map[string]func(dir, arg string) error{"crash": crashChild}

const childEnv = "WORKINBOX_BLOB_CHILD" // "<child> <argument>"; the directory is in childEnv + "_DIR"

func TestMain(m *testing.M) {
	name, arg, isChild := strings.Cut(os.Getenv(childEnv), " ")
	if !isChild {
		os.Exit(m.Run())
	}
	if err := children[name](os.Getenv(childEnv+"_DIR"), arg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runChild starts a child and returns the lines it wrote, and how it ended.
func runChild(t *testing.T, name, arg, dir string) ([]string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name+" "+arg, childEnv+"_DIR="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.Empty(t, stderr.String())
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines, err
}

// crashContent is the i-th mail of the child: every third is of several chunks, every seventh has
// been put before.
func crashContent(i int) []byte {
	if i%7 == 6 {
		i -= 3
	}
	size := 500 + i
	if i%3 == 2 {
		size = 2*chunkSize + i
	}
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(b)
	return b
}

const crashMails = 20

// crashChild puts mails, a sync after every five, says each key it was given, and kills itself the
// n-th time it comes to a step.
func crashChild(dir, arg string) error {
	step, nth, _ := strings.Cut(arg, " ")
	left, err := strconv.Atoi(nth)
	if err != nil {
		return err
	}
	d, err := Open(dir, Options{SyncEach: step == "sync"})
	if err != nil {
		return err
	}
	d.step = func(name string) error {
		if name != step {
			return nil
		}
		if left--; left > 0 {
			return nil
		}
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		if err := self.Kill(); err != nil {
			return err
		}
		select {}
	}
	for i := range crashMails {
		info, err := d.PutBlob(context.Background(), "in-1", bytes.NewReader(crashContent(i)))
		if err != nil {
			return err
		}
		fmt.Println(info.Key)
		if i%5 == 4 {
			if err := d.SyncBlobs(context.Background(), "in-1"); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestAProcessKilledInAPutLosesNothingItWasGiven(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"create", "write", "sync", "rename", "placed", "flush"} {
		for _, nth := range []string{"1", "3", "4", "16"} {
			if (step == "flush" || step == "rename") && nth == "16" {
				continue // it comes there a few times only
			}
			t.Run(step+" "+nth, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				given, err := runChild(t, "crash", step+" "+nth, dir)
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit, "the child must be killed at its step")
				require.Equal(t, -1, exit.ExitCode(), "killed, not ended")
				require.Less(t, len(given), crashMails+1)

				d, err := Open(dir, Options{})
				require.NoError(t, err)
				defer func() { require.NoError(t, d.Close()) }()
				for i, key := range given {
					require.Equal(t, string(crashContent(i)), readTest(t, d, inbox.BlobKey(key)), "mail %d", i)
				}
				cut := len(tempFiles(t, dir, "in-1"))
				for info, err := range d.Blobs(t.Context(), "in-1") {
					require.NoError(t, err)
					if info.Size < 0 {
						require.NotContains(t, given, string(info.Key), "who was given a key has a whole blob")
						cut++
						continue
					}
					require.Len(t, readTest(t, d, info.Key), int(info.Size), "listed with a size is whole")
				}
				require.LessOrEqual(t, cut, 1, "one put was cut short")
				redoAfterCrash(t, d, dir, given)
			})
		}
	}
}

func TestWhatAKilledPutLeftIsSwept(t *testing.T) {
	t.Parallel()
	for _, nth := range []string{"1", "3"} { // of one chunk, and of several
		t.Run(nth, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			given, err := runChild(t, "crash", "write "+nth, dir)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "the child must be killed at its step")
			d, err := Open(dir, Options{Now: func() time.Time { return time.Now().Add(2 * DefaultSweepAge) }})
			require.NoError(t, err)
			defer func() { require.NoError(t, d.Close()) }()
			report, err := d.Sweep(t.Context(), "in-1", func(key inbox.BlobKey) (bool, error) {
				return slices.Contains(given, string(key)), nil
			}, 0)
			require.NoError(t, err)
			require.Equal(t, len(given), report.Kept)
			require.Equal(t, 1, report.Orphans+report.Temps)
			require.Len(t, listTest(t, d, "in-1"), len(given))
		})
	}
}

// redoAfterCrash puts everything again, as a page is after a crash, and sweeps what it did not need.
func redoAfterCrash(t *testing.T, d *Dir, dir string, given []string) {
	t.Helper()
	used := map[inbox.BlobKey]bool{}
	for i := range crashMails {
		info, err := d.PutBlob(t.Context(), "in-1", bytes.NewReader(crashContent(i)))
		require.NoError(t, err)
		used[info.Key] = true
		if i < len(given) {
			require.EqualValues(t, given[i], info.Key)
		}
	}
	require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
	now := d.now()
	d.now = func() time.Time { return now.Add(2 * DefaultSweepAge) }
	report, err := d.Sweep(t.Context(), "in-1", func(key inbox.BlobKey) (bool, error) {
		return used[key], nil
	}, 0)
	require.NoError(t, err)
	require.Equal(t, len(used), report.Kept)
	require.Zero(t, report.Orphans, "putting again repairs what was cut short")
	require.Empty(t, tempFiles(t, dir, "in-1"))
	require.Len(t, used, crashMails-2, "the two mails put twice are one blob each")
}
