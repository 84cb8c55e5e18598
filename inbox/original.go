package inbox

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// Original is Raw, but of a mail that the mail service's provider has built (provider.Originals) it is
// what the service has, fetched now: its errors are those of package provider, such as
// provider.ErrGone. The whole mail is in memory then. No Config.Scanner looks into it.
func (s *Service) Original(ctx context.Context, actor acl.Actor, id MessageID) (io.ReadCloser, error) {
	in, m, err := s.message(ctx, actor, id, acl.ViewRaw)
	if err != nil {
		return nil, err
	}
	stored, err := s.Raw(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	head, err := rfc822.ReadHeader(stored, s.Limits)
	if e := stored.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	if head.Get(provider.BuiltHeader) == "" {
		return s.Raw(ctx, actor, id)
	}
	box, err := s.mailbox(ctx, &in)
	if err != nil {
		return nil, err
	}
	o, ok := provider.As[provider.Originals](box)
	if !ok {
		return s.Raw(ctx, actor, id)
	}
	r, err := o.Original(ctx, m.Remote)
	if err != nil {
		return nil, fmt.Errorf("original of message %q: %w", id, err)
	}
	raw, err := io.ReadAll(r)
	if e := r.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, fmt.Errorf("original of message %q: %w", id, err)
	}
	if actor.User != in.Creator {
		head, err := rfc822.ReadHeader(bytes.NewReader(raw), s.Limits)
		if err != nil {
			return nil, err
		}
		if head.Get("Bcc") != "" || head.Get("Resent-Bcc") != "" {
			return nil, fmt.Errorf("raw message %q has blind copies: %w", id, acl.ErrDenied)
		}
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}
