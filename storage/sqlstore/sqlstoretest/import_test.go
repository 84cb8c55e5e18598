//go:build unix

package sqlstoretest_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/mailgen"
)

func TestImportFindsTheThreadsThereAre(t *testing.T) {
	t.Parallel()
	path, mail := writeMail(t, mailgen.Config{Seed: 7, Messages: 2000})
	i, err := openImporter(t.Context(), t.TempDir(), mail.Config().End, hostParts{provider: archiveOf(path, mail)})
	require.NoError(t, err)
	defer i.close()
	id, err := i.inbox(t.Context(), filter.Rules{Mode: filter.All}, nil)
	require.NoError(t, err)
	run, err := i.svc.Sync(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, run.Balance())
	require.Equal(t, mail.Len(), run.Stored)

	ours, theirs := make(map[inbox.ThreadID]int), make(map[int]inbox.ThreadID)
	copies := 0
	for m, err := range i.store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(t, err)
		truth, err := mail.Find(m.RFCID)
		require.NoError(t, err)
		if m.CopyOf != "" {
			copies++
		}
		if first, known := ours[m.Thread]; known {
			require.Equal(t, first, truth.Thread, "one of our threads holds mail of two")
		}
		ours[m.Thread] = truth.Thread
		if first, known := theirs[truth.Thread]; known {
			require.Equal(t, first, m.Thread, "one thread came apart")
		}
		theirs[truth.Thread] = m.Thread
	}
	want := 0
	for n := range mail.Len() {
		if mail.Truth(n).Copy >= 0 {
			want++
		}
	}
	require.Equal(t, want, run.Copies)
	require.Equal(t, want, copies)
}

// crashJob is one child process: import, and die at a certain call.
type crashJob struct {
	Dir, Mail, Owner string
	End              time.Time
	PageSize         int
	Op               string // which calls are counted: "provider", "store", "blobs"; empty dies never
	At               int64  // the call at which the process kills itself
}

// crashReport is what a child that lived says.
type crashReport struct {
	Run     inbox.Run
	PeakRSS int // MiB, where the system tells (VmHWM)
}

const (
	crashMessages = 240
	crashPageSize = 20
)

// TestKilledImportLosesNothing kills a child process at a provider call, a store write or a blob
// write drawn from a seed, runs it again until it lives, and holds what is stored against the truth.
// WORKINBOX_CRASH_ROUNDS says how often (5), WORKINBOX_CRASH_SEED from which seed.
func TestKilledImportLosesNothing(t *testing.T) {
	t.Parallel()
	rounds, seed := envInt("WORKINBOX_CRASH_ROUNDS", 5), uint64(envInt("WORKINBOX_CRASH_SEED", 1))
	path, mail := writeMail(t, mailgen.Config{Seed: 11, Messages: crashMessages, MeanBytes: 4000})
	for round := range rounds {
		t.Logf("seed %d, round %d", seed, round)
		r := rand.New(rand.NewPCG(seed, uint64(round)))
		crashAndResume(t, r, path, mail)
	}
}

func crashAndResume(t *testing.T, r *rand.Rand, path string, mail *mailgen.Mailbox) {
	t.Helper()
	job := crashJob{Dir: t.TempDir(), Mail: path, Owner: mail.Config().Owner, End: mail.Config().End, PageSize: crashPageSize}
	deaths := 0
	for range 1 + r.IntN(3) {
		job.Op = []string{"provider", "store", "blobs"}[r.IntN(3)]
		job.At = 1 + r.Int64N(map[string]int64{"provider": crashMessages, "store": 30, "blobs": crashMessages}[job.Op])
		if _, lived := runCrashJob(t, job); lived {
			break // it was done before the call it was to die at
		}
		deaths++
	}
	job.Op = ""
	last, lived := runCrashJob(t, job)
	require.True(t, lived)
	require.NoError(t, last.Run.Balance())

	i, err := openImporter(t.Context(), job.Dir, job.End, hostParts{provider: archiveOf(path, mail)})
	require.NoError(t, err)
	defer i.close()
	stored := make(map[provider.RemoteID]bool)
	id, err := i.inbox(t.Context(), filter.Rules{}, nil)
	require.NoError(t, err)
	for m, err := range i.store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(t, err)
		require.False(t, stored[m.Remote], "message %q is there twice", m.Remote)
		stored[m.Remote] = true
		raw, err := i.blobs.OpenBlob(t.Context(), m.Blob)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, raw)
		require.NoError(t, err, "raw mail of message %q", m.Remote)
		require.Equal(t, m.Size, n)
		require.NoError(t, raw.Close())
	}
	require.Len(t, stored, mail.Len(), "nothing lost")
	opens, err := os.Stat(filepath.Join(job.Dir, opensFile))
	require.NoError(t, err)
	require.LessOrEqual(t, opens.Size(), int64(mail.Len()+deaths*2*crashPageSize), "at most two pages are fetched again")
}

