package outlook

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var _ provider.Addresses = (*mailbox)(nil)

// accountFor is how long Account answers from memory: an alias is a thing of months.
const accountFor = 15 * time.Minute

// Account returns whose mailbox it is: the tenant and object id of the consent, the primary address
// and the addresses the mailbox has besides (https://learn.microsoft.com/graph/api/user-get). It
// answers from memory for a quarter of an hour.
func (m *mailbox) Account(ctx context.Context) (provider.Account, error) {
	m.mu.Lock()
	known, asked := m.account, m.asked
	m.mu.Unlock()
	if !asked.IsZero() && time.Since(asked) < accountFor {
		known.Aliases = slices.Clone(known.Aliases)
		return known, nil
	}
	u, err := get[user](ctx, m, gate.Interactive, opUser,
		m.address(url.Values{"$select": {"id,mail,userPrincipalName,proxyAddresses"}}))
	if err != nil {
		return provider.Account{}, err
	}
	fresh := u.account(m.cred)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.account, m.asked = fresh, time.Now()
	fresh.Aliases = slices.Clone(fresh.Aliases)
	return fresh, nil
}

// user is what is read of the account's owner.
type user struct {
	Mail      string   `json:"mail"`
	Principal string   `json:"userPrincipalName"`
	Proxies   []string `json:"proxyAddresses"` // "SMTP:primary", "smtp:alias", "X500:/o=..."
}

func (u user) account(c credential) provider.Account {
	a := provider.Account{ID: c.account(), Address: u.Mail}
	if a.Address == "" {
		a.Address = u.Principal
	}
	if a.Address == "" {
		a.Address = c.Address
	}
	for _, proxy := range u.Proxies {
		kind, address, _ := strings.Cut(proxy, ":")
		same := func(other string) bool { return strings.EqualFold(other, address) }
		if !strings.EqualFold(kind, "smtp") || address == "" || same(a.Address) || slices.ContainsFunc(a.Aliases, same) {
			continue
		}
		a.Aliases = append(a.Aliases, address)
	}
	return a
}
