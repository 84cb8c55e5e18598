package inbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Connect is the beginning of step 3: it returns where the person gives consent. Only the creator
// may (R-CON-02). The attempt is good for Config.ConsentFor and for one return. It also serves to
// reconnect an inbox in needs_reauth or disconnected. redirect is the address of the host's page that the
// provider sends the browser back to, with scheme and host; what is none is an *InputError.
func (s *Service) Connect(ctx context.Context, actor acl.Actor, id ID, redirect string) (string, error) {
	in, err := s.Authorize(ctx, actor, id, acl.Connect, nil)
	if err != nil {
		return "", err
	}
	if err := checkRedirect(redirect); err != nil {
		return "", err
	}
	if len(in.Revisions) == 0 {
		return "", fmt.Errorf("choose what may enter first (SetRules): %w", ErrSetup)
	}
	auth, err := s.authorizer(in.Provider)
	if err != nil {
		return "", err
	}
	state, verifier := randomText(), randomText()
	link, err := auth.AuthURL(ctx, provider.AuthRequest{
		State: state, Verifier: verifier, RedirectURL: redirect, LoginHint: in.Account.Address,
	})
	if err != nil {
		return "", err
	}
	if err := s.replaceSecret(ctx, VaultKey{id, UseConsent}, []byte(verifier)); err != nil {
		return "", err
	}
	_, err = s.edit(ctx, actor, id, acl.Connect, nil, func(in *Inbox) ([]Change, []Event, error) {
		if in.State == StateDraft || in.State == StateDisconnected {
			if in.State, err = in.State.To(StateConnecting); err != nil {
				return nil, nil, err
			}
		}
		in.Consent = &PendingConsent{
			StateHash: hash(state), User: actor.User, Redirect: redirect,
			Expires: s.now().Add(s.ConsentFor),
		}
		return nil, nil, nil
	})
	return link, err
}

// Return is what the person's browser brings back from the provider.
type Return struct {
	State string
	Code  string
	// Error is the provider's error code when the person said no, or could not say yes.
	// Description is what it says of it for the operator ("error_description").
	Error, Description string
}

// ParseReturn reads the query of the address the browser comes back to (RFC 6749, section 4.1.2).
func ParseReturn(q url.Values) Return {
	return Return{State: q.Get("state"), Code: q.Get("code"),
		Error: q.Get("error"), Description: q.Get("error_description")}
}

