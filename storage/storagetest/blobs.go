package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing/iotest"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

var blobChecks = []check[inbox.Blobs]{
	{"Blobs/RoundTrip", checkBlobRoundTrip},
	{"Blobs/ContentAddressed", checkContentAddressed},
	{"Blobs/NotFound", checkBlobNotFound},
	{"Blobs/ReaderFails", checkReaderFails},
	{"Blobs/InboxesApart", checkInboxesApart},
	{"Blobs/DeleteForgets", checkBlobDelete},
	{"Blobs/ByteOrder", checkBlobOrder},
	{"Blobs/SyncKeeps", checkBlobSync},
	{"Blobs/BigBlob", checkBigBlob},
	{"Blobs/SameAtOnce", checkBlobRace},
	{"Blobs/OthersFindNothing", checkForeignBlobs},
	{"Blobs/WriteWhileReading", func(b *blobs) { checkWriteWhileReading(b, blobLists(b)) }},
	{"Blobs/CancelledContext", func(b *blobs) { checkCancelled(b, blobLists(b)) }},
	{"Blobs/BreakReleases", func(b *blobs) { checkBreak(b, blobLists(b)) }},
}

type blobs = bench[inbox.Blobs]

func putBlob(b *blobs, id inbox.ID, raw string) inbox.BlobInfo {
	b.Helper()
	info, err := b.s.PutBlob(b.Context(), id, strings.NewReader(raw))
	ok(b, fmt.Sprintf("put a blob of %d bytes", len(raw)), err)
	return info
}

func openBlob(b *blobs, key inbox.BlobKey) string {
	b.Helper()
	r, err := b.s.OpenBlob(b.Context(), key)
	ok(b, "open blob", err)
	raw, err := io.ReadAll(r)
	ok(b, "read blob", err)
	ok(b, "close blob", r.Close())
	return string(raw)
}

func blobKeys(b *blobs, id inbox.ID) []inbox.BlobKey {
	b.Helper()
	return mapped(collect(b, "blobs", b.s.Blobs(b.Context(), id)),
		func(i inbox.BlobInfo) inbox.BlobKey { return i.Key })
}

// keyOf returns the key the contract gives a blob: inbox, slash, hex SHA-256.
func keyOf(id inbox.ID, raw string) inbox.BlobKey {
	sum := sha256.Sum256([]byte(raw))
	return inbox.BlobKey(string(id) + "/" + hex.EncodeToString(sum[:]))
}

func checkBlobRoundTrip(b *blobs) {
	for _, raw := range []string{"", "x", "Subject: a\r\n\r\nb\r\n", "\x00\xff\xfe binary \n\r"} {
		info := putBlob(b, "in-1", raw)
		equal(b, "put blob", info, inbox.BlobInfo{Key: keyOf("in-1", raw), Size: int64(len(raw))})
		equal(b, "blob as read", openBlob(b, info.Key), raw)
		equal(b, "blob read a second time", openBlob(b, info.Key), raw)
	}
}

func checkContentAddressed(b *blobs) {
	one, again := putBlob(b, "in-1", "same"), putBlob(b, "in-1", "same")
	equal(b, "the same mail twice", again, one)
	equal(b, "blobs after the same mail twice", collect(b, "blobs", b.s.Blobs(b.Context(), "in-1")),
		[]inbox.BlobInfo{one})
	if two := putBlob(b, "in-1", "Same"); two.Key == one.Key {
		b.Errorf("two mails: got one key %q, want two", one.Key)
	}
	equal(b, "first blob after another was put", openBlob(b, one.Key), "same")
}

func checkBlobNotFound(b *blobs) {
	putBlob(b, "in-1", "raw")
	key := string(keyOf("in-1", "raw"))
	for _, k := range []string{
		string(keyOf("in-1", "other")), string(keyOf("in-2", "raw")), strings.ToUpper(key), key + "0",
		key[:len(key)-1], "", "in-1", "in-1/", "/", "in-1/..", "../" + key, "in-1/../" + key,
	} {
		r, err := b.s.OpenBlob(b.Context(), inbox.BlobKey(k))
		refused(b, fmt.Sprintf("open %q", k), err, storage.ErrNotFound)
		if err == nil {
			_ = r.Close()
		}
	}
}

func checkReaderFails(b *blobs) {
	broken := errors.New("connection reset")
	for _, n := range []int{0, 1, 100_000} {
		r := io.MultiReader(strings.NewReader(strings.Repeat("x", n)), iotest.ErrReader(broken))
		_, err := b.s.PutBlob(b.Context(), "in-1", r)
		if err == nil {
			b.Errorf("put a blob whose reader fails after %d bytes: got no error, want one", n)
		}
	}
	equal(b, "blobs after readers failed", blobKeys(b, "in-1"), []inbox.BlobKey(nil))
	_, err := b.s.OpenBlob(b.Context(), keyOf("in-1", "x"))
	refused(b, "open what came before a reader failed", err, storage.ErrNotFound)

	putBlob(b, "in-1", "x")
	r := io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken))
	if _, err = b.s.PutBlob(b.Context(), "in-1", r); err == nil {
		b.Errorf("put a blob that is there, whose reader fails: got no error, want one")
	}
	equal(b, "blob that was there", openBlob(b, keyOf("in-1", "x")), "x")
}

