package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// Send hands one raw mail to the inbox's mail service. It only transports: who may send, what, and
// whether it was sent before, is the caller's business (package ticket). It is the engine's own. An
// inbox that is not importing or active, or whose creator is deactivated (R-ROL-07), refuses with
// ErrInvalidState, a mailbox that cannot send
// with errors.ErrUnsupported; provider.ErrAmbiguous says that the mail may have left, and FindSent
// tells.
func (s *Service) Send(ctx context.Context, id ID, blob BlobInfo, thread ThreadID, marker string) (provider.Sent, error) {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return provider.Sent{}, err
	}
	if err := s.usable(ctx, &in); err != nil {
		return provider.Sent{}, fmt.Errorf("send: %w", err)
	}
	box, err := s.mailbox(ctx, &in)
	if err != nil {
		return provider.Sent{}, err
	}
	sender, ok := provider.As[provider.Sender](box)
	if !ok {
		return provider.Sent{}, fmt.Errorf("provider %q cannot send: %w", in.Provider, errors.ErrUnsupported)
	}
	sent, err := sender.Send(ctx, provider.Outgoing{
		Open:   func() (io.ReadCloser, error) { return s.Blobs.OpenBlob(ctx, blob.Key) },
		Size:   blob.Size,
		Thread: thread,
		Marker: marker,
	})
	s.deadGrant(ctx, id, box, err)
	return sent, err
}

// FindSent asks the mail service for a mail by its marker, sent not before since. provider.ErrGone
// says that there is none so far, errors.ErrUnsupported that this service cannot tell. It is the
// engine's own.
func (s *Service) FindSent(ctx context.Context, id ID, marker string, thread ThreadID, since time.Time) (provider.Sent, error) {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return provider.Sent{}, err
	}
	box, err := s.mailbox(ctx, &in)
	if err != nil {
		return provider.Sent{}, err
	}
	finder, ok := provider.As[provider.Finder](box)
	if !ok {
		return provider.Sent{}, fmt.Errorf("provider %q cannot find sent mail: %w", in.Provider, errors.ErrUnsupported)
	}
	sent, err := finder.Find(ctx, marker, thread, since)
	s.deadGrant(ctx, id, box, err)
	return sent, err
}

// Wait blocks until something probably changed in the inbox's mailbox or ctx ends.
// errors.ErrUnsupported says that the service cannot tell; poll instead. It is the engine's own.
func (s *Service) Wait(ctx context.Context, id ID) error {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return err
	}
	box, err := s.mailbox(ctx, &in)
	if err != nil {
		return err
	}
	w, ok := provider.As[provider.Waiter](box)
	if !ok {
		return errors.ErrUnsupported
	}
	err = w.Wait(ctx)
	s.deadGrant(ctx, id, box, err)
	return err
}
