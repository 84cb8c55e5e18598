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
	return through(ctx, s, &in, func(ctx context.Context, box *openMailbox) (provider.Sent, error) {
		sender, ok := provider.As[provider.Sender](box)
		if !ok {
			return provider.Sent{}, fmt.Errorf("provider %q cannot send: %w", in.Provider, errors.ErrUnsupported)
		}
		return sender.Send(ctx, provider.Outgoing{
			Open:   func() (io.ReadCloser, error) { return s.Blobs.OpenBlob(ctx, blob.Key) },
			Size:   blob.Size,
			Thread: thread,
			Marker: marker,
		})
	})
}

// MaxSend is the size in bytes of the largest raw mail that the inbox's mail service takes; zero where it
// does not tell, or cannot be asked now. It is the engine's own.
func (s *Service) MaxSend(ctx context.Context, id ID) int64 {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return 0
	}
	box, err := s.mailbox(ctx, &in)
	if err != nil {
		return 0
	}
	if l, ok := provider.As[provider.SendLimiter](box); ok {
		return l.MaxSend()
	}
	return 0
}

// FindSent asks the mail service for a mail by its marker, sent not before since. provider.ErrGone
// says that there is none so far, errors.ErrUnsupported that this service cannot tell. It is the
// engine's own.
func (s *Service) FindSent(ctx context.Context, id ID, marker string, thread ThreadID, since time.Time) (provider.Sent, error) {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return provider.Sent{}, err
	}
	return through(ctx, s, &in, func(ctx context.Context, box *openMailbox) (provider.Sent, error) {
		finder, ok := provider.As[provider.Finder](box)
		if !ok {
			return provider.Sent{}, fmt.Errorf("provider %q cannot find sent mail: %w", in.Provider, errors.ErrUnsupported)
		}
		return finder.Find(ctx, marker, thread, since)
	})
}

// Wait blocks until something probably changed in the inbox's mailbox or ctx ends.
// errors.ErrUnsupported says that the service cannot tell; poll instead. It is the engine's own.
func (s *Service) Wait(ctx context.Context, id ID) error {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return err
	}
	_, err = through(ctx, s, &in, func(ctx context.Context, box *openMailbox) (struct{}, error) {
		w, ok := provider.As[provider.Waiter](box)
		if !ok {
			return struct{}{}, errors.ErrUnsupported
		}
		return struct{}{}, w.Wait(ctx)
	})
	return err
}
