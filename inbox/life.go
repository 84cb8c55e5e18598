package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// DefaultRetention is how long a deleted inbox can be restored (R-INB-12).
const DefaultRetention = 30 * 24 * time.Hour

// Pause stops syncing until Resume. What was paused by the creator only the creator resumes.
func (s *Service) Pause(ctx context.Context, actor acl.Actor, id ID) (Inbox, error) {
	out, err := s.move(ctx, actor, id, acl.PauseInbox, func(in *Inbox) (State, error) {
		if in.State.Live() {
			in.Left = in.State
		}
		in.PausedBy = actor.User
		return StatePaused, nil
	})
	if err != nil {
		return Inbox{}, err
	}
	return redactInbox(actor, out), s.fence(ctx, id)
}

// Resume returns a paused inbox to the state it left.
func (s *Service) Resume(ctx context.Context, actor acl.Actor, id ID) (Inbox, error) {
	out, err := s.move(ctx, actor, id, acl.ResumeInbox, func(in *Inbox) (State, error) {
		if in.State != StatePaused {
			return in.State, fmt.Errorf("inbox is %s, not paused: %w", in.State, ErrInvalidState)
		}
		back := in.Left
		in.Left, in.PausedBy = "", ""
		return back, nil
	})
	return redactInbox(actor, out), err
}

// Disposal says what a disconnect does with the mail that came in (R-CON-08). The zero Disposal keeps it.
type Disposal bool

// The ways to disconnect.
const (
	KeepMail Disposal = false // tickets stay, replies are disabled
	// PurgeMail forgets all mail that was brought in. What people wrote stays on its tickets, in the trash, with
	// the subjects, until those are purged.
	PurgeMail Disposal = true
)

// Disconnect stops syncing and revokes the grant at the provider, best effort. The mailbox itself
// is never touched. Connect and Consent bring it back. It can be repeated: a disconnect that ended
// with an error is finished, and mail that was kept can still be purged.
func (s *Service) Disconnect(ctx context.Context, actor acl.Actor, id ID, mail Disposal) (Inbox, error) {
	out, err := s.move(ctx, actor, id, acl.DisconnectInbox, func(in *Inbox) (State, error) {
		if in.State == StateDisconnected {
			return in.State, errUnchanged
		}
		if in.State.Live() {
			in.Left = in.State
		}
		in.PausedBy, in.Consent = "", nil
		return StateDisconnected, nil
	})
	if err != nil {
		return Inbox{}, err
	}
	if err := s.fence(ctx, id); err != nil {
		return Inbox{}, err
	}
	if err := s.dropCredential(ctx, &out); err != nil {
		return Inbox{}, err
	}
	if mail == PurgeMail {
		err = s.purgeMail(ctx, id)
	}
	return redactInbox(actor, out), err
}

// Delete stops syncing, revokes the grant, and puts the inbox with its tickets in the trash for 30
// days, or the site's retention. The mailbox itself is never touched (R-INB-12). It can be repeated.
func (s *Service) Delete(ctx context.Context, actor acl.Actor, id ID) error {
	out, err := s.edit(ctx, actor, id, acl.DeleteInbox, nil, func(in *Inbox) ([]Change, []Event, error) {
		if in.State == StateDeleted {
			return nil, nil, errUnchanged
		}
		if in.State.Live() {
			in.Left = in.State
		}
		in.State, in.DeletedAt, in.Consent = StateDeleted, s.now(), nil
		return []Change{{Kind: ChangeTrashed}}, []Event{{Name: EventInboxDeleted}}, nil
	})
	if err != nil {
		return err
	}
	if err := s.fence(ctx, id); err != nil {
		return err
	}
	return s.dropCredential(ctx, &out)
}

// TakeOver makes a sync of the inbox that is under way anywhere store nothing more: it ends in
// storage.ErrConflict at its next write. It is the engine's own; desk.Run calls it before it goes on
// with an inbox whose worker was not heard of, and may only be slow.
func (s *Service) TakeOver(ctx context.Context, id ID) error {
	if _, err := s.Store.Inbox(ctx, id); err != nil {
		return err
	}
	return s.fence(ctx, id)
}

// fence makes a sync that is under way store nothing more: it began under facts that hold no longer.
// What stops it is the version of the sync state, which it read before the inbox (Sync).
func (s *Service) fence(ctx context.Context, id ID) error {
	return s.commitChanges(ctx, id, always, nil)
}

func always() error { return nil }

// Restore takes an inbox out of the trash; it is disconnected until its creator connects it again.
// ErrAddressInUse when another inbox has its mailbox meanwhile.
func (s *Service) Restore(ctx context.Context, actor acl.Actor, id ID) (Inbox, error) {
	out, err := s.edit(ctx, actor, id, acl.DeleteInbox, nil, func(in *Inbox) ([]Change, []Event, error) {
		if in.State != StateDeleted {
			return nil, nil, fmt.Errorf("inbox is %s, not deleted: %w", in.State, ErrInvalidState)
		}
		kept, err := s.retention(ctx, in.Site)
		if err != nil {
			return nil, nil, err
		}
		if s.now().Sub(in.DeletedAt) > kept {
			return nil, nil, notFound(in.ID)
		}
		in.State, in.DeletedAt = StateDisconnected, time.Time{}
		return []Change{{Kind: ChangeRestored}}, []Event{{Name: EventInboxRestored}}, nil
	})
	if errors.Is(err, storage.ErrExists) {
		return Inbox{}, fmt.Errorf("inbox %q: %w", id, ErrAddressInUse)
	}
	return redactInbox(actor, out), err
}

