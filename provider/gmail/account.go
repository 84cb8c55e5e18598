package gmail

import (
	"context"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var _ provider.Addresses = (*mailbox)(nil)

// accountFor is how long Account answers from memory: an alias is a thing of months.
const accountFor = 15 * time.Minute

// Account returns whose mailbox it is: the id of the consent, the primary address and the aliases
// Google has verified (https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.settings.sendAs).
// It answers from memory for a quarter of an hour.
func (m *mailbox) Account(ctx context.Context) (provider.Account, error) {
	m.mu.Lock()
	known, asked := m.account, m.asked
	m.mu.Unlock()
	if !asked.IsZero() && time.Since(asked) < accountFor {
		known.Aliases = slices.Clone(known.Aliases)
		return known, nil
	}
	fresh, err := m.askAccount(ctx)
	if err != nil {
		return provider.Account{}, m.unnamed(ctx, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.account, m.asked = fresh, time.Now()
	fresh.Aliases = slices.Clone(fresh.Aliases)
	return fresh, nil
}

func (m *mailbox) askAccount(ctx context.Context) (provider.Account, error) {
	prices := m.p.o.Quota.Prices
	a := provider.Account{ID: m.cred.ID}
	err := m.call(ctx, gate.Interactive, opProfile, prices.Profile, func(ctx context.Context) error {
		profile, err := m.api.Users.GetProfile(me).Fields("emailAddress").Context(ctx).Do()
		err = unless(func() bool { return profile != nil && profile.EmailAddress != "" }, err)
		if err == nil {
			a.Address = profile.EmailAddress
		}
		return err
	})
	if err != nil {
		return a, err
	}
	err = m.call(ctx, gate.Interactive, "settings.sendAs.list", prices.Settings, func(ctx context.Context) error {
		list, err := m.api.Users.Settings.SendAs.List(me).
			Fields("sendAs(sendAsEmail,isPrimary,verificationStatus)").Context(ctx).Do()
		err = unless(func() bool { return list != nil && !slices.Contains(list.SendAs, nil) }, err)
		if err == nil {
			a.Aliases = verified(list.SendAs, a.Address)
		}
		return err
	})
	return a, err
}

// verified are the addresses Google lets the account send as, without its primary one.
func verified(list []*api.SendAs, primary string) []string {
	var out []string
	for _, s := range list {
		same := func(other string) bool { return strings.EqualFold(other, s.SendAsEmail) }
		if s.SendAsEmail == "" || same(primary) || slices.ContainsFunc(out, same) {
			continue
		}
		if s.IsPrimary || s.VerificationStatus == "accepted" {
			out = append(out, s.SendAsEmail)
		}
	}
	return out
}
