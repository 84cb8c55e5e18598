package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

type scannerFunc func(ctx context.Context, f inbox.ScannedFile, r io.Reader) error

func (s scannerFunc) Scan(ctx context.Context, f inbox.ScannedFile, r io.Reader) error {
	return s(ctx, f, r)
}

// countedBlobs counts the raw mails that are open.
type countedBlobs struct {
	*memory.Store
	open *int
}

func (b countedBlobs) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	r, err := b.Store.OpenBlob(ctx, key)
	if err != nil {
		return nil, err
	}
	*b.open++
	return countedBlob{r, b.open}, nil
}

type countedBlob struct {
	io.ReadCloser
	open *int
}

func (b countedBlob) Close() error {
	*b.open--
	return b.ReadCloser.Close()
}

// scannedWorld has one mail with a file, and a scanner. It returns the number of open raw mails too.
func scannedWorld(t *testing.T, scan scannerFunc) (*world, inbox.Message, *int) {
	t.Helper()
	open := new(int)
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.Scanner, c.Blobs = scan, countedBlobs{c.Blobs.(*memory.Store), open}
	})
	w.account.Deliver(withFile("ann@acme.com", "offer"), fake.Delivery{Received: connected.Add(-time.Hour)})
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	return w, w.messages(in.ID)[0], open
}

// parts calls what hands out a part, by name.
func (w *world) parts(ctx context.Context, id inbox.MessageID, path string) map[string]func() (rfc822.Part, io.ReadCloser, error) {
	return map[string]func() (rfc822.Part, io.ReadCloser, error){
		"Part": func() (rfc822.Part, io.ReadCloser, error) { return w.svc.Part(ctx, w.actor("rob"), id, path) },
		"ShownPart": func() (rfc822.Part, io.ReadCloser, error) {
			return w.svc.ShownPart(ctx, w.actor("rob"), id, path)
		},
	}
}

func TestAFileIsHandedOutWhenAllOfItIsScanned(t *testing.T) { // R-MSG-11
	t.Parallel()
	var got []string
	w, m, open := scannedWorld(t, func(_ context.Context, f inbox.ScannedFile, r io.Reader) error {
		file, err := io.ReadAll(r)
		got = append(got, fmt.Sprintf("%+v %s", f, file))
		return err
	})
	for name, part := range w.parts(t.Context(), m.ID, "2") {
		got = nil
		p, r, err := part()
		require.NoError(t, err, name)
		require.Equal(t, []string{fmt.Sprintf("{Inbox:%s Message:%s Path:2 Name:%s Type:application/pdf Size:9} The offer",
			m.Inbox, m.ID, p.Name)}, got, name)
		require.NotContains(t, p.Name, "/")
		require.NotContains(t, got[0], "@", "no address")
		file, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "The offer", string(file), name)
		require.NoError(t, r.Close())
		require.Zero(t, *open)
	}
	got = nil
	raw, err := w.svc.Raw(t.Context(), w.actor("carl"), m.ID)
	require.NoError(t, err)
	require.NoError(t, raw.Close())
	require.Empty(t, got, "raw mail is not scanned")
}

func TestAFileIsNotHandedOutOtherwise(t *testing.T) { // R-MSG-11: it fails closed
	t.Parallel()
	virus := fmt.Errorf("EICAR found: %w", inbox.ErrUnsafeFile)
	down := errors.New("scanner is down")
	for _, row := range []struct {
		name string
		scan scannerFunc
		err  error
		text string
	}{
		{"refused", func(_ context.Context, _ inbox.ScannedFile, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return errors.Join(err, virus)
		}, virus, "EICAR found: this file is not safe"},
		{"refused by its name", func(context.Context, inbox.ScannedFile, io.Reader) error { return virus }, inbox.ErrUnsafeFile, ""},
		{"failed", func(context.Context, inbox.ScannedFile, io.Reader) error { return down }, down, ""},
		{"not read", func(context.Context, inbox.ScannedFile, io.Reader) error { return nil }, nil, "did not read it to its end"},
		{"read but for a byte", func(_ context.Context, _ inbox.ScannedFile, r io.Reader) error {
			_, err := io.CopyN(io.Discard, r, 8)
			return err
		}, nil, "did not read it to its end"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, m, open := scannedWorld(t, row.scan)
			for name, part := range w.parts(t.Context(), m.ID, "2") {
				_, r, err := part()
				require.Nil(t, r, name)
				require.Error(t, err, name)
				if row.err != nil {
					require.ErrorIs(t, err, row.err, name)
				}
				require.Equal(t, strings.HasPrefix(row.name, "refused"), errors.Is(err, inbox.ErrUnsafeFile), name)
				require.ErrorContains(t, err, fmt.Sprintf("scan part %q of message %q: ", "2", m.ID))
				require.ErrorContains(t, err, row.text)
				require.Zero(t, *open, "raw mail left open")
			}
		})
	}
}

func TestAScanEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w, m, open := scannedWorld(t, func(_ context.Context, _ inbox.ScannedFile, r io.Reader) error {
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil // one that swallows errors
		}
		cancel()
		_, _ = io.Copy(io.Discard, r)
		return nil
	})
	for name, part := range w.parts(ctx, m.ID, "2") {
		_, r, err := part()
		require.ErrorIs(t, err, context.Canceled, name)
		require.Nil(t, r)
		require.Zero(t, *open)
	}
}

func TestADamagedFilePassesNoScan(t *testing.T) { // Blobs: never silently short
	t.Parallel()
	damage := errors.New("the blob is damaged")
	damaged := false
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.Blobs = damagedBlobs{c.Blobs.(*memory.Store), &damaged, damage}
		c.Scanner = scannerFunc(func(_ context.Context, _ inbox.ScannedFile, r io.Reader) error {
			_, _ = io.Copy(io.Discard, r)
			return nil
		})
	})
	w.account.Deliver(withFile("ann@acme.com", "offer"), fake.Delivery{Received: connected.Add(-time.Hour)})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	damaged = true
	_, _, err := w.svc.Part(t.Context(), w.actor("carl"), w.messages(in.ID)[0].ID, "2")
	require.ErrorIs(t, err, damage)
}

type damagedBlobs struct {
	*memory.Store
	damaged *bool
	err     error
}

func (b damagedBlobs) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	r, err := b.Store.OpenBlob(ctx, key)
	if err != nil || !*b.damaged {
		return r, err
	}
	raw, err := io.ReadAll(r)
	short := strings.NewReader(string(raw[:len(raw)-20]))
	return io.NopCloser(io.MultiReader(short, failing{b.err})), err
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAScannerIsNotAskedAboutWhatOneMayNotSee(t *testing.T) { // R-ACL-07
	t.Parallel()
	asked := 0
	w, m, _ := scannedWorld(t, func(context.Context, inbox.ScannedFile, io.Reader) error { asked++; return nil })
	_, _, err := w.svc.Part(t.Context(), w.actor("zoe"), m.ID, "2")
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, _, err = w.svc.Part(t.Context(), w.actor("rob"), m.ID, "7")
	require.ErrorIs(t, err, rfc822.ErrNoPart)
	require.Zero(t, asked)
}
