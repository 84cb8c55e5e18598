package ticket

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// words is what a mail was written as by Reply or Forward, where that was no draft of its author.
type words struct {
	draft         Draft
	files, inline []rfc822.Attachment
}

// words are the reply as its author asked for it, where d is the mail it makes.
func (r *Reply) words(t *Ticket, d *rfc822.Draft) *words {
	if r.of != nil {
		return nil
	}
	w := words{files: r.Attachments, inline: r.Inline, draft: Draft{
		Ticket: t.ID, Kind: EntryReplied, Text: r.Text, HTML: r.HTML, All: r.All, Confirmed: r.Confirmed, Bcc: r.Bcc,
		NoQuote: r.NoQuote, Status: r.Status, SendAt: r.SendAt, ExpectedLast: r.ExpectedLast,
	}}
	if r.To != nil || r.Cc != nil {
		w.draft.To, w.draft.Cc, w.draft.Fixed = d.To, d.Cc, true
	}
	return &w
}

// words are the forward as its author asked for it.
func (f *Forward) words(t *Ticket) *words {
	if f.of != nil {
		return nil
	}
	return &words{files: f.Attachments, inline: f.Inline, draft: Draft{
		Ticket: t.ID, Kind: EntryForwarded, Text: f.Text, HTML: f.HTML, Subject: f.Subject, To: f.To, Cc: f.Cc, Bcc: f.Bcc,
		NoQuote: f.NoHistory, NoFiles: f.NoFiles, Inbox: f.Inbox, Assignee: f.Assignee, Customer: f.Customer,
		Status: f.Status, SendAt: f.SendAt, ExpectedLast: f.ExpectedLast,
	}}
}

// keepWords keeps what a mail that waits was written as until it has left, as a draft that nobody sees
// before the mail is recalled. What no draft may be is not kept. unkept forgets it again.
func (s *Service) keepWords(ctx context.Context, l *letter) (unkept func(), err error) {
	unkept = func() {}
	if l.words == nil {
		return unkept, nil
	}
	t, err := s.Store.Ticket(ctx, l.words.draft.Ticket)
	if err != nil {
		return unkept, err
	}
	d := l.words.draft
	d.Site, d.Author, d.Entry = t.Site, l.author.User, EntryID(s.NewID())
	d.Kept, d.SavedAt = true, s.now()
	if d.clean() != nil || len(l.words.files)+len(l.words.inline) > maxDraftFiles {
		return unkept, nil
	}
	unkept = func() { s.forgetDraft(ctx, &d) }
	for i, list := range [][]rfc822.Attachment{l.words.files, l.words.inline} {
		for _, a := range list {
			f := DraftFile{ID: DraftFileID(s.NewID()), Name: fileName(a.Name), Type: fileType(a.Type), Inbox: t.Inbox}
			if i == 1 {
				f.ContentID = a.ContentID
			}
			if err = s.copyAttachment(ctx, &a, &f, maxDraftBytes-d.size()); err != nil {
				unkept()
				if errors.Is(err, ErrDraft) {
					return func() {}, nil
				}
				return func() {}, err
			}
			d.Files = append(d.Files, f)
		}
	}
	saved, err := s.saveDraft(ctx, d, "")
	if err != nil {
		d.Version++ // as a store that lost its answer has it
		unkept()
		return func() {}, err
	}
	d = saved
	l.of = &saved
	return unkept, nil
}

// copyAttachment keeps what is attached to a mail as the file of a draft; ErrDraft where it is too large.
func (s *Service) copyAttachment(ctx context.Context, a *rfc822.Attachment, f *DraftFile, most int64) error {
	var r io.ReadCloser
	err := fmt.Errorf("the content of an attachment: %w", rfc822.ErrMissing)
	if a.Open != nil {
		if opened, failed := a.Open(); failed != nil || opened != nil {
			r, err = opened, failed
		}
	}
	if err != nil {
		return err
	}
	defer r.Close()
	file := &bounded{r: r, left: most}
	f.Blob, err = s.putFile(ctx, f.Inbox, file)
	if f.Size = file.read; file.err != nil {
		err = file.err
	}
	return err
}

// giveBack makes the draft of a mail that was recalled one of its own. Where that does not come about it
// is done when the draft is saved or sent.
func (s *Service) giveBack(ctx context.Context, e *Entry) {
	ctx = context.WithoutCancel(ctx)
	if e.Draft == 0 {
		return
	}
	d, err := s.Store.Draft(ctx, e.ID)
	var t Ticket
	if err == nil {
		t, err = s.Store.Ticket(ctx, d.Ticket)
	}
	if err == nil {
		if d.ExpectedLast != "" && t.Latest == e.ID {
			d.ExpectedLast = e.ID // what its author had seen, and this
		}
		_, err = s.saveAgain(ctx, begun{Draft: d, fate: fateBack})
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrConflict) {
		s.Logger.WarnContext(ctx, "make a recalled mail a draft", "entry", e.ID, "err", err)
	}
}
