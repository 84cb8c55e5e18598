package blob_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/blob"
)

// sweepDay is the day the clock of these tests stands at; age sets what a file says of its age.
var sweepDay = time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)

func swept(t *testing.T, dir string) *blob.Dir {
	return open(t, dir, blob.Options{Now: func() time.Time { return sweepDay }})
}

func age(t *testing.T, path string, age time.Duration) {
	t.Helper()
	require.NoError(t, os.Chtimes(path, sweepDay.Add(-age), sweepDay.Add(-age)))
}

func pathOf(dir string, key inbox.BlobKey) string {
	hash := string(key[len(key)-64:])
	return filepath.Join(dir, "i-in-1", hash[:1], hash)
}

func TestSweepRemovesOldOrphansOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := swept(t, dir)
	oldUsed, oldOrphan := put(t, d, "in-1", []byte("old used")), put(t, d, "in-1", []byte("old orphan"))
	young := put(t, d, "in-1", []byte("young orphan"))
	elsewhere := put(t, d, "in-2", []byte("old orphan"))
	age(t, pathOf(dir, oldUsed), 25*time.Hour)
	age(t, pathOf(dir, oldOrphan), 25*time.Hour)
	age(t, pathOf(dir, young), 24*time.Hour)
	deadTemp, liveTemp := filepath.Join(dir, "i-in-1", "new-DEAD"), filepath.Join(dir, "i-in-1", "new-LIVE")
	require.NoError(t, os.WriteFile(deadTemp, []byte("half a mail"), 0o600))
	require.NoError(t, os.WriteFile(liveTemp, []byte("half a mail"), 0o600))
	age(t, deadTemp, 25*time.Hour)
	age(t, liveTemp, time.Minute)
	st, err := os.Stat(pathOf(dir, oldOrphan))
	require.NoError(t, err)

	var asked []inbox.BlobKey
	report, err := d.Sweep(t.Context(), "in-1", func(key inbox.BlobKey) (bool, error) {
		asked = append(asked, key)
		return key == oldUsed, nil
	}, 0)
	require.NoError(t, err)
	require.ElementsMatch(t, []inbox.BlobKey{oldUsed, oldOrphan}, asked)
	require.Equal(t, blob.SweepReport{
		Kept: 1, Young: 2, Orphans: 1, Temps: 1, Bytes: st.Size() + int64(len("half a mail")),
	}, report)
	require.ElementsMatch(t, []string{
		rel(t, dir, pathOf(dir, oldUsed)), rel(t, dir, pathOf(dir, young)), rel(t, dir, liveTemp),
		filepath.Join("i-in-2", string(elsewhere[5:6]), string(elsewhere[5:])),
	}, files(t, dir))
}

func rel(t *testing.T, dir, path string) string {
	t.Helper()
	r, err := filepath.Rel(dir, path)
	require.NoError(t, err)
	return r
}

func TestSweepKeepsWhatIsPutAgainWhileItAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, writer := swept(t, dir), open(t, dir, blob.Options{})
	key := put(t, d, "in-1", []byte("comes back"))
	age(t, pathOf(dir, key), 48*time.Hour)
	report, err := d.Sweep(t.Context(), "in-1", func(inbox.BlobKey) (bool, error) {
		put(t, writer, "in-1", []byte("comes back")) // a new mail of the same content, by another process
		return false, nil
	}, time.Hour)
	require.NoError(t, err)
	require.Equal(t, blob.SweepReport{Young: 1}, report)
	got, err := read(d, key)
	require.NoError(t, err)
	require.Equal(t, "comes back", string(got))
}

func TestSweepEndsWithTheErrorOfWhoIsAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := swept(t, dir)
	for _, s := range []string{"a", "b", "c"} {
		age(t, pathOf(dir, put(t, d, "in-1", []byte(s))), 48*time.Hour)
	}
	away, calls := errors.New("database away"), 0
	report, err := d.Sweep(t.Context(), "in-1", func(inbox.BlobKey) (bool, error) {
		if calls++; calls == 2 {
			return false, away
		}
		return false, nil
	}, time.Hour)
	require.ErrorIs(t, err, away)
	require.Equal(t, 1, report.Orphans)
	require.Len(t, files(t, dir), 2)
}

func TestSweepLeavesNothingOfAPurgedInbox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := swept(t, dir)
	for _, mail := range mails(t) {
		put(t, d, "in-1", mail)
		put(t, d, "in-2", mail)
	}
	for info, err := range d.Blobs(t.Context(), "in-1") {
		require.NoError(t, err)
		require.NoError(t, d.DeleteBlob(t.Context(), info.Key))
	}
	report, err := d.Sweep(t.Context(), "in-1", nil, 0)
	require.NoError(t, err)
	require.Zero(t, report)
	require.NoDirExists(t, filepath.Join(dir, "i-in-1"))
	require.Len(t, list(t, d, "in-2"), len(mails(t)))
	put(t, d, "in-1", mails(t)[0])
	require.NoError(t, d.SyncBlobs(t.Context(), "in-1"), "the inbox can come back")
	require.Len(t, list(t, d, "in-1"), 1)
	_, err = d.Sweep(t.Context(), "never seen", nil, 0)
	require.NoError(t, err)
}
