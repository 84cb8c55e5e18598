package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Draft is step 1 of creating an inbox (R-INB-03).
type Draft struct {
	Provider provider.Kind
	Name     string
	// Import brings in the mail of the last Window before the connection; without it nothing older
	// than the connection enters.
	Import bool
	// Window is how far back an import reaches. Zero is 30 days; negative is everything.
	Window time.Duration
}

// Create is step 1: an inbox in state draft. Its name is one line (OneLine), else an *InputError. Nothing is
// read or stored of any mailbox.
func (s *Service) Create(ctx context.Context, actor acl.Actor, d Draft) (Inbox, error) {
	if dec := acl.Check(actor, nil, acl.CreateInbox, &acl.Facts{}); !dec.Allowed {
		return Inbox{}, dec.Err()
	}
	if _, err := s.provider(d.Provider); err != nil {
		return Inbox{}, err
	}
	name := strings.TrimSpace(d.Name)
	if name == "" {
		return Inbox{}, fmt.Errorf("inbox: %w", ErrMissingName)
	}
	if err := checkName(name, ""); err != nil {
		return Inbox{}, err
	}
	if d.Window == 0 {
		d.Window = DefaultWindow
	}
	in := Inbox{
		ID: ID(s.NewID()), Site: SiteID(actor.Site), Kind: acl.Individual, Provider: d.Provider,
		Name: name, Creator: actor.User, State: StateDraft, Import: d.Import, Window: d.Window,
		CreatedAt: s.now(),
	}
	return s.Store.CreateInbox(ctx, in, s.event(Event{Name: EventInboxCreated}, &in, actor.User))
}

// Finish is the end of step 4, "Finish set up": ingest starts. The rules and the clients as they
// stand now decide the first import (R-CHG-06). It needs steps 2 and 3.
func (s *Service) Finish(ctx context.Context, actor acl.Actor, id ID) (Inbox, error) {
	out, err := s.edit(ctx, actor, id, acl.EditSettings, nil, func(in *Inbox) ([]Change, []Event, error) {
		switch {
		case !in.FinishedAt.IsZero():
			return nil, nil, fmt.Errorf("inbox %q is finished: %w", in.ID, ErrInvalidState)
		case len(in.Revisions) == 0:
			return nil, nil, fmt.Errorf("choose what may enter first (SetRules): %w", ErrSetup)
		case in.ConnectedAt.IsZero():
			return nil, nil, fmt.Errorf("connect the mailbox first (Connect, Consent): %w", ErrSetup)
		}
		next := StateActive
		if in.Import {
			next = StateImporting
		}
		var err error
		if in.State, err = in.State.To(next); err != nil {
			return nil, nil, err
		}
		in.FinishedAt = s.now()
		last := in.Revisions[len(in.Revisions)-1]
		in.Revisions = []filter.Revision{{Version: last.Version, At: in.FinishedAt, Rules: last.Rules}}
		return nil, []Event{{Name: EventInboxEdited, Facts: map[string]string{"state": string(in.State)}}}, nil
	})
	return redactInbox(actor, out), err
}

// draftTime is how long a set-up may rest between consent and Finish (R-INB-04).
const draftTime = 24 * time.Hour

// ExpireDrafts revokes and drops the token of inboxes whose set-up was left after consent for 24
// hours (R-INB-04). It can be repeated. It is the engine's own; desk.Run calls it.
func (s *Service) ExpireDrafts(ctx context.Context) error {
	left := func(in *Inbox) bool {
		return in.FinishedAt.IsZero() && !in.ConnectedAt.IsZero() && s.now().Sub(in.ConnectedAt) > draftTime &&
			(in.State == StateConnecting || in.State == StateDraft)
	}
	var failed []error
	for in, err := range s.Store.Inboxes(ctx, Query{States: []State{StateConnecting, StateDraft}}) {
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		if !left(&in) {
			continue
		}
		if err := s.expireDraft(ctx, in.ID, left); err != nil {
			failed = append(failed, fmt.Errorf("expire draft %q: %w", in.ID, err))
		}
	}
	return errors.Join(failed...)
}

// expireDraft first makes a draft that cannot be finished of the inbox, and forgets its account only
// when the credential is gone: cut off in between, it is found again. The person may finish or
// consent anew at the same time, so each step looks again.
func (s *Service) expireDraft(ctx context.Context, id ID, left func(*Inbox) bool) error {
	in, err := s.engineEdit(ctx, id, func(in *Inbox) ([]Change, []Event, error) {
		if !left(in) || in.State == StateDraft {
			return nil, nil, errUnchanged
		}
		in.State, in.Consent = StateDraft, nil
		return nil, nil, nil
	})
	if err != nil || in.State != StateDraft {
		return err
	}
	if err := s.dropCredential(ctx, &in); err != nil {
		return err
	}
	_, err = s.engineEdit(ctx, id, func(in *Inbox) ([]Change, []Event, error) {
		if !left(in) || in.State != StateDraft {
			return nil, nil, errUnchanged
		}
		in.Account, in.ConnectedAt = provider.Account{}, time.Time{}
		return nil, nil, nil
	})
	return err
}

func (s *Service) authorizer(k provider.Kind) (provider.Authorizer, error) {
	p, err := s.provider(k)
	if err != nil {
		return nil, err
	}
	auth, ok := provider.As[provider.Authorizer](p)
	if !ok {
		return nil, fmt.Errorf("provider %q cannot be connected by consent: %w", k, errors.ErrUnsupported)
	}
	return auth, nil
}

// revokeUnused ends a grant at the provider, best effort, unless an inbox but for one, of whatever site,
// works with the same account: many services end all grants of an account at once.
func (s *Service) revokeUnused(ctx context.Context, in *Inbox, butFor ID, account string, cred provider.Credential) {
	auth, err := s.authorizer(in.Provider)
	if err != nil {
		return
	}
	for _, err := range s.sameAccount(ctx, in.Provider, account, butFor) {
		if err != nil {
			s.Logger.WarnContext(ctx, "not revoked at the provider", "inbox", in.ID, "code", code(err))
		}
		return
	}
	if err := auth.Revoke(ctx, cred); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.Logger.WarnContext(ctx, "revoke at the provider", "inbox", in.ID, "code", code(err))
	}
}

// dropCredential revokes and forgets the secrets of an inbox, best effort at the provider. It can be
// repeated.
func (s *Service) dropCredential(ctx context.Context, in *Inbox) error {
	s.unsubscribe(ctx, in)
	s.forgetMailbox(in.ID)
	key := VaultKey{in.ID, UseMailbox}
	cred, _, err := s.Vault.Credential(ctx, key)
	switch {
	case err == nil:
		s.revokeUnused(ctx, in, in.ID, in.Account.ID, cred)
	case !errors.Is(err, storage.ErrNotFound):
		return err
	}
	for _, use := range []VaultUse{UseMailbox, UseConsent} {
		if err := s.Vault.DeleteCredential(ctx, VaultKey{in.ID, use}); err != nil {
			return err
		}
	}
	return nil
}

// replaceSecret writes a secret whatever version is stored: a person's consent is newer than any
// refresh.
func (s *Service) replaceSecret(ctx context.Context, key VaultKey, secret []byte) error {
	return storage.Redo(func() error {
		_, version, err := s.Vault.Credential(ctx, key)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		_, err = s.Vault.SaveCredential(ctx, key, provider.NewCredential(secret), version)
		return err
	})
}