// runCrashJob runs a child; lived is false when it killed itself.
func runCrashJob(t testing.TB, job crashJob) (report crashReport, lived bool) {
	t.Helper()
	text, err := json.Marshal(job)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), crashEnv+"="+string(text))
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err == nil {
		require.NoError(t, json.Unmarshal(out, &report))
		return report, true
	}
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGKILL, "child: %v", err)
	return report, false
}

const crashEnv = "SQLSTORETEST_CRASH"

// crashChild is the child's main.
func crashChild(text string) error {
	var job crashJob
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return err
	}
	ctx := context.Background()
	opens, err := os.OpenFile(filepath.Join(job.Dir, opensFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer opens.Close()
	d := &dying{job: job, opens: opens}
	i, err := openImporter(ctx, job.Dir, job.End, hostParts{
		provider: dyingProvider{archive.New(job.Mail, archive.Options{Own: []string{job.Owner}, PageSize: job.PageSize}), d},
		store:    func(s inbox.Store) inbox.Store { return dyingStore{s, d} },
		blobs:    func(b inbox.Blobs) inbox.Blobs { return &dyingBlobs{b, d} },
	})
	if err != nil {
		return err
	}
	defer i.close()
	id, err := i.inbox(ctx, filter.Rules{Mode: filter.All}, nil)
	if err != nil {
		return err
	}
	run, err := i.svc.Sync(ctx, id)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(crashReport{Run: run, PeakRSS: peakRSS()})
}

// peakRSS is the most memory this process ever held, in MiB; zero where the system does not tell.
func peakRSS() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
	return kib >> 10
}

// dying counts calls and kills the process at the one it was told.
type dying struct {
	job   crashJob
	calls atomic.Int64
	opens *os.File // a byte for each body fetched, by any child
}

const opensFile = "opens"

func (d *dying) call(op string) {
	if op == d.job.Op && d.calls.Add(1) == d.job.At {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

type dyingProvider struct {
	*archive.Archive
	d *dying
}

func (p dyingProvider) Open(ctx context.Context, c provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	box, err := p.Archive.Open(ctx, c, save)
	return dyingMailbox{box, p.d}, err
}

type dyingMailbox struct {
	provider.Mailbox
	d *dying
}

func (m dyingMailbox) Unwrap() provider.Mailbox { return m.Mailbox }

func (m dyingMailbox) Changes(ctx context.Context, from provider.Cursor, w provider.Walk) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		for b, err := range m.Mailbox.Changes(ctx, from, w) {
			m.d.call("provider")
			if !yield(b, err) {
				return
			}
		}
	}
}

func (m dyingMailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	m.d.call("provider")
	if _, err := m.d.opens.Write([]byte{'.'}); err != nil {
		return nil, err
	}
	return m.Mailbox.Open(ctx, id)
}

type dyingStore struct {
	inbox.Store
	d *dying
}

func (s dyingStore) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	s.d.call("store")
	state, err := s.Store.Commit(ctx, imp, ev...)
	s.d.call("store")
	return state, err
}

func (s dyingStore) EnsureCustomers(ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time, newID func() string) ([]inbox.Customer, error) {
	s.d.call("store")
	return s.Store.EnsureCustomers(ctx, site, from, who, at, newID)
}

func (s dyingStore) UpdateInbox(ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event) (inbox.Inbox, error) {
	s.d.call("store")
	return s.Store.UpdateInbox(ctx, in, log, ev...)
}

type blobs = inbox.Blobs // a field of an interface may not be called like its method

type dyingBlobs struct {
	blobs
	d *dying
}

func (b *dyingBlobs) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	b.d.call("blobs")
	return b.blobs.PutBlob(ctx, id, r)
}

func (b *dyingBlobs) SyncBlobs(ctx context.Context, id inbox.ID) error {
	b.d.call("blobs")
	return b.blobs.SyncBlobs(ctx, id)
}

func envInt(name string, def int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return def
}