func checkInboxesApart(b *blobs) {
	ids := []inbox.ID{"in", "in-1", "IN-1", "in-1/x", "in/1", "..", "in%2f1", "é"}
	for _, id := range ids {
		putBlob(b, id, "same")
		putBlob(b, id, "only of "+string(id))
	}
	ok(b, "delete blob", b.s.DeleteBlob(b.Context(), keyOf("in", "same")))
	ok(b, "delete blob", b.s.DeleteBlob(b.Context(), keyOf("in", "only of in")))
	equal(b, "blobs of the inbox that lost its own", blobKeys(b, "in"), []inbox.BlobKey(nil))
	for _, id := range ids[1:] {
		want := []inbox.BlobKey{keyOf(id, "same"), keyOf(id, "only of "+string(id))}
		slices.Sort(want)
		equal(b, fmt.Sprintf("blobs of inbox %q", id), blobKeys(b, id), want)
		equal(b, "blob that another inbox had too", openBlob(b, keyOf(id, "same")), "same")
	}
}

func checkBlobDelete(b *blobs) {
	info := putBlob(b, "in-1", "raw")
	ok(b, "delete a blob that is not there", b.s.DeleteBlob(b.Context(), keyOf("in-1", "other")))
	ok(b, "delete a blob of an unknown inbox", b.s.DeleteBlob(b.Context(), keyOf("in-2", "raw")))
	equal(b, "blob after others were deleted", openBlob(b, info.Key), "raw")
	ok(b, "delete", b.s.DeleteBlob(b.Context(), info.Key))
	ok(b, "delete again", b.s.DeleteBlob(b.Context(), info.Key))
	_, err := b.s.OpenBlob(b.Context(), info.Key)
	refused(b, "open a deleted blob", err, storage.ErrNotFound)
	equal(b, "blobs after all were deleted", blobKeys(b, "in-1"), []inbox.BlobKey(nil))
	equal(b, "blob put again", putBlob(b, "in-1", "raw"), info)
	equal(b, "blob put again, as read", openBlob(b, info.Key), "raw")
}

func checkBlobOrder(b *blobs) {
	var want []inbox.BlobInfo
	for i := range 40 {
		want = append(want, putBlob(b, "in-1", strings.Repeat("x", i)))
		putBlob(b, "in-2", fmt.Sprint("foreign ", i))
	}
	slices.SortFunc(want, func(x, y inbox.BlobInfo) int {
		return strings.Compare(string(x.Key), string(y.Key))
	})
	equal(b, "blobs by key", collect(b, "blobs", b.s.Blobs(b.Context(), "in-1")), want)
}

func checkBlobSync(b *blobs) {
	ok(b, "sync an inbox without blobs", b.s.SyncBlobs(b.Context(), "in-1"))
	info := putBlob(b, "in-1", "raw")
	foreign := putBlob(b, "in-2", "raw")
	ok(b, "sync", b.s.SyncBlobs(b.Context(), "in-1"))
	ok(b, "sync again", b.s.SyncBlobs(b.Context(), "in-1"))
	equal(b, "blob after a sync", openBlob(b, info.Key), "raw")
	equal(b, "blob of another inbox", openBlob(b, foreign.Key), "raw")
	equal(b, "blobs after a sync", blobKeys(b, "in-1"), []inbox.BlobKey{info.Key})
}

// checkBigBlob streams a blob that does not compress, in reads of odd sizes.
func checkBigBlob(b *blobs) {
	const size = 5<<20 + 7
	raw := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(raw)
	r := iotest.HalfReader(bytes.NewReader(raw))
	info, err := b.s.PutBlob(b.Context(), "in-1", r)
	ok(b, "put a big blob", err)
	equal(b, "big blob", info, inbox.BlobInfo{Key: keyOf("in-1", string(raw)), Size: size})
	if got := openBlob(b, info.Key); got != string(raw) {
		b.Errorf("big blob as read: got %d bytes, want the %d put, byte by byte", len(got), size)
	}
}

func checkBlobRace(b *blobs) {
	var done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, writers)
	raw := strings.Repeat("the same mail ", 10_000)
	for i := range writers {
		done.Go(func() {
			<-start
			_, errs[i] = b.s.PutBlob(b.Context(), "in-1", strings.NewReader(raw))
		})
	}
	close(start)
	done.Wait()
	ok(b, "put one blob by many at once", errors.Join(errs...))
	equal(b, "blobs after one was put by many at once", blobKeys(b, "in-1"),
		[]inbox.BlobKey{keyOf("in-1", raw)})
	equal(b, "blob put by many at once", openBlob(b, keyOf("in-1", raw)), raw)
}

func blobLists(b *blobs) []listing {
	b.Helper()
	for i := range 3 {
		putBlob(b, "in-1", fmt.Sprint("raw ", i))
	}
	return []listing{listOf("Blobs", func(ctx context.Context) iter.Seq2[inbox.BlobInfo, error] {
		return b.s.Blobs(ctx, "in-1")
	}, func(ctx context.Context, i inbox.BlobInfo) error {
		return b.s.DeleteBlob(ctx, i.Key)
	})}
}
