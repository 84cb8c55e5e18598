package desk

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

// InboxesOf returns the inboxes of an account of a mail service, as its push names it: the account's id
// or primary address. One that was connected within Config.Poll may be missing; its poll makes up for
// it. Run has no need of it (RingAccount).
func (d *Desk) InboxesOf(ctx context.Context, kind provider.Kind, account string) ([]inbox.ID, error) {
	d.asked.once.Lock()
	defer d.asked.once.Unlock()
	if now := time.Now(); d.asked.at.IsZero() || now.Sub(d.asked.at) >= d.poll {
		if err := d.asked.learn(d.Watched(ctx), func(inbox.ID) {}); err != nil {
			return nil, err
		}
		d.asked.at = now
	}
	return d.asked.meant(ring{kind: kind, account: account}), nil
}

// askedAccounts are the accounts as they were when somebody asked last.
type askedAccounts struct {
	once sync.Mutex
	at   time.Time
	accounts
}

// accounts says which inboxes are of an account of a mail service. The zero value knows none.
type accounts struct {
	mu     sync.Mutex
	byName map[ring][]inbox.ID // by account id and by address in lower case
}

// ring names one inbox, or the account of inboxes.
type ring struct {
	id      inbox.ID
	kind    provider.Kind
	account string
}

// learn takes over whose accounts the inboxes are, and calls each with every one.
func (a *accounts) learn(all iter.Seq2[inbox.Inbox, error], each func(inbox.ID)) error {
	byName := make(map[ring][]inbox.ID)
	for in, err := range all {
		if err != nil {
			return err
		}
		each(in.ID)
		for _, name := range []string{in.Account.ID, strings.ToLower(in.Account.Address)} {
			key := ring{kind: in.Provider, account: name}
			byName[key] = append(byName[key], in.ID)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byName = byName
	return nil
}

// meant returns the inboxes a ring is for.
func (a *accounts) meant(rung ring) []inbox.ID {
	if rung.id != "" {
		return []inbox.ID{rung.id}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ids := a.byName[rung]; ids != nil {
		return ids
	}
	rung.account = strings.ToLower(rung.account)
	return a.byName[rung]
}
