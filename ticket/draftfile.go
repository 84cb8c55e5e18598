package ticket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

const (
	// maxDraftFiles is how many files a draft may have, and maxDraftBytes how large they are together.
	// Gmail takes mail of 36,700,160 bytes (PROVIDERS 8.1), in which base64 makes 137 bytes of 100.
	maxDraftFiles = 100
	maxDraftBytes = 25_000_000
	// maxFileName is how long the name of a file may be, in bytes.
	maxFileName = 255
	// saltSize is how many random bytes stand before a file in its blob.
	saltSize = 16
)

// AttachToDraft streams a file into the actor's draft of that Entry on a ticket, which needs the right that
// SaveDraft needs. With a ContentID, without angles, it is what the HTML shows by cid:. Of its Name only what
// follows the last slash is kept, without control characters; a Type that is no MIME type is
// application/octet-stream. The rest of f is the service's own, whatever it holds.
//
// A draft that is not there is storage.ErrNotFound. One file too many, more than 25 MB in all, a bad
// ContentID or one that another file has, and a draft of a note are ErrDraft. When r fails nothing is
// kept.
func (s *Service) AttachToDraft(ctx context.Context, actor acl.Actor, id ID, entry EntryID, f DraftFile, r io.Reader) (
	Draft, error) {
	if r == nil {
		return Draft{}, fmt.Errorf("file %q of the draft on ticket %q: there is no reader of its content: %w", f.Name, id, ErrDraft)
	}
	f = DraftFile{ID: DraftFileID(s.NewID()), Name: fileName(f.Name), Type: fileType(f.Type), ContentID: f.ContentID}
	t, d, err := s.fileable(ctx, actor, id, entry, &f)
	if err != nil {
		return Draft{}, err
	}
	file := &bounded{r: r, left: maxDraftBytes - d.size()}
	blob, err := s.putFile(ctx, t.Inbox, file)
	if file.err != nil {
		err = fmt.Errorf("file %q of the draft on ticket %q: %w", f.Name, id, file.err)
	}
	if err != nil {
		return Draft{}, err
	}
	f.Blob, f.Inbox, f.Size = blob, t.Inbox, file.read
	out, err := s.editDraft(ctx, func() (begun, error) {
		_, d, err := s.fileable(ctx, actor, id, entry, &f)
		d.Files = append(d.Files, f)
		return d, err
	})
	if err == nil {
		return out, nil
	}
	// A store may lose its answer: what it kept must not lose its file.
	for now, unknown := range s.ownDrafts(context.WithoutCancel(ctx), actor, "") {
		switch {
		case unknown != nil:
			return Draft{}, err
		case now.file(f.ID) != nil:
			return now.Draft, nil
		}
	}
	s.forget(ctx, blob)
	return Draft{}, err
}

// DetachFromDraft takes a file off the actor's draft that has it, on a ticket they may see, and forgets it.
func (s *Service) DetachFromDraft(ctx context.Context, actor acl.Actor, id ID, file DraftFileID) (Draft, error) {
	var gone DraftFile
	out, err := s.editDraft(ctx, func() (begun, error) {
		d, err := s.draftOf(ctx, actor, id, file)
		if err != nil {
			return begun{}, err
		}
		gone = *d.file(file)
		d.Files = slices.DeleteFunc(d.Files, func(f DraftFile) bool { return f.ID == file })
		return d, nil
	})
	if err != nil {
		return Draft{}, err
	}
	s.forgetFiles(ctx, &out, []DraftFile{gone})
	return out, nil
}

// OpenDraftFile returns a file of the actor's drafts on a ticket they may see. The caller closes it.
// ErrDraft says that what the draft names is lost.
func (s *Service) OpenDraftFile(ctx context.Context, actor acl.Actor, id ID, file DraftFileID) (DraftFile, io.ReadCloser, error) {
	d, err := s.draftOf(ctx, actor, id, file)
	if err != nil {
		return DraftFile{}, nil, err
	}
	f := d.file(file)
	r, err := s.openFile(ctx, f)
	if err != nil {
		return DraftFile{}, nil, err
	}
	return *f, r, nil
}

// draftOf returns the actor's draft that has a file, on a ticket they may see, or storage.ErrNotFound.
func (s *Service) draftOf(ctx context.Context, actor acl.Actor, id ID, file DraftFileID) (begun, error) {
	if _, _, err := s.visibleTicket(ctx, actor, id); err != nil {
		return begun{}, err
	}
	d, err := s.ownDraft(ctx, actor, id, func(h *begun) bool { return h.file(file) != nil })
	if errors.Is(err, storage.ErrNotFound) {
		err = &storage.Error{Op: "read", Entity: "draft file", ID: string(file), Err: storage.ErrNotFound}
	}
	return d, err
}

// forgetFiles forgets those of the files that none of a draft's author's drafts names: it may have been
// saved as another meanwhile.
func (s *Service) forgetFiles(ctx context.Context, d *Draft, files []DraftFile) {
	if len(files) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	named := make(map[inbox.BlobKey]bool)
	for now, err := range s.Store.Drafts(ctx, DraftQuery{Site: d.Site, Author: d.Author}) {
		if err != nil {
			s.Logger.WarnContext(ctx, "forget the files of a draft", "ticket", d.Ticket, "err", err)
			return
		}
		for i := range now.Files {
			named[now.Files[i].Blob] = true
		}
	}
	for i := range files {
		if !named[files[i].Blob] {
			s.forget(ctx, files[i].Blob)
		}
	}
}

