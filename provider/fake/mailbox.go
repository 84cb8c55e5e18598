package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// subscriptionLife is how long a subscription lasts, as long as Gmail's.
const subscriptionLife = 7 * 24 * time.Hour

// mailbox is one opened account.
type mailbox struct {
	a    *Account
	save provider.SaveFunc

	mu    sync.Mutex
	token int // number of the token the mailbox holds
	seen  int // place in the log up to which Changes has told
}

// bulkMailbox is a mailbox that opens many messages at once.
type bulkMailbox struct{ *mailbox }

var (
	_ provider.Addresses  = (*mailbox)(nil)
	_ provider.Sender     = (*mailbox)(nil)
	_ provider.Finder     = (*mailbox)(nil)
	_ provider.Subscriber = (*mailbox)(nil)
	_ provider.Waiter     = (*mailbox)(nil)
	_ provider.Counter    = (*mailbox)(nil)
	_ provider.BulkOpener = (*bulkMailbox)(nil)
)

func (m *mailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	if err := m.call(ctx, OpOpen, id); err != nil {
		return nil, err
	}
	raw, err := m.a.raw(id)
	if err != nil {
		return nil, fmt.Errorf("fake: open: %w", err)
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}

// OpenMany opens the messages one after the other; a scripted error of OpOpen is the answer for its
// message alone.
func (m *bulkMailbox) OpenMany(
	ctx context.Context, ids []provider.RemoteID, each func(provider.RemoteID, io.Reader, error) error,
) error {
	if err := m.call(ctx, OpOpenMany, ""); err != nil {
		return err
	}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.a.mu.Lock()
		err := m.a.faulty(OpOpen, id)
		m.a.mu.Unlock()
		var raw []byte
		if err == nil {
			raw, err = m.a.raw(id)
		}
		if err != nil {
			err = each(id, nil, fmt.Errorf("fake: open: %w", err))
		} else {
			err = each(id, bytes.NewReader(raw), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// raw hands out a raw message, which nobody may change.
func (a *Account) raw(id provider.RemoteID) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	msg := a.messages[id]
	if msg == nil || msg.removed {
		return nil, provider.ErrGone
	}
	a.opened(id)
	return msg.raw, nil
}

func (m *mailbox) Account(ctx context.Context) (provider.Account, error) {
	if err := m.call(ctx, OpAccount, ""); err != nil {
		return provider.Account{}, err
	}
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	return m.a.account(), nil
}

func (m *mailbox) Count(ctx context.Context, w provider.Walk) (int, error) {
	if err := m.call(ctx, OpCount, ""); err != nil {
		return 0, err
	}
	wanted := m.a.s.wanted(w)
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	n := 0
	for _, msg := range m.a.sorted {
		if wanted(msg) {
			n++
		}
	}
	return n, nil
}

func (m *mailbox) Subscribe(ctx context.Context) (provider.Subscription, error) {
	if err := m.call(ctx, OpSubscribe, ""); err != nil {
		return provider.Subscription{}, err
	}
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	m.a.nextSub++
	return m.a.lease(fmt.Sprintf("s%d", m.a.nextSub)), nil
}

func (m *mailbox) Renew(ctx context.Context, s provider.Subscription) (provider.Subscription, error) {
	if err := m.call(ctx, OpRenew, ""); err != nil {
		return provider.Subscription{}, err
	}
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	if _, ok := m.a.subs[s.ID]; !ok {
		return provider.Subscription{}, fmt.Errorf("fake: renew: subscription %q: %w", s.ID,
			provider.ErrGone)
	}
	return m.a.lease(s.ID), nil
}

func (m *mailbox) Unsubscribe(ctx context.Context, s provider.Subscription) error {
	if err := m.call(ctx, OpUnsubscribe, ""); err != nil {
		return err
	}
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	delete(m.a.subs, s.ID)
	return nil
}

func (a *Account) lease(id string) provider.Subscription {
	expires := a.s.o.Now().UTC().Add(subscriptionLife)
	a.subs[id] = expires
	return provider.Subscription{ID: id, Expires: expires}
}

// DropSubscriptions ends all subscriptions at the service, as Graph does when a password changes.
func (a *Account) DropSubscriptions() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.subs)
}

// Wait returns at once when something has changed that this mailbox's Changes has not told yet.
func (m *mailbox) Wait(ctx context.Context) error {
	if err := m.call(ctx, OpWait, ""); err != nil {
		return err
	}
	m.mu.Lock()
	seen := m.seen
	m.mu.Unlock()
	m.a.mu.Lock()
	news, changed := len(m.a.log) > seen, m.a.changed
	m.a.mu.Unlock()
	if news {
		return nil
	}
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readOnlyError says that the grant does not cover sending.
func readOnlyError(op Op) error {
	return fmt.Errorf("fake: %s: the grant does not allow it: %w", op, errors.ErrUnsupported)
}