// PurgeDeleted forgets inboxes whose time in the trash is over, with messages, blobs and secrets.
// before runs first for each and must forget what is built on top (tickets); nil when nothing is.
// One that cannot be purged does not keep the others, and all errors are returned; it can be
// repeated. It is the engine's own; desk.Run calls it.
func (s *Service) PurgeDeleted(ctx context.Context, before func(context.Context, ID) error) error {
	var failed []error
	for in, err := range s.Store.Inboxes(ctx, Query{States: []State{StateDeleted}}) {
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		if err := s.purge(ctx, &in, before); err != nil {
			failed = append(failed, fmt.Errorf("purge inbox %q: %w", in.ID, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) purge(ctx context.Context, in *Inbox, before func(context.Context, ID) error) error {
	kept, err := s.retention(ctx, in.Site)
	if err != nil || s.now().Sub(in.DeletedAt) <= kept {
		return err
	}
	if before != nil {
		if err := before(ctx, in.ID); err != nil {
			return err
		}
	}
	if err := s.dropCredential(ctx, in); err != nil {
		return err
	}
	if err := s.purgeBlobs(ctx, in.ID); err != nil {
		return err
	}
	return s.Store.DeleteInbox(ctx, in.ID)
}

func (s *Service) retention(ctx context.Context, site SiteID) (time.Duration, error) {
	settings, err := s.Sites.Site(ctx, site)
	if err != nil || settings.Retention > 0 {
		return settings.Retention, err
	}
	return DefaultRetention, nil
}

// purgeMail forgets what was brought in and keeps the inbox itself.
func (s *Service) purgeMail(ctx context.Context, id ID) error {
	for {
		state, err := s.Store.SyncState(ctx, id)
		if err != nil {
			return err
		}
		imp := Import{State: state}
		for m, err := range s.Store.Messages(ctx, MessageQuery{Inbox: id, Hidden: true, Limit: 500}) {
			if err != nil {
				return err
			}
			imp.Erase = append(imp.Erase, m.ID)
		}
		if len(imp.Erase) == 0 {
			break
		}
		if _, err = s.Store.Commit(ctx, imp); err != nil && !conflict(err) {
			return err
		}
		if left, e := s.Store.Message(ctx, imp.Erase[0]); err == nil && e == nil {
			return fmt.Errorf("the store still has message %q after erasing it", left.ID)
		}
	}
	s.tellFollowers(ctx, id)
	if err := s.emptyQueue(ctx, id); err != nil {
		return err
	}
	return s.purgeBlobs(ctx, id)
}

// emptyQueue forgets what waits to be tried again, and what was given up.
func (s *Service) emptyQueue(ctx context.Context, id ID) error {
	return storage.Redo(func() error {
		state, err := s.Store.SyncState(ctx, id)
		if err != nil {
			return err
		}
		imp := Import{State: state}
		for _, poison := range []bool{false, true} {
			for q, err := range s.Store.Queue(ctx, QueueQuery{Inbox: id, Poison: poison}) {
				if err != nil {
					return err
				}
				imp.Dequeue = append(imp.Dequeue, q.Remote)
			}
		}
		if len(imp.Dequeue) == 0 {
			return nil
		}
		_, err = s.Store.Commit(ctx, imp)
		return err
	})
}

func (s *Service) purgeBlobs(ctx context.Context, id ID) error {
	for b, err := range s.Blobs.Blobs(ctx, id) {
		if err != nil {
			return err
		}
		if err := s.Blobs.DeleteBlob(ctx, b.Key); err != nil {
			return err
		}
	}
	return nil
}

// move authorizes and makes one step in the life of an inbox.
func (s *Service) move(ctx context.Context, actor acl.Actor, id ID, action acl.Action, to func(in *Inbox) (State, error)) (Inbox, error) {
	return s.edit(ctx, actor, id, action, nil, func(in *Inbox) ([]Change, []Event, error) {
		from := in.State
		next, err := to(in)
		if err != nil { // errUnchanged too
			return nil, nil, err
		}
		if in.State, err = from.To(next); err != nil {
			return nil, nil, err
		}
		return nil, []Event{{Name: EventInboxEdited, Facts: map[string]string{"state": string(next)}}}, nil
	})
}

// deadGrant moves a live inbox to needs_reauth at the first dead grant and tells at once (R-CON-04);
// other errors it passes over. A paused inbox stays paused. The caller has made sure that the grant is
// dead and not only the credential out of date (superseded).
func (s *Service) deadGrant(ctx context.Context, id ID, cause error) {
	if cause == nil || !dead(cause) || ctx.Err() != nil {
		return
	}
	_, err := s.engineEdit(ctx, id, func(in *Inbox) ([]Change, []Event, error) {
		if !in.State.Live() {
			return nil, nil, errUnchanged
		}
		in.Left, in.State = in.State, StateNeedsReauth
		return nil, []Event{{Name: EventNeedsReauth, Facts: map[string]string{"code": code(cause)}}}, nil
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "move to needs_reauth", "inbox", id, "err", err)
	}
}

// importDone moves an inbox from importing to active and says what came in.
func (s *Service) importDone(ctx context.Context, id ID, facts map[string]string) error {
	_, err := s.engineEdit(ctx, id, func(in *Inbox) ([]Change, []Event, error) {
		switch {
		case in.State == StateImporting:
			in.State = StateActive
		case in.Left == StateImporting:
			in.Left = StateActive
		default:
			return nil, nil, errUnchanged
		}
		return nil, []Event{{Name: EventImportCompleted, Facts: facts}}, nil
	})
	return err
}

// dead says whether an error means that the owner must reconnect.
func dead(err error) bool {
	return errors.Is(err, provider.ErrAuth) || errors.Is(err, provider.ErrAdminConsent) ||
		errors.Is(err, provider.ErrInsufficientScope)
}

// conflict says whether another worker was faster.
func conflict(err error) bool { return errors.Is(err, storage.ErrConflict) }