// putFile keeps a file behind random bytes in the blobs of an inbox.
func (s *Service) putFile(ctx context.Context, in inbox.ID, file io.Reader) (inbox.BlobKey, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt)
	blob, err := s.put(ctx, in, io.MultiReader(bytes.NewReader(salt), file))
	return blob.Key, err
}

// openFile opens a file behind the random bytes of its blob. A blob that is not there, or damaged, is
// ErrDraft: to whoever sends the draft storage.ErrNotFound says that there is none.
func (s *Service) openFile(ctx context.Context, f *DraftFile) (io.ReadCloser, error) {
	r, err := s.Blobs.OpenBlob(ctx, f.Blob)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrDamaged) {
		return nil, fmt.Errorf("file %q of a draft is lost and has to be attached again: %w", f.Name, ErrDraft)
	}
	if err != nil {
		return nil, fmt.Errorf("file %q of a draft: %w", f.ID, err) // the engine logs it, so it has no name
	}
	if _, err := io.CopyN(io.Discard, r, saltSize); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("file %q of a draft: %w", f.ID, err)
	}
	return r, nil
}

// fileable returns a ticket with the actor's draft on it, to which the file may be attached.
func (s *Service) fileable(ctx context.Context, actor acl.Actor, id ID, entry EntryID, f *DraftFile) (Ticket, begun, error) {
	if _, _, err := s.visibleTicket(ctx, actor, id); err != nil {
		return Ticket{}, begun{}, err
	}
	d, err := s.namedDraft(ctx, actor, id, entry)
	if err != nil {
		return Ticket{}, begun{}, err
	}
	t, err := s.mayDraft(ctx, actor, d.Ticket, d.Kind)
	if err != nil {
		return Ticket{}, begun{}, err
	}
	wrong := ""
	switch {
	case d.Kind == EntryNoted:
		wrong = "a note has no files"
	case len(d.Files) >= maxDraftFiles:
		wrong = fmt.Sprintf("a draft has at most %d files", maxDraftFiles)
	case d.size()+f.Size > maxDraftBytes:
		wrong = tooLarge
	case f.ContentID == "":
	case !isContentID(f.ContentID):
		wrong = fmt.Sprintf("%.40q is no content id", f.ContentID)
	case slices.ContainsFunc(d.Files, func(o DraftFile) bool { return o.ContentID == f.ContentID }):
		wrong = fmt.Sprintf("another file has the content id %.40q", f.ContentID)
	}
	if wrong != "" {
		return Ticket{}, begun{}, fmt.Errorf("file %q of the draft on ticket %q: %s: %w", f.Name, id, wrong, ErrDraft)
	}
	return t, d, nil
}

var tooLarge = fmt.Sprintf("the files of a draft have at most %d bytes together", maxDraftBytes)

// editDraft saves what edit makes of a draft, and asks it again when somebody else was faster.
func (s *Service) editDraft(ctx context.Context, edit func() (begun, error)) (Draft, error) {
	var out Draft
	err := storage.Redo(func() error {
		d, err := edit()
		if err != nil {
			return err
		}
		d.SavedAt = s.now()
		out, err = s.saveAgain(ctx, d)
		return err
	})
	return out, err
}

// saveAgain saves a draft. One that was recalled is a draft of its own from then on.
func (s *Service) saveAgain(ctx context.Context, d begun) (Draft, error) {
	was := d.Entry
	if d.fate == fateBack {
		d.Entry, d.Kept = EntryID(s.NewID()), false
	}
	return s.saveDraft(ctx, d.Draft, was)
}

// size is how large the files are together.
func (d *Draft) size() (n int64) {
	for i := range d.Files {
		n += d.Files[i].Size
	}
	return n
}

func (d *Draft) file(id DraftFileID) *DraftFile {
	for i := range d.Files {
		if d.Files[i].ID == id {
			return &d.Files[i]
		}
	}
	return nil
}

// bounded reads at most left bytes of r: more is an error.
type bounded struct {
	r    io.Reader
	left int64
	read int64
	err  error // why it ended before the end of r
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left-b.read+1)])
	b.read += int64(n)
	if b.read > b.left {
		err = fmt.Errorf("%s: %w", tooLarge, ErrDraft)
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// fileName is a name that is nothing but one: no path, one line.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, validText(name))
	name = strings.TrimSpace(path.Base(strings.ReplaceAll(name, `\`, "/")))
	if strings.Trim(name, "./ ") == "" {
		return "file"
	}
	if len(name) <= maxFileName {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 16 {
		ext = ""
	}
	cut := maxFileName - len(ext)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + ext
}

// fileType is a MIME type with its parameters as they are written.
func fileType(given string) string {
	kind, params, err := mime.ParseMediaType(given)
	if err == nil {
		kind = mime.FormatMediaType(kind, params)
	}
	if err != nil || kind == "" || len(kind) > maxFileName || !strings.Contains(kind, "/") {
		return "application/octet-stream"
	}
	return kind
}

// isContentID says whether cid: in HTML can name it, and a header hold it.
func isContentID(id string) bool {
	return len(id) <= maxFileName && !strings.ContainsFunc(id, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"'", r)
	})
}
