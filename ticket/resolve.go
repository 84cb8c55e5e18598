package ticket

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Resolution is what a person decides on a mail in doubt.
type Resolution string

// The resolutions.
const (
	ResolutionSent      Resolution = "sent"       // it has left: it is noted as sent
	ResolutionSendAgain Resolution = "send-again" // it has not: it is sent again
)

// Resolve decides on a mail in doubt (state unknown), for somebody who may reply; ErrNotUnknown when
// it is in none. What is sent again goes under a new marker, so that the two can be told apart. The
// Message-ID stays: where both arrive, mail programs show one. As with Reply, no error says that the
// decision is noted: look at Outgoing.State. Any other Resolution, the zero one among them, decides
// nothing and is an error.
func (s *Service) Resolve(ctx context.Context, actor acl.Actor, id ID, entry EntryID, r Resolution) (Entry, error) {
	in, e, err := s.writtenMail(ctx, actor, id, entry, ErrNotUnknown)
	if err != nil {
		return Entry{}, err
	}
	if e.Outgoing.State != OutgoingUnknown {
		return Entry{}, fmt.Errorf("entry %q: %w", entry, ErrNotUnknown)
	}
	switch r {
	case ResolutionSent:
		if e, err = s.sent(ctx, e, provider.Sent{}); err != nil {
			return Entry{}, err
		}
		return s.left(ctx, actor, &in, e), nil
	case ResolutionSendAgain:
	default:
		return Entry{}, fmt.Errorf("resolve entry %q: %.40q is neither %q nor %q", entry, r, ResolutionSent, ResolutionSendAgain)
	}
	if err := s.mayStill(ctx, &e); err != nil {
		return Entry{}, err
	}
	if err := s.requeue(ctx, &e); err != nil {
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, s.sendNow(ctx, e)), nil
}

// requeue puts a mail in doubt back into the queue as a copy under a new marker.
func (s *Service) requeue(ctx context.Context, e *Entry) error {
	old, marker, now := *e.Outgoing, newMarker(), s.now()
	blob, err := s.remark(ctx, e, marker)
	if err != nil {
		return err
	}
	err = s.advance(ctx, e, OutgoingUnknown, func(o *Outgoing) {
		o.State, o.NotBefore, o.Error, o.Attempts, o.HeldSince = OutgoingQueued, now, "", 0, time.Time{}
		o.Marker, o.Blob, o.Size = marker, blob.Key, blob.Size
	})
	if err != nil {
		if kept, unknown := s.saved(ctx, e.Inbox, marker); kept == nil && unknown == nil {
			s.forget(ctx, blob.Key)
		}
		return err
	}
	err = s.Inboxes.ForgetRaw(context.WithoutCancel(ctx), e.Inbox, inbox.BlobInfo{Key: old.Blob, Size: old.Size})
	if err != nil {
		s.Logger.WarnContext(ctx, "forget a raw mail", "inbox", e.Inbox, "entry", e.ID, "err", err)
	}
	return nil
}

// remark keeps a copy of an outgoing mail under another marker.
func (s *Service) remark(ctx context.Context, e *Entry, marker string) (inbox.BlobInfo, error) {
	raw, err := s.Blobs.OpenBlob(ctx, e.Outgoing.Blob)
	if err != nil {
		return inbox.BlobInfo{}, err
	}
	defer raw.Close()
	in := bufio.NewReader(raw)
	var header bytes.Buffer
	replaced := false
	for {
		line, err := in.ReadBytes('\n')
		if bytes.HasPrefix(line, []byte(provider.MarkerHeader+":")) {
			line = fmt.Appendf(nil, "%s: %s\r\n", provider.MarkerHeader, marker)
			replaced = true
		}
		header.Write(line)
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	if !replaced {
		return inbox.BlobInfo{}, &storage.Error{Op: "remark", Entity: "entry", ID: string(e.ID), Err: storage.ErrNotFound}
	}
	return s.put(ctx, e.Inbox, io.MultiReader(&header, in))
}