// complaint is the error of a return that brings no code.
func (r Return) complaint(auth provider.Authorizer) error {
	if r.Error == "" {
		return nil
	}
	if reader, ok := auth.(provider.RedirectReader); ok {
		err := reader.RedirectError(url.Values{"error": {r.Error}, "error_description": {r.Description}})
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("consent was not given (%s): %w", r.Error, provider.ErrAuth)
}

// Consent is the end of step 3. It checks the attempt, exchanges the code, compares the granted
// scopes and, on a reconnect, the account (ErrAccountMismatch: the old credential stays), and keeps
// the credential. A first consent leaves the inbox connecting until Finish; a reconnect returns it
// to the state it left, and everything missed is fetched by the next sync.
func (s *Service) Consent(ctx context.Context, actor acl.Actor, id ID, r Return) (Inbox, error) {
	in, err := s.Authorize(ctx, actor, id, acl.Connect, nil)
	if err != nil {
		return Inbox{}, err
	}
	verifier, err := s.redeem(ctx, actor, in, r)
	if err != nil {
		return Inbox{}, err
	}
	auth, err := s.authorizer(in.Provider)
	if err != nil {
		return Inbox{}, err
	}
	if err := r.complaint(auth); err != nil {
		return Inbox{}, err
	}
	consent, err := auth.Exchange(ctx, provider.AuthResponse{
		Code: r.Code, Verifier: verifier, RedirectURL: in.Consent.Redirect,
	})
	if err != nil {
		return Inbox{}, err
	}
	if missing := missingScopes(auth.Scopes(), consent.Scopes); len(missing) > 0 {
		s.revokeUnused(ctx, &in, "", consent.Account.ID, consent.Credential)
		return Inbox{}, &provider.ScopeError{Missing: missing}
	}
	if in.Account.ID != "" && in.Account.ID != consent.Account.ID {
		return Inbox{}, fmt.Errorf("inbox %q: %w", id, ErrAccountMismatch)
	}
	out, err := s.connected(ctx, actor, id, consent.Account)
	if err != nil {
		s.revokeUnused(ctx, &in, "", consent.Account.ID, consent.Credential)
		return Inbox{}, err
	}
	if err := s.replaceSecret(ctx, VaultKey{id, UseMailbox}, consent.Credential.Reveal()); err != nil {
		return Inbox{}, err
	}
	s.forgetMailbox(id)
	out, err = s.reconnected(ctx, actor, out)
	return redactInbox(actor, out), err
}

// redeem checks that the return belongs to the attempt under way, and ends that attempt.
func (s *Service) redeem(ctx context.Context, actor acl.Actor, in Inbox, r Return) (verifier string, err error) {
	c := in.Consent
	good := c != nil && c.User == actor.User && s.now().Before(c.Expires) &&
		subtle.ConstantTimeCompare([]byte(c.StateHash), []byte(hash(r.State))) == 1
	if !good {
		return "", fmt.Errorf("inbox %q: %w", in.ID, ErrConsentExpired)
	}
	key := VaultKey{in.ID, UseConsent}
	secret, _, err := s.Vault.Credential(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return "", fmt.Errorf("inbox %q: %w", in.ID, ErrConsentExpired)
	}
	if err != nil {
		return "", err
	}
	hashed := c.StateHash
	_, err = s.edit(ctx, actor, in.ID, acl.Connect, nil, func(in *Inbox) ([]Change, []Event, error) {
		if in.Consent == nil || in.Consent.StateHash != hashed {
			return nil, nil, fmt.Errorf("inbox %q: %w", in.ID, ErrConsentExpired)
		}
		in.Consent = nil
		return nil, nil, nil
	})
	if err != nil {
		return "", err
	}
	if err := s.Vault.DeleteCredential(ctx, key); err != nil {
		return "", err
	}
	return string(secret.Reveal()), nil
}

// connected notes the account. An address that is taken refuses the whole connection.
func (s *Service) connected(ctx context.Context, actor acl.Actor, id ID, a provider.Account) (Inbox, error) {
	out, err := s.edit(ctx, actor, id, acl.Connect, nil, func(in *Inbox) ([]Change, []Event, error) {
		in.Account = a
		if in.ConnectedAt.IsZero() {
			in.ConnectedAt = s.now()
		}
		return nil, nil, nil
	})
	if errors.Is(err, storage.ErrExists) {
		return Inbox{}, fmt.Errorf("inbox %q: %w", id, ErrAddressInUse)
	}
	return out, err
}

// reconnected returns an inbox that had been finished to the state it left.
func (s *Service) reconnected(ctx context.Context, actor acl.Actor, in Inbox) (Inbox, error) {
	if in.FinishedAt.IsZero() {
		return in, nil
	}
	if err := s.forgetPush(ctx, in.ID); err != nil {
		return Inbox{}, err
	}
	return s.edit(ctx, actor, in.ID, acl.Connect, nil, func(in *Inbox) ([]Change, []Event, error) {
		back := in.Left
		if back != StateImporting && back != StateActive {
			back = StateActive
		}
		var err error
		switch in.State {
		case StateNeedsReauth, StateConnecting:
			in.State, err = in.State.To(back)
			in.Left = ""
		default:
			return nil, nil, errUnchanged
		}
		return nil, []Event{{Name: EventInboxEdited, Facts: map[string]string{"state": string(in.State)}}}, err
	})
}

func missingScopes(need, have []string) []string {
	granted := make(map[string]bool, len(have))
	for _, h := range have {
		granted[h] = true
	}
	var missing []string
	for _, n := range need {
		if !granted[n] {
			missing = append(missing, n)
		}
	}
	return missing
}

// randomText is 256 random bits as 43 URL-safe characters, which RFC 7636 takes as a verifier.
func randomText() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
